"""Rules on training: each where it fires and on a sound twin where it is silent."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from segdebug.expectations import expected
from segdebug.finding import Finding
from segdebug.reference import closed_forms as forms
from segdebug.rules import catalogue, findings
from segdebug.rules.known import Known, LabelFacts
from tests.rules.traces import FOUR, known, run

TRAINING = [code for code in catalogue() if code[0] == "G"]
LEARNING = np.geomspace(1.4, 0.01, 200)
PRESETS_STUCK = {"head.attachment": "then_reshape", "target.layout": "flat"}
BACKGROUND = [[n, 0, 0, 0] for n in FOUR]
RARE_MISSED = [[7000, 0, 0, 0], [0, 1500, 0, 0], [0, 0, 1380, 0], [120, 0, 0, 0]]
HALF = [[5000, 2000, 0, 0], [500, 1000, 0, 0], [300, 0, 1080, 0], [60, 0, 0, 60]]
W = sum(FOUR[1:]) / sum(FOUR)


def found(code: str, about: Known) -> Finding | None:
    return catalogue()[code].finding(about)


def fires(code: str, about: Known, severity: str) -> Finding:
    finding = found(code, about)
    assert finding is not None
    assert finding.severity == severity
    assert finding.evidence
    if finding.fix is not None:
        about.experiment.changed(finding.fix.changes)  # what it proposes is a valid configuration
    return finding


def codes_of(several: tuple[Finding, ...] | list[Finding]) -> list[str]:
    return [finding.code for finding in several]


@pytest.mark.parametrize("code", TRAINING)
def test_a_sound_run_is_left_alone(code: str) -> None:
    assert found(code, known(run(LEARNING))) is None


@pytest.mark.parametrize("code", TRAINING)
def test_nothing_is_said_of_a_sound_configuration_before_a_run(code: str) -> None:
    assert found(code, known()) is None


@pytest.mark.parametrize("code", TRAINING)
@pytest.mark.parametrize("outcome", ["cancelled", None])
def test_nothing_is_concluded_from_a_run_that_was_stopped(code: str, outcome: Any) -> None:
    stuck = run(np.full(100, forms.clipped_plateau(W)), end=BACKGROUND, outcome=outcome, dead_wrong=1.0)
    assert found(code, known(stuck, computes="intended_clipped", clips=True)) is None


@pytest.mark.parametrize("code", TRAINING)
def test_nothing_is_concluded_from_a_few_steps(code: str) -> None:
    assert found(code, known(run(np.full(49, 8.0), end=BACKGROUND, dead_wrong=1.0))) is None


def test_two_spikes_of_adam_are_sound() -> None:
    loss = LEARNING.copy()
    loss[[120, 165]] = 1.1, 0.7
    assert codes_of(findings(known(run(loss)))) == ["D01"]


def test_unscaled_input_is_a_note_until_a_run_speaks() -> None:
    raw = {"training.input_range": "0..255"}
    assert found("G01", known()) is None
    fires("G01", known(changes=raw), "note")
    fires("G01", known(run(LEARNING), raw), "note")
    high = known(run(np.geomspace(103, 8.0, 200), end=HALF), raw)
    fires("G01", high, "warning")
    dead = known(run(np.geomspace(103, 8.0, 200), end=HALF, dead_wrong=0.9), raw)
    assert fires("G01", dead, "error").evidence["loss of an untrained network"] == pytest.approx(1.386)


def test_first_loss_of_masks_of_255() -> None:
    about = known(run(np.geomspace(353, 200, 100), end=HALF))
    assert fires("G02", about, "warning").evidence["ratio"] == pytest.approx(353 / np.log(4), rel=1e-3)
    assert found("G02", known(run(np.geomspace(1.96, 1.0, 100), end=HALF))) is None
    labels = LabelFacts(kind="rows", high=255.0, row_sums={255.0: 1.0})
    assert found("G02", known(run(np.geomspace(353, 200, 100), end=HALF), labels=labels)) is None


def test_not_a_number_and_where_it_began() -> None:
    grown = np.geomspace(1, 1e6, 30)
    loss = np.append(np.geomspace(1.4, 9, 29), np.nan)
    of_loss = fires("G03", known(run(loss, outcome="not_finite", logit_max=grown)), "error")
    assert of_loss.evidence["step"] == 29
    assert "finite logits" in str(of_loss.evidence["where it began"])
    lost = np.append(grown[:-1], np.nan)
    of_logits = fires("G03", known(run(loss, outcome="not_finite", logit_max=lost)), "error")
    assert of_logits.evidence["where it began"] == "the logits"
    assert of_logits.evidence["largest logit before"] == pytest.approx(grown[-2], rel=1e-3)


def test_logits_that_run_away() -> None:
    growing = np.geomspace(0.3, 5e9, 100)
    fires("G04", known(run(LEARNING[:100], outcome="diverged", logit_max=growing)), "error")
    fires("G04", known(run(LEARNING[:100], logit_max=growing)), "error")
    assert found("G04", known(run(LEARNING, logit_max=np.linspace(0.3, 300, 200)))) is None
    fast = fires(
        "G04", known(run(LEARNING, logit_max=np.geomspace(1, 1e9, 200)), {"training.learning_rate": 1}), "error"
    )
    assert fast.fix is not None
    assert fast.fix.changes["training.learning_rate"] == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("value", "told", "words"),
    [
        (forms.clipped_plateau(W), {"computes": "intended_clipped", "reads": "probabilities", "clips": True}, "16.118"),
        (forms.double_softmax_plateau(4, W), {"computes": "double_activation", "reads": "activated"}, "0.7437"),
    ],
)
def test_plateaus_are_recognised(value: float, told: dict[str, Any], words: str) -> None:
    loss = np.append(np.linspace(value + 1, value, 50), np.full(150, value))
    finding = fires("G05", known(run(loss, end=BACKGROUND), PRESETS_STUCK, **told), "error")
    assert words in finding.evidence["formula"]
    assert finding.evidence["its value"] == pytest.approx(value, rel=1e-3)
    assert found("G05", known(run(1.05 * loss, end=BACKGROUND), PRESETS_STUCK, **told)) is None
    assert found("G05", known(run(loss, end=BACKGROUND), PRESETS_STUCK)) is None  # unclipped has no such value


def test_one_class_everywhere() -> None:
    fires("G06", known(run(np.full(100, 0.9), end=BACKGROUND)), "error")
    fires("G06", known(run(np.geomspace(1.4, 0.5, 100), end=BACKGROUND)), "warning")
    fast = fires("G06", known(run(np.full(100, 1.386), end=BACKGROUND), {"training.learning_rate": 0.1}), "error")
    assert fast.fix is not None
    assert fast.fix.changes == {"training.learning_rate": 0.01}
    alone = [[10_000, 0], [0, 0]]
    assert found("G06", known(run(np.full(100, 0.9), end=alone), pixels=(10_000, 0))) is None


def test_a_rare_class_that_is_never_predicted() -> None:
    missed = known(run(np.append(np.geomspace(1.4, 0.066, 100), np.full(100, 0.066)), end=RARE_MISSED))
    finding = fires("G07", missed, "warning")
    f = 0.012
    assert finding.evidence["price of ignoring them"] == pytest.approx([forms.binary_entropy(f)], rel=1e-3)
    assert finding.fix is not None
    weights = np.array(finding.fix.changes["loss.class_weights"])
    frequencies = np.array(FOUR) / sum(FOUR)
    assert (weights * frequencies).sum() == pytest.approx(1, rel=0.01)
    np.testing.assert_allclose(weights * frequencies, 0.25, rtol=0.01)
    common = [[7000, 0, 0, 0], [1500, 0, 0, 0], [0, 0, 1380, 0], [0, 0, 0, 120]]
    settled = np.append(np.geomspace(1.4, 0.3, 100), np.full(100, 0.3))
    fires("G07", known(run(settled, end=common)), "error")
    falling = fires("G07", known(run(np.geomspace(1.4, 0.3, 200), end=common)), "warning")
    assert falling.fix is not None
    assert falling.fix.changes["training.steps"] == 400


def test_a_missing_class_explains_that_the_image_was_not_fitted() -> None:
    missed = known(run(np.append(np.geomspace(1.4, 0.066, 100), np.full(100, 0.066)), end=RARE_MISSED))
    roots = findings(missed)
    assert codes_of(roots) == ["G07"]
    assert codes_of(roots[0].consequences) == ["G17"]


def test_dead_wrong_pixels() -> None:
    value = forms.clipped_plateau(W)
    told = {"computes": "intended_clipped", "reads": "probabilities", "clips": True}
    dead = known(run(np.full(100, value), end=BACKGROUND, dead_wrong=1.0), PRESETS_STUCK, **told)
    fires("G08", dead, "error")
    assert found("G08", known(run(np.full(100, value), end=BACKGROUND, dead_wrong=0.2))) is None
    fires("G08", known(run(np.geomspace(1.4, 0.2, 100), end=BACKGROUND, dead_wrong=0.9)), "warning")
    few = np.diag(FOUR)
    few[0, :2] = 6990, 10  # a tenth of a percent is wrong
    assert found("G08", known(run(LEARNING, end=few, dead_wrong=1.0))) is None


def test_a_loss_that_falls_while_nothing_is_learnt() -> None:
    swapped = np.roll(np.diag(FOUR), 1, axis=1)
    fires("G09", known(run(LEARNING, end=swapped)), "warning")
    fires("G09", known(run(np.linspace(-1, -900, 100), end=BACKGROUND)), "warning")
    assert found("G09", known(run(LEARNING, end=swapped, start=np.diag(FOUR)[::-1]))) is not None
    assert found("G09", known(run(np.full(100, 1.3), end=BACKGROUND))) is None


def test_jumping_loss() -> None:
    loss = np.full(200, 0.5)
    loss[100::10] = 3.0
    finding = fires("G10", known(run(loss, end=HALF), {"training.learning_rate": 0.05}), "warning")
    assert finding.evidence["rises above twofold in the last half"] == 10
    assert finding.fix is not None
    assert finding.fix.changes["training.learning_rate"] == pytest.approx(0.005)
    assert found("G10", known(run(loss))) is None  # it ends with every pixel right
    blown_up = np.full(200, 1.386)
    blown_up[1:20] = np.geomspace(500, 1.4, 19)
    assert fires("G10", known(run(blown_up, end=BACKGROUND)), "warning").evidence["highest loss"] == [500, "at step 1"]
    assert codes_of(findings(known(run(blown_up, end=BACKGROUND)))) == ["G10"]
    spike = np.full(200, 0.5)
    spike[150] = 2.0
    assert found("G10", known(run(spike, end=HALF))) is None


def test_too_few_steps() -> None:
    rising = run(np.geomspace(1.4, 0.4, 60), end=HALF, changes_until=1.0)
    finding = fires("G11", known(rising, {"training.steps": 60}), "note")
    assert finding.fix is not None
    assert finding.fix.changes["training.steps"] == 120
    assert found("G17", known(rising)) is None
    assert found("G11", known(run(np.full(60, 0.4), end=HALF))) is None


def test_steps_that_move_nothing() -> None:
    still = run(np.linspace(1.390, 1.389, 100), end=BACKGROUND, logit_max=np.linspace(0.3, 0.3001, 100), logit_min=-0.1)
    fires("G12", known(still, {"training.learning_rate": 1e-8}), "warning")
    fires("G12", known(changes={"training.learning_rate": 0}), "error")
    moving = run(np.full(100, 1.39), end=BACKGROUND, logit_max=np.linspace(0.3, 2, 100))
    assert found("G12", known(moving)) is None
    slow = fires("G12", known(moving, {"training.learning_rate": 1e-5}), "warning")
    assert slow.evidence["learning rate times steps, about as far as a weight can go"] == pytest.approx(1e-3)
    assert found("G12", known(moving, {"training.learning_rate": 1e-5, "training.optimizer": "sgd"})) is None
    falling = run(np.linspace(1.39, 1.3, 100), end=BACKGROUND, logit_max=np.linspace(0.3, 2, 100))
    assert found("G12", known(falling, {"training.learning_rate": 1e-5})) is None
    assert found("G12", known(run(np.full(100, 1.39), end=BACKGROUND, dead=1.0))) is None


def test_zeros_for_weights() -> None:
    finding = fires("G13", known(changes={"training.initializer": "zeros"}), "error")
    assert finding.fix is not None
    assert finding.fix.changes == {"training.initializer": "glorot_uniform"}
    assert found("G13", known(changes={"training.initializer": "he_normal"})) is None


def test_negative_losses() -> None:
    falling = np.linspace(0.7, -1000, 100)
    fires("G14", known(run(falling, end=HALF)), "warning")
    seed = {"loss.name": "negative_dice", "loss.from_logits": False}
    made_so = fires("G14", known(run(np.linspace(-0.2, -0.98, 100)), seed, reads="probabilities"), "note")
    assert made_so.evidence["its floor"] == pytest.approx(-1)
    assert found("G14", known(run(np.append(LEARNING, -1e-7)))) is None  # rounding


def test_skipped_steps_of_float16() -> None:
    half = {"training.precision": "mixed_float16"}
    skipped = np.append(np.full(8, 1.4), np.geomspace(1.3, 0.5, 100))
    finding = fires("G15", known(run(skipped, end=HALF), half), "warning")
    assert finding.evidence["steps skipped"] == 7
    assert found("G15", known(run(skipped, end=HALF))) is None
    assert found("G15", known(run(LEARNING), half)) is None
    fires("G15", known(run(np.append(1.4, LEARNING)), half), "note")


def test_a_class_painted_over_the_others() -> None:
    weights = {"loss.class_weights": [1, 1, 1, 1000]}
    painted = [[5500, 0, 0, 1500], [0, 1200, 0, 300], [0, 0, 1180, 200], [0, 0, 0, 120]]
    finding = fires("G16", known(run(np.full(100, 0.9), end=painted), weights), "warning")
    assert (finding.evidence["missed"], finding.evidence["false"]) == (0, 2000)
    assert finding.evidence["IoU"] == pytest.approx(120 / 2120, rel=1e-3)
    assert found("G16", known(run(np.full(100, 0.9), end=painted))) is None
    assert found("G16", known(run(LEARNING), weights)) is None


def test_an_image_that_was_not_fitted_stands_alone_without_a_cause() -> None:
    roots = findings(known(run(np.append(np.geomspace(1.4, 0.8, 100), np.full(100, 0.8)), end=HALF)))
    assert codes_of(roots) == ["G17"]
    assert roots[0].evidence["IoU by class"]["class 3"] == pytest.approx(0.5)


def test_the_dead_gradient_explains_the_plateau_and_the_one_class() -> None:
    value = forms.clipped_plateau(W)
    told = {"computes": "intended_clipped", "reads": "probabilities", "clips": True}
    stuck = known(run(np.full(100, value), end=BACKGROUND, dead_wrong=1.0), PRESETS_STUCK, **told)
    roots = findings(stuck)
    pending, everything = list(roots), []
    while pending:
        finding = pending.pop()
        everything.append(finding.code)
        pending.extend(finding.consequences)
    assert {"G05", "G06", "G08", "G17"} <= set(everything)
    assert not {"G05", "G06", "G17"} & set(codes_of(roots))


def test_every_code_that_explains_something_exists() -> None:
    every = catalogue()
    for code in [c for c in every if c[0] in "GED"]:
        assert set(every[code].explained_by) <= set(every), code
        assert code not in every[code].explained_by


def softmax(z: Any) -> Any:
    return np.exp(z) / np.exp(z).sum(-1, keepdims=True)


ONE_HOT = np.repeat(np.eye(4), FOUR, axis=0)
COLLAPSED = np.repeat(np.eye(4)[:1], sum(FOUR), axis=0)


@pytest.mark.parametrize(
    ("changes", "told", "loss"),
    [
        ({}, {"reads": "activated"}, lambda y, p: -(y * np.log(softmax(p))).sum(-1).mean()),
        (
            {"head.activation": "sigmoid", "loss.name": "binary_crossentropy"},
            {"reads": "activated"},
            lambda y, p: np.mean(np.log1p(np.exp(-p)) * y + np.log1p(np.exp(p)) * (1 - y)),
        ),
        (
            {"head.activation": "sigmoid", "loss.name": "mean_squared_error"},
            {"reads": "probabilities"},
            lambda y, p: ((y - p) ** 2).mean(),
        ),
        (
            {"loss.name": "dice"},
            {"reads": "probabilities"},
            lambda y, p: 1 - 2 * (y * p).sum() / (y.sum() + p.sum()),
        ),
        (
            {"loss.name": "jaccard"},
            {"reads": "probabilities"},
            lambda y, p: 1 - (y * p).sum() / (y.sum() + p.sum() - (y * p).sum()),
        ),
        (
            {"loss.name": "tversky", "loss.alpha": 0.3, "loss.beta": 0.9},
            {"reads": "probabilities"},
            lambda y, p: 1 - (y * p).sum() / ((y * p).sum() + 0.3 * ((1 - y) * p).sum() + 0.9 * (y * (1 - p)).sum()),
        ),
    ],
)
def test_expected_losses_are_those_of_the_formula(changes: dict[str, Any], told: dict[str, Any], loss: Any) -> None:
    form = expected(known(changes=changes, **told))
    undecided = np.full_like(ONE_HOT, 0.5 if changes.get("head.activation") == "sigmoid" else 0.25)
    assert form.initial == pytest.approx(loss(ONE_HOT, undecided), rel=1e-6)
    assert form.floor == pytest.approx(loss(ONE_HOT, ONE_HOT), rel=1e-6, abs=1e-12)
    assert form.plateau(W) == pytest.approx(loss(ONE_HOT, COLLAPSED), rel=1e-6)


def test_expected_losses_of_tversky_where_keras_swaps_its_names() -> None:
    def start(alpha: float, beta: float, **told: Any) -> float | None:
        changes = {"head.activation": "sigmoid", "loss.name": "tversky", "loss.alpha": alpha, "loss.beta": beta}
        return expected(known(changes=changes, reads="probabilities", **told)).initial

    assert start(0.3, 0.9, swapped=True) == pytest.approx(start(0.9, 0.3))
    assert start(0.3, 0.9, swapped=True) != pytest.approx(start(0.3, 0.9))


def test_expected_losses_with_weights_void_and_reduction() -> None:
    weights = {"loss.class_weights": [1, 2, 3, 10]}
    by_pixel = np.repeat([1.0, 2, 3, 10], FOUR).mean()
    assert expected(known(changes=weights)).initial == pytest.approx(by_pixel * np.log(4))
    assert expected(known(void=0.25)).initial == pytest.approx(0.75 * np.log(4))
    summed = {"loss.reduction": "sum", "training.size": 64}
    assert expected(known(changes=summed)).initial == pytest.approx(64 * 64 * np.log(4))
    thread = {"head.activation": "sigmoid", "loss.name": "weighted_bce_dice", "loss.weighting": "in_loss"}
    assert expected(known(changes={**weights, **thread})).floor == pytest.approx(-2 * by_pixel)
    coefficient = 2 * 0.25 * 0.5 / (0.25 + 0.5)
    start = by_pixel * (np.log(2) - 1 - coefficient)
    assert expected(known(changes={**weights, **thread})).initial == pytest.approx(start)


def test_expected_losses_of_labels_that_do_not_sum_to_one() -> None:
    thick = LabelFacts(kind="rows", high=255.0, low=0.0, row_sums={255.0: 1.0})
    told = {"computes": "intended_clipped", "reads": "probabilities", "clips": True}
    form = expected(known(labels=thick, **told))
    assert form.initial == pytest.approx(255 * np.log(4))
    assert form.plateau(0.29981) == pytest.approx(1232.2, rel=1e-4)
    pairs = LabelFacts(kind="rows", high=1.0, low=0.0, row_sums={1.0: 0.5, 2.0: 0.5})
    assert expected(known(labels=pairs)).floor == pytest.approx(0.5 * 2 * np.log(2))


@pytest.mark.parametrize("computes", ["error", "broadcast", "wrong_axis"])
def test_nothing_is_expected_of_what_computes_nothing_known(computes: str) -> None:
    form = expected(known(computes=computes))
    assert (form.initial, form.floor, form.plateau(0.3)) == (None, None, None)


def test_no_plateau_where_the_loss_has_no_bound() -> None:
    form = expected(known())
    assert (form.initial, form.floor) == (pytest.approx(np.log(4)), 0)
    assert form.plateau(0.3) is None
