"""Broken, lying and hostile files: each ends in one line that names the file, and costs little."""

from __future__ import annotations

import io
import struct
import threading
import tracemalloc
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from segdebug.errors import SceneError
from segdebug.scene import Scene, display_name, read_scene
from segdebug.scene.limits import MAX_FILE_BYTES, MAX_MASK_FILES

from .files import chunk, encoded, npy, plain_image, png

RGB = np.random.default_rng(3).integers(0, 256, (24, 24, 3), dtype=np.uint8)
MASK = (np.arange(576).reshape(24, 24) % 3).astype(np.uint8)
GOOD = {form: encoded(RGB, form) for form in ("PNG", "JPEG", "BMP", "WEBP", "TIFF")} | {"NPY": npy(RGB)}
EXIF_JPEG = encoded(RGB, "JPEG", exif=b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0")


def text_bomb() -> bytes:
    info = PngImagePlugin.PngInfo()
    info.add_text("Comment", "A" * 5_000_000, zip=True)
    return encoded(RGB, pnginfo=info)


def webp_canvas(width: int, height: int) -> bytes:
    body = b"\0\0\0\0" + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    inner = b"WEBPVP8X" + struct.pack("<I", len(body)) + body
    return b"RIFF" + struct.pack("<I", len(inner)) + inner


def npy_header(text: str, body: bytes = b"", version: bytes = b"\1\0") -> bytes:
    raw = text.encode("latin-1")
    return b"\x93NUMPY" + version + struct.pack("<H", len(raw)) + raw + body


def tiff_tiles(side: int) -> bytes:
    """A TIFF of 16 × 16 px that claims one tile of side × side px."""
    tags = [(256, 16), (257, 16), (258, 8), (259, 1), (262, 1), (277, 1), (322, side), (323, side)]
    tags += [(324, 200), (325, 256)]
    body = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    return (b"II*\0\x08\0\0\0" + struct.pack("<H", len(tags)) + body + b"\0" * 4).ljust(200, b"\0") + bytes(256)


def damaged_pixels() -> bytes:
    data = bytearray(GOOD["PNG"])
    data[data.index(b"IDAT") + 40] ^= 0x55
    return bytes(data)


def animated(form: str) -> bytes:
    buffer = io.BytesIO()
    frames = [Image.fromarray(RGB), Image.fromarray(255 - RGB)]
    frames[0].save(buffer, form, save_all=True, append_images=frames[1:])
    return buffer.getvalue()


HOSTILE: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "empty (0 bytes)"),
    "one byte": (b"\x89", "not read"),
    "text": (b"id,name\n1,sky\n", "a text file"),
    "html": (b"<html><script>alert(1)</script>", "a text file"),
    "svg": (b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>', "an SVG"),
    "noise": (bytes(range(254, 128, -1)) * 9, "an unknown kind of file"),
    "gif": (animated("GIF"), "animated GIF"),
    "apng": (animated("PNG"), "animated PNG"),
    "animated webp": (animated("WEBP"), "animated WebP"),
    "ico": (encoded(Image.fromarray(RGB), "ICO"), "an icon"),
    "jpeg 2000": (encoded(RGB, "JPEG2000"), "JPEG 2000"),
    "pdf": (b"%PDF-1.7 \xff", "a PDF"),
    "eps": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "PostScript"),
    "npz": (b"PK\x03\x04" + bytes(50), "zip"),
    "gzip": (b"\x1f\x8b\x08" + bytes(50), "gzip"),
    "dicom": (bytes(128) + b"DICM" + bytes(9), "DICOM"),
    "heic": (b"\0\0\0\x18ftypheic" + bytes(90), "HEIC"),
    "pickle": (b"\x80\x04\x95\x10\0\0\0\0\0\0\0\x8c\x05posix", "pickle"),
    "ppm": (b"P6 24 24 255 " + RGB.tobytes(), "not read"),
    "50,000 x 50,000 png": (png(50_000, 50_000, 8, 0, b""), "50000 × 50000 px is more than the 40 million"),
    "40,000,001 px png": (png(40_000_001, 1, 1, 0, b""), "40000001 × 1 px"),
    "2^31 px png": (png(2**31 - 1, 2**31 - 1, 16, 6, b""), "2147483647"),
    "png without pixels": (png(0, 5, 8, 0, b""), "no pixels"),
    "png of few rows": (png(24, 24, 8, 2, (b"\0" + bytes(72)) * 23), "fewer pixels than its header"),
    "png of a bad filter": (png(2, 1, 8, 0, b"\x09\0\0"), "PNG"),
    "png of an unknown mode": (png(2, 1, 3, 7, b"\0\0\0"), "PNG"),
    "png with a text bomb": (text_bomb(), "1 MB of metadata"),
    "png with an icc bomb": (
        png(2, 1, 8, 2, b"\0" + bytes(6), chunk(b"iCCP", b"x\0\0" + zlib.compress(bytes(20_000_000)))),
        "1 MB of metadata",
    ),
    "png in 21,000 pieces": (png(2, 1, 8, 2, b"\0" + bytes(6), chunk(b"prVt", b"") * 21_000), "pieces"),
    "png cut short": (GOOD["PNG"][:-300], "cut short"),
    "png cut in its header": (GOOD["PNG"][:20], "cut short"),
    "png without its end": (GOOD["PNG"][:-12], "cut short"),
    "png with damaged pixels": (damaged_pixels(), "checksum"),
    "png with a wrong checksum": (GOOD["PNG"][:-1] + b"\0", "checksum"),
    "png of a lying length": (GOOD["PNG"][:33] + b"\x7f\xff\xff\xff" + b"IDAT", "cut short"),
    "jpeg cut short": (GOOD["JPEG"][:-200], "cut short"),
    "jpeg of its first bytes": (GOOD["JPEG"][:30], "JPEG"),
    "jpeg of many scans": (GOOD["JPEG"] + b"\xff\xda" * 300, "scans"),
    "jpeg of 60,000 x 60,000": (
        GOOD["JPEG"].replace(b"\x08\0\x18\0\x18\x03", b"\x08\xea\x60\xea\x60\x03"),
        "",
    ),
    "bmp cut short": (GOOD["BMP"][:-500], "cut short"),
    "bmp of 60,000 x 60,000": (GOOD["BMP"][:18] + struct.pack("<ii", 60_000, 60_000) + GOOD["BMP"][26:], ""),
    "bmp of 10,000 x 10,000": (
        GOOD["BMP"][:18] + struct.pack("<ii", 10_000, 10_000) + GOOD["BMP"][26:],
        "10000 × 10000 px",  # where Pillow only warns
    ),
    "npy of 41 million pixels": (
        npy_header("{'descr': '|u1', 'fortran_order': False, 'shape': (41000, 1000), }", bytes(41_000_000)),
        "1000 × 41000 px",
    ),
    "bmp of a wild header": (b"BM" + b"\xff" * 60, "not read"),
    "webp cut short": (GOOD["WEBP"][: len(GOOD["WEBP"]) // 2], "WEBP"),
    "webp of a large canvas": (webp_canvas(16_000, 16_000), "16000 × 16000"),
    "webp of its first bytes": (GOOD["WEBP"][:16], "WEBP"),
    "tiff cut short": (GOOD["TIFF"][:600], ""),
    "tiff of its first bytes": (b"II*\0\x08\0\0\0", ""),
    "tiff of one huge tile": (tiff_tiles(30_000), "30000 × 30000"),
    "tiff that loops": (b"II*\0\x08\0\0\0\0\0\x08\0\0\0", ""),
    "npy of objects": (npy(np.array([[{}]]), allow_pickle=True), "objects are never loaded"),
    "npy that lies": (npy_header("{'descr': '|u1', 'fortran_order': False, 'shape': (99999, 99999), }"), "states"),
    "npy cut short": (GOOD["NPY"][:-5], "cut short"),
    "npy with more than it says": (GOOD["NPY"] + b"\0", "damaged"),
    "npy of code": (npy_header("{'descr': __import__('os').system('true'), 'shape': (1, 1)}"), "plain array"),
    "npy of huge numbers": (npy_header("{'descr': '<i4', 'fortran_order': False, 'shape': (" + "9" * 99 + ",), }"), ""),
    "npy of nothing": (b"\x93NUMPY", "npy"),
    "npy of another version": (b"\x93NUMPY\x09\0" + bytes(90), "version"),
    "npy of text": (npy(np.array([["a"]])), "plain array"),
    "npy of five axes": (npy(np.zeros((1, 1, 1, 1, 1))), "(1, 1, 1, 1, 1)"),
    "npy of one axis": (npy(np.zeros(9)), "(9,)"),
}


class Cost:
    """Bytes that Python and NumPy allocated at most, while it is entered."""

    def __enter__(self) -> Cost:
        tracemalloc.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()


@pytest.mark.parametrize("what", HOSTILE)
@pytest.mark.parametrize("role", ["image", "mask"])
def test_hostile_file(what: str, role: str) -> None:
    data, says = HOSTILE[what]
    file = ("bad.png", data)
    with Cost() as cost, pytest.raises(SceneError) as caught:
        _ = read_scene(file, MASK) if role == "image" else read_scene(RGB, file)
    text = str(caught.value)
    assert text.startswith("bad.png: ")
    assert says in text
    assert caught.value.file == "bad.png"
    assert text.count("\n") == 0
    assert len(text) < 400
    assert "0x" not in text  # no address of an object
    assert cost.peak < 30e6


def read_bytes(data: bytes) -> Scene | None:
    try:
        return read_scene(("f", data), MASK)
    except SceneError as error:
        line = str(error)
    assert line.startswith("f")
    assert "\n" not in line
    return None


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.sampled_from([*sorted(GOOD), "EXIF"]), st.data())
def test_any_damage_ends_in_a_picture_or_in_one_line(form: str, data: st.DataObject) -> None:
    raw = bytearray(EXIF_JPEG if form == "EXIF" else GOOD[form])
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, min(len(raw), 400) - 1))
        raw[at] = data.draw(st.integers(0, 255))
    scene = read_bytes(bytes(raw[: data.draw(st.integers(1, len(raw)))] if data.draw(st.booleans()) else raw))
    assert scene is None or (scene.image.shape == (24, 24, 3) and scene.image.max() <= 1)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.sampled_from([b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"BM", b"II*\0", b"\x93NUMPY\1\0"]), st.binary())
def test_any_bytes(start: bytes, rest: bytes) -> None:
    assert read_bytes(start + rest) is None


def test_more_pixels_than_a_png_states_are_left_alone() -> None:
    data = png(2, 2, 8, 0, b"\0\1\2" * 2 + bytes(50_000_000))
    with Cost() as cost:
        assert read_scene(np.zeros((2, 2), np.uint8), data).labels.tolist() == [[0, 1], [0, 1]]
    assert cost.peak < 10e6


@pytest.mark.parametrize("shape", [(1, 1), (3, 2), (5, 9), (13, 8), (17, 33)])
@pytest.mark.parametrize("depth", [1, 2, 4, 8])
def test_interlaced_png(shape: tuple[int, int], depth: int) -> None:
    """Built pass by pass; Pillow cannot write them, but reads them."""
    height, width = shape
    mask = (np.arange(height * width).reshape(shape) * 5 // 3 % 2**depth).astype(np.uint8)
    rows = b""
    for x, y, dx, dy in (
        (0, 0, 8, 8),
        (4, 0, 8, 8),
        (0, 4, 4, 8),
        (2, 0, 4, 4),
        (0, 2, 2, 4),
        (1, 0, 2, 2),
        (0, 1, 1, 2),
    ):
        part = mask[y::dy, x::dx]
        for row in part if part.shape[1] else ():
            bits = (row[:, np.newaxis] >> np.arange(depth - 1, -1, -1)) & 1
            rows += b"\0" + np.packbits(bits.astype(np.uint8)).tobytes()
    data = png(width, height, depth, 0, rows, interlaced=True)
    scene = read_scene(np.zeros(shape, np.uint8), data, encoding="index", ignore=999)
    values = np.array([c.encoded_as for c in scene.classes], int)
    np.testing.assert_array_equal(values[scene.labels], mask)
    with pytest.raises(SceneError, match="fewer pixels"):
        read_scene(np.zeros(shape, np.uint8), png(width, height, depth, 0, rows[:-1], interlaced=True))


def test_a_corrupt_png_is_never_read_with_wrong_labels() -> None:
    """Pillow does not check the checksum of the pixels: whatever bit flips there, we refuse."""
    data = encoded(MASK)
    first, last = data.index(b"IDAT") + 4, data.index(b"IEND") - 8
    for at in range(first, last, 3):
        bad = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
        with pytest.raises(SceneError, match="checksum"):
            read_scene(RGB, bad)


# Sizes -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shape", "hint"), [((32, 24), "turned by 90°"), ((48, 64), "The shape agrees"), ((24, 24), "do not belong")]
)
def test_sizes_that_differ(shape: tuple[int, int], hint: str) -> None:
    with pytest.raises(SceneError) as caught:
        read_scene(("photo.png", plain_image(24, 32)), ("mask.png", encoded(np.zeros(shape, np.uint8))))
    text = str(caught.value)
    assert text.startswith(f"photo.png is 32 × 24 px, but mask.png is {shape[1]} × {shape[0]} px")
    assert hint in text
    assert caught.value.file == "mask.png"


def test_the_file_of_another_size_is_named_among_many() -> None:
    files = [(f"{k}.png", encoded(np.zeros((24, 24 + (k == 2)), np.uint8))) for k in range(4)]
    with pytest.raises(SceneError, match=r"2\.png is 25 × 24 px"):
        read_scene(RGB, files)


@pytest.mark.parametrize("shape", [(1, 1), (1, 10_000), (10_000, 1)])
def test_extreme_shapes_are_read(shape: tuple[int, int]) -> None:
    mask = (np.arange(shape[0] * shape[1]).reshape(shape) % 2).astype(np.uint8)
    scene = read_scene(plain_image(*shape), encoded(mask))
    np.testing.assert_array_equal(scene.labels, mask)
    assert scene.at(16).labels.shape == (16, 16)


# What is handed over -----------------------------------------------------------------------------------------


def test_every_way_to_hand_a_file_over(tmp_path: Path) -> None:
    path = tmp_path / "city.png"
    path.write_bytes(encoded(RGB))
    data = path.read_bytes()
    uploaded = io.BytesIO(data)
    uploaded.name = "city.png"
    uploaded.read()  # an earlier run of the page has read it
    with path.open("rb") as file:
        given = [path, str(path), data, bytearray(data), memoryview(data), ("x/city.png", data), uploaded, file, file]
        scenes = [read_scene(one, MASK) for one in given]
    assert {scene.digest for scene in scenes} == {scenes[0].digest}
    assert [scene.name for scene in scenes] == ["city", "city", "image", "image", "image"] + ["city"] * 4
    assert read_scene(path, MASK, name="My town").name == "My town"
    assert read_scene(path, (MASK,), name="My town").mask_files[0].name == "mask"


def test_paths_that_cannot_be_read(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.png"
    import os

    os.mkfifo(pipe)
    for path, says in [
        (tmp_path, "this is a folder"),
        (tmp_path / "none.png", "none.png: there is no such file"),
        (pipe, "pipe.png: this is not a regular file"),
        ("a\0b.png", "ab.png: the file cannot be read"),
        ("/dev/zero", "zero: this is not a regular file"),
        (tmp_path / ("n" * 300), "cannot be read"),
    ]:
        with pytest.raises(SceneError) as caught:
            read_scene(path, MASK)
        assert says in str(caught.value)
        assert str(tmp_path) not in str(caught.value)


class Broken:
    def read(self, *_: int) -> bytes:
        raise RuntimeError("network")


@pytest.mark.parametrize(
    ("given_", "says"),
    [
        (None, "expected a path"),
        (7, "got int"),
        ([1, 2], "got list"),
        ({}, "got dict"),
        (io.StringIO("abc"), "text mode"),
        (Broken(), "cannot be read"),
    ],
)
def test_what_is_no_file(given_: object, says: str) -> None:
    with pytest.raises(SceneError, match=r"^image: ") as caught:
        read_scene(given_, MASK)  # type: ignore[arg-type]
    assert says in str(caught.value)


def test_no_masks_and_too_many() -> None:
    with pytest.raises(SceneError, match="No mask was given"):
        read_scene(RGB, [])
    with pytest.raises(SceneError, match=f"at most {MAX_MASK_FILES}"):
        read_scene(RGB, [b"x"] * (MAX_MASK_FILES + 1))


def test_files_of_too_many_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "long.png"
    with path.open("wb") as file:
        file.truncate(MAX_FILE_BYTES + 1)  # sparse: takes no space
    with pytest.raises(SceneError, match=r"long\.png: the file holds more than the 64 MB"):
        read_scene(path, MASK)
    monkeypatch.setattr("segdebug.scene.source.MAX_TOTAL_BYTES", 1000)
    with pytest.raises(SceneError, match="mask 3: the mask files together"):
        read_scene(RGB, [bytes(400)] * 5)


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\me\\mask.png", "mask.png"),
        ("\u202egnp.exe", "gnp.exe"),
        ("a\nb\tc\x00d\x1b[31m.png", "a b cd[31m.png"),
        ("", "file"),
        ("\u200b\u2066", "file"),
        ("///", "file"),
        ("n" * 300 + ".png", "n" * 39 + "…" + "n" * 35 + ".png"),
        ("naïve café 图.png", "naïve café 图.png"),
        ("\ud800x", "x"),
    ],
)
def test_names_that_are_shown(raw: str, shown: str) -> None:
    assert display_name(raw) == shown


@given(st.text(max_size=200))
@settings(max_examples=100, deadline=None, derandomize=True)
def test_any_name_is_one_printable_line(raw: str) -> None:
    shown = display_name(raw)
    assert 1 <= len(shown) <= 80
    assert shown.isprintable()
    assert "/" not in shown


def test_threads_read_alike() -> None:
    """Under -W error in all threads at once: no warning filter is lost, no file is mixed up."""
    wants = [read_scene(data, MASK).digest for data in GOOD.values()]
    found: list[list[str]] = []

    def work() -> None:
        found.append([read_scene(data, MASK).digest for data in GOOD.values()])

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [wants] * 6
