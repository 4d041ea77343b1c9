"""labelme's and COCO's JSON: polygons and run lengths drawn at the picture's size, as each tool's own code does."""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from segdebug.errors import SceneError
from segdebug.scene.decode import decode
from segdebug.scene.limits import MAX_MASK_FILES
from segdebug.scene.marks import Marks, belongs, load_json, shown_name
from segdebug.scene.model import SceneWarning
from segdebug.scene.runs import coco_counts, from_counts
from segdebug.scene.scanline import MAX_CROSSINGS, crossings, fill
from segdebug.scene.source import Source

__all__ = ["read_json"]

_WORK = 1_000_000_000  # scanlines × corners, or pixels painted, in all
_MAX_SHAPES = 50_000
_MAX_CORNERS = 500_000  # of one shape
_FAR = 1e6  # pixels; no corner of a picture is that far
_SHAPES = ("polygon", "rectangle", "circle", "mask")
_IGNORED = ("__ignore__", "_ignore_", "ignore", "void")
Points = list[tuple[float, float]]


def read_json(name: str, data: bytes, picture: str, size: tuple[int, int]) -> Marks:
    """The marks of one picture in a labelme or COCO file. picture: its displayed name; size: (width, height).

    Raises SceneError: neither of the two, another picture's, another size, or shapes that cannot be drawn.
    """
    value = load_json(name, data)
    try:
        if isinstance(value, dict) and isinstance(value.get("shapes"), list):
            return _labelme(name, value, size)
        if isinstance(value, dict) and isinstance(value.get("annotations"), list):
            return _coco(name, value, picture, size)
        if isinstance(value, list) and value and isinstance(value[0], dict) and "segmentation" in value[0]:
            return _coco(name, {"annotations": value}, picture, size)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError) as error:
        raise SceneError(f"{name}: the JSON does not say what it should. Export it again.", name) from error
    raise SceneError(
        f'{name}: JSON is read from labelme ("shapes") and of COCO ("annotations"), and this is neither.', name
    )


class _Canvas:
    """Draws with a budget: what all shapes together may cost."""

    def __init__(self, name: str, size: tuple[int, int]) -> None:
        self.name, self.size, self.work = name, size, 0

    def spend(self, points: Points) -> None:
        (width, height), xs, ys = self.size, [p[0] for p in points], [p[1] for p in points]
        if not all(map(math.isfinite, xs + ys)) or max(map(abs, xs + ys)) > _FAR:
            raise SceneError(f"{self.name}: a shape has corners far outside of the picture, or none.", self.name)
        rows = max(0, min(height, max(ys) + 1) - max(0, min(ys))) + 1
        columns = max(0, min(width, max(xs) + 1) - max(0, min(xs))) + 1
        self.work += int(rows * (len(points) + columns))
        if self.work > _WORK:
            raise SceneError(f"{self.name}: the shapes are too many or too large to be drawn.", self.name)


# labelme -----------------------------------------------------------------------------------------------------


def _labelme(name: str, value: dict[str, Any], size: tuple[int, int]) -> Marks:
    """As labelme's own export draws: in the order of the file, each shape over those before it."""
    stated = (value.get("imageWidth"), value.get("imageHeight"))
    if None not in stated:
        _check_size(name, stated, size)
    canvas, of, left_out = _Canvas(name, size), dict[str, int](), 0
    drawn = Image.new("I", size)
    pencil = ImageDraw.Draw(drawn)
    shapes = 0
    for shape in value["shapes"]:
        kind = shape.get("shape_type") or "polygon"
        points = _points(name, shape["points"])
        if kind not in _SHAPES or len(points) < (3 if kind == "polygon" else 2):
            left_out += 1
            continue
        label = shown_name(shape.get("label"), "unnamed")
        number = of.setdefault(label, len(of) + 1)
        if number > MAX_MASK_FILES:
            raise SceneError(f"{name}: more than {MAX_MASK_FILES} classes are named.", name)
        shapes += 1
        _check_number(name, shapes)
        _draw_labelme(canvas, drawn, pencil, kind, points, number, shape)
    return _drawn_over(name, drawn, of, f"{shapes:,} shapes", left_out)


def _draw_labelme(
    canvas: _Canvas,
    drawn: Image.Image,
    pencil: ImageDraw.ImageDraw,
    kind: str,
    points: Points,
    number: int,
    shape: dict[str, Any],
) -> None:
    """One shape as labelme.utils.shape_to_mask draws it, outline included."""
    if kind == "circle":
        (x, y), (a, b) = points[:2]
        r = math.hypot(x - a, y - b)
        points = [(x - r, y - r), (x + r, y + r)]
    canvas.spend(points)
    (left, top), (right, bottom) = points[:2]
    box = (min(left, right), min(top, bottom), max(left, right), max(top, bottom))
    if kind == "polygon":
        pencil.polygon(points, fill=number, outline=number)
    elif kind == "rectangle":
        pencil.rectangle(box, fill=number, outline=number)
    elif kind == "circle":
        pencil.ellipse(box, fill=number, outline=number)
    else:
        _paste(canvas.name, drawn, box, str(shape.get("mask") or ""), number)


def _paste(name: str, drawn: Image.Image, box: tuple[float, ...], packed: str, number: int) -> None:
    """A labelme "mask" shape: a PNG in base64, put with its corner at the first point."""
    try:
        data = base64.b64decode(packed, validate=True)
    except (binascii.Error, ValueError) as error:
        raise SceneError(f"{name}: a shape of type mask is damaged.", name) from error
    values = decode(Source(name, data)).values
    if values.ndim != 2:
        raise SceneError(f"{name}: a shape of type mask is a picture in colour.", name)
    stencil = Image.fromarray((values != 0).astype(np.uint8) * np.uint8(255))
    drawn.paste(number, (round(box[0]), round(box[1])), stencil)


def _drawn_over(name: str, drawn: Image.Image, of: dict[str, int], mode: str, left_out: int) -> Marks:
    if not of:
        raise SceneError(f"{name}: no polygon, rectangle, circle or mask is in the file.", name)
    index = np.asarray(drawn)
    names = tuple(label for label in of if label.casefold() not in _IGNORED)
    if not names:
        raise SceneError(f"{name}: every shape is to be ignored.", name)
    ignored = [number for label, number in of.items() if label.casefold() in _IGNORED]
    warnings = []
    if left_out:
        text = f"{name}: {left_out:,} points and lines were left out: they cover no area."
        warnings.append(SceneWarning("shapes_left_out", text))
    void = (lambda: np.isin(index, ignored)) if ignored else None
    return Marks("LABELME", mode, names, lambda k: index == of[names[k]], void, warnings)


def _check_number(name: str, n: int) -> None:
    if n > _MAX_SHAPES:
        raise SceneError(f"{name}: more than {_MAX_SHAPES:,} shapes are in the file, which are not drawn.", name)


# COCO --------------------------------------------------------------------------------------------------------


def _coco(name: str, value: dict[str, Any], picture: str, size: tuple[int, int]) -> Marks:
    """Annotations of one picture by category; crowds (iscrowd) are void where nothing else is."""
    mine = _of_picture(name, value, picture, size)
    _check_number(name, len(mine))
    called = {c["id"]: c.get("name") for c in value.get("categories") or []}
    of: dict[Any, list[Any]] = {}
    crowds: list[Any] = []
    for annotation in mine:
        if not annotation.get("segmentation"):
            continue
        if annotation.get("iscrowd"):
            crowds.append(annotation["segmentation"])
        else:
            of.setdefault(annotation.get("category_id", 1), []).append(annotation["segmentation"])
    if not of:
        raise SceneError(f"{name}: no annotation of {picture} has a segmentation.", name)
    if len(of) > MAX_MASK_FILES:
        raise SceneError(f"{name}: {len(of):,} categories are used; at most {MAX_MASK_FILES} are read.", name)
    keys = sorted(of, key=lambda key: (not isinstance(key, int), str(key).zfill(12)))
    canvas = _Canvas(name, size)

    def draw(number: int) -> NDArray[np.bool_]:
        return _union(canvas, of[keys[number]])

    names = tuple(shown_name(called.get(key), f"class {key!s:.20}") for key in keys)
    warnings = []
    if crowds:
        text = f"{name}: {len(crowds):,} crowds (iscrowd) say no exact outline: their pixels are void."
        warnings.append(SceneWarning("crowds_void", text))
    void = (lambda: _union(canvas, crowds)) if crowds else None
    return Marks("COCO", f"{len(mine):,} annotations", names, draw, void, warnings)


def _of_picture(name: str, value: dict[str, Any], picture: str, size: tuple[int, int]) -> list[dict[str, Any]]:
    annotations = [a for a in value["annotations"] if isinstance(a, dict)]
    images = [image for image in value.get("images") or [] if isinstance(image, dict)]
    if not images:
        ids = {a.get("image_id") for a in annotations}
        mine = [a for a in annotations if belongs(str(a.get("image_id")), picture)]
        if not mine and len(ids) > 1:
            raise _other_pictures(name, len(ids), picture)
        return mine or annotations
    fitting = [image for image in images if belongs(image.get("file_name", ""), picture)]
    if not fitting:
        fitting = images if len(images) == 1 else []
    if len(fitting) != 1:
        raise _other_pictures(name, len(images), picture)
    if "width" in fitting[0] and "height" in fitting[0]:
        _check_size(name, (fitting[0]["width"], fitting[0]["height"]), size)
    return [a for a in annotations if a.get("image_id") == fitting[0].get("id")]


def _other_pictures(name: str, n: int, picture: str) -> SceneError:
    return SceneError(
        f"{name}: the file holds {n:,} pictures, and which of them is {picture} is not clear. "
        "Give the picture under the name that the file has.",
        name,
    )


def _check_size(name: str, stated: tuple[Any, Any], size: tuple[int, int]) -> None:
    if tuple(stated) != size:
        shown = " × ".join(f"{side!s:.12}" for side in stated)
        raise SceneError(f"{name}: drawn on {shown} px, but the picture is {size[0]} × {size[1]} px (W × H).", name)


def _union(canvas: _Canvas, segmentations: Sequence[Any]) -> NDArray[np.bool_]:
    """Polygons ([x, y, x, y, …], in corners of pixels) and runs of one class as one plane."""
    covered = np.zeros((canvas.size[1], canvas.size[0]), np.bool_)
    for segmentation in segmentations:
        if isinstance(segmentation, dict):
            covered |= _runs(canvas, segmentation)
            continue
        for flat in segmentation if isinstance(segmentation[0], list) else [segmentation]:
            if len(flat) > 2 * _MAX_CORNERS:
                raise _too_many_corners(canvas.name)
            points = _points(canvas.name, list(zip(flat[0::2], flat[1::2], strict=False)))
            if len(points) > 2:
                canvas.spend(points)
                corners = np.array(points)
                if crossings(corners, canvas.size[1])[1].sum() > MAX_CROSSINGS:
                    raise _too_many_corners(canvas.name)
                fill(covered, corners)
    return covered


def _runs(canvas: _Canvas, segmentation: dict[str, Any]) -> NDArray[np.bool_]:
    height, width = segmentation["size"]
    _check_size(canvas.name, (width, height), canvas.size)
    canvas.spend([(0.0, 0.0), (float(width), float(height))])
    counts = segmentation["counts"]
    if isinstance(counts, str):
        numbers = coco_counts(canvas.name, counts)
    else:
        numbers = np.asarray(counts)
        if numbers.ndim != 1 or numbers.dtype.kind not in "iu":
            raise SceneError(f"{canvas.name}: runs (counts) are not whole numbers.", canvas.name)
    return from_counts(canvas.name, numbers.astype(np.int64), canvas.size)


def _points(name: str, raw: Any) -> Points:
    if len(raw) > _MAX_CORNERS:
        raise _too_many_corners(name)
    return [(float(x), float(y)) for x, y in raw]


def _too_many_corners(name: str) -> SceneError:
    return SceneError(f"{name}: a polygon has too many corners to be drawn.", name)
