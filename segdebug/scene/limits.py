"""How much is read, and how files are named in messages. Every limit is checked before memory is spent."""

from __future__ import annotations

import unicodedata

from segdebug.errors import SceneError

__all__ = [
    "MAX_CLASSES",
    "MAX_FILE_BYTES",
    "MAX_MASK_FILES",
    "MAX_PAGES",
    "MAX_PIXELS",
    "MAX_PLANE_VALUES",
    "MAX_TEXT_BYTES",
    "MAX_TOTAL_BYTES",
    "check_pixels",
    "display_name",
    "display_text",
    "stem",
]

MAX_PIXELS = 40_000_000
"""Pixels of one picture or mask. A 24-megapixel camera fits; a float32 RGB picture is then 480 MB."""

MAX_FILE_BYTES = 64 * 2**20
"""Bytes of one file."""

MAX_TOTAL_BYTES = 256 * 2**20
"""Bytes of all mask files together: they are kept as they came, for the readers that people use."""

MAX_MASK_FILES = 300
"""Mask files of one scene."""

MAX_PAGES = 300
"""Pages of one TIFF, reduced copies not counted."""

MAX_TEXT_BYTES = 24 * 2**20
"""Bytes of one JSON or CSV file: parsed, it takes up to 24 times that."""

MAX_CLASSES = 256
"""Classes of one mask file. The largest public label sets that are trained on as they are have 150 to 200."""

MAX_PLANE_VALUES = 400_000_000
"""H · W · K of masks with one plane a class."""

_NAME_LENGTH = 80
_LONGEST = 10_000  # characters that are looked at


def display_name(raw: object, fallback: str = "file") -> str:
    """The last part of a file's name as it may be shown (see `display_text`), without its folders."""
    return display_text(str(raw).replace("\\", "/").rstrip("/").rpartition("/")[2], fallback)


def display_text(raw: str, fallback: str) -> str:
    """`raw` in one line of at most 80 characters, without control, bidirectional or otherwise invisible ones;
    `fallback` where nothing is left."""
    shown = "".join(
        " " if unicodedata.category(c)[0] == "Z" or c in "\t\n\r" else c
        for c in raw[:_LONGEST]
        if unicodedata.category(c)[0] != "C" or c in "\t\n\r"
    )
    shown = " ".join(shown.split())
    if len(shown) > _NAME_LENGTH:
        keep = (_NAME_LENGTH - 1) // 2
        shown = shown[:keep] + "…" + shown[-keep:]
    return shown or fallback


def stem(name: str) -> str:
    """A displayed name without its ending."""
    return name.rpartition(".")[0] or name


def check_pixels(name: str, width: int, height: int) -> None:
    """Raise SceneError unless width × height is at least one pixel and at most `MAX_PIXELS`."""
    if width < 1 or height < 1:
        raise SceneError(f"{name}: the picture has no pixels ({width} × {height}).", name)
    if width * height > MAX_PIXELS:
        raise SceneError(
            f"{name}: {width} × {height} px is more than the {MAX_PIXELS // 10**6} million pixels that are "
            "read. Scale it down first (masks by the nearest pixel).",
            name,
        )
