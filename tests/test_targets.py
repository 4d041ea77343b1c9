"""Labels as fed: what the person's own loading code would make, nonsense included."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from segdebug import Scene, read_scene
from segdebug.errors import ExperimentError, SceneError
from segdebug.experiment import Target
from tests.scenes import blocks, blocks_mask, discs, png_bytes, striped


def labels(scene: Scene, channels: int = 4, size: int = 32, **target: Any) -> np.ndarray[Any, Any]:
    from segdebug.parts.targets import label_tensor

    return label_tensor(scene, Target(**target), channels, size)


def test_one_hot_rows_of_unlabelled_pixels_are_zero() -> None:
    y = labels(blocks(void=True), encoding="one_hot")
    expected = np.eye(4)[np.minimum(blocks_mask(void=True), 3)] * (blocks_mask(void=True) < 4)[..., None]
    np.testing.assert_array_equal(y, expected)
    assert y.dtype == np.float32


def test_sparse_keeps_255_and_one_based_adds_one() -> None:
    mask = blocks_mask(void=True)
    np.testing.assert_array_equal(labels(blocks(void=True), encoding="sparse", dtype="int32"), mask)
    np.testing.assert_array_equal(labels(blocks(void=True), encoding="sparse_one_based", dtype="uint8"), mask + 1)


@pytest.mark.parametrize(
    ("encoding", "layout", "shape"),
    [
        ("one_hot", "spatial", (32, 32, 4)),
        ("one_hot", "flat", (1024, 4)),
        ("one_hot", "trailing_axis", (32, 32, 4, 1)),
        ("sparse", "spatial", (32, 32)),
        ("sparse", "flat", (1024,)),
        ("sparse", "trailing_axis", (32, 32, 1)),
        ("single_channel", "spatial", (32, 32, 1)),
        ("single_channel", "flat", (1024, 1)),
        ("single_channel", "trailing_axis", (32, 32, 1)),
        ("raw", "spatial", (32, 32)),
        ("summed_planes", "flat", (1024, 4)),
    ],
)
def test_layouts(encoding: str, layout: str, shape: tuple[int, ...]) -> None:
    assert labels(blocks(), encoding=encoding, layout=layout).shape == shape


def test_scales_are_carried_out_before_encoding() -> None:
    scene = striped()
    mask = np.zeros((32, 32), np.uint8)
    mask[8:16] = 255
    raw = {"encoding": "single_channel", "reader": "opencv_gray"}
    np.testing.assert_array_equal(labels(scene, 1, **raw)[..., 0], mask)
    np.testing.assert_array_equal(labels(scene, 1, scale="divide_255", **raw)[..., 0], mask / 255)
    np.testing.assert_array_equal(labels(scene, 1, scale="divide_max", **raw)[..., 0], mask / 255)
    np.testing.assert_array_equal(labels(scene, 1, scale="threshold", **raw)[..., 0], mask > 0)


def test_planes_of_0_and_255_are_summed_and_background_is_never_written() -> None:
    a, b = np.zeros((2, 32, 32), np.uint8)
    a[:8], b[20:] = 255, 255
    image = np.full((32, 32, 3), 90, np.uint8)
    scene = read_scene(image, [("left.png", png_bytes(a)), ("right.png", png_bytes(b))])
    y = labels(scene, scene.n_classes, encoding="summed_planes", reader="opencv_gray")
    ids = {c.name: c.id for c in scene.classes}
    np.testing.assert_array_equal(y[..., ids["left"]], a)
    np.testing.assert_array_equal(y[..., ids["right"]], b)
    assert y[8:20].sum() == 0


def test_overlapping_classes_are_fed_as_planes() -> None:
    y = labels(discs(), 2, encoding="raw")
    assert y.shape == (32, 32, 2)
    assert y[15, 15].tolist() == [1, 1]
    assert y[0, 0].tolist() == [0, 0]


def test_bilinear_makes_values_between_classes_and_nearest_does_not() -> None:
    scene = striped()
    raw = {"encoding": "single_channel", "reader": "pillow"}
    nearest = labels(scene, 1, 30, resize="nearest", **raw)
    bilinear = labels(scene, 1, 30, resize="bilinear", **raw)
    assert set(np.unique(nearest)) == {0, 255}
    assert 127.5 in np.unique(bilinear)


def voc_palette_mask() -> bytes:
    """Indices 0, 1, 2, 255 under a palette of colours, as Pascal VOC has them."""
    indices = np.zeros((24, 24), np.uint8)
    indices[4:10], indices[12:18], indices[20:] = 1, 2, 255
    image = Image.frombytes("P", (24, 24), indices.tobytes())
    image.putpalette([0, 0, 0, 128, 0, 0, 0, 128, 0] + [7] * (252 * 3) + [224, 224, 192])
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def directly(reader: str, data: bytes, folder: Any) -> np.ndarray[Any, Any]:
    """The reader's library called as its users call it, on a file."""
    path = folder / "mask.png"
    path.write_bytes(data)
    if reader == "pillow":
        return np.array(Image.open(path))
    if reader == "pillow_l":
        return np.array(Image.open(path).convert("L"))
    if reader.startswith("opencv"):
        import cv2

        return np.asarray(cv2.imread(str(path), cv2.IMREAD_GRAYSCALE if reader == "opencv_gray" else cv2.IMREAD_COLOR))
    if reader == "tensorflow":
        import tensorflow as tf

        return tf.io.decode_image(tf.io.read_file(str(path)), channels=1).numpy()[..., 0]
    if reader == "keras_load_img":
        import keras

        return np.asarray(keras.utils.load_img(path, color_mode="grayscale"))
    from matplotlib import image

    return np.asarray(image.imread(path))


@pytest.mark.parametrize(
    "reader", ["pillow", "pillow_l", "opencv_gray", "opencv_color", "tensorflow", "keras_load_img", "matplotlib"]
)
def test_a_palette_mask_through_each_library_is_what_the_library_gives(reader: str, tmp_path: Any) -> None:
    data = voc_palette_mask()
    scene = read_scene(np.full((24, 24, 3), 100, np.uint8), [("mask.png", data)])
    read = labels(scene, 3, 24, reader=reader, encoding="raw", dtype="float64")
    np.testing.assert_array_equal(read, directly(reader, data, tmp_path))


def test_a_colour_reader_cannot_make_one_channel_and_says_so() -> None:
    with pytest.raises(ExperimentError, match="single_channel needs one value a pixel"):
        labels(striped(), 1, reader="opencv_color", encoding="single_channel")


def test_a_library_that_cannot_read_the_file_says_which_file(tmp_path: Any) -> None:
    np.save(tmp_path / "mask.npy", blocks_mask())
    scene = read_scene(np.full((32, 32, 3), 90, np.uint8), [("mask.npy", (tmp_path / "mask.npy").read_bytes())])
    for reader in ("opencv_gray", "tensorflow", "pillow", "keras_load_img"):
        with pytest.raises(SceneError, match=r"mask\.npy"):
            labels(scene, reader=reader)
