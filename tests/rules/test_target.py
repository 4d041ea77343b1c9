"""Rules on the labels as fed: each on a fault, and silent on its sound twin."""

from __future__ import annotations

import io
import json
import math
from typing import Any

import numpy as np
import pytest
from PIL import Image

from segdebug import Experiment, Scene, read_scene
from segdebug.rules import Known, Semantics, catalogue, findings
from segdebug.scene import load_sample, sample_info, sample_names
from tests.rules.configured import BCE, FUSED, SCCE, configured, found, known
from tests.scenes import blocks, discs, png_bytes, striped

GREY = np.full((32, 32, 3), 90, np.uint8)
CLIPPED = Semantics("intended_clipped", reads="probabilities", clips=True)


def changed(experiment: Experiment, **changes: Any) -> Experiment:
    return experiment.changed({field.replace("__", "."): value for field, value in changes.items()})


def binary(**changes: Any) -> Experiment:
    return changed(configured().changed(BCE), **changes)


def sparse(**changes: Any) -> Experiment:
    return changed(configured().changed(SCCE), **changes)


def apart() -> Scene:
    """Two objects in a file each, which do not touch, and background that has no file."""
    a, b = np.zeros((2, 32, 32), np.uint8)
    a[:8], b[20:] = 255, 255
    return read_scene(GREY, [("left.png", png_bytes(a)), ("right.png", png_bytes(b))])


def palette(share: int = 12) -> Scene:
    """Indices 0 and 1 in black and dark red; class 1 has `share` rows."""
    indices = np.zeros((32, 32), np.uint8)
    indices[:share] = 1
    image = Image.frombytes("P", (32, 32), indices.tobytes())
    image.putpalette([0, 0, 0, 128, 0, 0] + [7] * (254 * 3))
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return read_scene(GREY, [("mask.png", buffer.getvalue())], encoding="palette")


def test_a_0_255_mask_is_outside_for_binary_cross_entropy() -> None:
    finding = found("T01", striped(), binary(target__reader="pillow"))
    assert finding is not None
    assert finding.severity == "error"
    assert finding.fix is not None
    assert finding.fix.changes == {"target.scale": "divide_255"}
    assert "255" in finding.fix.code
    loss = next(v for words, v in finding.evidence.items() if words.startswith("binary cross entropy"))
    assert loss == pytest.approx(np.logaddexp(0, 10) - 2550)
    assert found("T01", striped(), binary(target__reader="pillow", target__scale="divide_255")) is None


def test_0_255_planes_give_the_gradient_that_does_not_sum_to_0() -> None:
    experiment = configured(target__encoding="summed_planes", target__reader="pillow")
    finding = found("T01", apart(), experiment)
    assert finding is not None
    assert finding.evidence["sum of a pixel's labels, S"] == 255
    assert -254 in finding.evidence.values()
    assert finding.evidence["cross entropy at a uniform start, S ln K"] == pytest.approx(255 * math.log(3))
    clipped = catalogue()["T01"].finding(known(apart(), experiment, CLIPPED))
    assert clipped is not None
    assert -254 not in clipped.evidence.values()


def test_0_255_planes_take_dice_out_of_its_range() -> None:
    finding = found("T01", striped(), binary(target__reader="pillow", loss__name="dice"))
    assert finding is not None
    assert any(value == pytest.approx(1 - 510 / 256) for value in finding.evidence.values())


def test_rows_of_zeros_at_unlabelled_pixels_diverge_on_the_fused_path_only() -> None:
    scene = blocks(void=True)
    finding = found("T02", scene, configured())
    assert finding is not None
    assert finding.severity == "error"
    assert finding.evidence["unlabelled pixels that take part with a row of zeros, of all pixels"] == 2 / 32
    assert finding.fix is not None
    assert finding.fix.changes == {"loss.void": "zero_weight"}
    assert found("T02", scene, configured("softmax_cce")) is None
    assert found("T02", scene, configured(), CLIPPED) is None
    assert found("T02", scene, configured(loss__name="categorical_focal_crossentropy"), CLIPPED) is None


def test_background_without_a_plane_is_found_under_every_loss() -> None:
    planes = {"target__encoding": "summed_planes", "target__reader": "scene"}
    finding = found("T02", apart(), configured(**planes))
    assert finding is not None
    assert finding.severity == "error"
    assert finding.evidence["labelled pixels whose row sums to less than 1"] == 12 / 32
    clipped = found("T02", apart(), configured(**planes), CLIPPED)
    assert clipped is not None
    assert clipped.severity == "warning"
    per_channel = configured("sigmoid_bce", **planes)
    assert found("T02", apart(), per_channel) is not None
    assert found("T02", apart(), configured("sigmoid_bce")) is None


def test_none_of_the_overlapping_classes_is_a_sound_row() -> None:
    assert found("T02", discs(), configured("sigmoid_bce_planes")) is None


def test_overlapping_planes_need_a_loss_for_each_class() -> None:
    finding = found("T03", discs(), configured(target__encoding="raw"))
    assert finding is not None
    assert finding.severity == "error"
    assert finding.evidence["labelled pixels with more than one class"] == 64 / 1024
    assert finding.evidence["sum of such a row, S"] == 2
    assert finding.fix is not None
    assert finding.fix.changes == {"loss.name": "binary_crossentropy", "head.activation": "sigmoid"}
    on_logits = found("T03", discs(), configured("linear_cce_logits", target__encoding="raw"))
    assert on_logits is not None
    assert on_logits.fix is not None
    assert on_logits.fix.changes == {"loss.name": "binary_crossentropy"}
    assert "from_logits=True" in on_logits.fix.code
    assert found("T03", discs(), configured("sigmoid_bce_planes")) is None
    assert found("T03", apart(), configured(target__encoding="summed_planes", target__reader="pillow")) is None


def test_255_for_unlabelled_is_an_id_out_of_range_whatever_it_weighs() -> None:
    scene = blocks(void=True)
    for experiment in (sparse(), configured("softmax_scce")):
        finding = found("T04", scene, experiment)
        assert finding is not None
        assert finding.evidence["unlabelled pixels hold"] == 255
        assert finding.fix is not None
        assert finding.fix.changes == {
            "head.activation": "linear",
            "loss.from_logits": True,
            "loss.ignore_class": 255,
        }
    assert found("T04", scene, configured("linear_scce_logits")) is None
    assert found("T04", blocks(), sparse()) is None


def test_ids_up_to_k_are_out_of_range() -> None:
    experiment = sparse(target__encoding="sparse_one_based")
    finding = found("T04", blocks(), experiment)
    assert finding is not None
    assert finding.evidence["their ids"] == [4]
    assert finding.evidence["labelled pixels with an id outside"] == 0.25
    assert finding.evidence["every id is the class plus"] == 1
    assert finding.fix is not None
    assert finding.fix.changes == {"target.encoding": "sparse"}
    for dtype in ("int32", "uint8"):  # 255 + 1 is 256, or 0
        both = found("T04", blocks(void=True), changed(experiment, target__dtype=dtype))
        assert both is not None
        assert both.fix is not None
        assert both.fix.changes["loss.ignore_class"] == 255


def test_ids_from_one_with_room_for_them() -> None:
    finding = found("T05", blocks(), sparse(target__encoding="sparse_one_based", head__channels=5))
    assert finding is not None
    assert finding.severity == "warning"
    assert found("T05", blocks(), sparse(head__channels=5)) is None
    assert found("T05", blocks(), sparse(target__encoding="sparse_one_based")) is None  # T04 says it


def test_a_0_1_mask_divided_by_255_says_one_class() -> None:
    finding = found("T06", blocks(2), sparse(target__scale="divide_255"))
    assert finding is not None
    assert finding.evidence["classes that no label says"] == ["band 1"]
    assert found("T06", blocks(2), binary(target__scale="divide_255")) is not None
    assert found("T06", blocks(2), sparse()) is None
    assert found("T06", blocks(1), sparse()) is None


def test_palette_read_as_brightness() -> None:
    grey = sparse(target__reader="pillow_l", head__channels=100)
    finding = found("T07", palette(), grey)
    assert finding is not None
    assert finding.severity == "error"
    assert finding.evidence["labelled pixels that say another class"] == 12 / 32
    assert "became id 38" in finding.evidence["most often"]
    rare = found("T07", palette(1), grey)
    assert rare is not None
    assert rare.severity == "warning"
    assert found("T07", palette(), changed(grey, target__reader="pillow")) is None


def test_inverted_labels() -> None:
    finding = found("T07", striped(), binary(target__encoding="one_hot", head__channels=1))
    assert finding is not None
    assert finding.evidence["labelled pixels that say another class"] == 1


def test_bilinear_labels_say_classes_that_are_not_there() -> None:
    mask = np.where(np.indices((30, 30))[1] < 15, 0, 2).astype(np.uint8)
    mask[:5] = 1
    scene = read_scene(np.full((30, 30, 3), 90, np.uint8), [("mask.png", png_bytes(mask))], encoding="index")
    finding = found("T08", scene, sparse(target__resize="bilinear"))
    assert finding is not None
    assert finding.fix is not None
    assert finding.fix.changes == {"target.resize": "nearest"}
    assert found("T08", scene, sparse()) is None
    assert found("T08", blocks(), sparse(target__resize="bilinear")) is None  # 32 to 32: nothing is averaged


def test_smoothed_edges_in_the_file() -> None:
    mask = np.zeros((32, 32), np.uint8)
    mask[:, 10:20], mask[:, 9], mask[:, 20] = 255, 128, 60
    scene = read_scene(GREY, [("mask.png", png_bytes(mask))], encoding="binary")
    smooth = binary(target__reader="pillow", target__scale="divide_255")
    finding = found("T08", scene, smooth)
    assert finding is not None
    assert finding.evidence["labelled pixels with a value between the classes"] == 2 / 32
    assert finding.severity == "error"
    assert found("T08", scene, changed(smooth, target__reader="scene", target__scale="none")) is None


def test_a_background_that_was_shifted_before_the_division() -> None:
    mask = np.full((32, 32), 20, np.uint8)
    mask[:, 10:20] = 255
    scene = read_scene(GREY, [("mask.png", png_bytes(mask))])
    shifted = binary(target__reader="pillow", target__scale="divide_255")
    finding = found("T08", scene, shifted)
    assert finding is not None
    assert finding.evidence["values of the labels"] == pytest.approx([20 / 255, 1])
    assert finding.severity == "warning"
    assert found("T08", striped(), shifted) is None


def test_unlabelled_pixels_that_are_learnt() -> None:
    scene = blocks(void=True)
    finding = found("T09", scene, configured("sigmoid_bce", loss__void="as_fed"))
    assert finding is not None
    assert finding.severity == "warning"
    assert finding.evidence["unlabelled pixels that take part, of all pixels"] == 2 / 32
    assert finding.evidence["they count as"] == "a row of zeros"
    for preset in ("sigmoid_bce", "linear_scce_logits", "softmax_dice"):
        assert found("T09", scene, configured(preset)) is None, preset
    assert found("T09", blocks(), configured("sigmoid_bce", loss__void="as_fed")) is None
    assert found("T09", scene, configured(), CLIPPED) is None  # 0 · log p


def test_a_pooled_loss_learns_unlabelled_pixels_despite_their_weight() -> None:
    scene = blocks(void=True)
    assert found("T09", scene, configured("sigmoid_dice")) is not None
    in_part = found("T09", scene, configured("sigmoid_dice", loss__name="bce_dice"))
    assert in_part is not None
    assert in_part.severity == "note"


def test_mostly_unlabelled_is_an_error() -> None:
    mask = np.full((32, 32), 255, np.uint8)
    mask[:8, :16], mask[:8, 16:] = 0, 1
    scene = read_scene(GREY, [("mask.png", png_bytes(mask))], encoding="index", ignore=255)
    finding = found("T09", scene, configured("sigmoid_bce", loss__void="as_fed"))
    assert finding is not None
    assert finding.severity == "error"


def test_labels_that_keras_cannot_compare_need_no_scene() -> None:
    refused = Semantics(
        "error",
        error="`target` and `output` must have the same rank",
        error_field="target.encoding",
        label_shape=(1, 32, 32),
        output_shape=(1, 32, 32, 4),
    )
    experiment = configured(target__encoding="sparse")
    finding = catalogue()["T10"].finding(Known(experiment, 4, refused))
    assert finding is not None
    assert finding.evidence["said"] == refused.error
    assert finding.evidence["shape of the output"] == "(1, 32, 32, 4)"
    assert finding.fix is not None
    assert finding.fix.changes == {"target.encoding": "one_hot"}
    assert catalogue()["T10"].finding(Known(experiment, 4, FUSED)) is None
    flat = Known(configured(head__attachment="then_reshape"), 4, refused)
    relaid = catalogue()["T10"].finding(flat)
    assert relaid is not None
    assert relaid.fix is not None
    assert relaid.fix.changes == {"target.layout": "flat"}


def test_labels_that_no_reader_makes(tmp_path: Any) -> None:
    np.save(tmp_path / "mask.npy", np.tri(32, dtype=np.uint8))
    scene = read_scene(GREY, [("mask.npy", (tmp_path / "mask.npy").read_bytes())])
    finding = found("T10", scene, sparse(target__reader="opencv_gray"))
    assert finding is not None
    assert "mask.npy" in finding.evidence["said"]
    assert finding.fix is not None
    assert finding.fix.changes == {"target.reader": "scene"}
    assert found("T10", scene, sparse()) is None


def test_a_class_of_one_pixel_is_lost_at_a_small_size() -> None:
    mask = np.zeros((64, 64), np.uint8)
    mask[:20], mask[41, 41] = 1, 2
    scene = read_scene(np.full((64, 64, 3), 90, np.uint8), [("mask.png", png_bytes(mask))], encoding="index")
    finding = found("T11", scene, sparse(training__size=16))
    assert finding is not None
    assert finding.evidence["their pixels in the file"] == [1]
    assert finding.evidence["their pixels at the training size"] == [0]
    assert found("T11", scene, sparse(training__size=64)) is None


def test_too_few_channels() -> None:
    finding = found("T12", blocks(), configured(head__channels=3))
    assert finding is not None
    assert finding.severity == "error"
    assert found("T12", blocks(), configured()) is None
    assert found("T12", striped(), binary()) is None
    assert found("T12", striped(), sparse(head__channels=1)) is not None


def test_more_channels_than_classes_is_only_noted() -> None:
    finding = found("T13", blocks(), configured(head__channels=21))
    assert finding is not None
    assert finding.severity == "note"
    assert found("T13", blocks(), configured()) is None
    assert found("T13", blocks(), sparse(target__encoding="sparse_one_based", head__channels=5)) is None


def test_no_rule_explains_its_own_cause() -> None:
    """What explains is never, over any number of steps, explained by what it explains: nothing can vanish."""
    rules = catalogue()
    for code in (code for code in rules if code[0] == "T" or code.startswith("L2")):
        pending, above = list(rules[code].explained_by), set()
        while pending:
            cause = pending.pop()
            if cause not in above and cause in rules:
                above.add(cause)
                pending.extend(rules[cause].explained_by)
        assert code not in above, code


def test_resized_ids_that_are_no_class_stand_under_the_resize() -> None:
    experiment = sparse(target__resize="bilinear", training__size=48)
    every = [f for f in findings(known(blocks(void=True), experiment)) if f.stage == "target"]
    assert [finding.code for finding in every] == ["T08"]
    assert "T04" in {finding.code for finding in every[0].consequences}


def test_a_symptom_stands_under_its_cause() -> None:
    every = findings(known(blocks(), sparse(target__encoding="sparse_one_based")))
    roots = [finding.code for finding in every if finding.stage == "target"]
    assert roots == ["T04"]
    under = next(finding for finding in every if finding.code == "T04").consequences
    assert {finding.code for finding in under} >= {"T07"}


@pytest.mark.parametrize("name", sample_names())
def test_recommended_configurations_have_sound_labels_and_weights(name: str) -> None:
    experiment = Experiment().changed({**sample_info(name).experiment, "training.size": 64})
    every = findings(known(load_sample(name), experiment))
    said = [f.code for f in every if f.code[0] == "T" or f.code.startswith("L2")]
    assert said == [], json.dumps([f.to_json() for f in every])
