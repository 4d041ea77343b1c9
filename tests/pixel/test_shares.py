"""What single pixels add up to: the number that fit prints, whatever weighs them and however they are reduced."""

from __future__ import annotations

from typing import Any

import pytest

from segdebug import Experiment, overfit
from segdebug.errors import ExperimentError, KerasRefusal
from segdebug.pixel import Moment, class_shares, moment, shares
from segdebug.scene import Scene
from segdebug.vocabulary import LOSSES, REDUCTIONS
from tests.scenes import blocks

SMALL = {"model.depth": 0, "model.filters": 2, "training.size": 8, "training.steps": 3, "training.execution": "eager"}
SPARSE = {"target.encoding": "sparse", "target.dtype": "int32"}
BINARY = ("binary_crossentropy", "binary_focal_crossentropy", "sigmoid_cross_entropy_with_logits")
WEIGHTS = {"loss.class_weights": [1.0, 2.0, 0.0, 30.0]}
WAYS: dict[str, dict[str, Any]] = {
    "none": {},
    "pixel": {**WEIGHTS, "loss.weighting": "pixel", "loss.void": "zero_weight"},
    "class_weight": {**WEIGHTS, "loss.weighting": "class_weight", "training.container": "tf_data"},
    "in_loss": {**WEIGHTS, "loss.weighting": "in_loss", "loss.void": "zero_weight"},
}
PIXELWISE = [name for name, entry in LOSSES.items() if entry.per_pixel]
REFUSED = [
    ("sigmoid_cross_entropy_with_logits", "pixel"),  # one value a channel, which a map of weights does not fit
    ("sigmoid_cross_entropy_with_logits", "class_weight"),
    ("sigmoid_cross_entropy_with_logits", "in_loss"),
    ("sparse_categorical_crossentropy", "class_weight"),  # argmax over the columns of a map of ids
    ("sparse_softmax_cross_entropy_with_logits", "class_weight"),
]
"""What Keras itself refuses."""
CASES = [
    (name, way, list(REDUCTIONS)[(n + m) % len(REDUCTIONS)])
    for n, name in enumerate(PIXELWISE)
    for m, way in enumerate(WAYS)
    if (name, way) not in REFUSED
]


def configured(name: str, **changes: Any) -> Experiment:
    head = "sigmoid" if name in BINARY else "softmax"
    fed = SPARSE if name.startswith("sparse") else {}
    activation = "linear" if name.endswith("with_logits") else head
    return Experiment().changed({**SMALL, **fed, "head.activation": activation, "loss.name": name, **changes})


def looked_into(scene: Scene, experiment: Experiment, step: int) -> Moment:
    found = moment(scene, experiment, step)
    assert found is not None
    return found


def test_every_reduction_meets_every_way_of_weighing() -> None:
    assert {(way, reduction) for _, way, reduction in CASES} == {(w, r) for w in WAYS for r in REDUCTIONS}


@pytest.mark.parametrize(("name", "way", "reduction"), CASES, ids=lambda value: str(value))
def test_the_shares_add_up_to_the_printed_loss(name: str, way: str, reduction: str) -> None:
    sparse_void = name.startswith("sparse")  # an id of 255 is an error on a CPU
    scene = blocks(size=8, void=not sparse_void)
    experiment = configured(name, **{**WAYS[way], "loss.reduction": reduction})
    printed = float(overfit(scene, experiment, diagnosed=False).trace.loss[1])
    found = looked_into(scene, experiment, 1)
    share = shares(found)
    assert share.shape == (8, 8)
    assert found.loss == pytest.approx(printed, rel=2e-6)
    assert share.sum() == pytest.approx(printed, rel=2e-6)
    assert sum(one.share for one in class_shares(found)) == pytest.approx(printed, rel=2e-6)
    if reduction not in ("sum", "none") and way == "pixel":
        assert (share[~found.valid] == 0).all()


@pytest.mark.parametrize(("name", "way"), REFUSED[::2])
def test_what_keras_refuses_has_no_shares(name: str, way: str) -> None:
    with pytest.raises(KerasRefusal):
        moment(blocks(size=8), configured(name, **WAYS[way]), 0)


def test_ignored_pixels_add_nothing_and_the_others_more() -> None:
    scene = blocks(size=8, void=True)
    experiment = configured("sparse_categorical_crossentropy", **{"loss.ignore_class": 255})
    found = looked_into(scene, experiment, 2)
    assert (shares(found)[:2] == 0).all()
    assert shares(found).sum() == pytest.approx(found.loss, rel=2e-6)
    assert found.values is not None
    assert found.loss == pytest.approx(found.values[found.valid].mean(), rel=1e-5)


def test_a_rare_class_hides_in_a_small_loss() -> None:
    """Thread 002: the printed number is a mean over pixels, so that a class of few pixels has little of it."""
    found = looked_into(blocks(size=8), configured("categorical_crossentropy"), 0)
    by_class = {one.name: one for one in class_shares(found)}
    assert sum(one.pixels for one in by_class.values()) == 64
    assert sum(one.fraction for one in by_class.values()) == pytest.approx(1, rel=1e-6)
    heavy = configured("categorical_crossentropy", **{"loss.class_weights": [1, 1, 1, 1000]})
    weighted = {one.name: one for one in class_shares(looked_into(blocks(size=8), heavy, 0))}
    assert weighted["band 3"].share == pytest.approx(1000 * by_class["band 3"].share, rel=1e-5)
    assert weighted["band 3"].mean == pytest.approx(by_class["band 3"].mean, rel=1e-6)


@pytest.mark.parametrize("name", ["dice", "tversky", "jaccard", "lovasz", "negative_dice"])
def test_region_losses_say_why_they_cannot(name: str) -> None:
    found = looked_into(blocks(size=8), configured(name), 0)
    with pytest.raises(ExperimentError, match="one number for the whole picture"):
        shares(found)


@pytest.mark.parametrize("name", ["bce_dice", "cce_jaccard", "focal_dice", "weighted_bce_dice"])
def test_sums_with_a_region_part_add_up_too(name: str) -> None:
    more = {"loss.class_weights": [1, 1, 1, 50], "loss.weighting": "in_loss"} if name.startswith("weighted") else {}
    found = looked_into(blocks(size=8), configured(name, **more), 1)
    assert shares(found).sum() == pytest.approx(found.loss, rel=1e-5)
