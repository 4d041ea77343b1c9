"""Every picture format and mode: the image against what the pixels are."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, ImageOps

from segdebug.errors import SceneError
from segdebug.scene import Scene, read_scene

from .files import encoded, npy

RNG = np.random.default_rng(0)
RGB = RNG.integers(0, 256, (7, 5, 3), dtype=np.uint8)
GREY = RGB[..., 0]
MASK = np.array([[0, 1, 0, 1, 0]] * 7, np.uint8)


def read(image: object) -> Scene:
    return read_scene(image, MASK)  # type: ignore[arg-type]


@pytest.mark.parametrize("form", ["PNG", "BMP", "TIFF", "WEBP"])
def test_rgb_of_every_lossless_format(form: str) -> None:
    options = {"lossless": True} if form == "WEBP" else {}
    scene = read(encoded(RGB, form, **options))
    assert scene.image.dtype == np.float32
    assert scene.image.shape == (7, 5, 3)
    np.testing.assert_array_equal(np.rint(scene.image * 255).astype(np.uint8), RGB)


@pytest.mark.parametrize("form", ["JPEG", "WEBP"])
def test_lossy_formats_are_what_pillow_decodes(form: str) -> None:
    data = encoded(RGB, form, quality=80)
    want = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
    np.testing.assert_array_equal(np.rint(read(data).image * 255).astype(np.uint8), want)


@pytest.mark.parametrize(
    ("picture", "want"),
    [
        (Image.fromarray(GREY), np.stack([GREY] * 3, -1)),
        (Image.merge("LA", [Image.fromarray(GREY), Image.fromarray(RGB[..., 1])]), np.stack([GREY] * 3, -1)),
        (Image.merge("RGBA", [*Image.fromarray(RGB).split(), Image.fromarray(GREY)]), RGB),
        (Image.fromarray(GREY > 127), np.stack([(GREY > 127) * np.uint8(255)] * 3, -1)),
    ],
    ids=["L", "LA", "RGBA", "1"],
)
def test_modes_drop_alpha_and_repeat_grey(picture: Image.Image, want: np.ndarray) -> None:
    np.testing.assert_array_equal(np.rint(read(encoded(picture)).image * 255), want)


def test_palette_picture_shows_its_colours() -> None:
    picture = Image.fromarray(GREY % 4, "L").copy()
    picture = Image.frombytes("P", picture.size, picture.tobytes())
    table = np.array([[9, 8, 7], [200, 0, 0], [0, 100, 0], [1, 2, 250]], np.uint8)
    picture.putpalette(table.tobytes())
    np.testing.assert_array_equal(np.rint(read(encoded(picture)).image * 255), table[GREY % 4])


def test_transparent_palette_picture_warns_nobody() -> None:
    picture = Image.frombytes("P", (5, 7), (GREY % 2).tobytes())
    picture.putpalette(bytes([10, 20, 30, 40, 50, 60]))
    data = encoded(picture, transparency=b"\x00\x80")
    np.testing.assert_allclose(read(data).image[0, 0] * 255, [[10, 20, 30], [40, 50, 60]][GREY[0, 0] % 2])


@pytest.mark.parametrize("form", ["PNG", "TIFF"])
def test_sixteen_bits_are_divided_by_65535(form: str) -> None:
    deep = RNG.integers(0, 4096, (7, 5)).astype(np.uint16)  # 12 bits in 16: stays dark
    scene = read(encoded(deep, form))
    np.testing.assert_allclose(scene.image[..., 1], deep / 65535, rtol=1e-6)


def test_integers_and_floats_of_tiff() -> None:
    wide = RNG.integers(0, 60000, (7, 5)).astype(np.int32)
    np.testing.assert_allclose(read(encoded(wide, "TIFF")).image[..., 0], wide / 65535, rtol=1e-6)
    floats = RNG.random((7, 5)).astype(np.float32)
    np.testing.assert_array_equal(read(encoded(floats, "TIFF")).image[..., 0], floats)


def test_cmyk_jpeg_is_converted() -> None:
    scene = read(encoded(Image.new("CMYK", (5, 7), (0, 255, 255, 0)), "JPEG"))
    assert scene.image[0, 0, 0] > 0.9
    assert scene.image[0, 0, 1] < 0.1


@pytest.mark.parametrize(
    ("dtype", "top"), [("u1", 255), ("<u2", 65535), (">u2", 65535), ("i4", 255), ("i8", 65535), ("f8", 255)]
)
def test_npy_scale_goes_by_what_the_type_or_the_values_need(dtype: str, top: int) -> None:
    array = (RNG.random((7, 5, 3)) * top).astype(dtype)
    array[0, 0] = top
    scene = read(npy(array))
    np.testing.assert_allclose(scene.image, array.astype(np.float64) / top, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("array", [RGB / 255, RGB > 127, (RGB > 127).astype(np.uint8)], ids=["f8", "bool", "01"])
def test_arrays_in_0_1_stay(array: np.ndarray) -> None:
    np.testing.assert_allclose(read(array).image, array.astype(np.float64), rtol=1e-6)
    assert read(array).name == "image"


def test_fortran_order_npy() -> None:
    array = np.asfortranarray(RGB)
    assert b"'fortran_order': True" in npy(array)
    np.testing.assert_array_equal(read(npy(array)).image, read(RGB).image)


def test_an_array_is_copied() -> None:
    array = np.zeros((7, 5, 3), np.float32)
    scene = read(array)
    array[:] = 1
    assert scene.image.max() == 0


@pytest.mark.parametrize(
    ("array", "says"),
    [
        (np.full((7, 5), np.nan), "NaN"),
        (np.full((7, 5), np.inf, np.float32), "infinity"),
        (np.full((7, 5), -0.5), "negative"),
        (np.full((7, 5), 300.0), "300"),
        (np.full((7, 5), 70000, np.int32), "70000"),
        (np.zeros((7, 5, 5)), "(7, 5, 5)"),
        (np.zeros((3, 7, 5)), "channels-first"),
        (np.zeros((1, 7, 5, 3)), "batch"),
        (np.zeros((7, 0, 3)), "no pixels"),
        (np.zeros((7, 5, 0)), "empty"),
        (np.zeros((7, 5), np.complex64), "complex64"),
        (np.array([[None]]), "object"),
        (np.array([["a"]]), "U1"),
    ],
)
def test_arrays_that_are_no_picture(array: np.ndarray, says: str) -> None:
    with pytest.raises(SceneError, match=r"^image: ") as caught:
        read(array)
    assert says in str(caught.value)
    assert caught.value.file == "image"


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("form", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_exif_orientation(orientation: int, form: str) -> None:
    """Against Pillow's own exif_transpose, and a mask of the upright size fits."""
    picture = Image.fromarray(RGB)
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"quality": 95} if form == "JPEG" else {"lossless": True} if form == "WEBP" else {}
    data = encoded(picture, form, exif=exif, **options)
    want = np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(data))))
    assert want.shape[:2] == ((5, 7) if orientation > 4 else (7, 5))
    scene = read_scene(data, np.eye(*want.shape[:2], dtype=np.uint8))
    np.testing.assert_array_equal(np.rint(scene.image * 255), want)


def test_mask_with_exif_is_turned_too_and_says_so() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    mask = np.zeros((5, 7), np.uint8)
    mask[0, :3] = 1
    scene = read_scene(RGB, encoded(mask, exif=exif))
    np.testing.assert_array_equal(scene.labels, np.rot90(mask, -1))
    assert [w.code for w in scene.warnings] == ["mask_turned"]


def test_damaged_exif_is_no_reason_to_refuse() -> None:
    data = encoded(RGB, "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff garbage")
    assert read(data).image.shape == (7, 5, 3)
