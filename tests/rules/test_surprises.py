"""What surprises people about a head and its loss: each is found, with its evidence, and silent on its sound twin.

Each number is worked out here by its own formula. What surprises about labels, weights and metrics is in
`test_surprises_of_data`.
"""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest

from segdebug import Experiment, check, overfit
from tests.rules.surprising import GREY, W, codes, every, tiny
from tests.scenes import blocks

BANDS = blocks()
K = 4
MOST = -math.log(1e-7)
"""What a pixel costs at the clip."""

SIGMOID_CCE = tiny("softmax_cce", head__activation="sigmoid")
SOFTMAX_BCE = tiny("sigmoid_bce", head__activation="softmax")
FOCAL = tiny("softmax_cce", loss__name="categorical_focal_crossentropy")
COLLAPSE = {"training.steps": 60, "training.learning_rate": 1.0}
"""Steps so large that every pixel is surely the commonest class."""


def sound(experiment: Experiment) -> None:
    diagnosis = check(experiment, BANDS)
    assert (diagnosis.verdict, diagnosis.findings) == ("sound", ())


def history(experiment: Experiment) -> list[float]:
    """What eight steps print."""
    run = overfit(BANDS, experiment.changed({"training.steps": 8}))
    return [float(loss) for loss in run.trace.loss]


def test_1_a_softmax_told_to_be_logits_is_rescued() -> None:
    rescued, right = tiny("softmax_cce_logits"), tiny("linear_cce_logits")
    diagnosis = check(rescued, BANDS)
    assert (diagnosis.verdict, diagnosis.computes) == ("works_by_rescue", "rescued")
    evidence = every(diagnosis)["H10"].evidence
    assert evidence["evaluate prints"] > 1.1 * evidence["loss(y, model.predict(x)) is"]
    assert "from_logits=True" in str(evidence["Keras warns"])
    assert history(rescued) == history(right)  # to the bit
    sound(right)
    sound(tiny("softmax_cce"))


def test_2_a_reshape_makes_it_a_double_softmax_without_a_word() -> None:
    double = tiny("softmax_reshape_cce_logits")
    diagnosis = check(double, GREY)
    assert (diagnosis.verdict, diagnosis.computes) == ("broken", "double_activation")
    assert diagnosis.semantics.warnings == ()
    assert every(diagnosis)["H01"].evidence["most that it can be sure of, e / (e + K - 1)"] == pytest.approx(
        math.e / (math.e + 3)
    )
    plateau = math.log(math.e + 3) - 1 + W
    assert plateau == pytest.approx(1.0435, abs=1e-4)
    run = overfit(GREY, double.changed(COLLAPSE))
    assert run.trace.loss[-1] == pytest.approx(plateau, abs=1e-4)
    assert every(run.diagnosis)["G05"].evidence["its value"] == pytest.approx(plateau, abs=1e-3)
    # Undecided, both print log K, and the double softmax follows it K times more slowly.
    first = {"training.initializer": "zeros", "training.steps": 1}
    twice, once = (overfit(BANDS, e.changed(first)).trace for e in (double, tiny("linear_cce_logits")))
    assert twice.loss[0] == pytest.approx(math.log(K))
    assert once.loss[0] == pytest.approx(math.log(K))
    np.testing.assert_allclose(twice.snapshots[0].gradient, once.snapshots[0].gradient / K, rtol=1e-5)
    sound(double.changed({"head.activation": "linear"}))


def test_3_what_follows_the_softmax_decides_whether_it_is_clipped() -> None:
    clipped = tiny("softmax_reshape_cce")
    diagnosis = check(clipped, GREY)
    assert (diagnosis.verdict, diagnosis.computes) == ("suboptimal", "intended_clipped")
    assert every(diagnosis)["H11"].evidence["confidently wrong pixels without any gradient"] == 1
    assert diagnosis.plateau == pytest.approx(MOST * W, rel=1e-5)
    run = overfit(GREY, clipped.changed({**COLLAPSE, "training.optimizer": "sgd", "training.learning_rate": 100.0}))
    assert run.trace.loss[-1] == pytest.approx(MOST * W, rel=1e-5)
    assert run.trace.scalar("pixel_loss_max")[-1] == pytest.approx(MOST)
    assert run.trace.scalar("dead_wrong")[-1] == 1
    assert every(run.diagnosis)["H11"].severity == "error"
    assert every(run.diagnosis)["G05"].evidence["formula"] == "16.118 w"
    sound(clipped.changed({"head.attachment": "after_reshape"}))
    sound(tiny("softmax_cce", head__attachment="activation_layer"))


def test_4_a_sigmoid_under_categorical_cross_entropy_trains_as_a_softmax() -> None:
    diagnosis = check(SIGMOID_CCE, BANDS)
    assert diagnosis.computes == "substituted"
    evidence = every(diagnosis)["H06"].evidence
    assert evidence["evaluate prints"] > 1.1 * evidence["loss(y, model.predict(x)) is"]
    assert evidence["sum of an output row"][1] > 2
    assert history(SIGMOID_CCE) == history(tiny("linear_cce_logits"))
    run = overfit(BANDS, SIGMOID_CCE.changed({"training.steps": 60, "training.learning_rate": 0.03}))
    split = every(run.diagnosis)["E04"].evidence
    assert split["mean IoU by argmax"] > 0.95
    assert split["mean IoU at 0.5"] < 0.8
    sound(SIGMOID_CCE.changed({"head.activation": "softmax"}))


def test_5_a_softmax_under_binary_cross_entropy_trains_as_sigmoids() -> None:
    diagnosis = check(SOFTMAX_BCE, BANDS)
    assert diagnosis.computes == "substituted"
    evidence = every(diagnosis)["H06"].evidence
    assert evidence["evaluate prints"] > 1.05 * evidence["loss(y, model.predict(x)) is"]
    assert evidence["sum of an output row"] == pytest.approx([1, 1])  # it cannot say "none of them"
    assert history(SOFTMAX_BCE) == history(tiny("linear_bce_logits"))
    sound(tiny("sigmoid_bce"))


def test_6_the_warning_names_another_activation_and_comes_once() -> None:
    told = SIGMOID_CCE.changed({"loss.from_logits": True})
    diagnosis = check(told, BANDS)
    assert dict(every(diagnosis)["H15"].evidence) == {"Keras says": "softmax", "the head has": "sigmoid"}
    for seed in range(3):  # every run hears it
        run = overfit(BANDS, told.changed({"training.steps": 1, "training.seed": seed}))
        assert ["produced by a Softmax" in text for text in run.keras_warnings] == [True]
    assert _heard_by_default() == 1
    named_rightly = check(tiny("sigmoid_bce_logits"), BANDS)
    assert named_rightly.semantics.names_activation == "sigmoid"
    assert "H15" not in codes(named_rightly)


def _heard_by_default() -> int:
    """How often three models in a row warn under Python's default filter."""
    import keras

    x, y = np.ones((1, 4, 4, 3), np.float32), np.eye(K, dtype=np.float32)[np.zeros((1, 4, 4), int)]
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("default")
        for _ in range(3):
            model = keras.Sequential([keras.Input((4, 4, 3)), keras.layers.Conv2D(K, 1, activation="sigmoid")])
            model.compile("sgd", keras.losses.CategoricalCrossentropy(from_logits=True))
            model.train_on_batch(x, y)
    return sum("produced by a Softmax" in str(warning.message) for warning in heard)


def test_7_ignore_class_turns_the_rescue_into_a_double_softmax() -> None:
    told = tiny("softmax_scce", loss__from_logits=True)
    before, after = check(told, BANDS), check(told.changed({"loss.ignore_class": 255}), BANDS)
    assert (before.computes, before.floor, len(before.semantics.warnings)) == ("rescued", 0, 1)
    assert (after.computes, len(after.semantics.warnings)) == ("double_activation", 0)
    assert after.floor == pytest.approx(math.log(math.e + K - 1) - 1)
    assert every(after)["L04"].severity == "error"
    assert "L04" not in codes(before)
    sound(tiny("linear_scce_logits"))
    assert "L04" in codes(check(tiny("softmax_scce", loss__ignore_class=255), BANDS))  # clipped now


def _focal(p: float) -> float:
    return -0.25 * (1 - p) ** 2 * math.log(p)


def test_8_focal_loss_of_logits_is_never_rescued_and_never_warns() -> None:
    double = FOCAL.changed({"loss.from_logits": True})
    diagnosis = check(double, GREY)
    assert (diagnosis.verdict, diagnosis.computes) == ("broken", "double_activation")
    assert diagnosis.semantics.warnings == ()
    right, wrong = math.e / (math.e + K - 1), 1 / (math.e + K - 1)
    plateau = (1 - W) * _focal(right) + W * _focal(wrong)
    assert plateau == pytest.approx(0.1248, abs=1e-4)
    run = overfit(GREY, double.changed(COLLAPSE))
    assert run.trace.loss[-1] == pytest.approx(plateau, rel=1e-4)
    assert every(run.diagnosis)["G05"].evidence["its value"] == pytest.approx(plateau, rel=1e-3)
    for twin in (FOCAL, double.changed({"head.activation": "linear"})):
        assert check(twin, BANDS).verdict == "sound"
        assert codes(check(twin, BANDS)) == {"L03"}
    saturated = {"training.input_range": "0..255", "training.initializer": "he_normal", "training.steps": 1}
    assert overfit(BANDS, FOCAL.changed(saturated)).trace.scalar("pixel_loss_max")[0] == pytest.approx(MOST / 4)


def test_9_half_precision_hides_the_logits_and_skips_steps() -> None:
    half = tiny("softmax_cce", training__precision="mixed_float16")
    diagnosis = check(half, BANDS)
    assert diagnosis.computes == "intended_clipped"
    assert every(diagnosis)["H13"].evidence["confidently wrong pixels without any gradient"] == 1
    steep = {"training.input_range": "0..255", "training.initializer": "he_normal", "training.steps": 50}
    run = overfit(BANDS, half.changed(steep))
    skipped = int((run.trace.loss == run.trace.loss[0]).sum()) - 1  # nothing but an update changes it
    assert skipped > 2
    assert every(run.diagnosis)["G15"].evidence["steps skipped"] == skipped
    assert every(run.diagnosis)["G15"].severity == "warning"
    full = half.changed({"head.attachment": "float32_layer"})
    sound(full)
    twin = overfit(BANDS, full.changed({"training.steps": 50, "training.learning_rate": 0.1}))
    assert twin.diagnosis is not None
    assert twin.diagnosis.verdict == "sound"
    assert "G15" not in codes(twin.diagnosis)


def test_12_logits_taken_for_probabilities_go_the_wrong_way() -> None:
    wrong = tiny("linear_cce")
    diagnosis = check(wrong, BANDS)
    assert (diagnosis.verdict, diagnosis.computes) == ("broken", "logits_as_probabilities")
    evidence = every(diagnosis)["H02"].evidence
    assert evidence["cosine of the gradient with the one that was meant"] < 0
    low, high = evidence["outputs on the probe"]
    assert low < 0
    assert high > 1
    assert overfit(BANDS, wrong.changed({"training.steps": 1})).trace.loss[0] > 2 * math.log(K)
    sound(wrong.changed({"loss.from_logits": True}))


def test_13_log_softmax_turns_the_objective_round() -> None:
    wrong = tiny("softmax_cce", head__activation="log_softmax", model__depth=1)
    diagnosis = check(wrong, BANDS)
    assert (diagnosis.verdict, diagnosis.computes) == ("broken", "log_probabilities_misused")
    assert every(diagnosis)["H05"].evidence["cosine of the gradient with the one that was meant"] < -0.3
    run = overfit(BANDS, wrong.changed({"training.steps": 80, "training.learning_rate": 0.01}))
    assert run.trace.loss[-1] < 0.3
    assert run.trace.mean_iou()[-1] == 0
    assert "G09" in codes(run.diagnosis)
    sparse = tiny("softmax_scce", head__activation="log_softmax", training__steps=3)
    still = overfit(BANDS, sparse)
    assert still.trace.loss == pytest.approx(math.log(K), abs=1e-5)
    assert not still.trace.scalar("gradient_max").any()
    assert every(still.diagnosis)["H05"].evidence["norm of the gradient against it"] == 0
    sound(wrong.changed({"loss.from_logits": True}))  # softmax of log-probabilities gives them back
    sound(wrong.changed({"head.activation": "linear", "loss.from_logits": True}))


def test_14_dropout_after_the_softmax_makes_two_losses() -> None:
    dropped = tiny("softmax_cce", head__attachment="then_dropout")
    evidence = every(check(dropped, BANDS))["H12"].evidence
    training, evaluated = evidence["loss in training"], evidence["evaluate prints, with the same weights"]
    assert abs(training - evaluated) > 0.05 * evaluated
    # A dropped probability of the true class costs all that a pixel can, in a network that is sure of nothing.
    first = {"training.steps": 1, "training.initializer": "zeros"}
    run = overfit(BANDS, dropped.changed(first))
    assert run.trace.scalar("pixel_loss_max")[0] == pytest.approx(MOST)
    kept = dropped.changed({"head.attachment": "layer"})
    assert overfit(BANDS, kept.changed(first)).trace.scalar("pixel_loss_max")[0] == pytest.approx(math.log(K))
    sound(kept)


def test_15_an_unscaled_image_starts_saturated() -> None:
    raw = tiny(
        "softmax_reshape_cce",
        training__input_range="0..255",
        training__initializer="he_normal",
        training__steps=50,
        model__depth=1,
    )
    run = overfit(BANDS, raw)
    dead = float(run.trace.scalar("dead_wrong")[0])
    assert dead > 0.8
    assert run.trace.loss[0] > 5 * math.log(K)
    finding = every(run.diagnosis)["G01"]
    assert finding.severity == "error"
    assert finding.evidence["wrong pixels without gradient at the first step"] == pytest.approx(dead, rel=1e-3)
    assert finding.evidence["loss of an untrained network"] == pytest.approx(math.log(K), rel=1e-3)
    assert finding.evidence["first loss"] == pytest.approx(float(run.trace.loss[0]), rel=1e-3)
    scaled = raw.changed({"training.input_range": "0..1", "head.attachment": "after_reshape"})
    twin = overfit(BANDS, scaled)
    assert twin.trace.loss[0] < 3 * math.log(K)
    assert codes(twin.diagnosis).isdisjoint({"G01", "G02", "G08"})
    assert "G01" not in codes(check(scaled, BANDS))
