"""The encodings of masks: one table for the page, the command line and the reader."""

from __future__ import annotations

from segdebug.errors import SceneError

__all__ = ["ENCODINGS", "check_encoding"]

ENCODINGS: dict[str, str] = {
    "auto": "find out from the files",
    "binary": "one class and background: 0/255, 0/1, or any two values",
    "index": "each grey value is a class id",
    "palette": "each palette index is a class id; the palette's colours are only for show",
    "colour": "each distinct colour is a class",
    "planes": "one file a class: what is not zero belongs to it",
}
"""What `read_scene(encoding=)` takes, and what each means, in the words of the page."""

_LATER = ("instances", "grey_levels", "soft", "ade20k", "cityscapes", "vistas")


def check_encoding(encoding: object) -> str:
    """Return `encoding` if it is one of `ENCODINGS`, else raise SceneError naming them."""
    if isinstance(encoding, str):
        if encoding in ENCODINGS:
            return encoding
        if encoding in _LATER:
            raise SceneError(f'Encoding "{encoding}" is not read yet. Supported now: {", ".join(ENCODINGS)}.')
    raise SceneError(f"Expected an encoding of {', '.join(ENCODINGS)}, but got {encoding!r:.60}.")
