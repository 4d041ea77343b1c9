"""Rules on weights: each on a fault, and silent on its sound twin."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from segdebug import Experiment, Scene, read_scene
from segdebug.finding import Finding
from segdebug.rules import catalogue
from segdebug.rules.weights import balanced_weights
from tests.rules.configured import SCCE, configured, found, known
from tests.scenes import blocks, png_bytes

GREY = np.full((32, 32, 3), 90, np.uint8)
RARE = 10 / 1024


def with_rare_class() -> Scene:
    """Four classes; the last has 10 of 1024 pixels."""
    mask = np.repeat((np.arange(32) * 3 // 32)[None], 32, axis=0).astype(np.uint8)
    mask[20, 5:15] = 3
    return read_scene(GREY, [("mask.png", png_bytes(mask))], encoding="index")


def sparse(**changes: Any) -> Experiment:
    return configured(**{key.replace(".", "__"): value for key, value in SCCE.items()}, **changes)


def must(finding: Finding | None) -> Finding:
    assert finding is not None
    return finding


def test_a_rare_class_at_a_thousand() -> None:
    scene = with_rare_class()
    finding = must(found("L20", scene, configured(loss__class_weights=[1, 1, 1, 1000])))
    assert finding.severity == "warning"
    assert finding.evidence["heavy classes"] == ["class 3"]
    price = finding.evidence["weight times pixels, against all other classes"]
    assert price == pytest.approx(1000 * RARE / (1 - RARE))


@pytest.mark.parametrize("weights", [[1, 1, 1, 30], [0.5, 0.5, 0.5, 8], [1, 1, 1, 1], [1, 2, 3, 4]])
def test_moderate_weights_are_sound(weights: list[float]) -> None:
    for code in ("L20", "L21", "L22", "L23", "L24"):
        assert found(code, with_rare_class(), configured(loss__class_weights=weights)) is None, code


def test_inverse_frequency_is_sound_and_has_mean_1() -> None:
    scene = with_rare_class()
    facts = known(scene, configured()).scene
    assert facts is not None
    weights = balanced_weights(facts, 4)
    counts = np.bincount(scene.labels.ravel())
    np.testing.assert_allclose(weights, 1024 / (4 * counts), rtol=1e-3)
    every = known(scene, configured(loss__class_weights=list(weights)))
    assert every.weights is not None
    assert every.weights.mean == pytest.approx(1, rel=1e-3)
    for code in ("L20", "L21", "L22", "L23", "L24", "L25"):
        assert catalogue()[code].finding(every) is None, code


def test_a_class_that_weighs_nothing() -> None:
    finding = must(found("L21", blocks(), configured(loss__class_weights=[0, 1, 1, 1])))
    assert finding.severity == "error"
    assert finding.evidence["classes that are left out"] == ["band 0"]
    assert found("L21", blocks(), configured(loss__class_weights=[1, 1, 1, 1, 0], head__channels=5)) is None


def test_ignore_class_on_a_class() -> None:
    assert found("L21", blocks(), sparse(loss__ignore_class=0)) is not None
    assert found("L21", blocks(), sparse(loss__ignore_class=255)) is None


def test_class_weight_on_one_image_of_flat_ids_does_nothing() -> None:
    flat = {"target__layout": "flat", "head__attachment": "then_reshape", "loss__class_weights": [1, 1, 1, 5]}
    finding = must(found("L22", blocks(), sparse(**flat, loss__weighting="class_weight")))
    assert finding.severity == "error"
    assert must(finding).evidence["highest"] == 1
    assert found("L22", blocks(), sparse(**flat)) is None


def test_class_weight_works_from_a_dataset_and_is_refused_on_arrays() -> None:
    weighted = configured(loss__class_weights=[1, 1, 1, 5], loss__weighting="class_weight")
    finding = must(found("L23", blocks(), weighted))
    assert "0-dimensional" in finding.evidence["said"]
    assert finding.fix is not None
    assert finding.fix.changes == {"loss.weighting": "pixel"}
    from_dataset = weighted.changed({"training.container": "tf_data"})
    for code in ("L22", "L23"):
        assert found(code, blocks(), from_dataset) is None, code


def test_too_many_weights() -> None:
    finding = must(found("L23", blocks(), configured(loss__class_weights=[1, 2])))
    assert finding.evidence["weights needed"] == 4


def test_weights_on_dice_only_rescale_it() -> None:
    weights = [1, 1, 1, 5]
    finding = must(found("L24", blocks(), configured(loss__name="dice", loss__class_weights=weights)))
    assert finding.evidence["mean weight, by which the loss is multiplied"] == 2
    assert finding.fix is not None
    assert finding.fix.changes == {"loss.name": "cce_dice"}
    assert found("L24", blocks(), configured(loss__name="dice")) is None
    assert found("L24", blocks(), configured(loss__name="cce_dice", loss__class_weights=weights)) is None


def test_a_mean_weight_far_from_1_is_noted() -> None:
    heavy = configured(loss__class_weights=[10, 20, 10, 20])
    finding = must(found("L25", blocks(), heavy))
    assert finding.severity == "note"
    assert finding.evidence["mean weight of the labelled pixels"] == 15
    assert found("L25", blocks(), heavy.changed({"loss.reduction": "mean_with_sample_weight"})) is None
    assert found("L25", blocks(), configured(loss__class_weights=[1, 2, 1, 2])) is None


def test_unlabelled_pixels_of_weight_0_are_no_weights_of_classes() -> None:
    scene = blocks(void=True)
    for preset in ("softmax_cce", "softmax_dice"):
        for code in ("L20", "L21", "L22", "L23", "L24", "L25"):
            assert found(code, scene, configured(preset)) is None, (preset, code)
