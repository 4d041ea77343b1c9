"""Rules on the metric and on display: where they fire, and sound twins."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from segdebug.finding import Finding
from segdebug.rules import catalogue
from segdebug.rules.known import Known
from tests.rules.traces import FOUR, known, run

CODES = [code for code in catalogue() if code[0] in "ED"]
LEARNING = np.geomspace(1.4, 0.01, 200)
SINGLE = {"head.activation": "linear", "loss.name": "binary_crossentropy", "loss.from_logits": True}


def found(code: str, about: Known) -> Finding | None:
    return catalogue()[code].finding(about)


def fires(code: str, about: Known, severity: str) -> Finding:
    finding = found(code, about)
    assert finding is not None
    assert finding.severity == severity
    assert finding.evidence
    if finding.fix is not None:
        about.experiment.changed(finding.fix.changes)
    return finding


@pytest.mark.parametrize("code", [c for c in CODES if c != "D01"])
@pytest.mark.parametrize("trace", [None, run(LEARNING, metric=np.linspace(0.2, 1.0, 9).tolist())])
def test_a_metric_that_agrees_is_left_alone(code: str, trace: Any) -> None:
    assert found(code, known(trace)) is None


def test_mean_iou_of_probabilities_is_a_constant() -> None:
    raw = {"metric.decode": "raw"}
    y = np.eye(3)[np.arange(30) % 3].ravel().astype(int)
    counted = [np.sum((y == c) & True) / y.size if c == 0 else 0.0 for c in (0, 1)]  # all predictions are 0
    static = fires("E01", known(changes=raw, pixels=(10, 10, 10)), "warning")
    assert static.evidence["what it will print"] == pytest.approx(np.mean(counted), abs=1e-4)
    assert np.mean(counted) == pytest.approx(1 / 3)
    moved = fires("E01", known(run(LEARNING, metric=[0.375] * 6), raw), "warning")
    assert moved.evidence["printed at every step looked at"] == pytest.approx(0.375)
    assert found("E01", known(run(LEARNING, metric=[0.37, 0.38, 0.4]), raw)) is None
    still = run(LEARNING, metric=[0.375] * 6, start=np.diag(FOUR))
    assert found("E01", known(still)) is None  # nothing moved, and so the metric need not
    assert found("E01", known(changes={"metric.name": "one_hot_mean_iou", "metric.decode": "raw"})) is None


def test_a_metric_that_prints_another_figure() -> None:
    finding = fires("E02", known(run(LEARNING, metric=[0.2, 0.5, 0.7])), "warning")
    assert (finding.evidence["the metric"], finding.evidence["mean IoU"]) == (0.7, 1.0)
    assert found("E02", known(run(LEARNING, metric=[0.2, 0.5, 0.95]))) is None
    fires("E02", known(run(LEARNING, metric=[0.2, 0.5, 0.7]), overlapping=True), "note")
    assert found("E02", known(run(LEARNING, metric=[0.2, 0.5, 0.7]), {"metric.name": "accuracy"})) is None


def test_an_accuracy_that_hides_a_class() -> None:
    missed = np.diag(FOUR)
    missed[3] = 120, 0, 0, 0
    about = known(run(LEARNING, end=missed, metric=[0.7, 0.9, 0.988]), {"metric.name": "accuracy"})
    assert fires("E03", about, "warning").evidence["classes lost"] == ["class 3"]
    all_found = known(run(LEARNING, metric=[0.7, 0.9, 1.0]), {"metric.name": "accuracy"})
    assert found("E03", all_found) is None


def test_argmax_and_threshold_that_disagree() -> None:
    nothing = [[0, 0, 0, 0], [0, 0, 0, 0], FOUR]
    sigmoid = {"head.activation": "sigmoid"}
    split = run(LEARNING, threshold_end=nothing)
    fires("E04", known(split, {**sigmoid, "loss.name": "binary_crossentropy"}), "note")
    fires("E04", known(split, sigmoid, computes="substituted"), "warning")
    assert found("E04", known(run(LEARNING), sigmoid)) is None
    assert found("E04", known(split)) is None  # an unsure softmax is no fault
    logits = {"head.activation": "linear", "loss.from_logits": True}
    assert found("E04", known(split, logits)) is None  # a logit above 0 says nothing under softmax


def test_a_refused_metric_has_keras_words_and_the_right_call() -> None:
    sparse = {"target.encoding": "sparse", "loss.name": "sparse_categorical_crossentropy", "metric.decode": "raw"}
    about = known(run(LEARNING, metric_error="Shapes differ. Keras says: Incompatible shapes: [32] vs. [96]"), sparse)
    finding = fires("E05", about, "warning")
    assert finding.evidence["Keras says"] == "Incompatible shapes: [32] vs. [96]"
    assert finding.fix is not None
    assert "sparse_y_pred=False" in finding.fix.code


@pytest.mark.parametrize(
    ("changes", "to"),
    [
        ({**SINGLE, "metric.decode": "threshold_0.5"}, "threshold_0"),
        ({**SINGLE, "metric.name": "binary_iou", "metric.decode": "raw"}, "threshold_0"),
        ({"metric.decode": "threshold_0"}, "threshold_0.5"),
    ],
)
def test_thresholds_of_another_output(changes: dict[str, Any], to: str) -> None:
    finding = fires("E06", known(changes=changes), "warning")
    assert finding.fix is not None
    assert finding.fix.changes["metric.decode"] == to
    assert found("E06", known(changes={**changes, "metric.decode": to})) is None
    assert found("E06", known(changes={**changes, "metric.decode": "argmax"})) is None


def test_class_ids_that_look_black() -> None:
    assert fires("D01", known(run(LEARNING)), "note").evidence["largest class id"] == 3
    assert found("D01", known(run(LEARNING, outcome="cancelled"))) is None
    assert found("D01", known(run(LEARNING, end=[[7000, 0], [3000, 0]]), pixels=(7000, 3000))) is None
    many = known(run(LEARNING, end=np.diag([10] * 40)), pixels=[10] * 40)
    assert found("D01", many) is None
