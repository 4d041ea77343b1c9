"""Small pictures with masks as people's files hold them: the truth is drawn, the file is then written faultily.

A builder gives a `Scene` whose labels are the drawing. Where no reader could know the truth from the file (labels
that were standardised, transposed or looked up wrongly before they were saved), the scene is read from the drawing
and carries the faulty file for `target.reader`.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from segdebug.scene import Scene, SourceFile, read_scene

__all__ = ["SCENES", "SIZE", "drawing", "scene"]

Array = NDArray[Any]

SIZE = 48
"""Pixels on a side. Cases train at 32: labels are really resized."""

_COLOURS = np.array([[70, 80, 60], [210, 60, 50], [50, 180, 80], [60, 90, 220], [230, 210, 60]])
_HARD_TO_SEE = np.array([86, 88, 68])
"""A colour two steps of noise away from the background."""
_VOC = np.array([[0, 0, 0], [128, 0, 0], [0, 128, 0], [128, 128, 0], [0, 0, 128]], np.uint8)
_STREET = np.array([[128, 64, 128], [244, 35, 232], [70, 70, 70], [0, 0, 142]], np.uint8)


def drawing(classes: int, size: int = SIZE) -> NDArray[np.uint8]:
    """(size, size) ids: a disc, a square, a triangle and a bar on the background 0, as many as there are classes."""
    y, x = np.mgrid[:size, :size] * (SIZE / size)
    ids = np.zeros((size, size), np.uint8)
    shapes = (
        (y - 14) ** 2 + (x - 14) ** 2 < 81,
        (y >= 26) & (y < 42) & (x >= 5) & (x < 19),
        (y >= 6) & (y < 24) & (abs(x - 34) < (y - 4) / 2),
        (y >= 31) & (y < 41) & (x >= 24) & (x < 45),
    )
    for number, shape in enumerate(shapes[: classes - 1], start=1):
        ids[shape] = number
    return ids


def _photo(ids: Array, colours: Array = _COLOURS) -> tuple[str, bytes]:
    noise = np.random.default_rng(3).normal(0, 6, (*ids.shape, 3))
    return "image.png", _file(np.clip(colours[ids] + noise, 0, 255).astype(np.uint8))


def _file(array: Array, kind: str = "PNG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, kind, **options)
    return buffer.getvalue()


def _palette_png(ids: Array, palette: Array = _VOC) -> bytes:
    image = Image.fromarray(ids, "P")
    image.putpalette(palette.tobytes())
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def _grey(ids: Array, values: Sequence[int], dtype: type = np.uint8) -> Array:
    return np.asarray(values, dtype)[ids]


def _read(ids: Array, mask: bytes, name: str = "mask.png", **how: Any) -> Scene:
    """The scene of that drawing, from its mask file."""
    return read_scene(_photo(ids), [(name, mask)], **how)


def _carrying(ids: Array, *files: tuple[str, bytes], void: Array | None = None) -> Scene:
    """The scene of the drawing itself, with other mask files than those it was read from."""
    truth = ids.astype(np.int16)
    if void is not None:
        truth[void] = -1
    names = ["background", "disc", "square", "triangle", "bar"][: int(ids.max()) + 1]
    read = read_scene(_photo(ids), truth, classes=names, encoding="index")
    several = len(files) > 1
    carried = tuple(SourceFile(name, data, n if several else None) for n, (name, data) in enumerate(files))
    return replace(read, mask_files=carried, digest="")


def _ids(drawn: int, values: Sequence[int] | None = None, **how: Any) -> Scene:
    ids = drawing(drawn)
    return _read(ids, _file(_grey(ids, values or range(drawn))), **how)


def _void_edge() -> Array:
    """The four outermost pixels all round."""
    edge = np.ones((SIZE, SIZE), np.bool_)
    edge[4:-4, 4:-4] = False
    return edge


def _with_void(classes: int, palette: bool = False) -> Scene:
    ids = drawing(classes)
    shown = np.where(_void_edge(), 255, ids).astype(np.uint8)
    if not palette:
        return _read(ids, _file(shown), ignore=255, encoding="index")
    colours = np.zeros((256, 3), np.uint8)
    colours[: len(_VOC)], colours[255] = _VOC, (224, 224, 192)
    return _read(ids, _palette_png(shown, colours), ignore=255)


def _smooth() -> Array:
    """A binary mask drawn four times as large and averaged: grey along its edge."""
    large = drawing(2, 4 * SIZE) * 255.0
    return np.asarray(large.reshape(SIZE, 4, SIZE, 4).mean(axis=(1, 3)).round().astype(np.uint8))


def _matte() -> Array:
    """A soft alpha matte up to 254: the smooth mask, blurred."""
    soft = _smooth().astype(np.float64)
    for _ in range(3):
        around = np.pad(soft, 1, mode="edge")
        soft = (around[:-2, 1:-1] + around[2:, 1:-1] + around[1:-1, :-2] + around[1:-1, 2:] + 2 * soft) / 6
    return np.asarray(np.minimum(soft, 254).round().astype(np.uint8))


def _standardised() -> Scene:
    ids = drawing(2)
    values = ids.astype(np.float32)
    return _carrying(ids, ("mask.tif", _file((values - values.mean()) / values.std(), "TIFF")))


def _jpeg_levels() -> Scene:
    ids = drawing(3)
    return _carrying(ids, ("mask.jpg", _file(_grey(ids, (0, 128, 255)), "JPEG", quality=75)))


def _files(classes: int) -> Scene:
    """One 0/255 file for every class, the background too."""
    ids = drawing(classes)
    names = ("background.png", "disc.png", "square.png", "triangle.png", "bar.png")
    masks = [(names[k], _file((ids == k).astype(np.uint8) * 255)) for k in range(classes)]
    return read_scene(_photo(ids), masks)


def _one_file() -> Scene:
    ids = drawing(2)
    return read_scene(_photo(ids), [("disc.png", _file(ids * 255))], encoding="planes")


def _minus_one() -> Scene:
    ids, void = drawing(2), _void_edge()
    stored = np.where(void, -1, ids.astype(np.int32))
    return _carrying(ids, ("mask.tif", _file(stored, "TIFF")), void=void)


def _transposed_planes() -> Scene:
    """Planes of the first three of four classes, rows and columns exchanged; the fourth colour was not found."""
    ids = drawing(4)
    files = [(f"plane_{k}.png", _file((ids == k).T.astype(np.uint8))) for k in range(3)]
    return _carrying(ids, *files)


def _lookup_of_three() -> Scene:
    """Five classes saved by a table that knows three grey levels, in reverse, and calls the others 0."""
    ids = drawing(5)
    return _carrying(ids, ("mask.png", _file(_grey(ids, (2, 0, 1, 0, 0)))))


def _background_ignored() -> Scene:
    """The background written as 255 and the object as 0, as `reduce_zero_label` does."""
    ids = drawing(2)
    return _carrying(ids, ("mask.png", _file(_grey(ids, (255, 0)))))


def _overlapping() -> Scene:
    """Three classes, one 0/255 file each, that cover one another in part."""
    y, x = np.mgrid[:SIZE, :SIZE]
    planes = np.stack(
        [(y - 18) ** 2 + (x - 18) ** 2 < 150, (y >= 16) & (y < 40) & (x >= 14) & (x < 40), abs(x - y) < 5]
    )
    light = np.array([[120, 0, 0], [0, 110, 0], [0, 0, 130]])
    shown = 40 + np.tensordot(planes.astype(np.float64), light, axes=(0, 0))
    noise = np.random.default_rng(3).normal(0, 6, shown.shape)
    image = ("image.png", _file(np.clip(shown + noise, 0, 255).astype(np.uint8)))
    names = ("cell.png", "nucleus.png", "fibre.png")
    masks = [(name, _file(p.astype(np.uint8) * 255)) for name, p in zip(names, planes, strict=True)]
    return read_scene(image, masks)


def _rare(classes: int = 2, void: bool = False) -> Scene:
    """The last class has 1 % of the pixels and is hard to tell from the background."""
    ids = drawing(classes - 1) if classes > 2 else np.zeros((SIZE, SIZE), np.uint8)
    ids[22:27, 40:45] = classes - 1
    colours = _COLOURS.copy()
    colours[classes - 1] = _HARD_TO_SEE
    shown = np.where(_void_edge(), 255, ids).astype(np.uint8) if void else ids
    names = [f"class {k}" for k in range(classes)]
    how: dict[str, Any] = {"ignore": 255} if void else {}
    return read_scene(_photo(ids, colours), [("mask.png", _file(shown))], classes=names, encoding="index", **how)


SCENES: dict[str, Callable[[], Scene]] = {
    "binary_01": lambda: _ids(2, encoding="index"),
    "binary_255": lambda: _ids(2, (0, 255)),
    "binary_255_tiff": lambda: _read(drawing(2), _file(drawing(2) * 255, "TIFF"), "mask.tif"),
    "binary_16_bit": lambda: _read(drawing(2), _file(_grey(drawing(2), (0, 65535), np.uint16))),
    "binary_128": lambda: _ids(2, (0, 128)),
    "binary_0_2": lambda: _ids(2, (0, 2)),
    "binary_shifted": lambda: _ids(2, (20, 255)),
    "binary_one_based": lambda: _ids(2, (1, 2)),
    "binary_red": lambda: _read(drawing(2), _file(np.array([[0, 0, 0], [255, 0, 0]], np.uint8)[drawing(2)])),
    "binary_rgb_grey": lambda: _read(drawing(2), _file(np.repeat(drawing(2)[..., None] * np.uint8(255), 3, axis=2))),
    "binary_jpeg": lambda: _read(drawing(2), _file(drawing(2) * 255, "JPEG", quality=75), "mask.jpg"),
    "binary_smooth": lambda: _read(drawing(2), _file(_smooth()), encoding="binary"),
    "binary_matte": lambda: _read(drawing(2), _file(_matte()), encoding="binary"),
    "binary_one_file": _one_file,
    "binary_standardised": _standardised,
    "binary_minus_one": _minus_one,
    "binary_background_ignored": _background_ignored,
    "binary_palette": lambda: _read(drawing(2), _palette_png(drawing(2))),
    "three": lambda: _ids(3),
    "three_one_based": lambda: _ids(3, (1, 2, 3)),
    "three_grey_levels": lambda: _ids(3, (0, 100, 224)),
    "three_jpeg_levels": _jpeg_levels,
    "three_files": lambda: _files(3),
    "three_palette": lambda: _read(drawing(3), _palette_png(drawing(3))),
    "three_palette_void": lambda: _with_void(3, palette=True),
    "four": lambda: _ids(4),
    "four_colours": lambda: _read(drawing(4), _file(_STREET[drawing(4)])),
    "four_0_1_2_4": lambda: _ids(4, (0, 1, 2, 4)),
    "four_void": lambda: _with_void(4),
    "four_transposed_planes": _transposed_planes,
    "five": lambda: _ids(5),
    "five_palette": lambda: _read(drawing(5), _palette_png(drawing(5))),
    "five_of_eleven": lambda: _ids(5, (0, 2, 6, 7, 10), classes=[f"part {k}" for k in range(11)], encoding="index"),
    "five_street_ids": lambda: _ids(5, (7, 8, 11, 23, 26)),
    "five_lookup_of_three": _lookup_of_three,
    "overlapping": _overlapping,
    "rare": lambda: _rare(),
    "rare_void": lambda: _rare(void=True),
    "rare_of_five": lambda: _rare(5),
}


@cache
def scene(name: str) -> Scene:
    """The scene of that name; made once."""
    return SCENES[name]()
