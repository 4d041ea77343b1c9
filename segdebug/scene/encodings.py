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
    "instances": "one file an object, or one file of object numbers: what is not zero is one class",
    "grey_levels": "each grey level is a class, as 0, 80, 160, 240: the darkest is class 0",
    "soft": "one class in degrees, as a matte or a probability: cut at a threshold",
    "voc": "Pascal VOC's 21 classes: indices 0 to 20 or their colours; 255 is void",
    "cityscapes": "Cityscapes label ids (7 is road) or colours: the 19 classes that are scored, the rest void",
    "cityscapes_train": "Cityscapes train ids: 0 to 18, 255 is void",
    "ade20k": "ADE20K: colours that hold R // 10 * 256 + G, or 1 to 150 with 0 for the rest, which is void",
    "vistas": "Mapillary Vistas 1.2: indices 0 to 65 or their colours, or 256 times the index in 16 bits",
    "label_times_1000": "class id * 1000 + number of the object; below 1000 the class id alone",
    "label_times_256": "class id * 256 + number of the object",
}
"""What `read_scene(encoding=)` takes, and what each means, in the words of the page."""


def check_encoding(encoding: object) -> str:
    """Return `encoding` if it is one of `ENCODINGS`, else raise SceneError naming them."""
    if isinstance(encoding, str) and encoding in ENCODINGS:
        return encoding
    raise SceneError(f"Expected an encoding of {', '.join(ENCODINGS)}, but got {encoding!r:.60}.")
