"""Rules on the mask files: each on a fault, and silent on its sound twin."""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import Any

import numpy as np
import pytest
from PIL import Image

from segdebug import Experiment, Scene, read_scene
from segdebug.finding import Finding
from segdebug.rules import catalogue, findings
from segdebug.scene import load_sample, sample_info, sample_names
from tests.rules.configured import BCE, SCCE, configured, known
from tests.scenes import blocks, blocks_mask, discs, striped

SIZE = 32
GREY = np.full((SIZE, SIZE, 3), 90, np.uint8)
CODES = [code for code in catalogue() if code.startswith("M")]


def said(code: str, scene: Scene, **changes: Any) -> Finding | None:
    return catalogue()[code].finding(known(scene, configured(**changes)))


def file_of(mask: np.ndarray[Any, Any], kind: str = "PNG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(mask).save(buffer, kind, **options)
    return buffer.getvalue()


def scene_of(mask: np.ndarray[Any, Any], kind: str = "PNG", **stated: Any) -> Scene:
    name = {"PNG": "mask.png", "JPEG": "mask.jpg"}[kind]
    options = {"quality": 70} if kind == "JPEG" else {}
    picture = np.full((*mask.shape, 3), 90, np.uint8)
    return read_scene(picture, [(name, file_of(mask, kind, **options))], **stated)


def disc(size: int = SIZE) -> np.ndarray[Any, Any]:
    y, x = np.mgrid[:size, :size]
    return np.where((y - size / 2) ** 2 + (x - size / 2) ** 2 < (size / 4) ** 2, 255, 0).astype(np.uint8)


def palette_scene() -> Scene:
    image = Image.fromarray(blocks_mask(3))
    image.putpalette([0, 0, 0, 128, 0, 0, 0, 128, 0] + [0] * (253 * 3))
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return read_scene(GREY, [("mask.png", buffer.getvalue())], encoding="palette")


def test_a_guess_is_said_with_its_alternatives_and_a_statement_is_not() -> None:
    mask = blocks_mask(3, void=True)
    guessed = scene_of(mask)
    assert guessed.confidence < 0.9
    finding = said("M01", guessed)
    assert finding is not None
    assert finding.severity == "note"
    assert finding.evidence["confidence, 0 to 1"] == guessed.confidence
    assert len(finding.evidence["or, with confidence"]) == min(4, len(guessed.report[0].alternatives))
    assert said("M01", scene_of(mask, encoding="index", ignore=255)) is None
    assert said("M01", striped()) is None


def test_a_mask_saved_as_jpeg_is_a_note_until_a_reader_takes_it_as_it_is() -> None:
    scene = scene_of(disc(), "JPEG")
    finding = said("M02", scene)
    assert finding is not None
    assert finding.severity == "note"
    assert finding.evidence["distinct values in the first"] == len(np.unique(_decoded(scene)))
    harmed = said("M02", scene, **_fields(BCE), target__reader="pillow", target__scale="divide_255")
    assert harmed is not None
    assert harmed.severity == "warning"
    assert said("M02", scene_of(disc())) is None
    assert said("M03", scene) is None


def _decoded(scene: Scene) -> np.ndarray[Any, Any]:
    return np.array(Image.open(io.BytesIO(scene.mask_files[0].data)))


def _fields(changes: dict[str, Any]) -> dict[str, Any]:
    return {field.replace(".", "__"): value for field, value in changes.items()}


def test_smoothed_edges_are_a_note_until_a_reader_takes_them_as_they_are() -> None:
    large = Image.fromarray(disc(4 * SIZE))
    scene = scene_of(np.array(large.resize((SIZE, SIZE), Image.Resampling.BILINEAR)))
    assert len(np.unique(_decoded(scene))) > 2
    finding = said("M03", scene)
    assert finding is not None
    assert finding.severity == "note"
    harmed = said("M03", scene, **_fields(BCE), target__reader="pillow", target__scale="divide_255")
    assert harmed is not None
    assert harmed.severity == "warning"
    assert said("M03", scene_of(disc())) is None
    assert said("M02", scene) is None


def test_255_among_ids_may_be_void() -> None:
    mask = blocks_mask(3, void=True)
    as_class = scene_of(mask, encoding="index", ignore=-1)
    assert 255 in [c.encoded_as for c in as_class.classes]
    finding = said("M04", as_class)
    assert finding is not None
    assert finding.severity == "note"
    assert finding.evidence["pixels of 255"] == int((mask == 255).sum())
    assert said("M04", scene_of(mask, encoding="index", ignore=255)) is None
    assert said("M04", striped()) is None


@pytest.mark.parametrize("reader", ["pillow_l", "opencv_gray", "opencv_color", "tensorflow"])
def test_a_reader_that_loses_the_palettes_indices(reader: str) -> None:
    changes = {**_fields(SCCE), "head__channels": 3}
    scene = palette_scene()
    finding = said("M05", scene, **changes, target__reader=reader)
    assert finding is not None
    assert finding.fix is not None
    assert finding.fix.changes == {"target.reader": "pillow"}
    assert finding.evidence["indices in the first"] == list(scene.report[0].distinct)
    assert said("M05", scene, **changes, target__reader="pillow") is None
    assert said("M05", scene, **changes) is None
    assert said("M05", blocks(3), **changes, target__reader=reader) is None


def test_a_lost_palette_stands_under_what_it_did_to_the_labels() -> None:
    found = findings(known(palette_scene(), configured(**_fields(SCCE), target__reader="opencv_gray")))
    assert "M05" not in [finding.code for finding in found]
    below = {inner.code: finding.code for finding in _every(found) for inner in finding.consequences}
    assert below["M05"] == "T07"


def _every(found: Iterable[Finding]) -> list[Finding]:
    return [one for finding in found for one in (finding, *_every(finding.consequences))]


def test_masks_of_one_class() -> None:
    finding = said("M06", scene_of(np.zeros((SIZE, SIZE), np.uint8), encoding="binary"))
    assert finding is not None
    assert finding.severity == "warning"
    assert finding.evidence["its pixels"] == SIZE * SIZE
    one_pixel = np.zeros((SIZE, SIZE), np.uint8)
    one_pixel[3, 3] = 255
    assert said("M06", scene_of(one_pixel)) is None
    assert said("M06", discs()) is None


def test_a_mask_turned_by_exif() -> None:
    mask = np.zeros((SIZE, SIZE), np.uint8)
    mask[: SIZE // 4] = 255
    exif = Image.Exif()
    exif[0x0112] = 3  # half a turn
    scene = read_scene(GREY, [("mask.png", file_of(np.ascontiguousarray(np.rot90(mask, 2)), exif=exif))])
    np.testing.assert_array_equal(scene.labels, mask // 255)
    finding = said("M07", scene)
    assert finding is not None
    assert finding.severity == "note"
    harmed = said("M07", scene, **_fields(BCE), target__reader="pillow", target__scale="divide_255")
    assert harmed is not None
    assert harmed.severity == "warning"
    assert harmed.evidence["labelled pixels that then say another class"] == 0.5
    assert said("M07", striped()) is None


def test_a_foreground_that_surrounds_the_rest() -> None:
    black_object = 255 - disc()
    finding = said("M08", scene_of(black_object, encoding="binary"))
    assert finding is not None
    assert finding.severity == "note"
    assert finding.evidence["foreground, of the labelled pixels"] == pytest.approx((black_object > 0).mean())
    assert finding.evidence["foreground, of the picture's edge"] == 1
    assert said("M08", scene_of(disc(), encoding="binary")) is None
    half = np.zeros((SIZE, SIZE), np.uint8)
    half[: 3 * SIZE // 4] = 255
    assert said("M08", scene_of(half, encoding="binary")) is None


def test_ids_above_255_through_8_bits() -> None:
    ids = blocks_mask(3).astype(np.uint16) * 300
    scene = scene_of(ids, encoding="index")
    finding = said("M09", scene, **_fields(SCCE), target__reader="pillow_l")
    assert finding is not None
    assert finding.evidence["largest value in the files"] == 600
    assert said("M09", scene) is None
    assert said("M09", blocks(3), target__reader="pillow_l") is None


@pytest.mark.parametrize("name", sample_names())
@pytest.mark.parametrize("reader", ["scene", "pillow"])
def test_the_samples_masks_are_sound(name: str, reader: str) -> None:
    scene = load_sample(name)
    experiment = Experiment().changed({**sample_info(name).experiment, "training.size": 32, "target.reader": reader})
    facts = known(scene, experiment)
    assert [code for code in CODES if (found := catalogue()[code].finding(facts)) and found.severity != "note"] == []
