"""One file a class: covered, bare and overlapping pixels."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from segdebug.errors import SceneError
from segdebug.scene import VOID, Scene, read_scene

from .files import codes, encoded, npy, pixels, plain_image


def read(*planes: tuple[str, np.ndarray], **options: object) -> Scene:
    height, width = planes[0][1].shape[:2]
    files = [(f"{name}.png", encoded(plane)) for name, plane in planes]
    return read_scene(plain_image(height, width), files, **options)  # type: ignore[arg-type]


SKY = np.array([[1, 1, 0, 0], [1, 1, 0, 0]], np.uint8) * 255
ROAD = np.array([[0, 0, 1, 1], [0, 0, 1, 1]], np.uint8)
TREE = np.array([[0, 0, 0, 0], [0, 0, 0, 1]], np.uint8) * 255


def test_files_that_cover_everything() -> None:
    scene = read(("sky", SKY), ("road", ROAD))
    assert [c.name for c in scene.classes] == ["sky", "road"]
    assert [c.encoded_as for c in scene.classes] == ["sky.png", "road.png"]
    assert scene.labels.tolist() == [[0, 0, 1, 1], [0, 0, 1, 1]]
    assert (scene.encoding, scene.confidence, scene.warnings, scene.planes) == ("planes", 0.95, (), None)
    assert [file.class_id for file in scene.mask_files] == [0, 1]
    assert scene.mask_files[1].data == encoded(ROAD)


def test_bare_pixels_become_a_background() -> None:
    scene = read(("sky", SKY), ("tree", TREE))
    assert [(c.name, c.encoded_as, c.pixels) for c in scene.classes] == [
        ("background", None, 3),
        ("sky", "sky.png", 4),
        ("tree", "tree.png", 1),
    ]
    assert scene.labels.tolist() == [[1, 1, 0, 0], [1, 1, 0, 2]]
    assert codes(scene) == ("background_added",)
    assert [file.class_id for file in scene.mask_files] == [1, 2]
    assert "3 pixels" in scene.warnings[0].message


def test_a_file_named_background_takes_the_bare_pixels() -> None:
    scene = read(("sky", SKY), ("Background", TREE))
    assert [(c.name, c.pixels) for c in scene.classes] == [("sky", 4), ("Background", 4)]
    assert codes(scene) == ("background_extended",)
    assert scene.classes[1].colour == "#686868"


def test_overlapping_files_are_kept_apart() -> None:
    scene = read(("sky", SKY), ("road", ROAD), ("tree", TREE))
    assert scene.overlapping
    assert scene.planes is not None
    assert (scene.planes.shape, scene.planes.dtype) == ((2, 4, 3), np.bool_)
    for k, plane in enumerate((SKY, ROAD, TREE)):
        np.testing.assert_array_equal(scene.planes[..., k], plane > 0)
    assert scene.labels.tolist() == [[0, 0, 1, 1], [0, 0, 1, 2]]
    assert scene.valid.all()
    assert pixels(scene) == [4, 4, 1]
    assert codes(scene) == ("overlap",)
    assert scene.warnings[0].message.startswith("1 pixels belong to more than one class")
    assert [file.class_id for file in scene.mask_files] == [0, 1, 2]


@settings(max_examples=60, deadline=None, derandomize=True)
@given(hnp.arrays(np.bool_, hnp.array_shapes(min_dims=3, max_dims=3, min_side=2, max_side=6)))
def test_any_planes(stack: np.ndarray) -> None:
    """Every plane comes back: from `planes` where pixels overlap, else from the labels."""
    k = stack.shape[2]
    scene = read(*((f"c{i}", np.ascontiguousarray(stack[..., i]) * np.uint8(255)) for i in range(k)))
    covering = stack.sum(axis=2)
    first = 0 if (covering > 1).any() or (covering == 1).all() else 1
    assert scene.n_classes == k + first
    assert scene.overlapping == bool((covering > 1).any())
    np.testing.assert_array_equal(scene.labels == (0 if first else VOID), covering == 0) if first else None
    for i in range(k):
        mine = scene.planes[..., i] if scene.planes is not None else scene.labels == i + first
        np.testing.assert_array_equal(mine, stack[..., i])
        assert scene.classes[i + first].pixels == int(stack[..., i].sum())
    if scene.planes is not None:
        last = np.where(covering > 0, k - 1 - stack[..., ::-1].argmax(axis=2), VOID)
        np.testing.assert_array_equal(scene.labels, last)


@settings(max_examples=30, deadline=None, derandomize=True)
@given(hnp.arrays(np.uint8, (4, 5), elements=st.integers(0, 4)), st.sampled_from(["bool", "u1", "f4"]), st.booleans())
def test_one_hot_arrays(mask: np.ndarray, dtype: str, as_file: bool) -> None:
    hot = np.eye(5, dtype=dtype)[mask]
    scene = read_scene(plain_image(4, 5), npy(hot) if as_file else hot)
    np.testing.assert_array_equal(scene.labels, mask)
    assert pixels(scene) == np.bincount(mask.ravel(), minlength=5).tolist()
    assert len(scene.mask_files) == 1
    assert scene.mask_files[0].class_id is None
    assert scene.mask_files[0].data == npy(hot)
    assert [c.name for c in scene.classes] == [f"class {k}" for k in range(5)]


def test_one_hot_of_three_channels_is_no_colour() -> None:
    mask = np.array([[0, 1, 2], [2, 1, 0]])
    assert read_scene(plain_image(2, 3), np.eye(3)[mask]).labels.tolist() == mask.tolist()


def test_void_in_any_file_is_void() -> None:
    sky = SKY // 255
    sky[0, 0] = 7
    scene = read(("sky", sky), ("road", ROAD), ignore=7)
    assert scene.labels.tolist() == [[VOID, 0, 1, 1], [0, 0, 1, 1]]
    assert (scene.ignored_pixels, pixels(scene)) == (1, [3, 4])


def test_one_file_stated_as_planes() -> None:
    scene = read(("tree", TREE), encoding="planes")
    assert [(c.name, c.pixels) for c in scene.classes] == [("background", 7), ("tree", 1)]
    assert (scene.mask_files[0].class_id, scene.confidence) == (1, 1.0)


def test_names_in_the_order_of_the_files() -> None:
    full = read(("a", SKY), ("b", ROAD), classes=["sky", "road"])
    assert [c.name for c in full.classes] == ["sky", "road"]
    short = read(("a", SKY), ("b", TREE), classes=["sky", "tree"])
    assert [c.name for c in short.classes] == ["background", "sky", "tree"]
    with pytest.raises(SceneError, match="5 class names were given, but there are 3 classes"):
        read(("a", SKY), ("b", TREE), classes=list("vwxyz"))


def test_files_of_one_name() -> None:
    assert [c.name for c in read(("a", SKY), ("a", ROAD)).classes] == ["a", "a (2)"]


def test_colour_and_soft_files_of_one_class() -> None:
    red = np.zeros((2, 4, 3), np.uint8)
    red[SKY > 0] = [200, 0, 0]
    soft = ROAD * np.array([[100, 100, 200, 30]] * 2, np.uint8)
    scene = read(("sky", red), ("road", soft))
    assert scene.labels.tolist() == [[0, 0, 1, 1], [0, 0, 1, 1]]
    assert codes(scene) == ("plane_values",)
    assert scene.confidence == 0.6


def test_empty_and_full_files_are_told() -> None:
    scene = read(("all", ROAD * 0 + 1), ("none", ROAD * 0))
    assert codes(scene) == ("full_class", "empty_class")
    assert pixels(scene) == [8, 0]


def test_jpeg_files() -> None:
    y, x = np.mgrid[:96, :96]
    discs = [(y - 48) ** 2 + (x - c) ** 2 < 18**2 for c in (25, 70)]
    files = [(f"{i}.jpg", encoded(disc * np.uint8(255), "JPEG", quality=75)) for i, disc in enumerate(discs)]
    scene = read_scene(plain_image(96, 96), files)
    for i, disc in enumerate(discs):
        np.testing.assert_array_equal(scene.labels == i + 1, disc)
    assert codes(scene) == ("background_added", "binary_threshold", "binary_threshold")


def test_warnings_of_many_files_are_counted() -> None:
    scene = read(*((f"c{k}", TREE * 0) for k in range(9)))
    assert codes(scene) == ("background_added",) + ("empty_class",) * 4
    assert scene.warnings[-1].message == "The same of 6 more files."


def test_files_that_are_no_planes() -> None:
    photo = np.random.default_rng(2).integers(0, 256, (20, 20), dtype=np.uint8)
    blank = np.zeros((20, 20), np.uint8)
    with pytest.raises(SceneError, match=r"^b\.png: .* distinct values are too many for the mask of one class"):
        read(("a", blank), ("b", photo))
    with pytest.raises(SceneError, match=r"^b\.jpg: a mask saved as JPEG"):
        read_scene(plain_image(20, 20), [encoded(blank), ("b.jpg", encoded(photo, "JPEG"))])
    with pytest.raises(SceneError, match="Every pixel of the masks is void"):
        read(("a", blank), ("b", blank), ignore=0)
    with pytest.raises(SceneError, match='"index" is of one mask file, but 2 were given'):
        read(("a", blank), ("b", blank), encoding="index")


def test_too_much_in_all() -> None:
    ones = np.broadcast_to(np.uint8(1), (2000, 2000))
    data = encoded(np.ascontiguousarray(ones))
    with pytest.raises(SceneError, match="at most 400,000,000 are read"):
        read_scene(np.zeros((2000, 2000), np.uint8), [data] * 101)
