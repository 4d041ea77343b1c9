"""What polygons and runs have in common: classes that are drawn at the picture's size, one after another."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segdebug.errors import SceneError
from segdebug.scene.limits import MAX_TEXT_BYTES, display_text
from segdebug.scene.model import SceneWarning

__all__ = ["Marks", "belongs", "check_text", "load_json", "shown_name"]


@dataclass(frozen=True)
class Marks:
    """A file of shapes or runs. form, mode: for the report. names: one a class.

    draw: class number to covered (H, W) bool. void: draws the pixels that do not count, or None.
    """

    form: str
    mode: str
    names: tuple[str, ...]
    draw: Callable[[int], NDArray[np.bool_]]
    void: Callable[[], NDArray[np.bool_]] | None = None
    warnings: list[SceneWarning] = field(default_factory=list)


def load_json(name: str, data: bytes) -> Any:
    """The JSON value in `data`. Raises SceneError: too long, too deep, or no JSON."""
    check_text(name, data)
    try:
        return json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise SceneError(f"{name}: the JSON is damaged or cut short. Export it again.", name) from error


def check_text(name: str, data: bytes) -> None:
    """Raise SceneError for more text than is parsed."""
    if len(data) > MAX_TEXT_BYTES:
        raise SceneError(
            f"{name}: the text holds more than the {MAX_TEXT_BYTES // 2**20} MB that are read. "
            "Leave the other pictures' masks out.",
            name,
        )


def shown_name(raw: object, fallback: str) -> str:
    """A class name out of a file, as it may be shown."""
    return display_text(str(raw), fallback) if isinstance(raw, (str, int)) and raw != "" else fallback


def belongs(raw: object, picture: str) -> bool:
    """Whether a file name or id in the text means the picture of that displayed name."""
    last = str(raw).replace("\\", "/").rpartition("/")[2]
    bare = picture.rpartition(".")[0] or picture
    if last.isdecimal() and bare.isdecimal():
        return int(last[:30]) == int(bare[:30])  # COCO's id 139 is 000000000139.jpg
    return not {last, last.rpartition(".")[0] or last}.isdisjoint((picture, bare))
