"""Every container that a picture or a mask comes in, against pixels that were counted before they were written."""

from __future__ import annotations

import io

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from segdebug.errors import SceneError
from segdebug.scene import Scene, read_scene

from .containers import npz, tiff, zipped
from .files import chunk, encoded, npy, png

RNG = np.random.default_rng(11)
SHAPE = (19, 31)
IDS = RNG.integers(0, 5, SHAPE).astype(np.uint8)
COUNTS = [int((k == IDS).sum()) for k in range(5)]
IMAGE = encoded(RNG.integers(0, 256, (*SHAPE, 3), dtype=np.uint8))


def read(mask: object, **options: object) -> Scene:
    return read_scene(IMAGE, ("mask.bin", mask), **options)  # type: ignore[arg-type]


def rows(values: NDArray[np.uint8], bits: int) -> bytes:
    """The unfiltered rows of a PNG of so many bits a pixel."""
    planes = (values[..., np.newaxis] >> np.arange(bits - 1, -1, -1)) & 1
    return b"".join(b"\0" + np.packbits(row.reshape(-1).astype(np.uint8)).tobytes() for row in planes)


# PNG ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
@pytest.mark.parametrize("palette", [False, True])
def test_png_of_few_bits(bits: int, palette: bool) -> None:
    values = (IDS % min(5, 2**bits)).astype(np.uint8)
    table = [chunk(b"PLTE", bytes(range(3 * min(2**bits, 85))))] if palette else []
    data = png(SHAPE[1], SHAPE[0], bits, 3 if palette else 0, rows(values, bits), *table)
    scene = read(data, encoding="palette" if palette else "index")
    assert [c.pixels for c in scene.classes] == [int((values == k).sum()) for k in range(int(values.max()) + 1)]
    np.testing.assert_array_equal(scene.labels, values)


@pytest.mark.parametrize("mode", ["LA", "RGB", "RGBA"])
def test_png_of_several_channels(mode: str) -> None:
    grey = Image.fromarray(IDS)
    opaque = Image.fromarray(np.full_like(IDS, 255))
    picture = Image.merge(mode, {"LA": [grey, opaque], "RGB": [grey] * 3, "RGBA": [*[grey] * 3, opaque]}[mode])
    scene = read(encoded(picture), encoding="index")
    assert [c.pixels for c in scene.classes] == COUNTS


def test_png_of_sixteen_bits() -> None:
    scene = read(encoded(IDS.astype(np.uint16) * 1000))
    assert [c.pixels for c in scene.classes] == COUNTS


# GIF, BMP, WebP ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["GIF", "BMP", "WEBP"])
@pytest.mark.parametrize("size", [SHAPE, (1, 2), (5, 200)])
def test_binary_masks(form: str, size: tuple[int, int]) -> None:
    mask = (RNG.random(size) < 0.4).astype(np.uint8)
    mask.flat[:2] = 1, 0
    data = encoded(mask * np.uint8(255), form, **({"lossless": True} if form == "WEBP" else {}))
    scene = read_scene(np.zeros(size, np.uint8), data, encoding="binary")
    np.testing.assert_array_equal(scene.labels, mask)


def test_palette_gif_and_bmp_keep_their_indices() -> None:
    for form in ("GIF", "BMP"):
        picture = Image.frombytes("P", SHAPE[::-1], IDS.tobytes())
        picture.putpalette(bytes([9, 9, 9, 250, 0, 0, 0, 250, 0, 0, 0, 250, 7, 8, 9]))
        scene = read(encoded(picture, form))
        assert [c.pixels for c in scene.classes] == COUNTS
        assert (scene.encoding, scene.report[0].format) == ("palette", form)


def test_gif_picture() -> None:
    picture = Image.frombytes("P", SHAPE[::-1], IDS.tobytes())
    table = np.array([[9, 9, 9], [250, 0, 0], [0, 250, 0], [0, 0, 250], [7, 8, 9]], np.uint8)
    picture.putpalette(table.tobytes())
    scene = read_scene(encoded(picture, "GIF"), np.eye(*SHAPE, dtype=np.uint8))
    np.testing.assert_array_equal(np.rint(scene.image * 255), table[IDS])


# TIFF --------------------------------------------------------------------------------------------------------


LAYOUTS: list[dict[str, object]] = [
    {},
    {"compression": "zlib"},
    {"compression": "zlib", "predictor": True},
    {"bigtiff": True},
    {"byteorder": ">"},
    {"tile": (16, 16)},
    {"tile": (16, 16), "compression": "zlib"},
    {"rowsperstrip": 4},
    {"rowsperstrip": 4, "compression": "zlib"},
]


@pytest.mark.parametrize(
    ("dtype", "options"),
    [
        (dtype, options)
        for dtype in ("u1", "i1", "u2", "i2", "u4", "i4", "f2", "f4", "f8")
        for options in LAYOUTS
        if not (dtype[0] == "f" and "predictor" in options)  # tifffile alone writes no predictor of floats
    ],
    ids=str,
)
def test_tiff_of_every_type_and_layout(dtype: str, options: dict[str, object]) -> None:
    scene = read(tiff(IDS.astype(dtype), **options), encoding="index")
    np.testing.assert_array_equal(scene.labels, IDS)
    assert [c.pixels for c in scene.classes] == COUNTS
    assert scene.report[0].format == "TIFF"


def test_tiff_that_pillow_and_opencv_write() -> None:
    """LZW, PackBits and Deflate, as other programs compress."""
    for compression in ("tiff_lzw", "packbits", "tiff_adobe_deflate", "raw"):
        np.testing.assert_array_equal(read(encoded(IDS, "TIFF", compression=compression)).labels, IDS)
    for dtype in (np.uint8, np.uint16, np.float32):
        done, data = cv2.imencode(".tif", IDS.astype(dtype))
        assert done
        np.testing.assert_array_equal(read(data.tobytes()).labels, IDS)


def test_minus_one_in_a_tiff_is_void() -> None:
    signed = IDS.astype(np.int16) - 1
    scene = read(tiff(signed))
    assert scene.ignored_pixels == COUNTS[0]
    assert [c.pixels for c in scene.classes] == COUNTS[1:]


@pytest.mark.parametrize(("dtype", "top"), [("u1", 255), ("u2", 65535)])
@pytest.mark.parametrize("planar", ["contig", "separate"])
def test_colour_tiff_pictures(dtype: str, top: int, planar: str) -> None:
    rgb = RNG.integers(0, top, (*SHAPE, 3)).astype(dtype)
    stored = rgb if planar == "contig" else np.moveaxis(rgb, -1, 0)
    data = tiff(stored, photometric="rgb", planarconfig=planar)
    scene = read_scene(data, np.eye(*SHAPE, dtype=np.uint8))
    np.testing.assert_allclose(scene.image, rgb / top, atol=1e-6)


def test_bands_of_a_tiff_are_planes() -> None:
    hot = np.eye(6, dtype=np.uint8)[IDS]
    scene = read(tiff(hot, planarconfig="contig"))
    assert scene.encoding == "planes"
    assert [c.pixels for c in scene.classes] == [*COUNTS, 0]


def test_pages_are_planes() -> None:
    stack = np.stack([(k == IDS) * np.uint8(255) for k in range(5)])
    scene = read(tiff(stack))
    assert scene.encoding == "planes"
    np.testing.assert_array_equal(scene.labels, IDS)
    assert [c.pixels for c in scene.classes] == COUNTS
    assert [file.class_id for file in scene.mask_files] == [None]
    assert len(scene.report) == 5


def test_pages_are_slices_where_the_picture_has_as_many() -> None:
    stack = RNG.integers(0, 3, (4, *SHAPE)).astype(np.int32)
    picture = RNG.integers(0, 65536, (4, *SHAPE)).astype(np.uint16)
    for page in (None, 0, 3):
        scene = read_scene(("ct.tif", tiff(picture)), ("seg.tif", tiff(stack)), page=page, encoding="index")
        np.testing.assert_array_equal(scene.labels, stack[page or 0])
        np.testing.assert_allclose(scene.image[..., 0], picture[page or 0] / 65535, atol=1e-6)
        assert "page_taken" in [warning.code for warning in scene.warnings]
    assert scene.name == "ct"


def test_pages_of_ids_are_asked_about() -> None:
    stack = tiff(RNG.integers(0, 4, (3, *SHAPE)).astype(np.uint8))
    with pytest.raises(SceneError, match="state which of them belongs to the picture"):
        read(stack)
    with pytest.raises(SceneError, match="has 3 pages"):
        read(stack, encoding="index")
    with pytest.raises(SceneError, match="no page 3; pages 0 to 2"):
        read(stack, page=3)
    assert read(stack, page=2).n_classes == 4


@pytest.mark.parametrize("page", [-1, 1.5, True, "0"])
def test_pages_are_numbers(page: object) -> None:
    with pytest.raises(SceneError, match="Expected page to be a number"):
        read(encoded(IDS), page=page)


def test_thumbnails_in_a_tiff_are_no_pages() -> None:
    import tifffile

    buffer = io.BytesIO()
    with tifffile.TiffWriter(buffer) as file:
        file.write(IDS, photometric="minisblack")
        file.write(IDS[::4, ::4], photometric="minisblack", subfiletype=1)
    np.testing.assert_array_equal(read(buffer.getvalue()).labels, IDS)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_of_tiffs_that_pillow_does_not_keep(orientation: int) -> None:
    """Sixteen bits by tifffile turn as eight bits do by Pillow."""
    rgb = RNG.integers(0, 256, (*SHAPE, 3)).astype(np.uint8)
    tag = [(274, "H", 1, orientation, True)]
    scenes = []
    for stored in (rgb, rgb.astype(np.uint16) * 257):
        data = tiff(stored, photometric="rgb", extratags=tag)
        size = SHAPE if orientation < 5 else SHAPE[::-1]
        scenes.append(read_scene(data, np.eye(*size, dtype=np.uint8)))
    np.testing.assert_allclose(scenes[0].image, scenes[1].image, atol=1e-6)


# NumPy -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["?", "u1", "i2", "u4", "i8", "f4", "f8"])
def test_npy_and_npz_of_every_type(dtype: str) -> None:
    values = IDS.astype(dtype)
    for data in (npy(values), npz(whatever=values)):
        scene = read(data, encoding="index")
        np.testing.assert_array_equal(scene.labels, values.astype(int))


def test_npz_with_a_picture_and_its_label() -> None:
    """As the Synapse slices of TransUNet come: both in one file."""
    picture = RNG.random(SHAPE).astype(np.float32)
    data = npz(image=picture, label=IDS.astype(np.float32))
    scene = read_scene(("case.npz", data), ("case.npz", data))
    np.testing.assert_array_equal(scene.image[..., 1], picture)
    assert [c.pixels for c in scene.classes] == COUNTS


def test_npz_of_planes() -> None:
    scene = read(npz(**{f"k{k}": k == IDS for k in range(5)}))
    assert scene.encoding == "planes"
    assert [(c.name, c.pixels) for c in scene.classes] == [(f"k{k}", COUNTS[k]) for k in range(5)]


def test_a_picture_in_several_is_asked_for() -> None:
    with pytest.raises(SceneError, match="2 files are in it, but one picture"):
        read_scene(zipped({"a.png": IMAGE, "b.png": IMAGE}), IDS)
    assert read_scene(zipped({"a/photo.png": IMAGE}), IDS).name == "photo"


# Validity ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["GIF", "PNG", "JPEG", "array"])
def test_a_field_of_view_makes_the_rest_void(form: str) -> None:
    """As in DRIVE: the outlines of vessels, and a disc that was seen."""
    y, x = np.mgrid[:64, :64]
    seen = (y - 32) ** 2 + (x - 30) ** 2 < 25**2
    vessels = (x // 3 % 4 == 0).astype(np.int32)
    given = seen * np.uint8(255) if form == "array" else encoded(seen * np.uint8(255), form)
    scene = read_scene(np.zeros((64, 64), np.uint8), vessels, validity=("fov.gif", given) if form != "array" else given)
    np.testing.assert_array_equal(scene.valid, seen)
    np.testing.assert_array_equal(scene.labels, np.where(seen, vessels, -1))
    assert [c.pixels for c in scene.classes] == [int((seen & (vessels == k)).sum()) for k in (0, 1)]
    assert scene.warnings[-1].code == "validity_applied"
    assert f"{int((~seen).sum()):,} pixels" in scene.warnings[-1].message
    assert scene.report[-1].encoding == "validity"
    assert scene.digest != read_scene(np.zeros((64, 64), np.uint8), vessels).digest


def test_a_field_of_view_over_planes() -> None:
    seen = np.zeros(SHAPE, np.uint8)
    seen[:, :9] = 1
    planes = [encoded((k != IDS) * np.uint8(255)) for k in range(3)]
    scene = read_scene(IMAGE, planes, validity=seen)
    assert scene.planes is not None
    assert [c.pixels for c in scene.classes] == [int(((k != IDS) & (seen > 0)).sum()) for k in range(3)]
    assert not scene.planes[:, 9:].any()


@pytest.mark.parametrize(
    ("validity", "says"),
    [
        (np.zeros(SHAPE, np.uint8), "no pixel is left"),
        (IDS, "too many for a mask of the pixels that count"),
        (np.zeros((9, 9), np.uint8), "do not belong together"),
        (b"", "empty"),
    ],
)
def test_fields_of_view_that_are_none(validity: object, says: str) -> None:
    with pytest.raises(SceneError, match=says):
        read_scene(IMAGE, IDS, validity=validity)  # type: ignore[arg-type]
