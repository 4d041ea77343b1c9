"""Legends: which value or colour is which class, as a mapping or as a names file in the forms that people have."""

from __future__ import annotations

import csv
import io
import json
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from segdebug.errors import SceneError
from segdebug.scene.known_codes import Table
from segdebug.scene.limits import MAX_CLASSES, display_text

__all__ = ["Legend", "read_legend"]

_MAX_BYTES = 1 << 20
_LONGEST_PATH = 1000
_VOID_NAMES = frozenset(
    ("void", "ignore", "ignored", "unlabelled", "unlabeled", "don't care", "dont care", "dontcare", "_ignore_")
)
_HEX = re.compile(r"(?:#|0x)([0-9a-fA-F]{6})")
_NUMBERS = re.compile(r"-?\d+")
_CODE_KEYS = ("color", "colour", "rgb", "hex", "id", "value", "code", "index", "label_id")
_NAME_KEYS = ("name", "class", "class_name", "label", "title", "category")
_FORMS = 'one class a line, as "0 sky", "sky,70,130,180" or "#4682b4 sky"; or JSON {"sky": [70, 130, 180]}'


@dataclass(frozen=True)
class Legend:
    """table: the classes, in the legend's order. colours: whether its codes are colours rather than values."""

    table: Table
    colours: bool


def read_legend(given: object) -> Legend:
    """A legend from a mapping {code: name} or {name: code}, (code, name) pairs, the text or bytes of a names file
    (lines, CSV or JSON), or its path.

    A code is a value (0, 255), "#rrggbb" or (r, g, b). Classes have the legend's order; several codes of one name are
    one class; names that say void or ignore are void.
    Raises SceneError: unreadable, empty, too long, a code given twice, or values and colours mixed.
    """
    pairs = [(_code(code), display_text(str(name), "")) for code, name in _pairs(given)]
    if not pairs:
        raise SceneError(f"The legend names no class. Write {_FORMS}.")
    kinds = {is_colour for (is_colour, _), _ in pairs}
    if len(kinds) > 1:
        raise SceneError("The legend mixes values and colours. Give one kind of code.")
    classes: dict[int, int] = {}
    names: list[str] = []
    for (_, code), name in pairs:
        if not name:
            raise SceneError(f"The legend gives no name for {code}.")
        if code in classes:
            raise SceneError(f"The legend gives the code of {name} twice.")
        if name.casefold() in _VOID_NAMES:
            classes[code] = -1
            continue
        if name not in names:
            names.append(name)
        classes[code] = names.index(name)
    if not 1 <= len(names) <= MAX_CLASSES:
        raise SceneError(f"Expected a legend of 1 to {MAX_CLASSES} classes, but got {len(names)}.")
    colours = kinds.pop()
    table = Table("the legend", tuple(names), {} if colours else classes, classes if colours else {})
    return Legend(table, colours)


def _pairs(given: object) -> Iterable[tuple[object, object]]:
    """(code, name) pairs of whatever was given."""
    if isinstance(given, Mapping):
        return [_turned(key, value) for key, value in given.items()]
    if isinstance(given, (list, tuple)):
        return [_entry(item) for item in given]
    if isinstance(given, os.PathLike) or (isinstance(given, str) and _is_path(given)):
        return _parsed(_file(Path(given)))
    if isinstance(given, (bytes, bytearray)):
        return _parsed(bytes(given))
    if isinstance(given, str):
        return _parsed(given.encode())
    raise SceneError(
        f"Expected a legend as a mapping, pairs or the text of a names file, but got {type(given).__name__}."
    )


def _is_path(text: str) -> bool:
    if "\n" in text or len(text) > _LONGEST_PATH:
        return False
    try:
        return Path(text).is_file()
    except (OSError, ValueError):  # a name too long, or a null byte
        return False


def _file(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        raise SceneError(f"{display_text(path.name, 'legend')}: the legend cannot be read.") from error


def _parsed(data: bytes) -> Iterable[tuple[object, object]]:
    if len(data) > _MAX_BYTES:
        raise SceneError("The legend holds more than 1 MB. Give one line a class.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SceneError(f"The legend is not a text in UTF-8. Write {_FORMS}.") from error
    if text.lstrip()[:1] in ("{", "["):
        try:
            return list(_pairs(json.loads(text)))
        except (ValueError, RecursionError) as error:
            raise SceneError("The legend looks like JSON, but is not valid.") from error
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith(("//", ";", "# "))]
    found = [_line(line) for line in lines]
    if all(code is None for code, _ in found):  # bare names: the line's number is the id
        return list(enumerate(name for _, name in found))
    if found[0][0] is None:  # a CSV's header
        found = found[1:]
    return found


def _line(line: str) -> tuple[object, str]:
    """One line: name and code in either order, parted by commas, tabs, colons, equals signs or spaces. The code is
    None where the line has none."""
    separator = next((s for s in (",", "\t", ";") if s in line), None)
    fields = next(csv.reader(io.StringIO(line), delimiter=separator)) if separator else re.split(r"[\s:=]+", line)
    fields = [field.strip().strip(":=") for field in fields if field.strip()]
    numbers = [field for field in fields if _NUMBERS.fullmatch(field)]
    hexes = [field for field in fields if _HEX.fullmatch(field)]
    name = " ".join(field for field in fields if field not in numbers and field not in hexes)
    if hexes:
        return hexes[0], name
    if len(numbers) >= 3:
        first = 1 if len(numbers) == 4 and fields[0] == numbers[0] else 0  # an id before the channels
        return tuple(int(n) for n in numbers[first : first + 3]), name
    return (int(numbers[0]) if numbers else None), name


def _entry(item: object) -> tuple[object, object]:
    """One item of a list: (code, name), or a record with a name and a colour or id."""
    if isinstance(item, Mapping):
        low = {str(key).casefold(): value for key, value in item.items()}
        name = next((low[key] for key in _NAME_KEYS if key in low), None)
        code = next((low[key] for key in _CODE_KEYS if low.get(key) is not None), None)
        if name is None or code is None:
            raise SceneError("Each entry of the legend needs a name, and a colour or an id.")
        return code, name
    if isinstance(item, (list, tuple)) and len(item) == 2:
        return _turned(item[0], item[1])
    raise SceneError(f"Expected (code, name) pairs in the legend, but got {item!r:.60}.")


def _turned(key: Any, value: Any) -> tuple[object, object]:
    """(code, name), whichever of the two came first."""
    if _is_code(key):
        return key, value
    if _is_code(value):
        return value, key
    raise SceneError(f"The legend's entry {key!r:.40} → {value!r:.40} gives no code.")


def _is_code(given: object) -> bool:
    try:
        _code(given)
    except SceneError:
        return False
    return True


def _code(given: object) -> tuple[bool, int]:
    """Whether it is a colour, and the code."""
    if isinstance(given, bool):
        raise SceneError("A legend's code is a number or a colour.")
    if isinstance(given, int) or hasattr(given, "__index__"):
        return False, int(given)
    if isinstance(given, (list, tuple)) and len(given) in (3, 4):
        channels = [int(c) for c in given[:3] if isinstance(c, (int, float)) or hasattr(c, "__index__")]
        if len(channels) == 3 and all(0 <= c <= 255 for c in channels):
            return True, channels[0] << 16 | channels[1] << 8 | channels[2]
    if isinstance(given, str):
        text = given.strip()
        if found := _HEX.fullmatch(text):
            return True, int(found[1], 16)
        if _NUMBERS.fullmatch(text) and len(text) < 12:
            return False, int(text)
        parts = _NUMBERS.findall(text)
        if len(parts) == 3 and re.fullmatch(r"[\s\d,()\[\]]+", text):
            return _code(tuple(int(p) for p in parts))
    raise SceneError(f"Expected a value or a colour in the legend, but got {given!r:.40}.")
