"""What one mask file is taken for, with counts computed independently from the original array."""

from __future__ import annotations

import doctest
import struct
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from segdebug.errors import SceneError
from segdebug.scene import ENCODINGS, VOID, read_scene
from segdebug.scene.values import count_values, relabel

from .files import coded, codes, encoded, npy, pixels, png, read_mask

SHAPES = st.tuples(st.integers(1, 9), st.integers(1, 9))
QUICK = settings(max_examples=40, deadline=None, derandomize=True)


def ids(n: int, shape: tuple[int, int] = (12, 10)) -> np.ndarray:
    """An index mask in which 0..n-1 all occur."""
    return (np.arange(shape[0] * shape[1]).reshape(shape) * 7 // 3 % n).astype(np.uint8)


def palette_picture(indices: np.ndarray, table: np.ndarray) -> Image.Image:
    picture = Image.frombytes("P", indices.shape[::-1], np.ascontiguousarray(indices).tobytes())
    picture.putpalette(table.tobytes())
    return picture


# Round trips -------------------------------------------------------------------------------------------------


@QUICK
@given(hnp.arrays(np.uint8, SHAPES, elements=st.integers(0, 60)), st.sampled_from(["PNG", "BMP", "TIFF", "NPY"]))
def test_stated_index_mask_keeps_every_value(mask: np.ndarray, form: str) -> None:
    data = npy(mask) if form == "NPY" else encoded(mask, form)
    scene = read_mask(data, *mask.shape, encoding="index")
    counts = np.bincount(mask.ravel())
    present = np.flatnonzero(counts)
    assert coded(scene) == present.tolist()
    assert pixels(scene) == counts[present].tolist()
    np.testing.assert_array_equal(np.array(coded(scene))[scene.labels], mask)
    assert scene.labels.dtype == np.int32
    assert scene.valid.all()
    assert scene.confidence == 1.0


@QUICK
@given(hnp.arrays(np.uint8, SHAPES, elements=st.integers(0, 255)), st.randoms(use_true_random=False))
def test_palette_indices_are_kept_whatever_the_colours(mask: np.ndarray, random: object) -> None:
    table = np.random.default_rng(random.randrange(9999)).integers(0, 256, (256, 3), np.uint8)  # type: ignore[attr-defined]
    scene = read_mask(encoded(palette_picture(mask, table)), *mask.shape, encoding="palette", ignore=300)
    counts = np.bincount(mask.ravel())
    assert coded(scene) == np.flatnonzero(counts).tolist()
    assert pixels(scene) == counts[counts > 0].tolist()
    np.testing.assert_array_equal(np.array(coded(scene))[scene.labels], mask)


@QUICK
@given(hnp.arrays(np.uint32, SHAPES, elements=st.integers(0, 0xFFFFFF)), st.sampled_from(["PNG", "BMP", "NPY"]))
def test_every_colour_is_a_class_in_ascending_order(mask: np.ndarray, form: str) -> None:
    rgb = np.stack([mask >> 16, mask >> 8 & 255, mask & 255], -1).astype(np.uint8)
    scene = read_mask(npy(rgb) if form == "NPY" else encoded(rgb, form), *mask.shape, encoding="colour")
    values, counts = np.unique(mask, return_counts=True)
    assert coded(scene) == [f"#{v:06x}" for v in values]
    assert pixels(scene) == counts.tolist()
    np.testing.assert_array_equal(values[scene.labels], mask)


@QUICK
@given(hnp.arrays(np.bool_, SHAPES), st.integers(1, 255))
def test_stated_binary_mask_of_any_two_values(mask: np.ndarray, high: int) -> None:
    scene = read_mask(mask * np.uint8(high), encoding="binary")
    np.testing.assert_array_equal(scene.labels, mask)
    assert pixels(scene) == [int((~mask).sum()), int(mask.sum())]
    assert [c.name for c in scene.classes] == ["background", "foreground"]


@QUICK
@given(hnp.arrays(np.int64, SHAPES, elements=st.integers(0, 2**40)), st.sampled_from([1, 1000, 2**23, 2**24, 2**40]))
def test_wide_ids_are_counted_and_kept(mask: np.ndarray, modulus: int) -> None:
    mask %= modulus
    scene = read_mask(mask, encoding="index", ignore=-5)
    values, counts = np.unique(mask, return_counts=True)
    assert coded(scene) == values.tolist()
    assert pixels(scene) == counts.tolist()
    np.testing.assert_array_equal(values[scene.labels], mask)


# Inference ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "encoding", "confidence", "void", "warned"),
    [
        ([0, 255], "binary", 0.99, None, ()),
        ([0, 1], "binary", 0.95, None, ()),
        ([0, 200], "binary", 0.8, None, ("binary_value",)),
        ([0, 1, 2], "index", 0.9, None, ()),
        ([0, 1, 2, 255], "index", 0.88, 255, ("void_inferred",)),
        ([0, 1, 255], "binary", 0.88, 255, ("void_inferred",)),
        ([1, 2, 3, 255], "index", 0.8, 255, ("void_inferred", "one_based")),
        ([0, 15, 255], "binary", 0.7, 255, ("void_inferred", "binary_value")),
        ([0, 7, 20, 255], "index", 0.7, 255, ("void_inferred", "sparse_ids")),
        ([0, 80, 160, 255], "index", 0.7, None, ("sparse_ids",)),
        ([1, 2, 3, 4], "index", 0.8, None, ("one_based",)),
        ([1, 2], "index", 0.8, None, ("one_based",)),
        ([3, 9, 27], "index", 0.7, None, ("sparse_ids",)),
        ([2, 3, 4], "index", 0.7, None, ("sparse_ids",)),
        ([7, 255], "index", 0.7, None, ("sparse_ids",)),
        ([0], "index", 0.5, None, ("one_value",)),
        ([255], "index", 0.5, None, ("one_value",)),
        (list(range(64)), "index", 0.9, None, ()),
        ([*range(63), 255], "index", 0.88, 255, ("void_inferred",)),
    ],
)
def test_what_grey_values_are_taken_for(
    values: list[int], encoding: str, confidence: float, void: int | None, warned: tuple[str, ...]
) -> None:
    mask = np.array(values, np.uint8)[ids(len(values))]
    scene = read_mask(encoded(mask), *mask.shape)
    assert (scene.encoding, scene.confidence, codes(scene)) == (encoding, confidence, warned)
    kept = [v for v in values if v != void]
    if len(kept) > 1:
        assert coded(scene) == kept
    expected = np.full(mask.shape, VOID)
    for k, value in enumerate(kept):
        expected[mask == value] = k
    np.testing.assert_array_equal(scene.labels, expected)
    np.testing.assert_array_equal(scene.valid, expected != VOID)
    assert pixels(scene) == np.bincount(expected[expected >= 0], minlength=len(kept)).tolist()
    assert scene.ignored_pixels == int((mask == void).sum()) if void is not None else scene.ignored_pixels == 0


@pytest.mark.parametrize(
    ("values", "confidence", "void"),
    [([0, 1, 2], 0.98, None), ([0, 15, 255], 0.9, 255), ([0, 1, 2, 255], 0.92, 255), ([0, 255], 0.9, None)],
)
def test_what_palette_indices_are_taken_for(values: list[int], confidence: float, void: int | None) -> None:
    mask = np.array(values, np.uint8)[ids(len(values))]
    scene = read_mask(encoded(palette_picture(mask, np.zeros((256, 3), np.uint8))), *mask.shape)
    assert (scene.encoding, scene.confidence) == ("palette", confidence)
    assert coded(scene) == [v for v in values if v != void]
    assert scene.ignored_pixels == (int((mask == 255).sum()) if void else 0)


def test_stated_void_is_believed_and_not_inferred() -> None:
    mask = np.array([0, 1, 2, 255], np.uint8)[ids(4)]
    scene = read_mask(mask, ignore=0)
    assert coded(scene) == [1, 2, 255]
    assert codes(scene) == ("sparse_ids",)
    assert scene.ignored_pixels == int((mask == 0).sum())


def test_minus_one_is_void() -> None:
    mask = ids(3).astype(np.int16) - 1
    scene = read_mask(mask)
    assert (scene.encoding, coded(scene), codes(scene)) == ("binary", [0, 1], ("void_inferred",))
    np.testing.assert_array_equal(scene.labels, mask)


def test_sixteen_bit_ids_with_void() -> None:
    mask = np.array([0, 1, 2, 65535], np.uint16)[ids(4)]
    for data in (encoded(mask), encoded(mask, "TIFF"), npy(mask)):
        scene = read_mask(data, *mask.shape)
        assert coded(scene) == [0, 1, 2]
        assert scene.ignored_pixels == int((mask == 65535).sum())


def test_two_and_four_bit_grey_keep_their_own_values() -> None:
    rows = b"\0" + bytes([0b00011011]) + b"\0" + bytes([0b11100100])
    scene = read_mask(png(4, 2, 2, 0, rows), 2, 4)
    assert scene.labels.tolist() == [[0, 1, 2, 3], [3, 2, 1, 0]]
    assert coded(scene) == [0, 1, 2, 3]
    assert codes(scene) == ("packed_grey",)
    scene = read_mask(png(2, 1, 4, 0, b"\0\x1f"), 1, 2, encoding="index")
    assert coded(scene) == [1, 15]


def test_four_bit_grey_tiff_keeps_its_own_values() -> None:
    tags = [(256, 4), (257, 2), (258, 4), (259, 1), (262, 1), (273, 150), (277, 1), (278, 2), (279, 4)]
    body = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    data = (b"II*\0\x08\0\0\0" + struct.pack("<H", len(tags)) + body + bytes(4)).ljust(150, b"\0")
    scene = read_mask(data + bytes([0x01, 0x23, 0x32, 0x10]), 2, 4)
    assert scene.labels.tolist() == [[0, 1, 2, 3], [3, 2, 1, 0]]
    assert (coded(scene), codes(scene)) == ([0, 1, 2, 3], ("packed_grey",))


def test_one_bit_and_boolean_masks() -> None:
    mask = ids(2).astype(bool)
    for data in (encoded(mask), npy(mask)):
        scene = read_mask(data, *mask.shape)
        assert (scene.encoding, coded(scene), scene.report[0].dtype) == ("binary", [0, 1], "bool")
        np.testing.assert_array_equal(scene.labels, mask)


def test_three_identical_channels_are_one() -> None:
    mask = ids(4)
    scene = read_mask(encoded(np.stack([mask] * 3, -1)), *mask.shape)
    assert (scene.encoding, coded(scene), codes(scene)) == ("index", [0, 1, 2, 3], ("three_channels",))
    np.testing.assert_array_equal(scene.labels, mask)


@pytest.mark.parametrize("mode", ["LA", "RGBA"])
def test_alpha_is_left_out_with_a_warning_unless_opaque(mode: str) -> None:
    mask = ids(3)
    for alpha, warned in ((255, 0), (mask * 100, 1), (0, 1)):
        bands = [mask] * (1 if mode == "LA" else 3) + [np.broadcast_to(np.uint8(alpha), mask.shape)]
        scene = read_mask(encoded(np.stack(bands, -1)), *mask.shape)
        np.testing.assert_array_equal(scene.labels, mask)
        assert codes(scene).count("alpha_ignored") == warned


def test_float_masks_of_whole_numbers() -> None:
    mask = ids(3)
    for data in (npy(mask.astype(np.float64)), encoded(mask.astype(np.float32), "TIFF")):
        scene = read_mask(data, *mask.shape)
        np.testing.assert_array_equal(scene.labels, mask)


def test_float_colours_as_matplotlib_reads_them() -> None:
    rgb = np.array([[0, 0, 0], [128, 0, 0], [0, 128, 0]], np.uint8)[ids(3)]
    scene = read_mask((rgb / 255).astype(np.float32))
    assert coded(scene) == ["#000000", "#008000", "#800000"]


def test_colours_and_their_names() -> None:
    rgb = np.array([[128, 0, 0], [0, 0, 0], [0, 0, 128]], np.uint8)[ids(3)]
    scene = read_mask(encoded(rgb), *rgb.shape[:2])
    assert (scene.encoding, scene.confidence) == ("colour", 0.9)
    assert coded(scene) == ["#000000", "#000080", "#800000"]
    assert [c.name for c in scene.classes] == ["background", "class 1", "class 2"]
    assert {c.colour for c in scene.classes}.isdisjoint(coded(scene))  # ours, not the file's
    assert read_mask(encoded(rgb), *rgb.shape[:2], ignore=0).ignored_pixels == int((ids(3) == 1).sum())


def test_palette_as_colours() -> None:
    table = np.zeros((256, 3), np.uint8)
    table[:3] = [[0, 0, 0], [255, 0, 0], [0, 255, 0]]
    mask = ids(3)
    scene = read_mask(encoded(palette_picture(mask, table)), *mask.shape, encoding="colour")
    assert coded(scene) == ["#000000", "#00ff00", "#ff0000"]
    np.testing.assert_array_equal(scene.labels, np.array([0, 2, 1])[mask])


@pytest.mark.parametrize("form", ["JPEG", "WEBP"])
def test_binary_jpeg_is_repaired(form: str) -> None:
    y, x = np.mgrid[:120, :120]
    disc = (y - 60) ** 2 + (x - 50) ** 2 < 40**2
    data = encoded(disc * np.uint8(255), form, quality=75)
    scene = read_mask(data, 120, 120)
    assert (scene.encoding, coded(scene)) == ("binary", [0, 255])
    assert codes(scene)[-1] == "binary_threshold"
    assert scene.confidence == 0.85
    np.testing.assert_array_equal(scene.labels, disc)
    import io

    decoded = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))[..., 1]
    changed = int(((decoded > 0) & (decoded < 255)).sum())
    assert f"{changed:,} pixels were repaired" in scene.warnings[-1].message


# Class names -------------------------------------------------------------------------------------------------


def test_names_make_the_values_the_ids() -> None:
    mask = np.array([0, 2, 4], np.uint8)[ids(3)]
    scene = read_mask(mask, classes=list("abcdef"))
    assert [c.name for c in scene.classes] == list("abcdef")
    assert coded(scene) == [0, 1, 2, 3, 4, 5]
    assert pixels(scene) == np.bincount(mask.ravel(), minlength=6).tolist()
    np.testing.assert_array_equal(scene.labels, mask)


def test_names_beside_void() -> None:
    mask = np.array([0, 50, 99, 255], np.uint8)[ids(4)]
    scene = read_mask(mask, classes=[f"c{k}" for k in range(100)])
    assert scene.ignored_pixels == int((mask == 255).sum())
    np.testing.assert_array_equal(scene.labels[scene.valid], mask[scene.valid])


def test_more_than_64_values_are_ids_where_they_are_named() -> None:
    mask = (np.arange(120).reshape(12, 10) % 100).astype(np.uint8)
    scene = read_mask(mask, classes=[f"c{k}" for k in range(100)])
    np.testing.assert_array_equal(scene.labels, mask)


def test_binary_names() -> None:
    mask = ids(2) * np.uint8(255)
    assert [c.name for c in read_mask(mask, classes=["sky", "bird"]).classes] == ["sky", "bird"]
    assert [c.name for c in read_mask(mask, classes=["bird"]).classes] == ["background", "bird"]
    assert read_mask(ids(2), classes=["a", "b", "c"]).n_classes == 3


@pytest.mark.parametrize(
    ("classes", "says"),
    [
        ("cat", "list of names"),
        (7, "list of names"),
        ([], "1 to"),
        (["a", "a", "b"], 'named "a"'),
        (["a", " ", "b"], "class 1 is empty"),
        (["a", "b"], "the value 2"),
        ([f"c{k}" for k in range(400)], "400"),
    ],
)
def test_names_that_do_not_fit(classes: object, says: str) -> None:
    with pytest.raises(SceneError) as caught:
        read_mask(ids(3), classes=classes)
    assert says in str(caught.value)


def test_colour_names_must_be_as_many() -> None:
    rgb = np.array([[128, 0, 0], [0, 0, 0], [0, 0, 128]], np.uint8)[ids(3)]
    assert [c.name for c in read_mask(rgb, classes=["x", "y", "z"]).classes] == ["x", "y", "z"]
    with pytest.raises(SceneError, match="2 class names were given, but there are 3"):
        read_mask(rgb, classes=["x", "y"])


# Refusals ----------------------------------------------------------------------------------------------------

PHOTO = np.random.default_rng(1).integers(0, 256, (40, 40, 3), dtype=np.uint8)


@pytest.mark.parametrize(
    ("mask", "options", "says"),
    [
        (encoded(PHOTO[..., 0]), {}, "distinct grey values"),
        (encoded(PHOTO), {}, "distinct colours"),
        (encoded(PHOTO[..., 0], "JPEG"), {}, "compression changed the class ids"),
        (encoded(PHOTO, "JPEG"), {}, "compression changed them"),
        (encoded(PHOTO, "WEBP", quality=60), {}, "compression changed them"),
        (encoded(np.kron(ids(3, (8, 8)) * 9, np.ones((5, 5), np.uint8)), "JPEG"), {}, "changed the class ids"),
        (npy(PHOTO[..., 0] / 255), {}, "fractions"),
        (npy(np.full((40, 40), np.nan)), {}, "NaN"),
        (npy(-2 - ids(3, (40, 40)).astype(int)), {}, "negative"),
        (npy(ids(3, (40, 40)).astype(complex)), {}, "plain array"),
        (npy(PHOTO.astype(int) * 2), {}, "0..255"),
        (encoded(ids(3, (40, 40))), {"encoding": "palette"}, "no palette"),
        (encoded(PHOTO // 100 * 100), {"encoding": "index"}, 'Choose "colour"'),
        (encoded(PHOTO // 100 * 100), {"encoding": "binary"}, 'Choose "colour"'),
        (encoded(ids(2, (40, 40)) * 0), {"ignore": 0}, "every pixel of the mask is void"),
        (encoded(Image.new("CMYK", (40, 40)), "TIFF"), {}, "CMYK"),
        (npy(np.arange(1600).reshape(40, 40)), {"encoding": "index"}, "1,600 distinct values"),
    ],
)
def test_masks_that_are_refused(mask: bytes, options: dict[str, object], says: str) -> None:
    with pytest.raises(SceneError, match=r"^labels: ") as caught:
        read_scene(PHOTO, ("labels", mask), **options)  # type: ignore[arg-type]
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.file == "labels"


def test_a_stated_binary_mask_is_cut_at_half() -> None:
    scene = read_scene(PHOTO, PHOTO[..., 0], encoding="binary")
    np.testing.assert_array_equal(scene.labels, PHOTO[..., 0] >= 128)
    assert codes(scene) == ("binary_threshold",)
    np.testing.assert_array_equal(read_mask(ids(4), encoding="binary").labels, ids(4) > 0)


def test_smoothed_edges_are_doubted() -> None:
    mask = np.repeat(ids(2, (40, 40)) * np.uint8(255), 4, axis=1)
    mask[0, :20] = np.arange(20) * 11 + 5
    scene = read_mask(mask)
    assert scene.confidence == 0.35
    assert "edge_values" in codes(scene)


def test_many_colours_are_doubted() -> None:
    rgb = np.zeros((10, 10, 3), np.uint8)
    rgb[..., 0] = np.arange(100).reshape(10, 10) + 2
    scene = read_mask(rgb)
    assert (scene.n_classes, scene.confidence, codes(scene)) == (100, 0.4, ("many_colours",))


@pytest.mark.parametrize("encoding", ["nonsense", "", None, 3, ["auto"]])
def test_unknown_encodings(encoding: object) -> None:
    with pytest.raises(SceneError, match="Expected an encoding of auto"):
        read_mask(ids(3), encoding=encoding)


@pytest.mark.parametrize("ignore", [True, 1.5, "255"])
def test_void_is_an_integer(ignore: object) -> None:
    with pytest.raises(SceneError, match="ignore"):
        read_mask(ids(3), ignore=ignore)


def test_the_table_of_encodings_has_a_line_for_each() -> None:
    assert list(ENCODINGS)[:6] == ["auto", "binary", "index", "palette", "colour", "planes"]
    assert all(text and "\n" not in text for text in ENCODINGS.values())


# The report --------------------------------------------------------------------------------------------------


def test_report_of_a_file() -> None:
    mask = np.array([[3, 3, 3, 1], [0, 0, 255, 3]], np.uint8)
    report = read_scene(("a.png", encoded(np.zeros((2, 4), np.uint8))), ("m.png", encoded(mask))).report[0]
    assert (report.name, report.format, report.mode, report.dtype) == ("m.png", "PNG", "L", "uint8")
    assert (report.size, report.distinct, report.n_distinct) == ((4, 2), (3, 0, 1, 255), 4)
    assert (report.encoding, report.confidence) == ("index", 0.7)
    assert [w.code for w in report.warnings] == ["void_inferred", "sparse_ids"]


def test_report_shows_at_most_64_values() -> None:
    mask = (np.arange(10000).reshape(100, 100) % 150).astype(np.uint8)
    report = read_mask(mask, encoding="index").report[0]
    assert (len(report.distinct), report.n_distinct, report.mode) == (64, 150, "array (100, 100)")


def test_the_example_of_read_scene() -> None:
    result = doctest.testmod(sys.modules[read_scene.__module__])
    assert (result.failed, result.attempted) == (0, 3)


# Counting ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["u1", "u2", "u4", "u8", "i1", "i2", "i4", "i8"])
@pytest.mark.parametrize("span", [3, 200, 60_000, 900_000, 2**24 - 2, 2**31 - 2, 2**62])
def test_counting_is_numpys_unique(dtype: str, span: int) -> None:
    """Every way of counting, by the width of the values and the size of the mask."""
    limits = np.iinfo(dtype)
    for size in (9, 300_000):
        span = min(span, limits.max)
        low = max(limits.min, -span // 2)
        values = np.random.default_rng(size).integers(low, low + span, size, dtype=dtype, endpoint=True)
        distinct, counts = count_values(values)
        want, want_counts = np.unique(values, return_counts=True)
        np.testing.assert_array_equal(distinct, want.astype(np.int64))
        np.testing.assert_array_equal(counts, want_counts)
        numbers = np.arange(len(distinct), dtype=np.int32)
        np.testing.assert_array_equal(distinct[relabel(values, distinct, numbers)], values.astype(np.int64))
