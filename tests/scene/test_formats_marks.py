"""Run lengths and polygons: against NumPy, and against what pycocotools and labelme make of the same."""

from __future__ import annotations

import base64
import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from segdebug.errors import SceneError
from segdebug.scene import VOID, Scene, read_scene

from .files import codes, encoded

HEIGHT, WIDTH = 60, 80
IMAGE = encoded(np.zeros((HEIGHT, WIDTH, 3), np.uint8))
RNG = np.random.default_rng(5)


def read(name: str, data: str | bytes, image: bytes = IMAGE, **options: Any) -> Scene:
    raw = data.encode() if isinstance(data, str) else data
    return read_scene(("0007.png", image), (name, raw), **options)


# Kaggle's CSV ------------------------------------------------------------------------------------------------


def kaggle(mask: np.ndarray) -> str:
    """Pairs of start and length, by walking down the columns one pixel after another."""
    pairs, run, at = [], 0, 0
    for column in range(mask.shape[1]):
        for row in range(mask.shape[0]):
            at += 1
            if mask[row, column]:
                run += 1
            elif run:
                pairs += [at - run, run]
                run = 0
    if run:
        pairs += [at - run + 1, run]
    return " ".join(map(str, pairs))


@settings(max_examples=60, deadline=None, derandomize=True)
@given(hnp.arrays(np.bool_, hnp.array_shapes(min_dims=2, max_dims=2, max_side=9)))
def test_any_runs(mask: np.ndarray) -> None:
    image = encoded(np.zeros(mask.shape, np.uint8))
    scene = read("train.csv", f"id,rle_mask\n0007,{kaggle(mask)}\n", image)
    np.testing.assert_array_equal(scene.labels == scene.n_classes - 1, mask)


def test_runs_go_down_the_columns_from_one() -> None:
    scene = read("t.csv", f"ImageId,EncodedPixels\n0007.png,1 3 {HEIGHT + 1} 2\n")
    expected = np.zeros((HEIGHT, WIDTH), int)
    expected[:3, 0] = expected[:2, 1] = 1
    np.testing.assert_array_equal(scene.labels, expected)
    assert [c.pixels for c in scene.classes] == [HEIGHT * WIDTH - 5, 5]
    assert scene.report[0].format == "CSV"


def test_rows_of_one_picture_are_objects() -> None:
    text = 'ImageId,EncodedPixels\r\n0006,9 9\r\n0007,1 2\r\n"0007","5 2"\r\n0008,\r\n'
    scene = read("ships.csv", text)
    assert scene.classes[1].pixels == 4


@pytest.mark.parametrize(
    "text",
    [
        "ImageId_ClassId,EncodedPixels\n0007.png_1,1 2\n0007.png_2,\n0007.png_3,9 4\n",
        "ImageId,ClassId,EncodedPixels\n0007.png,3,9 4\n0007.png,1,1 2\n0007.png,2,-1\n",
        "id,class,segmentation\n0007,1,1 2\n0007,2,\n0007,3,9 4\n",
    ],
)
def test_classes_of_a_csv(text: str) -> None:
    scene = read("train.csv", text)
    assert [(c.name, c.pixels) for c in scene.classes[1:]] == [("class 1", 2), ("class 2", 0), ("class 3", 4)]
    assert scene.labels[:2, 0].tolist() == [1, 1]


def test_classes_of_a_csv_by_name_that_overlap() -> None:
    scene = read("c.csv", "Image_Label,EncodedPixels\n0007.jpg_Fish,1 4\n0007.jpg_Sugar,3 4\n0001.jpg_Gravel,1 1\n")
    assert scene.planes is not None
    assert [(c.name, c.pixels) for c in scene.classes] == [("Fish", 4), ("Sugar", 4)]


def test_a_csv_of_a_single_picture_needs_no_name() -> None:
    assert read("t.csv", "id,rle\nother,1 5\n").classes[1].pixels == 5


# COCO --------------------------------------------------------------------------------------------------------


def coco(*segmentations: tuple[int, Any], **more: Any) -> bytes:
    """An annotation file of categories 1 (cat) and 18 (dog)."""
    annotations = [{"image_id": 7, "category_id": k, "segmentation": s, "iscrowd": 0} for k, s in segmentations]
    images = [
        {"id": 7, "file_name": "x/0007.png", "width": WIDTH, "height": HEIGHT},
        {"id": 8, "file_name": "0008.png", "width": 5, "height": 5},
    ]
    categories = [{"id": 1, "name": "cat"}, {"id": 18, "name": "dog"}]
    return json.dumps({"images": images, "categories": categories, "annotations": annotations} | more).encode()


def test_polygons_have_the_area_that_they_enclose() -> None:
    """Corners of pixels: 10 × 10 has 100 of them, as pycocotools says, and not 121 as Pillow would."""
    box = [10, 20, 20, 20, 20, 30, 10, 30]
    scene = read(
        "coco.json", coco((1, [box]), (18, [[40, 40, 50, 40, 50, 45, 40, 45], [60, 0, 61, 0, 61, 60, 60, 60]]))
    )
    assert [(c.name, c.pixels) for c in scene.classes] == [
        ("background", HEIGHT * WIDTH - 210),
        ("cat", 100),
        ("dog", 50 + 60),
    ]
    assert scene.labels[20, 10] == scene.labels[29, 19] == 1
    assert scene.labels[19, 10] == scene.labels[30, 19] == 0


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.lists(st.tuples(st.floats(-20, 100), st.floats(-20, 80)), min_size=3, max_size=9))
def test_any_polygon_holds_the_centres_inside(points: list[tuple[float, float]]) -> None:
    """Against a ray from every centre, crossing by crossing, in whole rows of Python."""
    scene = read("coco.json", coco((1, [[c for point in points for c in point]])))
    covered = np.zeros((HEIGHT, WIDTH), bool)
    y, x = np.mgrid[:HEIGHT, :WIDTH] + 0.5
    near = np.zeros((HEIGHT, WIDTH), bool)
    for (x1, y1), (x2, y2) in zip(points, points[1:] + points[:1], strict=True):
        if y1 == y2:
            continue
        spans = (np.minimum(y1, y2) <= y) & (y < np.maximum(y1, y2))
        cross = x1 + (y - y1) * ((x2 - x1) / (y2 - y1))
        covered ^= spans & (cross <= x)
        near |= spans & (np.abs(cross - x) < 1e-6)
    assert not (((scene.labels == scene.n_classes - 1) != covered) & ~near).any()


# Made by pycocotools 2.0.11: mask.encode of the masks that the test draws itself.
GOLDEN = {
    "small": ((6, 5), (slice(1, 4), slice(2, 4)), "=3305"),
    "all": ((4, 3), (slice(0, 4), slice(0, 3)), "0<"),
}


@pytest.mark.parametrize("what", GOLDEN)
def test_compressed_runs_of_pycocotools(what: str) -> None:
    shape, where, packed = GOLDEN[what]
    mask = np.zeros(shape, bool)
    mask[where] = True
    one = [{"image_id": 7, "category_id": 1, "segmentation": {"size": list(shape), "counts": packed}}]
    scene = read("results.json", json.dumps(one), encoded(np.zeros(shape, np.uint8)))
    np.testing.assert_array_equal(scene.labels == scene.n_classes - 1, mask)


def counts_of(mask: np.ndarray) -> list[int]:
    """Off, on, off … down the columns, one pixel after another."""
    counts, state = [0], False
    for value in mask.T.reshape(-1).tolist():
        if value != state:
            counts.append(0)
            state = value
        counts[-1] += 1
    return counts


def packed(counts: list[int]) -> str:
    """rleToString of pycocotools' maskApi.c, in Python."""
    text = ""
    for i, count in enumerate(counts):
        x = count - counts[i - 2] if i > 2 else count
        more = True
        while more:
            c = x & 0x1F
            x >>= 5
            more = x != -1 if c & 0x10 else x != 0
            text += chr((c | 0x20 if more else c) + 48)
    return text


@settings(max_examples=60, deadline=None, derandomize=True)
@given(hnp.arrays(np.bool_, hnp.array_shapes(min_dims=2, max_dims=2, max_side=40)), st.booleans())
def test_any_runs_of_coco(mask: np.ndarray, compressed: bool) -> None:
    mask = np.kron(mask, np.ones((3, 1), bool))
    counts = counts_of(mask)
    one = {"size": list(mask.shape), "counts": packed(counts) if compressed else counts}
    data = json.dumps({"annotations": [{"image_id": 7, "category_id": 1, "segmentation": one}]})
    scene = read("r.json", data, encoded(np.zeros(mask.shape, np.uint8)))
    np.testing.assert_array_equal(scene.labels == scene.n_classes - 1, mask)
    assert scene.classes[-1].pixels == int(mask.sum())


def test_large_compressed_runs() -> None:
    mask = np.zeros((2000, 3000), bool)
    mask[100:1700, 33:2500] = True
    one = {"size": [2000, 3000], "counts": packed(counts_of(mask))}
    data = json.dumps({"annotations": [{"image_id": 7, "category_id": 1, "segmentation": one}]})
    scene = read("r.json", data, encoded(np.zeros(mask.shape, np.uint8)))
    assert scene.classes[1].pixels == 1600 * 2467


def test_crowds_are_void_but_where_there_is_something_else() -> None:
    box, wide = [10, 10, 20, 10, 20, 20, 10, 20], [10, 10, 30, 10, 30, 20, 10, 20]
    value = json.loads(coco((1, [box])))
    value["annotations"].append({"image_id": 7, "category_id": 1, "iscrowd": 1, "segmentation": [wide]})
    scene = read("c.json", json.dumps(value))
    assert (scene.classes[1].pixels, scene.ignored_pixels) == (100, 100)
    assert scene.labels[15, 25] == VOID
    assert "crowds_void" in codes(scene)


def test_categories_that_overlap_are_kept_apart() -> None:
    box = [10, 10, 20, 10, 20, 20, 10, 20]
    scene = read("c.json", coco((1, [box]), (18, [[v + 5 for v in box]])))
    assert scene.planes is not None
    assert [c.pixels for c in scene.classes] == [100, 100]


def test_which_picture_is_meant() -> None:
    box = [0, 0, 4, 0, 4, 4, 0, 4]
    with pytest.raises(SceneError, match="2 pictures, and which of them is photo"):
        read_scene(("photo.png", IMAGE), coco((1, [box])))
    with pytest.raises(SceneError, match="drawn on 5 × 5 px, but the picture is 80 × 60"):
        read_scene(("0008.png", IMAGE), coco((1, [box])))
    results = [
        {"image_id": k, "category_id": 1, "segmentation": {"size": [60, 80], "counts": [0, 4800]}} for k in (6, 7)
    ]
    assert read("r.json", json.dumps(results)).n_classes == 1


# labelme -----------------------------------------------------------------------------------------------------


def labelme(*shapes: dict[str, Any], **more: Any) -> str:
    return json.dumps({"version": "5.5", "shapes": list(shapes), "imageHeight": HEIGHT, "imageWidth": WIDTH} | more)


def shape(label: str, points: Any, kind: str = "polygon", **more: Any) -> dict[str, Any]:
    return {"label": label, "points": points, "shape_type": kind, "group_id": None, "flags": {}} | more


def test_labelme_shapes_hold_their_outline() -> None:
    """As labelme.utils.shape_to_mask: points are pixels, and the outline belongs to the shape."""
    scene = read(
        "0007.json",
        labelme(
            shape("cat", [[10, 10], [20, 10], [20, 15], [10, 15]]),
            shape("dog", [[30.0, 20.0], [40.0, 25.0]], "rectangle"),
            shape("cat", [[60, 30], [60, 36]], "circle"),
            shape("ray", [[1, 1], [70, 50]], "line"),
        ),
    )
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    ball = (x - 60) ** 2 + (y - 30) ** 2
    cat = scene.labels == 1
    assert cat[10:16, 10:21].all()
    assert cat[ball < 5.5**2].all()
    assert not cat[(ball > 7**2) & ~((x >= 10) & (x <= 20) & (y >= 10) & (y <= 15))].any()
    assert scene.classes[2].pixels == 11 * 6
    assert (scene.labels[20:26, 30:41] == 2).all()
    assert codes(scene) == ("background_added", "shapes_left_out")
    assert scene.report[0].format == "LABELME"


def test_later_shapes_lie_over_earlier_ones() -> None:
    below, above = [[10, 10], [30, 10], [30, 30], [10, 30]], [[20, 20], [40, 20], [40, 40], [20, 40]]
    scene = read("a.json", labelme(shape("cat", below), shape("dog", above)))
    assert scene.planes is None
    assert [(c.name, c.pixels) for c in scene.classes[1:]] == [("cat", 21 * 21 - 11 * 11), ("dog", 21 * 21)]


def test_labelme_ignore_is_void() -> None:
    left = [[0, 0], [9, 0], [9, 59], [0, 59]]
    scene = read("a.json", labelme(shape("cat", [[20, 0], [29, 0], [29, 9], [20, 9]]), shape("__ignore__", left)))
    assert (scene.ignored_pixels, scene.classes[1].pixels, scene.n_classes) == (600, 100, 2)


def test_labelme_masks() -> None:
    stencil = RNG.integers(0, 2, (7, 9)).astype(np.uint8)
    packed_png = base64.b64encode(encoded(stencil * np.uint8(255))).decode()
    scene = read("a.json", labelme(shape("cat", [[5, 50], [13, 56]], "mask", mask=packed_png)))
    np.testing.assert_array_equal(scene.labels[50:57, 5:14], stencil)
    assert scene.classes[1].pixels == int(stencil.sum())
    edge = read("a.json", labelme(shape("cat", [[75, 50], [83, 56]], "mask", mask=packed_png)))
    assert edge.classes[1].pixels == int(stencil[:, :5].sum())


def test_names_for_the_classes_of_marks() -> None:
    text = labelme(shape("1", [[0, 0], [9, 0], [9, 9]]), shape("2", [[20, 0], [29, 0], [29, 9]]))
    scene = read("a.json", text, classes=["cat", "dog"])
    assert [c.name for c in scene.classes] == ["background", "cat", "dog"]
    assert [c.encoded_as for c in scene.classes] == [None, "1", "2"]
