"""`Scene.at`: the stretched scene against other ways to compute it."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from segdebug.scene import VOID, load_sample, read_scene

from .files import encoded

QUICK = settings(max_examples=60, deadline=None, derandomize=True)


@QUICK
@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 48))
def test_labels_are_those_under_the_middle_of_each_cell(height: int, width: int, size: int) -> None:
    """By whole numbers: cell i of n covers the middle (2i + 1) / 2n, that is source pixel (2i + 1) · H // 2n."""
    mask = (np.arange(height * width).reshape(height, width) * 7919 % 50).astype(np.uint8)
    grid = read_scene(np.zeros((height, width), np.uint8), mask, encoding="index").at(size)
    values = np.unique(mask)
    rows, columns = ([(2 * i + 1) * n // (2 * size) for i in range(size)] for n in (height, width))
    np.testing.assert_array_equal(values[grid.labels], mask[np.ix_(rows, columns)])
    pillow = np.asarray(Image.fromarray(mask).resize((size, size), Image.Resampling.NEAREST))
    # A middle that falls between two pixels belongs to either; Pillow, which adds up steps, takes both.
    inside = [[(2 * i + 1) * n % (2 * size) != 0 for i in range(size)] for n in (height, width)]
    np.testing.assert_array_equal(values[grid.labels][np.ix_(*inside)], pillow[np.ix_(*inside)])
    assert grid.labels.dtype == np.int32
    assert grid.planes is None


def test_planes_void_and_labels_stay_together() -> None:
    rng = np.random.default_rng(4)
    a, b = rng.random((2, 30, 50)) < 0.4
    void = rng.random((30, 50)) < 0.2
    files = [encoded(np.where(void, 9, plane).astype(np.uint8)) for plane in (a, b)]
    scene = read_scene(np.zeros((30, 50), np.uint8), files, ignore=9)
    grid = scene.at(16)
    assert grid.planes is not None
    assert grid.planes.shape == (16, 16, 2)
    assert not grid.planes[~grid.valid].any()
    np.testing.assert_array_equal(grid.labels == VOID, ~grid.planes.any(axis=2))
    np.testing.assert_array_equal(grid.labels == 1, grid.planes[..., 1])
    assert 0 < grid.valid.sum() < grid.valid.size


@QUICK
@given(st.integers(1, 30), st.integers(1, 30), st.sampled_from([1, 7, 16, 33]))
def test_image_is_stretched_bilinearly(height: int, width: int, size: int) -> None:
    image = np.random.default_rng(height * 31 + width).random((height, width, 3)).astype(np.float32)
    grid = read_scene(image, np.zeros((height, width), np.uint8)).at(size)
    assert (grid.image.shape, grid.image.dtype) == ((size, size, 3), np.float32)
    bytes_ = Image.fromarray(np.rint(image * 255).astype(np.uint8)).resize((size, size), Image.Resampling.BILINEAR)
    assert np.abs(grid.image - np.asarray(bytes_) / 255.0).max() < 2.01 / 255


def test_at_its_own_size_nothing_changes() -> None:
    scene = load_sample("mosaic")
    grid = scene.at(160)
    np.testing.assert_array_equal(grid.image, scene.image)
    np.testing.assert_array_equal(grid.labels, scene.labels)
    np.testing.assert_array_equal(grid.valid, scene.valid)


def test_digest_follows_what_a_run_depends_on() -> None:
    image, mask = np.zeros((4, 4), np.uint8), np.eye(4, dtype=np.uint8)
    scene = read_scene(image, mask)
    renamed = scene.with_classes({0: "ground"}, {1: "#123456"})
    assert [(c.name, c.colour) for c in renamed.classes] == [("ground", "#686868"), ("foreground", "#123456")]
    assert renamed.digest == scene.digest == read_scene(image, mask, classes=["x", "y"], name="other").digest
    for other in (read_scene(image + 1, mask), read_scene(image, 1 - mask), read_scene(image, encoded(mask))):
        assert other.digest != scene.digest


def test_scenes_travel_between_processes() -> None:
    scene = load_sample("overlap")
    again = pickle.loads(pickle.dumps(scene))
    assert (again.digest, again.classes, again.warnings) == (scene.digest, scene.classes, scene.warnings)
    np.testing.assert_array_equal(again.planes, scene.planes)


@pytest.mark.parametrize("size", [64, 128])
def test_rare_classes_survive_the_training_grid(size: int) -> None:
    grid = load_sample("street").at(size)
    assert set(np.unique(grid.labels)) == {VOID, *range(8)}
