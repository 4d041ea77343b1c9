"""One file an object: which files are one class, by their names or by what the person says."""

from __future__ import annotations

import numpy as np
import pytest

from segdebug.errors import SceneError
from segdebug.scene import Scene, read_scene

from .containers import zipped
from .files import codes, encoded

SIDE = 40
IMAGE = encoded(np.zeros((SIDE, SIDE, 3), np.uint8))


def disc(number: int) -> np.ndarray:
    """Discs in a grid, 4 apart in each direction: they do not touch."""
    y, x = np.mgrid[:SIDE, :SIDE]
    return (y - 5 - 10 * (number // 4 % 4)) ** 2 + (x - 5 - 10 * (number % 4)) ** 2 < 4**2


def files(*names: str) -> list[tuple[str, bytes]]:
    return [(name, encoded(disc(k) * np.uint8(255))) for k, name in enumerate(names)]


def read(masks: object, **options: object) -> Scene:
    return read_scene(("photo.png", IMAGE), masks, **options)  # type: ignore[arg-type]


ONE = int(disc(0).sum())
HASHES = [f"{k:064x}.png" for k in range(12)]  # as the nuclei of the Data Science Bowl 2018


@pytest.mark.parametrize("names", [HASHES, [f"{k}.png" for k in range(12)], [f"mask_{k:03}.png" for k in range(12)]])
def test_objects_of_one_class(names: list[str]) -> None:
    for masks in (files(*names), [("masks.zip", zipped(dict(files(*names))))]):
        scene = read(masks)
        assert scene.encoding == "instances"
        assert [(c.name, c.pixels) for c in scene.classes] == [
            ("background", SIDE * SIDE - 12 * ONE),
            ("foreground", 12 * ONE),
        ]
        assert codes(scene)[:2] == ("background_added", "objects_inferred")
        assert scene.confidence < 0.95
        assert [file.class_id for file in scene.mask_files] == [1] * 12
        assert len(scene.report) == 12


def test_objects_of_named_classes() -> None:
    scene = read(files("car_1.png", "person_1.png", "car_2.png", "car_3.png", "person 2.png"))
    assert [(c.name, c.pixels, c.encoded_as) for c in scene.classes[1:]] == [
        ("car", 3 * ONE, "3 files"),
        ("person", 2 * ONE, "2 files"),
    ]
    assert [file.class_id for file in scene.mask_files] == [1, 2, 1, 1, 2]
    assert (scene.labels == 1).sum() == 3 * ONE


@pytest.mark.parametrize(
    "names",
    [
        ["sky.png", "road.png"],
        ["1.png", "2.png", "3.png"],
        [f"class_{k}.png" for k in range(12)],
        [f"photo_class{k}.png" for k in range(12)],
        [f"channel {k}.png" for k in range(12)],
        ["road_1.png", "sky_2.png", "tree_3.png"],
        ["car.png", "car_1.png"],
    ],
)
def test_classes_that_are_no_objects(names: list[str]) -> None:
    scene = read(files(*names))
    assert (scene.encoding, scene.n_classes) == ("planes", len(names) + 1)
    assert "objects_inferred" not in codes(scene)


def test_what_the_person_says_counts() -> None:
    few = files("1.png", "2.png", "3.png")
    scene = read(few, encoding="instances")
    assert (scene.n_classes, scene.classes[1].pixels, scene.confidence) == (2, 3 * ONE, 1.0)
    assert "objects_inferred" not in codes(scene)
    many = read(files(*HASHES), encoding="planes")
    assert many.n_classes == 13
    named = read(few, encoding="instances", classes=["cell"])
    assert [c.name for c in named.classes] == ["background", "cell"]


def test_unnamed_files_are_classes() -> None:
    scene = read([data for _, data in files(*HASHES)])
    assert scene.encoding == "planes"


def test_objects_that_overlap_are_one_class() -> None:
    big = np.zeros((SIDE, SIDE), np.uint8)
    big[:20] = 255
    other = np.zeros((SIDE, SIDE), np.uint8)
    other[15:30] = 1
    scene = read([("cell_1.png", encoded(big)), ("cell_2.png", encoded(other))], encoding="instances")
    assert scene.planes is None
    assert scene.classes[1].pixels == 30 * SIDE
    warning = next(w for w in scene.warnings if w.code == "objects_overlap")
    assert f"{5 * SIDE:,} pixels are in more than one object" in warning.message


def test_classes_of_objects_that_overlap_are_kept_apart() -> None:
    full = np.full((SIDE, SIDE), 255, np.uint8)
    half = full.copy()
    half[20:] = 0
    names = [("a_1.png", encoded(half)), ("a_2.png", encoded(255 - half)), ("b_1.png", encoded(half))]
    scene = read(names, encoding="instances")
    assert scene.planes is not None
    assert [c.pixels for c in scene.classes] == [SIDE * SIDE, 20 * SIDE]


def test_a_zip_of_classes() -> None:
    pair = dict(files("masks/sky.png", "masks/road.png")) | {"__MACOSX/masks/._sky.png": b"x", "read.txt": b"x"}
    scene = read(("masks.zip", zipped(pair)))
    assert [c.name for c in scene.classes] == ["background", "road", "sky"]
    assert scene.encoding == "planes"


def test_a_zip_of_one_mask_and_files_beside_it() -> None:
    ids = (np.arange(SIDE * SIDE).reshape(SIDE, SIDE) % 3).astype(np.uint8)
    assert read(zipped({"a.png": encoded(ids)})).n_classes == 3
    scene = read([("m.zip", zipped(dict(files("a.png", "b.png")))), *files("a.png", "b.png", "c.png")[2:]])
    assert [c.name for c in scene.classes] == ["background", "a", "b", "c"]


def test_a_file_of_another_size_is_named() -> None:
    masks = files(*HASHES)
    masks[7] = ("odd.png", encoded(np.zeros((9, 9), np.uint8)))
    with pytest.raises(SceneError, match=r"odd\.png is 9 × 9 px"):
        read(masks, encoding="instances")
