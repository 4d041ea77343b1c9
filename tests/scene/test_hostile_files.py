"""Archives, many pages and frames, files of shapes and runs, and names: what they may do to us, and what it costs."""

from __future__ import annotations

import io
import json
import struct
import subprocess
import sys
import time
import tracemalloc
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from segdebug.errors import SceneError
from segdebug.scene import Scene, read_scene

from .containers import npz, npz_of, object_npz, raw_tiff, tags, tiff, zipped
from .files import encoded, npy

SIDE = 24
IMAGE = encoded(np.random.default_rng(3).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8))
MASK = encoded((np.arange(SIDE * SIDE).reshape(SIDE, SIDE) % 2 * 255).astype(np.uint8))
SQUARE = [2, 2, 8, 2, 8, 8, 2, 8]


def frames(form: str, n: int) -> bytes:
    pictures = [Image.fromarray(np.full((SIDE, SIDE), k % 251, np.uint8)) for k in range(n)]
    buffer = io.BytesIO()
    pictures[0].save(buffer, form, save_all=True, append_images=pictures[1:])
    return buffer.getvalue()


def gif(width: int, height: int, frame: tuple[int, int], body: bytes = b"\x02\x02\x4c\x01\x00") -> bytes:
    screen = b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + bytes(6)
    return screen + b"," + struct.pack("<HHHHB", 0, 0, *frame, 0) + body + b";"


def encrypted() -> bytes:
    data = bytearray(zipped({"a.png": MASK}))
    data[6] |= 1
    data[data.index(b"PK\1\2") + 8] |= 1
    return bytes(data)


def patched(data: bytes, mark: bytes, at: int, value: bytes) -> bytes:
    """`value` put `at` bytes after the first `mark`."""
    start = data.index(mark) + at
    return data[:start] + value + data[start + len(value) :]


def labelme(*shapes: dict[str, Any], side: int = SIDE) -> bytes:
    return json.dumps({"shapes": list(shapes), "imageWidth": side, "imageHeight": side}).encode()


def polygon(points: Any, label: str = "cat", kind: str = "polygon") -> dict[str, Any]:
    return {"label": label, "points": points, "shape_type": kind}


def coco(*segmentations: Any, name: str = "photo.png", more: int = 0) -> bytes:
    images = [{"id": k, "file_name": f"{k}.png" if k else name, "width": SIDE, "height": SIDE} for k in range(more + 1)]
    annotations = [{"image_id": 0, "category_id": 1, "segmentation": one} for one in segmentations]
    return json.dumps({"images": images, "annotations": annotations}).encode()


def runs(text: str) -> bytes:
    return f"ImageId,EncodedPixels\nphoto,{text}\n".encode()


BOMB = zlib.compress(bytes(40_000_000))
ZIGZAG = [[x % SIDE, (x % 2) * SIDE] for x in range(200_000)]

# What the error says; None: it is accepted. Built when asked for, so that they are not all held.
MASKS: dict[str, tuple[Callable[[], bytes], str | None]] = {
    # archives
    "zip bomb": (lambda: zipped({"a.png": bytes(65 * 2**20)}), "unpacks to"),
    "zip of large files": (lambda: zipped({f"{k}.png": bytes(60 * 2**20) for k in range(5)}), "unpacks to more than"),
    "zip of 20,000 files": (lambda: zipped({f"{k:05}.png": b"" for k in range(20_000)}), "too many entries"),
    "zip of 301 files": (lambda: zipped({f"{k}.png": MASK for k in range(301)}), "at most 300"),
    "zip in a zip": (lambda: zipped({"a.zip": zipped({"b.png": MASK})}), "archive within"),
    "zip that is encrypted": (encrypted, "encrypted"),
    "zip by bzip2": (lambda: zipped({"a.png": MASK}, zipfile.ZIP_BZIP2), "packed in a way"),
    "zip by lzma": (lambda: zipped({"a.png": MASK}, zipfile.ZIP_LZMA), "packed in a way"),
    "zip cut short": (lambda: zipped({"a.png": MASK})[:-30], "cut short"),
    "zip of nothing": (lambda: zipped({}), "no picture"),
    "zip of text": (lambda: zipped({"read.md": b"x", ".DS_Store": b"x"}), "no picture"),
    "zip of an empty file": (lambda: zipped({"a.png": b""}), "empty"),
    "zip of a program": (lambda: zipped({"a.png": b"MZ\x90\0"}), "a program"),
    "zip that climbs": (lambda: zipped({"../../../tmp/segdebug_evil.png": MASK}), None),
    "zip with a wrong size": (
        lambda: patched(zipped({"a.png": bytes(5_000_000)}), b"PK\1\2", 24, struct.pack("<I", 40)),
        "damaged",
    ),
    "zip with a wrong checksum": (
        lambda: patched(zipped({"a.png": MASK}), b"PK\1\2", 16, b"\1\2\3\4"),
        "damaged",
    ),
    "zip that points elsewhere": (
        lambda: patched(zipped({"a.png": MASK}), b"PK\1\2", 42, b"\xff\xff\xff\x0f"),
        "damaged",
    ),
    "npz of objects": (object_npz, "objects are never loaded"),
    "npz bomb": (lambda: npz(mask=np.zeros((20_000, 20_000), np.uint8)), "MB that are read"),
    "npz of too many pixels": (
        lambda: npz_of("{'descr': '|u1', 'fortran_order': False, 'shape': (50000, 1000)}", bytes(50_000_000)),
        "1000 × 50000 px",
    ),
    "npz that lies": (
        lambda: npz_of("{'descr': '<f8', 'fortran_order': False, 'shape': (99999, 99999)}", b"\0"),
        "states shape",
    ),
    "npz with a wrong checksum": (
        lambda: patched(npz(mask=np.eye(SIDE)), b"PK\1\2", 16, b"\1\2\3\4"),
        "damaged",
    ),
    "npz of text": (lambda: npz(mask=np.array(["a", "b"])), "plain array"),
    # pages and frames
    "tiff of two pages in a loop": (lambda: raw_tiff(tags(24, 24), tags(24, 24), chain=[1, 0]), "loop"),
    "tiff of one page in a loop": (lambda: raw_tiff(tags(24, 24), chain=[0]), "loop"),
    "tiff of 10,000 pages": (lambda: raw_tiff(*[tags(2, 2)] * 10_000), "more than 300 pages"),
    "tiff of 300 large pages": (lambda: raw_tiff(*[tags(6000, 6000)] * 300), "values; at most"),
    "tiff of 2^31 px": (lambda: raw_tiff(tags(2**31, 2**31, bytes=4)), "million pixels"),
    "tiff without pixels": (lambda: raw_tiff(tags(0, 24)), "no pixels"),
    "tiff of tiles without pixels": (lambda: raw_tiff(tags(24, 24) | {322: (0,), 323: (16,)}), "no pixels"),
    "tiff of 60,000 samples": (lambda: raw_tiff(tags(240, 240, samples=60_000)), "too large"),
    "tiff of 200 bits": (lambda: raw_tiff(tags(24, 24, bits=200)), "depth"),
    "tiff of a deflate bomb": (
        lambda: raw_tiff(tags(24, 24, bits=32, compression=8, bytes=len(BOMB)), pixels=BOMB),
        "other pixels than its header says",
    ),
    "tiff of a deflate bomb for Pillow": (
        lambda: raw_tiff(tags(24, 24, compression=8, bytes=len(BOMB)), pixels=BOMB),
        None,
    ),
    "tiff whose strip lies outside": (lambda: raw_tiff(tags(24, 24, bits=32, offset=10**9, bytes=2304)), "cut short"),
    "tiff of too short a strip": (lambda: raw_tiff(tags(24, 24, bits=32, bytes=3), pixels=bytes(99)), "other pixels"),
    "tiff of a million strips": (
        lambda: raw_tiff(tags(24, 24) | {273: (8,) * 1_000_000, 279: (1,) * 1_000_000}),
        "more pieces than it has",
    ),
    "tiff of much metadata": (
        lambda: raw_tiff(tags(24, 24) | {65000 + k: (7,) * 700_000 for k in range(4)}),
        "metadata",
    ),
    "tiff of a strange compression": (lambda: raw_tiff(tags(24, 24, bits=32, compression=34892)), "compression"),
    "tiff of strips that do not unpack": (
        lambda: raw_tiff(tags(24, 24, bits=32, compression=8, bytes=9), pixels=b"x\x9cgarbage"),
        "does not unpack",
    ),
    "tiff of 65,535 tags": (lambda: b"II*\0\x08\0\0\0\xff\xff" + bytes(900_000), "tags"),
    "big tiff that points far away": (lambda: b"II+\0\x08\0\0\0" + struct.pack("<Q", 2**60), "cut short"),
    "tiff of other page sizes": (lambda: raw_tiff(tags(24, 24), tags(9, 9), pixels=bytes(576)), "9 × 9"),
    "gif of 1,000 frames": (lambda: frames("GIF", 1000), "animated GIF"),
    "apng of 200 frames": (lambda: frames("PNG", 200), "animated PNG"),
    "webp of 60 frames": (lambda: frames("WEBP", 60), "animated WebP"),
    "gif of 65,535 x 65,535": (lambda: gif(65_535, 65_535, (1, 1)), "million pixels"),
    "gif of a frame beyond": (lambda: gif(24, 24, (65_000, 65_000)), "too large"),
    "gif cut short": (lambda: gif(24, 24, (24, 24))[:12], "cut short"),
    "gif without a frame": (lambda: gif(24, 24, (24, 24))[:19] + b";", "GIF"),
    # values
    "tiff of NaN": (lambda: tiff(np.full((SIDE, SIDE), np.nan, np.float32)), "NaN or infinity"),
    "tiff of infinity": (lambda: tiff(np.full((SIDE, SIDE), np.inf)), "NaN or infinity"),
    "npy of infinity": (lambda: npy(np.full((SIDE, SIDE), -np.inf)), "NaN or infinity"),
    # other formats under a mask's name
    "nifti": (lambda: struct.pack("<i", 348).ljust(344, b"\0") + b"n+1\0" + bytes(99), "NIfTI"),
    "nifti, packed": (lambda: b"\x1f\x8b\x08\0" + bytes(40), "gzip"),
    "dicom": (lambda: bytes(128) + b"DICM" + bytes(500), "DICOM"),
    "eps with a preview": (lambda: b"\xc5\xd0\xd3\xc6" + bytes(200), "PostScript"),
    "eps that runs": (lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n(%pipe%id) (r) file\n", "PostScript"),
    "svg with a script": (lambda: b"<svg xmlns='http://www.w3.org/2000/svg'><script>1</script></svg>", "SVG"),
    "svg of entities": (lambda: b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a "aaaa">]><svg>&a;</svg>', "SVG"),
    "html": (lambda: b"<!doctype html><img src=x onerror=alert(1)>", "a text file"),
    "rar": (lambda: b"Rar!\x1a\x07\0" + bytes(40), "RAR"),
    "7z": (lambda: b"7z\xbc\xaf\x27\x1c" + bytes(40), "7-Zip"),
    "hdf5": (lambda: b"\x89HDF\r\n\x1a\n" + bytes(40), "HDF5"),
    "photoshop": (lambda: b"8BPS\0\1" + bytes(40), "Photoshop"),
    # shapes
    "json of brackets": (lambda: b"[" * 2_000_000, "damaged"),
    "json cut short": (lambda: labelme(polygon([[1, 1], [9, 1], [9, 9]]))[:-9], "damaged"),
    "json of a long number": (lambda: b'{"shapes": [' + b"9" * 20_000 + b"]}", "damaged"),
    "json of something else": (lambda: b'{"a": 1}', "neither"),
    "json of 25 MB": (lambda: b"[" + b" " * 25 * 2**20 + b"]", "MB that are read"),
    "labelme without shapes": (lambda: labelme(), "no polygon"),
    "labelme of lines alone": (lambda: labelme(polygon([[1, 1], [9, 9]], kind="line")), "no polygon"),
    "labelme of another size": (lambda: labelme(polygon([[1, 1], [9, 1], [9, 9]]), side=99), "drawn on 99 × 99"),
    "labelme far away": (lambda: labelme(polygon([[1, 1], [1e300, 1], [9, 9]])), "far outside"),
    "labelme of NaN": (lambda: labelme(polygon([[1, 1], [float("nan"), 1], [9, 9]])), "far outside"),
    "labelme of words": (lambda: labelme(polygon([["a", "b"]] * 3)), "does not say what it should"),
    "labelme of null": (lambda: labelme(polygon(None)), "does not say what it should"),
    "labelme of 200,000 corners": (lambda: labelme(polygon(ZIGZAG)), None),
    "labelme of 60,000 shapes": (
        lambda: labelme(*[polygon([[0, 0], [24, 24]], kind="rectangle")] * 60_000),
        "more than 50,000 shapes",
    ),
    "labelme of 5,000 shapes": (lambda: labelme(*[polygon([[0, 0], [24, 24]], kind="rectangle")] * 5_000), None),
    "coco of 60,000 shapes": (lambda: coco(*[[SQUARE]] * 60_000), "more than 50,000 shapes"),
    "labelme of 400 classes": (
        lambda: labelme(*[polygon([[1, 1], [9, 1], [9, 9]], f"c{k}") for k in range(400)]),
        "classes are named",
    ),
    "labelme of a damaged mask": (
        lambda: labelme(polygon([[1, 1], [9, 9]], kind="mask") | {"mask": "§"}),
        "type mask is damaged",
    ),
    "labelme with a bomb in a mask": (
        lambda: labelme(polygon([[1, 1], [9, 9]], kind="mask") | {"mask": "iVBORw0KGgo="}),
        "PNG",
    ),
    "coco of 200,000 corners": (lambda: coco([[c for p in ZIGZAG for c in p]]), "too many corners"),
    "coco of a million corners": (lambda: coco([[0] * 2_000_000]), "too many corners"),
    "coco of long packed runs": (lambda: coco({"size": [24, 24], "counts": "0" * 5_000_000}), "too long"),
    "coco of another picture": (lambda: coco([SQUARE], name="other.png", more=3), "which of them is photo.png"),
    "coco without segmentations": (lambda: coco([], {}), "segmentation"),
    "coco of runs that are short": (lambda: coco({"size": [24, 24], "counts": [1, 2]}), "make 3 pixels"),
    "coco of negative runs": (lambda: coco({"size": [24, 24], "counts": [-5, 581]}), "beyond"),
    "coco of runs of words": (lambda: coco({"size": [24, 24], "counts": ["a"]}), "whole numbers"),
    "coco of damaged runs": (lambda: coco({"size": [24, 24], "counts": "~~~~~~~~~~~~~"}), "damaged"),
    "coco of runs that do not end": (lambda: coco({"size": [24, 24], "counts": "P"}), "damaged"),
    "coco of another size": (lambda: coco({"size": [9**9, 9**9], "counts": [1]}), "drawn on"),
    "coco of crowds alone": (
        lambda: json.dumps({"annotations": [{"image_id": 1, "iscrowd": 1, "segmentation": [SQUARE]}]}).encode(),
        "segmentation",
    ),
    # runs
    "csv of runs beyond": (lambda: runs("570 9"), "beyond the picture"),
    "csv of runs from 0": (lambda: runs("0 3"), "beyond the picture"),
    "csv of half a pair": (lambda: runs("1 3 9"), "pairs of start and length"),
    "csv of letters": (lambda: runs("1 x"), "pairs of start and length"),
    "csv of long numbers": (lambda: runs("1 " + "9" * 5000), "pairs of start and length"),
    "csv of other pictures": (
        lambda: b"ImageId,EncodedPixels\n" + b"".join(b"%d,1 3\n" % k for k in range(200_000)),
        "none of them is photo.png",
    ),
    "csv of 60,000 rows": (lambda: b"ImageId,EncodedPixels\n" + b"photo,1 3\n" * 60_000, "rows of one picture"),
    "csv of a million runs": (lambda: runs("1 1 " * 1_000_000), None),
}  # fmt: skip


def test_there_are_enough_of_them() -> None:
    from .test_hostile import HOSTILE

    assert len(MASKS) + len(HOSTILE) >= 80


@pytest.mark.parametrize("what", MASKS)
def test_hostile_mask(what: str, request: pytest.FixtureRequest) -> None:
    make, says = MASKS[what]
    data = make()
    began = time.process_time()
    tracemalloc.start()
    try:
        outcome: Scene | str = read_scene(("photo.png", IMAGE), ("bad.png", data))
    except SceneError as error:
        outcome = str(error)
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    request.node.user_properties.append(("peak_bytes", peak))
    request.node.user_properties.append(("cpu_seconds", time.process_time() - began))
    assert peak < 200e6
    if says is None:
        assert isinstance(outcome, Scene)
        assert outcome.labels.shape == (SIDE, SIDE)
        return
    assert isinstance(outcome, str)
    assert says in outcome
    assert outcome.count("\n") == 0
    assert len(outcome) < 400
    assert "0x" not in outcome


@pytest.mark.parametrize("what", [what for what in MASKS if what.split()[0] in ("zip", "npz", "tiff", "gif", "big")])
def test_hostile_picture(what: str) -> None:
    """As a picture too: read, or refused in one line."""
    line, shape = "", (SIDE, SIDE, 3)
    try:
        shape = read_scene(("bad.png", MASKS[what][0]()), np.eye(SIDE, dtype=np.uint8)).image.shape
    except SceneError as error:
        line = str(error)
    assert shape == (SIDE, SIDE, 3)
    assert "\n" not in line


SOUND = {
    "GIF": encoded(Image.open(io.BytesIO(MASK)), "GIF"),
    "TIFF": tiff(np.eye(SIDE, dtype=np.int32), compression="zlib", rowsperstrip=5),
    "tiles": tiff(np.eye(SIDE, dtype=np.int16), tile=(16, 16)),
    "pages": tiff(np.stack([np.eye(SIDE, dtype=np.uint8)] * 3)),
    "zip": zipped({"a.png": MASK, "b.png": MASK}),
    "npz": npz(mask=np.eye(SIDE, dtype=np.uint8)),
    "labelme": labelme(polygon([[1, 1], [9, 1], [9, 9]]), polygon([[1, 1], [9, 9]], "dog", "circle")),
    "coco": coco([SQUARE], {"size": [SIDE, SIDE], "counts": [9, 3, SIDE * SIDE - 12]}),
    "csv": runs("1 3 10 9 100 200"),
}


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.sampled_from(sorted(SOUND)), st.data())
def test_any_damage_ends_in_a_scene_or_in_one_line(form: str, data: st.DataObject) -> None:
    raw = bytearray(SOUND[form])
    assert read_scene(("photo.png", IMAGE), (form, bytes(raw))).labels.shape == (SIDE, SIDE)
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    bad = bytes(raw[: data.draw(st.integers(1, len(raw)))] if data.draw(st.booleans()) else raw)
    line, shape = "", (SIDE, SIDE)
    try:
        shape = read_scene(("photo.png", IMAGE), (form, bad)).labels.shape
    except SceneError as error:
        line = str(error)
    assert shape == (SIDE, SIDE)
    assert "\n" not in line


def test_nothing_is_written_outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    before = set(Path("/tmp").iterdir())
    names = {"../../segdebug_evil.png": MASK, "/tmp/segdebug_evil.png": MASK, "a\\..\\segdebug_evil.png": MASK}
    scene = read_scene(IMAGE, ("m.zip", zipped(names)), encoding="planes")
    assert [file.name for file in scene.mask_files] == ["segdebug_evil.png"] * 3
    assert list(tmp_path.iterdir()) == []
    assert not [path for path in set(Path("/tmp").iterdir()) - before if "evil" in path.name]


@pytest.mark.parametrize(
    "raw",
    [
        "<img src=x onerror=alert(1)>",
        "[a](javascript:alert(1))",
        "\u202egnp",
        "a\x00\x1b[31m\nb",
        "**b**" * 900,
        "../..",
    ],
)
def test_names_out_of_files_are_one_printable_line(raw: str) -> None:
    scenes = [
        read_scene(("photo.png", IMAGE), labelme(polygon([[1, 1], [9, 1], [9, 9]], raw))),
        read_scene(("photo.png", IMAGE), [(f"{raw}{k}.png", MASK) for k in range(2)]),
        read_scene((f"{raw}.png", IMAGE), MASK),
    ]
    for scene in scenes:
        for shown in (scene.name, *(c.name for c in scene.classes), *(w.message for w in scene.warnings)):
            assert shown.isprintable()
            assert len(shown) < 400


def test_65536_ids_and_colours() -> None:
    image = encoded(np.zeros((256, 256), np.uint8))
    ids = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    colours = np.stack([ids >> 8, ids & 255, np.zeros_like(ids)], -1).astype(np.uint8)
    for mask in (encoded(ids), encoded(colours), tiff(ids), npy(ids.astype(np.int64))):
        with pytest.raises(SceneError, match="65,536 distinct"):
            read_scene(image, mask)


def test_fully_transparent_files() -> None:
    hidden = np.zeros((SIDE, SIDE, 4), np.uint8)
    hidden[:5, :, :3] = 255
    scene = read_scene(encoded(hidden), encoded(hidden))
    assert "alpha_ignored" in [warning.code for warning in scene.warnings]
    assert scene.labels.sum() == 5 * SIDE
    assert scene.image[:5].min() == 1


@pytest.mark.parametrize("shape", [(1, 1), (1, 10_000), (10_000, 1)])
def test_extreme_shapes_of_every_container(shape: tuple[int, int]) -> None:
    mask = (np.arange(shape[0] * shape[1]).reshape(shape) % 2).astype(np.uint8)
    image = encoded(np.zeros(shape, np.uint8))
    gif_bytes = encoded(Image.fromarray(mask * np.uint8(255)), "GIF")
    for data in (tiff(mask), tiff(mask.astype(np.int32), compression="zlib"), npz(mask=mask), gif_bytes):
        np.testing.assert_array_equal(read_scene(image, data).labels, mask)


def test_hundreds_of_files() -> None:
    masks = []
    for k in range(300):
        one = np.zeros((SIDE, SIDE), np.uint8)
        one.flat[k] = 255
        masks.append((f"{k}.png", encoded(one)))
    scene = read_scene(IMAGE, masks)
    assert [c.pixels for c in scene.classes] == [SIDE * SIDE - 300, 300]
    scene = read_scene(IMAGE, masks, encoding="planes")
    assert [c.pixels for c in scene.classes] == [SIDE * SIDE - 300] + [1] * 300


PEAK = """
def peak():  # kilobytes; getrusage would tell the parent's as well
    with open("/proc/self/status") as status:
        return int(next(line.split()[1] for line in status if line.startswith("VmHWM")))
"""

CHILD = """
import sys
sys.path.insert(0, {root!r})
from tests.scene.test_hostile_files import IMAGE, MASKS
from segdebug.errors import SceneError
from segdebug.scene import read_scene
files = {{what: make() for what, (make, _) in MASKS.items() if what in {whats!r}}}
made = peak()
for what, data in files.items():
    try:
        read_scene(("photo.png", IMAGE), ("bad.png", data))
    except SceneError:
        pass
print(made, peak())
"""


needs_proc = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read from /proc")


def in_child(script: str) -> list[int]:
    """The numbers that a fresh Python prints: its own peak memory is not this one's."""
    run = subprocess.run([sys.executable, "-c", PEAK + script], capture_output=True, text=True, check=True, cwd=ROOT)
    return [int(number) for number in run.stdout.split()]


ROOT = Path(__file__).parents[2]


@needs_proc
def test_peak_memory_of_a_process_that_reads_them_all(request: pytest.FixtureRequest) -> None:
    """What C code allocates is not seen by tracemalloc: the whole process is asked."""
    whats = [what for what in MASKS if what not in ("zip of large files", "npz bomb")]  # 300 MB only to make
    made, peak = in_child(CHILD.format(root=str(ROOT), whats=whats))
    request.node.user_properties.append(("peak_kilobytes", peak))
    assert made <= peak < 1_000_000


PAIR = """
import io, sys, time
import numpy as np
from PIL import Image
sys.path.insert(0, {root!r})
def encoded(array, form, **options):
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, form, **options)
    return buffer.getvalue()
mask = np.kron((np.arange(240) % 66).astype(np.uint8).reshape(12, 20), np.ones((334, 300), np.uint8))[:4000]
image = encoded(np.broadcast_to(mask[..., None], (4000, 6000, 3)).copy(), {form!r}, **{options!r})
mask = encoded(mask, "PNG", compress_level=1)
made = peak()
from segdebug.scene import read_scene
began = time.process_time()
scene = read_scene(image, mask, encoding="index")
seconds = time.process_time() - began
assert scene.image.shape == (4000, 6000, 3) and scene.n_classes == 66
print(made, peak(), round(1000 * seconds), *[c.pixels for c in scene.classes])
"""


@needs_proc
@pytest.mark.parametrize(("form", "options"), [("JPEG", {"quality": 80}), ("PNG", {"compress_level": 1})])
def test_twenty_four_megapixels_stay_within_a_gigabyte(
    form: str, options: dict[str, int], request: pytest.FixtureRequest
) -> None:
    """A camera's picture of 6000 × 4000 and 66 classes."""
    _, peak, milliseconds, *counts = in_child(PAIR.format(root=str(ROOT), form=form, options=options))
    request.node.user_properties.append(("peak_kilobytes", peak))
    request.node.user_properties.append(("cpu_milliseconds", milliseconds))
    want = np.kron((np.arange(240) % 66).reshape(12, 20), np.ones((334, 300), int))[:4000]
    assert counts == np.bincount(want.ravel()).tolist()
    assert peak < 1_000_000
