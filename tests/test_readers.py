"""Every reader gives exactly what its library gives, and what is told of it is counted right."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from segdebug import Experiment, Scene, read_scene
from segdebug.errors import SceneError
from segdebug.forensics import MOST_FILES, Delivery, delivered, examined, fed
from segdebug.parts.readers import read_file
from segdebug.scene import SourceFile
from segdebug.vocabulary import READERS
from tests.scenes import blocks, blocks_mask, discs, png_bytes

SIZE = 32
GREY = np.full((SIZE, SIZE, 3), 90, np.uint8)
LIBRARIES = [reader for reader in READERS if reader != "scene"]
VOC_COLOURS = {0: (0, 0, 0), 1: (128, 0, 0), 2: (0, 128, 0), 255: (224, 224, 192)}


def saved(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def voc_indices() -> np.ndarray[Any, Any]:
    """Background, two classes, and a line of void between them."""
    indices = np.zeros((SIZE, SIZE), np.uint8)
    indices[4:14], indices[14:16], indices[16:28] = 1, 255, 2
    return indices


def voc_file(colours: dict[int, tuple[int, int, int]] | None = None) -> bytes:
    image = Image.fromarray(voc_indices())
    palette = [0] * 768
    for index, colour in (colours or VOC_COLOURS).items():
        palette[3 * index : 3 * index + 3] = colour
    image.putpalette(palette)
    return saved(image)


def _files() -> dict[str, bytes]:
    rng = np.random.default_rng(3)
    binary = np.where(np.indices((SIZE, SIZE))[1] < 11, 255, 0).astype(np.uint8)
    colours = np.array([(0, 0, 0), (220, 20, 60), (0, 0, 142)], np.uint8)[blocks_mask(3)]
    alpha = np.where(binary > 0, 255, 100).astype(np.uint8)
    return {
        "voc.png": voc_file(),
        "binary.png": png_bytes(binary),
        "one_bit.png": saved(Image.fromarray(binary).convert("1")),
        "two_bits.png": saved(_four_levels(), bits=2),
        "deep.png": saved(Image.fromarray(blocks_mask().astype(np.uint16) * 1000)),
        "colour.png": png_bytes(colours),
        "alpha.png": saved(Image.fromarray(np.dstack([colours, alpha]))),
        "grey_alpha.png": saved(Image.fromarray(np.dstack([binary, alpha]))),
        "noise.png": png_bytes(rng.integers(0, 256, (SIZE, SIZE), np.uint8)),
        "mask.jpg": saved(Image.fromarray(binary), "JPEG", quality=60),
        "mask.bmp": saved(Image.fromarray(binary), "BMP"),
    }


def _four_levels() -> Image.Image:
    image = Image.fromarray(blocks_mask())
    image.putpalette([v for level in range(4) for v in (85 * level,) * 3])
    return image


FILES = _files()


def directly(reader: str, path: Path) -> np.ndarray[Any, Any]:
    """The library's own function on a file on disk, as people call it."""
    if reader == "pillow":
        return np.array(Image.open(path))
    if reader == "pillow_l":
        return np.array(Image.open(path).convert("L"))
    if reader in ("opencv_gray", "opencv_color"):
        import cv2

        found = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE if reader == "opencv_gray" else cv2.IMREAD_COLOR)
        assert found is not None
        return np.asarray(found)
    if reader == "tensorflow":
        import tensorflow as tf

        return np.asarray(tf.io.decode_image(tf.io.read_file(str(path)), channels=1).numpy()[..., 0])
    if reader == "keras_load_img":
        import keras

        return np.array(keras.utils.load_img(path, color_mode="grayscale"))
    from matplotlib import image

    return np.asarray(image.imread(path))


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("reader", LIBRARIES)
def test_a_reader_gives_what_its_library_gives(tmp_path: Path, reader: str, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(FILES[name])
    try:
        expected = directly(reader, path)
    except Exception:  # then ours must refuse as well, in a line of its own
        with pytest.raises(SceneError, match=reader):
            read_file(SourceFile(name, FILES[name]), reader)
        return
    given = read_file(SourceFile(name, FILES[name]), reader)
    assert given.dtype == expected.dtype
    np.testing.assert_array_equal(given, expected)


def _scene(data: bytes, name: str = "mask.png", **stated: Any) -> Scene:
    return read_scene(GREY, [(name, data)], **stated)


def _by_reader(scene: Scene) -> dict[str, Delivery]:
    return {one.reader: one for one in delivered(scene)}


@pytest.mark.parametrize("name", ["voc.png", "colour.png", "deep.png", "one_bit.png", "mask.jpg"])
def test_values_are_counted(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(FILES[name])
    found = _by_reader(_scene(FILES[name], name))
    assert list(found) == LIBRARIES
    for reader, one in found.items():
        if one.error is not None:
            continue
        expected = directly(reader, path)
        assert (one.dtype, one.shape) == (str(expected.dtype), expected.shape)
        pixels = expected.reshape(SIZE * SIZE, -1)
        values, counts = np.unique(pixels, axis=0, return_counts=True)
        assert one.n_distinct == len(values)
        assert [n for _, n in one.values] == sorted(counts.tolist(), reverse=True)[:16]
        by_value = {tuple(v.tolist()): int(n) for v, n in zip(values, counts, strict=True)}
        for value, n in one.values:
            assert by_value[value if isinstance(value, tuple) else (value,)] == n


def test_a_palette_mask_is_colours_to_opencv_and_brightness_to_tensorflow() -> None:
    found = _by_reader(_scene(FILES["voc.png"], encoding="palette", ignore=255))
    counts = {index: int((voc_indices() == index).sum()) for index in VOC_COLOURS}
    assert dict(found["pillow"].values) == counts
    assert found["pillow"].keeps == "codes"
    assert found["opencv_color"].dtype == "uint8"
    assert dict(found["opencv_color"].values) == {VOC_COLOURS[i][::-1]: n for i, n in counts.items()}
    assert found["opencv_color"].keeps == "renamed"
    for reader in ("tensorflow", "opencv_gray", "pillow_l", "keras_load_img"):
        grey = dict(found[reader].values)
        assert sorted(grey.values()) == sorted(counts.values()), reader
        assert not set(grey) & {1, 2}, reader
        assert found[reader].keeps == "renamed"


def test_two_colours_of_one_brightness_are_one_class_and_the_fraction_is_told() -> None:
    same = {0: (0, 0, 0), 1: (90, 0, 0), 2: (0, 0, 0), 255: (224, 224, 192)}
    found = _by_reader(_scene(voc_file(same), encoding="palette", ignore=255))
    indices = voc_indices()
    labelled = int((indices != 255).sum())
    lost = min((indices == 0).sum(), (indices == 2).sum()) / labelled
    for reader in ("pillow_l", "opencv_color", "tensorflow"):
        assert found[reader].keeps == "lost"
        assert found[reader].lost == pytest.approx(lost)
        assert found[reader].together == ((0, 2),)
    assert found["pillow"].lost == 0


def test_colours_keep_their_order_in_pillow_only() -> None:
    found = _by_reader(_scene(FILES["colour.png"], encoding="colour"))
    assert found["pillow"].keeps == "codes"
    assert found["opencv_color"].keeps == "renamed"
    assert found["matplotlib"].keeps == "renamed"
    assert found["matplotlib"].dtype == "float32"


def test_a_turned_file_has_another_shape_where_the_reader_does_not_turn_it() -> None:
    mask = np.zeros((SIZE, 20), np.uint8)
    mask[:8] = 255
    exif = Image.Exif()
    exif[0x0112] = 6
    data = saved(Image.fromarray(np.ascontiguousarray(np.rot90(mask))), "PNG", exif=exif)
    scene = read_scene(np.full((SIZE, 20, 3), 90, np.uint8), [("mask.png", data)])
    np.testing.assert_array_equal(scene.labels, mask // 255)
    assert _by_reader(scene)["pillow"].keeps == "shape"


def test_one_file_a_class_is_compared_with_its_own_class() -> None:
    found = delivered(discs())
    assert [one.file for one in found] == ["left.png"] * len(LIBRARIES) + ["right.png"] * len(LIBRARIES)
    assert {one.lost for one in found} == {0}


def test_one_file_an_object_says_no_class_of_each_pixel() -> None:
    objects = np.zeros((2, SIZE, SIZE), np.uint8)
    objects[0, :8], objects[1, 20:] = 255, 255
    files = [(f"object{n}.png", png_bytes(one)) for n, one in enumerate(objects)]
    scene = read_scene(GREY, files, encoding="instances")
    assert {one.keeps for one in delivered(scene)} == {"unknown"}


def test_what_a_library_refuses_is_its_own_words() -> None:
    scene = read_scene(GREY, blocks_mask())  # an array: its bytes are those of a .npy file
    found = _by_reader(scene)
    assert found["pillow"].keeps == "error"
    assert "cannot identify image file" in (found["pillow"].error or "")
    assert np.isnan(found["pillow"].lost)


@pytest.mark.parametrize("encoding", ["one_hot", "sparse"])
def test_labels_by_every_reader_beside_the_right_ones(encoding: str) -> None:
    from segdebug.parts.targets import label_tensor

    scene = _scene(FILES["voc.png"], encoding="palette", ignore=255)
    loss = "categorical_crossentropy" if encoding == "one_hot" else "sparse_categorical_crossentropy"
    experiment = Experiment().changed(
        {"training.size": SIZE, "target.encoding": encoding, "target.reader": "opencv_gray", "loss.name": loss}
    )
    found = {one.reader: one for one in fed(scene, experiment)}
    assert list(found) == list(READERS)
    assert found["scene"].exact
    assert found["pillow"].exact
    assert not found["opencv_gray"].exact
    indices = voc_indices()
    labelled = indices != 255
    for reader, one in found.items():
        tensor_of = experiment.changed({"target.reader": reader}).target
        if one.facts.kind == "mismatch":
            assert reader in ("opencv_color", "matplotlib")
            continue
        tensor = label_tensor(scene, tensor_of, 3, SIZE)
        assert one.facts.shape == tensor.shape
        assert one.facts.dtype == str(tensor.dtype)
        if encoding == "one_hot":
            # A row of zeros says no class: that is told by its sum, and not as another class.
            wrong = (tensor.argmax(-1) != indices) & (tensor.max(-1) > 0) & labelled
            sums, counts = np.unique(tensor.sum(-1)[labelled], return_counts=True)
            expected = {float(s): n / labelled.sum() for s, n in zip(sums, counts, strict=True)}
            assert one.facts.row_sums == pytest.approx(expected)
        else:
            wrong = (tensor != indices) & labelled
            outside = ((tensor < 0) | (tensor > 2)) & labelled
            assert one.facts.out_of_range == pytest.approx(outside.sum() / labelled.sum())
        np.testing.assert_array_equal(one.wrong, wrong)
        assert one.facts.wrong == pytest.approx(wrong.sum() / labelled.sum())


def test_an_examination_is_a_job_and_can_be_ended() -> None:
    whole = examined(blocks(), Experiment(), cancel=None)
    assert len(whole.deliveries) == len(LIBRARIES)
    assert [one.reader for one in whole.fed] == list(READERS)
    ended = examined(blocks(), Experiment(), cancel=lambda: True)
    assert ended.deliveries == ()
    assert ended.fed == ()


def test_of_many_files_the_first_are_tried() -> None:
    planes = np.zeros((MOST_FILES + 2, SIZE, SIZE), np.uint8)
    for n, plane in enumerate(planes):
        plane[3 * n : 3 * n + 3] = 255
    scene = read_scene(GREY, [(f"class{n}.png", png_bytes(plane)) for n, plane in enumerate(planes)])
    found = examined(scene, Experiment().changed({"target.reader": "pillow", "target.encoding": "summed_planes"}))
    assert len(found.deliveries) == MOST_FILES * len(LIBRARIES)
    assert found.left_out == 2
    assert [one.reader for one in found.fed] == ["scene", "pillow"]
