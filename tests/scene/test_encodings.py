"""Every kind of mask, generated: what it is taken for, how surely, what is asked. Counts are of what was drawn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from segdebug.errors import SceneError
from segdebug.scene import VOID, Scene
from segdebug.scene.known_codes import KNOWN, voc_colours

from .drawn import DISC, FRAME, HEIGHT, MATTE, RING, WIDTH, Labels, discs, enlarged
from .files import coded, codes, encoded, npy, pixels, read_mask

FOUR, SIX, EIGHT = discs(4), discs(6), discs(8)
COLOURS = np.array([[10, 20, 30], [200, 30, 40], [40, 200, 90], [240, 230, 20]], np.uint8)
LEVELS = np.array([0, 80, 160, 240], np.uint8)
CITY = [7, 8, 11, 21, 23, 26]
RGB = np.eye(3, dtype=np.uint8) * 255


def grey(labels: Labels, values: list[int], dtype: Any = np.uint8) -> np.ndarray:
    return np.array(values, dtype)[labels]


def with_void(labels: Labels, void: np.ndarray) -> Labels:
    return np.where(void, VOID, labels)


def palette_file(indices: np.ndarray, table: np.ndarray) -> bytes:
    picture = Image.frombytes("P", indices.shape[::-1], indices.astype(np.uint8).tobytes())
    picture.putpalette(table.astype(np.uint8).tobytes())
    return encoded(picture)


def ade(ids: list[int], labels: Labels) -> np.ndarray:
    """ADE20K's colours, written down from their definition, objects numbered in blue."""
    classes = np.array(ids)[labels]
    return np.stack([classes // 256 * 10, classes % 256, labels % 5], axis=-1).astype(np.uint8)


@dataclass(frozen=True)
class Kind:
    """A mask; what was drawn (classes in the order of the scene's, `VOID` where void); what should be inferred.
    asked: words of the first question. warned: codes that must be among the warnings."""

    mask: Any
    truth: Labels
    encoding: str
    confidence: float
    asked: str = ""
    warned: tuple[str, ...] = ()
    given: dict[str, Any] = field(default_factory=dict)


def named(data: np.ndarray, name: str) -> tuple[str, bytes]:
    return name, encoded(data)


def position(key: str, ids: list[int]) -> np.ndarray:
    """The class number of each id, from the list of scored Cityscapes ids as it is published; −1 where void."""
    scored = [7, 8, 11, 12, 13, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 31, 32, 33]
    table = {"cityscapes": scored, "cityscapes_train": list(range(19)), "voc": list(range(21))}[key]
    return np.array([table.index(i) if i in table else VOID for i in ids])


def ranked(ids: list[int]) -> np.ndarray:
    return np.argsort(np.argsort(ids))


_ADE_IDS = [0, 312, 976, 1564, 2978, 447, 3011, 2684]
_STREET = [*CITY, 1, 3]
_TRAIN = [0, 1, 2, 255]

KINDS: dict[str, Callable[[], Kind]] = {
    "0/255": lambda: Kind(DISC * np.uint8(255), DISC * 1, "binary", 0.99, "0 is a class, and 255 marks unlabelled"),
    "0/1": lambda: Kind(DISC * np.uint8(1), DISC * 1, "binary", 0.95, "the object is black"),
    "0/255 frame": lambda: Kind(
        FRAME * np.uint8(255), with_void(FRAME * 0, FRAME), "index", 0.5, "255 is the class", ("void_inferred",)
    ),
    "0/255 outline": lambda: Kind(
        RING * np.uint8(255), with_void(RING * 0, RING), "index", 0.5, "255 is the class", ("void_inferred",)
    ),
    "0/1/255 outline": lambda: Kind(
        np.where(RING, 255, DISC).astype(np.uint8), with_void(DISC * 1, RING), "binary", 0.95, "255 is a class"
    ),
    "inverted": lambda: Kind(
        ~DISC * np.uint8(255), ~DISC * 1, "binary", 0.6, "the object is black: 0 is the class", ("inverted_binary",)
    ),
    "void 255": lambda: Kind(
        np.where(RING, 255, FOUR).astype(np.uint8), with_void(FOUR, RING), "index", 0.9, "255 is a class of its own"
    ),
    "void 254": lambda: Kind(
        np.where(RING, 254, FOUR).astype(np.uint8), with_void(FOUR, RING), "index", 0.8, "254 is a class of its own"
    ),
    "void -1": lambda: Kind(np.where(RING, -1, FOUR).astype(np.int16), with_void(FOUR, RING), "index", 0.9),
    "one-based": lambda: Kind(
        grey(FOUR, [1, 2, 3, 4]), FOUR, "index", 0.8, "the values are the ids: 5 classes", ("one_based",)
    ),
    "sparse": lambda: Kind(
        grey(FOUR, [0, 3, 17, 29]), FOUR, "index", 0.7, "the values are the ids: 30 classes", ("sparse_ids",)
    ),
    "void 11": lambda: Kind(
        grey(discs(12), list(range(12))), discs(12), "index", 0.9, "11 is unlabelled, as in CamVid"
    ),
    "cityscapes ids": lambda: Kind(
        grey(EIGHT, _STREET), position("cityscapes", _STREET)[EIGHT], "cityscapes", 0.75, "each of the 8 values"
    ),
    "few cityscapes ids": lambda: Kind(grey(FOUR, CITY[:4]), FOUR, "index", 0.7, "Cityscapes: its 19 classes by name"),
    "train ids by the file's name": lambda: Kind(
        named(grey(FOUR, _TRAIN), "a_gtFine_labelTrainIds.png"),
        position("cityscapes_train", _TRAIN)[FOUR],
        "cityscapes_train",
        0.97,
        "each of the 4 values",
    ),
    "cityscapes colours": lambda: Kind(
        _painted("cityscapes", [0, 1, 2, 8, 10, 13], SIX),
        np.array([0, 1, 2, 8, 10, 13])[SIX],
        "cityscapes",
        0.9,
        "each of the 6 colours",
    ),
    "ade20k colours": lambda: Kind(
        ade(_ADE_IDS, EIGHT), with_void(ranked(_ADE_IDS)[EIGHT] - 1, EIGHT == 0), "ade20k", 0.85, "each of the"
    ),
    "ade20k ids": lambda: Kind(grey(SIX, [0, 1, 3, 7, 120, 150]), SIX, "index", 0.7, "ADE20K scene parsing"),
    "voc colours": lambda: Kind(
        np.where(RING[..., None], [224, 224, 192], voc_colours(21)[FOUR * 5]).astype(np.uint8),
        with_void(FOUR * 5, RING),
        "voc",
        0.95,
        "each of the 5 colours",
    ),
    "few voc colours": lambda: Kind(
        voc_colours(21)[FOUR * 5], np.array([0, 2, 1, 3])[FOUR], "colour", 0.9, "Pascal VOC's colours"
    ),
    "voc palette": lambda: Kind(
        palette_file(np.where(RING, 255, FOUR * 5), voc_colours()), with_void(FOUR, RING), "palette", 0.9, "the values"
    ),
    "grey levels": lambda: Kind(grey(FOUR, [0, 80, 160, 240]), FOUR, "grey_levels", 0.85, "0 means other"),
    "trimap": lambda: Kind(grey(discs(3), [0, 128, 255]), discs(3), "grey_levels", 0.75, "a trimap: 255 is the class"),
    "colours": lambda: Kind(COLOURS[FOUR], np.array([0, 2, 1, 3])[FOUR], "colour", 0.9),
    "one-hot times 255": lambda: Kind(
        RGB[discs(3)], np.array([2, 1, 0])[discs(3)], "colour", 0.9, "one-hot channels times 255: red is class 0"
    ),
    "label * 1000": lambda: Kind(
        grey(EIGHT, [7, 11, 26000, 26001, 24000, 24001, 24002, 33000], np.uint16),
        np.array([0, 1, 3, 3, 2, 2, 2, 4])[EIGHT],
        "label_times_1000",
        0.92,
        "each of the 8 values",
    ),
    "label * 256": lambda: Kind(
        grey(SIX, [256 * 13, 256 * 17, 256 * 55 + 1, 256 * 55 + 2, 256 * 19 + 1, 256 * 19 + 2], np.uint16),
        np.array([0, 1, 3, 3, 2, 2])[SIX],
        "label_times_256",
        0.92,
        "each of the 6 values",
    ),
    "matte": lambda: Kind(
        np.rint(MATTE * 255).astype(np.uint8),
        (np.rint(MATTE * 255) >= 127.5) * 1,
        "soft",
        0.7,
        "each value is the number of an object",
        ("soft_threshold",),
    ),
    "probabilities": lambda: Kind(
        MATTE.astype(np.float32), (MATTE >= 0.5) * 1, "soft", 0.7, "", ("fractions", "soft_threshold")
    ),
    "ids divided by 255": lambda: Kind(
        (FOUR / 255).astype(np.float32), FOUR, "index", 0.9, "0 means other", ("divided",)
    ),
    "0/1 divided by 255 again": lambda: Kind(
        (DISC // np.uint8(255)).astype(np.uint8), DISC * 0, "index", 0.5, "no object in this picture", ("one_value",)
    ),
    "all one class": lambda: Kind(
        np.full(DISC.shape, 255, np.uint8), DISC * 0, "index", 0.5, "255 is the object", ("one_value",)
    ),
    "three identical channels": lambda: Kind(
        encoded(np.stack([FOUR.astype(np.uint8)] * 3, -1)), FOUR, "index", 0.9, "0 means other", ("three_channels",)
    ),
    "numbered objects": lambda: Kind(grey(discs(13), list(range(13))), discs(13), "index", 0.9),
}


def _painted(key: str, classes: list[int], labels: Labels) -> np.ndarray:
    table = {number: code for code, number in reversed(KNOWN[key].colours.items())}
    packed = [table[k] for k in classes]
    return np.array([[p >> 16, p >> 8 & 255, p & 255] for p in packed], np.uint8)[labels]


def read(mask: Any, **options: Any) -> Scene:
    return read_mask(mask, HEIGHT, WIDTH, **options)


@pytest.mark.parametrize("name", KINDS)
def test_what_is_inferred(name: str) -> None:
    kind = KINDS[name]()
    scene = read(kind.mask, **kind.given)
    report = scene.report[0]
    assert (scene.encoding, scene.confidence) == (kind.encoding, kind.confidence)
    np.testing.assert_array_equal(scene.labels, kind.truth)
    counts = np.bincount(kind.truth[kind.truth >= 0], minlength=scene.n_classes)
    assert pixels(scene) == counts.tolist()
    assert scene.ignored_pixels == int((kind.truth == VOID).sum())
    assert set(kind.warned) <= set(codes(scene))
    assert report.reasons
    assert report.repaired == 0
    assert (report.alternatives[0].words if report.alternatives else "").startswith(kind.asked)


@pytest.mark.parametrize("name", KINDS)
def test_the_order_of_the_questions(name: str) -> None:
    scene = read(KINDS[name]().mask)
    asked = scene.report[0].alternatives
    surety = [scene.confidence, *(one.confidence for one in asked)]
    assert surety == sorted(surety, reverse=True)
    assert sum(surety) <= 1.01
    assert scene.confidence < 1
    assert len({one.words for one in asked}) == len(asked) <= 5


@pytest.mark.parametrize("name", KINDS)
def test_every_question_can_be_answered_with_one_click(name: str) -> None:
    kind = KINDS[name]()
    inferred = read(kind.mask)
    for one in inferred.report[0].alternatives:
        chosen = read(kind.mask, encoding=one.encoding, ignore=one.ignore, legend=one.legend or None)
        assert (chosen.encoding, chosen.confidence, chosen.report[0].alternatives) == (one.encoding, 1.0, ())
        same = np.array_equal(chosen.labels, inferred.labels)
        assert not same or [c.name for c in chosen.classes] != [c.name for c in inferred.classes], one


def test_overlapping_channels_are_told() -> None:
    rgb = np.stack([DISC, np.roll(DISC, 20, axis=1), ~DISC & ~np.roll(DISC, 20, axis=1)], axis=-1) * np.uint8(255)
    scene = read(encoded(rgb))
    assert (scene.encoding, scene.n_classes) == ("colour", 4)
    assert any("three overlapping classes in one file" in reason for reason in scene.report[0].reasons)
    assert not any("overlapping" in reason for reason in read(COLOURS[FOUR]).report[0].reasons)


def test_the_histogram_is_the_files_own() -> None:
    mask = grey(FOUR, [0, 3, 17, 29])
    values, counts = np.unique(mask, return_counts=True)
    assert sorted(read(mask).report[0].histogram) == list(zip(values.tolist(), counts.tolist(), strict=True))
    jpeg = encoded(LEVELS[FOUR], "JPEG", quality=75)
    report = read(jpeg).report[0]
    assert len(report.histogram) == 64 < report.n_distinct
    assert report.histogram[0][0] == 0


# What the person says ----------------------------------------------------------------------------------------


def test_an_inverted_mask_is_turned_only_when_it_is_said() -> None:
    mask = ~DISC * np.uint8(255)
    question = read(mask).report[0].alternatives[0]
    scene = read(mask, encoding=question.encoding, legend=question.legend)
    assert [c.name for c in scene.classes] == ["background", "foreground"]
    assert coded(scene) == [255, 0]
    np.testing.assert_array_equal(scene.labels, DISC)


@pytest.mark.parametrize("threshold", [0.1, 0.25, 0.5, 0.9, 1.0])
def test_thresholds(threshold: float) -> None:
    values = np.rint(MATTE * 255).astype(np.uint8)
    for mask, options in ((values, {}), (values, {"encoding": "soft"}), (values, {"encoding": "binary"})):
        scene = read(mask, threshold=threshold, **options)
        np.testing.assert_array_equal(scene.labels, values >= threshold * 255)
        assert scene.report[0].threshold == threshold
        assert "soft_threshold" not in codes(scene)


@pytest.mark.parametrize("threshold", [0, -1, 1.5, "half", True, float("nan")])
def test_thresholds_that_are_none(threshold: object) -> None:
    with pytest.raises(SceneError, match="threshold"):
        read(FOUR.astype(np.uint8), threshold=threshold)


def test_named_codes_of_ids() -> None:
    city = read(grey(FOUR, CITY[:4]), encoding="cityscapes")
    assert [c.name for c in city.classes if c.pixels] == ["road", "sidewalk", "building", "vegetation"]
    assert city.n_classes == 19
    scenes = read(grey(FOUR, [0, 1, 3, 150]), encoding="ade20k")
    assert [(c.id, c.name) for c in scenes.classes if c.pixels] == [(0, "wall"), (2, "sky"), (149, "flag")]
    assert scenes.ignored_pixels == int((FOUR == 0).sum())
    vistas = read(grey(FOUR, [13 * 256, 27 * 256 + 1, 55 * 256, 65 * 256], np.uint16), encoding="vistas")
    assert [c.name for c in vistas.classes if c.pixels] == ["road", "sky", "car"]
    assert vistas.ignored_pixels == int((FOUR == 3).sum())
    voc = read(palette_file(np.where(RING, 255, FOUR * 5), voc_colours()), encoding="voc")
    assert [c.name for c in voc.classes if c.pixels] == ["background", "bottle", "cow", "person"]
    objects = read(grey(discs(13), list(range(13))), encoding="instances")
    np.testing.assert_array_equal(objects.labels, discs(13) > 0)


def test_codes_that_a_set_does_not_have_are_counted() -> None:
    scene = read(grey(FOUR, [7, 8, 200, 23]), encoding="cityscapes")
    assert codes(scene) == ("unlisted_codes",)
    assert f"{(FOUR == 2).sum():,} pixels" in scene.warnings[0].message
    assert scene.ignored_pixels == int((FOUR == 2).sum())
    with pytest.raises(SceneError, match="no pixel has a class of Pascal VOC"):
        read(grey(FOUR, [90, 91, 92, 93]), encoding="voc")


LEGENDS: dict[str, object] = {
    "mapping": {"#0a141e": "ground", (200, 30, 40): "car", "#28c85a": "tree", "0xf0e614": "void"},
    "names first": {"ground": [10, 20, 30], "car": [200, 30, 40], "tree": [40, 200, 90], "void": [240, 230, 20]},
    "lines": "10 20 30 ground\n200 30 40 car\n40 200 90 tree\n240 230 20 void\n",
    "csv": b"name,r,g,b\nground,10,20,30\ncar,200,30,40\ntree,40,200,90\nvoid,240,230,20\n",
    "csv with ids": "id,r,g,b,name\n0,10,20,30,ground\n1,200,30,40,car\n2,40,200,90,tree\n255,240,230,20,void\n",
    "hexadecimal": "# our classes\nground: #0a141e\ncar: #c81e28\ntree: #28c85a\nvoid: #f0e614",
    "json": '[{"name": "ground", "color": [10, 20, 30]}, {"name": "car", "color": "#c81e28"},'
    ' {"name": "tree", "color": [40, 200, 90]}, {"name": "void", "color": [240, 230, 20]}]',
    "pairs": [("#0a141e", "ground"), ("#c81e28", "car"), ("#28c85a", "tree"), ("#f0e614", "void")],
}


@pytest.mark.parametrize("form", LEGENDS)
def test_legends_of_colours(form: str) -> None:
    scene = read(COLOURS[FOUR], legend=LEGENDS[form])
    assert [c.name for c in scene.classes] == ["ground", "car", "tree"]
    np.testing.assert_array_equal(scene.labels, np.array([0, 1, 2, VOID])[FOUR])
    assert (scene.encoding, scene.confidence) == ("colour", 1.0)


@pytest.mark.parametrize("legend", [{0: "sky", 3: "car", 17: "tree", 29: "car"}, "sky 0\ncar 3\ntree 17\ncar 29"])
def test_legends_of_values(legend: object) -> None:
    scene = read(grey(FOUR, [0, 3, 17, 29]), legend=legend)
    assert [(c.name, c.encoded_as) for c in scene.classes] == [("sky", 0), ("car", 3), ("tree", 17)]
    np.testing.assert_array_equal(scene.labels, np.array([0, 1, 2, 1])[FOUR])


def test_scenes_of_one_file_and_another_number_of_classes_are_not_the_same_scene() -> None:
    two, three = ({n: f"class {n}" for n in range(k)} for k in (2, 3))
    mask = (FOUR % 2).astype(np.uint8)
    assert len(read(mask, legend=three).classes) == 3
    assert read(mask, legend=two).digest != read(mask, legend=three).digest
    assert read(mask, legend=two).digest == read(mask, legend=two).with_classes({0: "sky"}).digest


def test_a_legend_of_bare_names(tmp_path: Any) -> None:
    path = tmp_path / "names.txt"
    path.write_text("sky\ntraffic light\nroad\ncar\n", encoding="utf-8")
    scene = read(FOUR.astype(np.uint8), legend=path)
    assert [c.name for c in scene.classes] == ["sky", "traffic light", "road", "car"]
    np.testing.assert_array_equal(scene.labels, FOUR)


@pytest.mark.parametrize(
    ("legend", "says"),
    [
        ({}, "names no class"),
        ("", "names no class"),
        (7, "got int"),
        (b"\xff\xfe", "UTF-8"),
        ("{broken", "not valid"),
        ("[" * 5000, "not valid"),
        ({0: "a", "#ffffff": "b"}, "mixes"),
        ([(0, "a"), (0, "b")], "twice"),
        ([(0, "")], "no name"),
        ({"a": "b"}, "gives no code"),
        ([{"colour": 3}], "needs a name"),
        ({k: f"c{k}" for k in range(300)}, "1 to 256"),
        (b"0 a\n" * 300_000, "1 MB"),
    ],
)
def test_legends_that_are_none(legend: object, says: str) -> None:
    with pytest.raises(SceneError) as caught:
        read(FOUR.astype(np.uint8), legend=legend)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


# Round trips -------------------------------------------------------------------------------------------------

QUICK = settings(max_examples=25, deadline=None, derandomize=True)


@QUICK
@given(st.lists(st.integers(0, 250), min_size=4, max_size=4, unique=True), st.sampled_from(["index", "palette"]))
def test_ids_and_indices_come_back_exactly(values: list[int], encoding: str) -> None:
    table = np.random.default_rng(sum(values)).integers(0, 256, (256, 3))
    mask = grey(FOUR, values)
    scene = read(palette_file(mask, table) if encoding == "palette" else encoded(mask), encoding=encoding, ignore=-1)
    np.testing.assert_array_equal(np.array(coded(scene))[scene.labels], mask)
    assert scene.report[0].repaired == 0


@QUICK
@given(st.lists(st.integers(0, 0xFFFFFF), min_size=4, max_size=4, unique=True), st.booleans())
def test_colours_come_back_exactly(packed: list[int], legend: bool) -> None:
    rgb = np.array([[p >> 16, p >> 8 & 255, p & 255] for p in packed], np.uint8)[FOUR]
    given_ = {f"#{p:06x}": f"class {k}" for k, p in enumerate(packed)} if legend else None
    scene = read(encoded(rgb), encoding="colour", legend=given_)
    want = FOUR if legend else ranked(packed)[FOUR]
    np.testing.assert_array_equal(scene.labels, want)


# Damage ------------------------------------------------------------------------------------------------------


def right(scene: Scene, labels: np.ndarray, order: np.ndarray) -> float:
    """The fraction of pixels whose class is the one that was drawn; `order`: the scene's class of each drawn one."""
    return float((scene.labels == order[labels]).mean())


@settings(max_examples=30, deadline=None, derandomize=True)
@given(
    st.integers(0, 3),
    st.lists(st.integers(45, 66), min_size=3, max_size=3),
    st.integers(50, 95),
    st.booleans(),
)
def test_ids_damaged_by_jpeg_are_restored(low: int, steps: list[int], quality: int, large: bool) -> None:
    """Codes at least 45 apart, at JPEG qualities from 50."""
    labels = enlarged(FOUR) if large else FOUR
    values = np.cumsum([low, *steps]).clip(0, 255).astype(np.uint8)
    scene = read_mask(encoded(values[labels], "JPEG", quality=quality), *labels.shape)
    assert scene.n_classes == 4
    assert right(scene, labels, np.arange(4)) >= 0.995
    assert scene.confidence <= 0.85
    assert {"repaired", "binary_threshold"} & set(codes(scene))


PALETTES = (
    [0, 0xFF0000, 0x00FF00, 0x0000FF],
    [0, 0x800000, 0x008000, 0x808000],
    [0x0A141E, 0xC81E28, 0x28C85A, 0xF0E614],
)


@settings(max_examples=20, deadline=None, derandomize=True)
@given(st.sampled_from(PALETTES), st.integers(60, 95), st.sampled_from(["JPEG", "WEBP"]), st.booleans())
def test_colours_damaged_by_jpeg_are_restored(packed: list[int], quality: int, form: str, legend: bool) -> None:
    labels = enlarged(FOUR)
    rgb = np.array([[p >> 16, p >> 8 & 255, p & 255] for p in packed], np.uint8)[labels]
    given_ = {f"#{p:06x}": f"class {k}" for k, p in enumerate(packed)} if legend else None
    scene = read_mask(encoded(rgb, form, quality=quality), *labels.shape, legend=given_)
    assert scene.n_classes == 4
    assert right(scene, labels, np.arange(4) if legend else _order(scene, labels)) >= 0.995
    report = scene.report[0]
    assert "repaired" in codes(scene)
    assert f"{report.repaired:,} pixels" in scene.warnings[-1].message
    if legend:
        assert coded(scene) == [f"#{p:06x}" for p in packed]


def _order(scene: Scene, labels: np.ndarray) -> np.ndarray:
    """The scene's class in the middle of each drawn class: JPEG moves colours a little, and so their order."""
    return np.array([np.bincount(scene.labels[labels == k]).argmax() for k in range(4)])


@pytest.mark.parametrize("method", ["BILINEAR", "HAMMING", "BICUBIC"])
@pytest.mark.parametrize("colour", [False, True])
def test_interpolated_masks_are_repaired(method: str, colour: bool) -> None:
    """Against the mask resized by the nearest pixel: only along edges may they differ, and by half a pixel."""
    big = enlarged(FOUR)
    codes_ = COLOURS if colour else LEVELS
    small = Image.fromarray(codes_[big]).resize((WIDTH, HEIGHT), Image.Resampling[method])
    scene = read(encoded(small))
    assert coded(scene) == (["#0a141e", "#28c85a", "#c81e28", "#f0e614"] if colour else [0, 80, 160, 240])
    assert right(scene, FOUR, np.array([0, 2, 1, 3]) if colour else np.arange(4)) == 1
    array, report = np.asarray(small), scene.report[0]
    exact = (array[:, :, np.newaxis] == codes_).all(axis=-1) if colour else array[:, :, np.newaxis] == codes_
    assert report.repaired >= int((~exact.any(axis=2)).sum()) > 0
    assert (scene.confidence, codes(scene)[-1]) == (0.8, "repaired")


@pytest.mark.parametrize("values", [COLOURS, np.array([[0, 0, 0], *COLOURS[1:]], np.uint8), LEVELS])
@pytest.mark.parametrize("form", ["PNG", "JPEG"])
def test_the_answers_about_a_damaged_mask_are_repaired_too(values: np.ndarray, form: str) -> None:
    big = Image.fromarray(values[enlarged(FOUR)])
    data = encoded(big.resize((WIDTH, HEIGHT), Image.Resampling.BILINEAR), form)
    for one in read(data).report[0].alternatives:
        if one.encoding in ("soft", "binary"):
            continue
        chosen = read(data, encoding=one.encoding, ignore=one.ignore, legend=one.legend or None)
        assert chosen.n_classes <= 4
        assert chosen.report[0].repaired > 0
        if one.ignore == 0:
            assert (FOUR == 0).sum() == pytest.approx(chosen.ignored_pixels, rel=0.005)


def test_an_antialiased_binary_mask_is_repaired() -> None:
    big = np.hypot(*np.mgrid[-384:384, -512:512]) < 300
    small = np.asarray(Image.fromarray(big * np.uint8(255)).resize((WIDTH, HEIGHT), Image.Resampling.BOX))
    scene = read(encoded(small))
    assert (scene.encoding, scene.confidence, coded(scene)) == ("binary", 0.8, [0, 255])
    assert scene.report[0].repaired == int(((small > 0) & (small < 255)).sum())
    sure = (small < 120) | (small > 135)
    np.testing.assert_array_equal(scene.labels[sure], small[sure] >= 128)


def test_what_the_person_names_is_not_repaired() -> None:
    small = np.asarray(Image.fromarray(LEVELS[enlarged(FOUR)]).resize((WIDTH, HEIGHT), Image.Resampling.BILINEAR))
    scene = read(encoded(small), encoding="index")
    assert coded(scene) == np.unique(small).tolist()
    assert scene.report[0].repaired == 0


@pytest.mark.parametrize("values", [[0, 1, 2, 3], [0, 80, 160, 240]])
@pytest.mark.parametrize("seed", range(3))
def test_rare_classes_are_no_damage(values: list[int], seed: int) -> None:
    """Thin lines and single pixels of many ids stay what they are."""
    rng = np.random.default_rng(seed)
    mask = grey(FOUR, values)
    mask[rng.integers(0, HEIGHT, 40), rng.integers(0, WIDTH, 40)] = rng.integers(4, 70, 40)
    mask[50] = 20
    scene = read(mask)
    assert scene.report[0].repaired == 0
    np.testing.assert_array_equal(np.array(coded(scene))[scene.labels], mask)


def test_rare_colours_are_no_damage() -> None:
    rng = np.random.default_rng(1)
    rgb = COLOURS[FOUR]
    rgb[rng.integers(0, HEIGHT, 30), rng.integers(0, WIDTH, 30)] = rng.integers(0, 256, (30, 3))
    scene = read(rgb)
    assert scene.report[0].repaired == 0
    packed = rgb.astype(int) @ [65536, 256, 1]
    np.testing.assert_array_equal(np.unique(packed)[scene.labels], packed)


def test_codes_too_near_for_jpeg_are_refused() -> None:
    with pytest.raises(SceneError, match="compression changed the class ids"):
        read(encoded(grey(FOUR, [0, 10, 20, 30]), "JPEG", quality=75))


def test_a_photograph_is_refused() -> None:
    noise = np.random.default_rng(5).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    smooth = np.asarray(Image.fromarray(noise[:8, :8]).resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC))
    for mask in (encoded(noise), encoded(noise, "JPEG"), encoded(smooth), encoded(smooth, "JPEG"), npy(smooth[..., 0])):
        with pytest.raises(SceneError, match=r"distinct|compression changed"):
            read(mask)


def many_ids(n: int, side: int) -> np.ndarray:
    """(6 * side, n // 6 * side) ids 0 to n - 1, a square of its own each, in no order."""
    return np.kron(np.random.default_rng(1).permutation(n).reshape(6, -1), np.ones((side, side), int)).astype(np.uint8)


@pytest.mark.parametrize(("n", "side"), [(66, 40), (150, 12), (234, 5)])
def test_many_ids_in_patches_are_classes(n: int, side: int) -> None:
    ids = many_ids(n, side)
    scene = read_mask(ids)
    assert (scene.n_classes, scene.encoding) == (n, "index")
    assert scene.confidence < 0.9
    np.testing.assert_array_equal(scene.labels, ids)


def test_many_values_of_a_photograph_or_of_smoothing_are_not_classes() -> None:
    y, x = np.mgrid[:120, :160]
    noise = np.random.default_rng(2).normal(0, 4, (120, 160))
    photograph = np.clip(40 + x + 20 * np.sin(y / 9) + noise, 0, 255).astype(np.uint8)
    dark = np.where(x < 120, 0, photograph).astype(np.uint8)
    for values in (photograph, dark, (x + y // 2).astype(np.uint8)):
        with pytest.raises(SceneError, match="too many to be classes"):
            read_mask(values)
