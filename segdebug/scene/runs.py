"""Run lengths: Kaggle's CSV, and the RLE of COCO. Both go down the columns."""

from __future__ import annotations

import io
import itertools
import re

import numpy as np
from numpy.typing import NDArray

from segdebug.errors import SceneError
from segdebug.scene.limits import MAX_MASK_FILES
from segdebug.scene.marks import Marks, belongs, check_text, shown_name

__all__ = ["coco_counts", "from_counts", "from_pairs", "is_run_csv", "read_run_csv"]

_RUN_COLUMNS = ("encodedpixels", "rle_mask", "rle", "encoding", "segmentation", "mask_rle", "annotation")
_CLASS_COLUMNS = ("classid", "class_id", "class", "categoryid", "category_id", "category", "label")
_NUMBERS = re.compile(r"[0-9\s]*")
_MAX_ROWS = 50_000  # objects of one picture
_MAX_PACKED = 4_000_000  # characters; a large object has some ten thousand
_TOO_LONG = re.compile(r"[0-9]{11}")
_EMPTY = ("", "-1", "nan", "none", "null")


def is_run_csv(data: bytes) -> bool:
    """Whether the first line is the head of a CSV with a column of runs."""
    return _columns(data[:500].decode("utf-8-sig", "replace")) is not None


def _columns(text: str) -> tuple[list[str], int, int | None] | None:
    """Column names, the place of the runs, and of the class (None without one)."""
    head = [cell.strip().strip('"').casefold() for cell in text.partition("\n")[0].split(",")]
    if len(head) < 2:
        return None
    runs = next((head.index(name) for name in _RUN_COLUMNS if name in head[1:]), None)
    if runs is None:
        return None
    of_class = next((head.index(name) for name in _CLASS_COLUMNS if name in head[1:]), None)
    return head, runs, None if of_class == runs else of_class


def read_run_csv(name: str, data: bytes, picture: str, size: tuple[int, int]) -> Marks:
    """The rows of one picture: pairs of start and length, counted from 1 down the columns, top to bottom.

    size: (width, height). Rows of one class are its objects; the class is in a column of its own, or after the
    last underscore of an id column such as ImageId_ClassId.
    Raises SceneError: no row of this picture, damaged pairs, runs beyond the picture.
    """
    check_text(name, data)
    text = data.decode("utf-8-sig", "replace")
    columns = _columns(text)
    if columns is None:
        raise SceneError(f"{name}: the CSV has no column of runs, such as EncodedPixels.", name)
    head, runs, of_class = columns
    joined = of_class is None and "_" in head[0] and head[0] not in ("image_id", "img_id", "image_name", "file_name")
    mine: list[tuple[str, str]] = []
    alone: list[tuple[str, str]] = []  # of the only picture, as long as there is but one
    first, several = None, False
    for line in itertools.islice(io.StringIO(text), 1, None):
        cells = [cell.strip().strip('"') for cell in line.split(",")]
        if len(cells) <= max(runs, of_class or 0):
            continue
        picture_id, class_name = cells[0], cells[of_class] if of_class is not None else ""
        if joined and "_" in picture_id:
            picture_id, _, class_name = picture_id.rpartition("_")
        first = picture_id if first is None else first
        several = several or picture_id != first
        row = (class_name, cells[runs])
        if belongs(picture_id, picture):
            mine.append(row)
        elif not several:
            alone.append(row)
        if len(mine) > _MAX_ROWS or (not several and len(alone) > _MAX_ROWS):
            raise SceneError(f"{name}: the CSV has more than {_MAX_ROWS:,} rows of one picture.", name)
    if not mine and not several:
        mine = alone
    if not mine:
        raise SceneError(
            f"{name}: the CSV holds runs of other pictures, and none of them is {picture}. "
            "Give the picture under the name that the CSV has, or the rows of this picture alone.",
            name,
        )
    of: dict[str, list[str]] = {}
    for class_name, pairs in mine:
        of.setdefault(class_name, [])
        if pairs.casefold() not in _EMPTY:
            of[class_name].append(pairs)
    if len(of) > MAX_MASK_FILES:
        raise SceneError(f"{name}: the CSV names {len(of):,} classes; at most {MAX_MASK_FILES} are read.", name)
    keys = sorted(of, key=lambda key: (not key.isdecimal(), int(key) if key.isdecimal() and len(key) < 9 else 0, key))

    def draw(number: int) -> NDArray[np.bool_]:
        return from_pairs(name, " ".join(of[keys[number]]), size)

    names = tuple(shown_name(f"class {key}" if key.isdecimal() else key, "foreground") for key in keys)
    return Marks("CSV", f"{sum(map(len, of.values())):,} rows of runs", names, draw)


def from_pairs(name: str, text: str, size: tuple[int, int]) -> NDArray[np.bool_]:
    """(H, W) bool of "start length start length …": starts from 1, down the columns. size: (width, height)."""
    whole = _NUMBERS.fullmatch(text) and not _TOO_LONG.search(text)
    numbers = np.fromstring(text, np.int64, sep=" ") if whole and text.strip() else np.zeros(0, np.int64)
    if not whole or numbers.size % 2:
        raise SceneError(f"{name}: runs are pairs of start and length, and these are not. Export them again.", name)
    return _marked(name, numbers[0::2] - 1, numbers[1::2], size)


def from_counts(name: str, counts: NDArray[np.int64], size: tuple[int, int]) -> NDArray[np.bool_]:
    """(H, W) bool of COCO's counts: pixels off, on, off … down the columns. size: (width, height)."""
    if counts.size and (counts.min() < 0 or counts.max() > size[0] * size[1]):
        raise SceneError(f"{name}: the runs go beyond the picture of {size[0]} × {size[1]} px.", name)
    ends = np.cumsum(counts)
    if not counts.size or ends[-1] != size[0] * size[1]:
        raise SceneError(
            f"{name}: the runs make {int(ends[-1]) if counts.size else 0:,} pixels, "
            f"but the picture has {size[0] * size[1]:,}.",
            name,
        )
    return _marked(name, ends[0::2][: len(counts) // 2], counts[1::2], size)


def _marked(
    name: str, starts: NDArray[np.int64], lengths: NDArray[np.int64], size: tuple[int, int]
) -> NDArray[np.bool_]:
    width, height = size
    if starts.size and (starts.min() < 0 or lengths.min() < 0 or int((starts + lengths).max()) > width * height):
        raise SceneError(
            f"{name}: the runs go beyond the picture of {width} × {height} px (starts count from 1). "
            "They belong to another picture, or to another size of it.",
            name,
        )
    edges = np.zeros(width * height + 1, np.int32)
    np.add.at(edges, starts, 1)
    np.add.at(edges, starts + lengths, -1)
    covered = np.cumsum(edges[:-1], dtype=np.int32, out=edges[:-1]) > 0
    return np.ascontiguousarray(covered.reshape(width, height).T)


def coco_counts(name: str, packed: str) -> NDArray[np.int64]:
    """COCO's compressed counts: five bits a character and a sign, each the difference from the count before last.

    The format is that of rleToString in pycocotools' maskApi.c.
    """
    if len(packed) > _MAX_PACKED:
        raise SceneError(f"{name}: compressed runs (counts) of {len(packed):,} characters are too long.", name)
    raw = np.frombuffer(packed.encode("utf-8", "replace"), np.uint8).astype(np.int64) - 48
    last = np.flatnonzero((raw & 0x20) == 0)
    if not raw.size or raw.min() < 0 or raw.max() > 63 or last.size == 0 or last[-1] != raw.size - 1:
        raise SceneError(f"{name}: compressed runs (counts) are damaged or cut short.", name)
    first = np.concatenate(([0], last[:-1] + 1))
    place = np.arange(raw.size) - np.repeat(first, last - first + 1)
    if place.max() > 7:
        raise SceneError(f"{name}: compressed runs (counts) are damaged.", name)
    values = np.add.reduceat((raw & 0x1F) << (5 * place), first)
    values -= np.where(raw[last] & 0x10, np.int64(1) << (5 * (place[last] + 1)), 0)
    for start in (1, 2):
        values[start::2] = np.cumsum(values[start::2])
    return values
