"""What is known of Keras 3.15.1 on TensorFlow, seen in the losses of our own step: values at a uniform prediction,
and which heads a loss is swapped to the logits of (the "rescue").

The values follow from the formulas; the groups were measured on that version and are facts about it, not about us:
another Keras may fail them, and would then be news.
"""

from __future__ import annotations

from math import log
from typing import Any

import numpy as np
import pytest

from segdebug.errors import KerasRefusal
from segdebug.experiment import Experiment
from segdebug.overfit import overfit
from tests.fidelity.pictures import binary
from tests.fidelity.reference import Picture
from tests.fidelity.sides import scene_of

K = 4
CCE, SCCE, BCE = "categorical_crossentropy", "sparse_categorical_crossentropy", "binary_crossentropy"
CAT_FOCAL, BIN_FOCAL = "categorical_focal_crossentropy", "binary_focal_crossentropy"
ATTACHED = ("layer", "activation_layer", "layer_class", "ops", "after_reshape")
DETACHED = ("then_reshape", "then_dropout", "then_lambda")
_FLAT = ("after_reshape", "then_reshape")


def _softplus(x: float) -> float:
    return float(np.log1p(np.exp(x)))


def _picture(n_classes: int = K) -> Picture:
    rng = np.random.default_rng(0)
    ids = rng.integers(0, n_classes, (8, 8)).astype(np.int32)
    return Picture(rng.random((8, 8, 3), np.float32), ids, n_classes, np.ones((8, 8), bool), stated=(0, 1, 2, 3))


def _losses(
    activation: str,
    loss: str,
    from_logits: bool = False,
    attachment: str = "activation_layer",
    picture: Picture | None = None,
    changes: dict[str, Any] | None = None,
) -> Any:
    sparse = loss.startswith("sparse")
    experiment = Experiment().changed(
        {
            "model.filters": 4,
            "model.depth": 0,
            "head.activation": activation,
            "head.attachment": attachment,
            "target.encoding": "sparse" if sparse else "one_hot",
            "target.layout": "flat" if attachment in _FLAT else "spatial",
            "loss.name": loss,
            "loss.from_logits": from_logits,
            "metric.name": "binary_accuracy",
            "training.size": 8,
            "training.steps": 5,
            "training.optimizer": "sgd",
            "training.learning_rate": 0.5,
            "training.input_range": "0..255",
            **(changes or {}),
        }
    )
    return overfit(scene_of(picture or _picture()), experiment, diagnosed=False).trace.loss


@pytest.mark.parametrize(
    ("activation", "loss", "from_logits", "attachment", "expected"),
    [
        ("softmax", CCE, False, "layer", log(K)),
        ("softmax", CCE, True, "then_reshape", log(K)),  # double softmax: the start does not show it
        ("linear", SCCE, True, "layer", log(K)),
        ("log_softmax", SCCE, False, "layer", log(K)),
        ("relu", SCCE, False, "layer", log(K)),
        ("softmax", CAT_FOCAL, False, "layer", 0.25 * (1 - 1 / K) ** 2 * log(K)),
        ("sigmoid", BCE, False, "layer", log(2)),
        ("sigmoid", BIN_FOCAL, False, "layer", 0.25 * log(2)),
        ("sigmoid", BCE, True, "then_lambda", (_softplus(-0.5) + (K - 1) * _softplus(0.5)) / K),
        ("softmax", BCE, False, "then_lambda", (log(K) - (K - 1) * log(1 - 1 / K)) / K),
        ("softmax", "dice", False, "layer", 1 - 1 / K),
        ("sigmoid", "dice", False, "layer", K / (K + 2)),
    ],
)
def test_first_loss_of_a_uniform_prediction(
    activation: str, loss: str, from_logits: bool, attachment: str, expected: float
) -> None:
    found = _losses(activation, loss, from_logits, attachment, changes={"training.initializer": "zeros"})
    assert found[0] == pytest.approx(expected, rel=1e-5)


def test_one_softmax_channel_has_no_loss() -> None:
    found = _losses("softmax", CCE, picture=binary(), changes={"head.channels": 1})
    np.testing.assert_array_equal(found, 0.0)  # softmax of one number is 1


def test_labels_of_255_fall_without_end() -> None:
    raw = {"target.reader": "pillow", "target.encoding": "raw", "target.layout": "trailing_axis"}
    found = _losses(
        "sigmoid", BCE, picture=binary(), changes=raw | {"head.channels": 1, "training.initializer": "zeros"}
    )
    assert found[0] == pytest.approx(log(2), rel=1e-5)  # softplus(0) - 255 * 0
    assert found[1] < -1000


@pytest.mark.parametrize("attachment", ATTACHED)
@pytest.mark.parametrize("from_logits", [False, True])
def test_attached_softmax_trains_from_its_logits(attachment: str, from_logits: bool) -> None:
    np.testing.assert_allclose(
        _losses("softmax", CCE, from_logits, attachment), _losses("linear", CCE, True), rtol=1e-5
    )


@pytest.mark.parametrize("attachment", DETACHED)
def test_detached_softmax_is_applied_twice(attachment: str) -> None:
    found = _losses("softmax", CCE, True, attachment)
    assert abs(found[0] - _losses("linear", CCE, True)[0]) > 0.01
    if attachment != "then_dropout":
        again = _losses("softmax", CCE, True, "then_lambda")
        np.testing.assert_allclose(found, again, rtol=1e-5)


@pytest.mark.parametrize(
    ("activation", "loss", "swapped"), [("sigmoid", CCE, CCE), ("softmax", BCE, BCE), ("sigmoid", SCCE, SCCE)]
)
def test_the_swap_does_not_ask_whose_logits_they_are(activation: str, loss: str, swapped: str) -> None:
    for from_logits in (False, True):
        np.testing.assert_allclose(_losses(activation, loss, from_logits), _losses("linear", swapped, True), rtol=1e-5)


@pytest.mark.parametrize(("activation", "loss"), [("softmax", CCE), ("sigmoid", BCE)])
def test_raw_tf_nn_is_swapped_in_a_graph_and_never_eagerly(activation: str, loss: str) -> None:
    right = _losses("linear", loss, True)
    eager = {"training.execution": "eager"}
    xla = {"training.execution": "xla"}
    np.testing.assert_allclose(_losses(activation, loss, True, "lambda_tf"), right, rtol=1e-5)
    np.testing.assert_allclose(_losses(activation, loss, True, "lambda_tf", changes=xla), right, rtol=1e-5)
    assert abs(_losses(activation, loss, True, "lambda_tf", changes=eager)[0] - right[0]) > 0.01
    np.testing.assert_allclose(_losses(activation, loss, True, changes=eager), right, rtol=1e-5)


def test_focal_loss_from_logits_is_never_swapped() -> None:
    double = _losses("softmax", CAT_FOCAL, True)
    np.testing.assert_allclose(double, _losses("softmax", CAT_FOCAL, True, "then_lambda"), rtol=1e-5)
    assert abs(double[0] - _losses("linear", CAT_FOCAL, True)[0]) > 1e-3


def test_ignore_class_removes_the_swap() -> None:
    kept = _losses("softmax", SCCE, True)
    lost = _losses("softmax", SCCE, True, changes={"loss.ignore_class": 255})
    np.testing.assert_allclose(kept, _losses("linear", SCCE, True), rtol=1e-5)
    assert abs(lost[0] - kept[0]) > 0.01


def test_mixed_precision_removes_the_swap_unless_the_activation_is_float32() -> None:
    half = {"training.precision": "mixed_bfloat16"}
    right = _losses("linear", CCE, True, changes=half)
    assert _losses("softmax", CCE, True, "float32_layer", changes=half)[0] == pytest.approx(right[0], rel=0.02)
    assert abs(_losses("softmax", CCE, True, changes=half)[0] - right[0]) > 0.05 * right[0]


def test_dead_objectives_stay_where_they_are() -> None:
    np.testing.assert_allclose(_losses("log_softmax", SCCE), log(K), rtol=1e-5)
    assert np.isnan(_losses("relu", CCE, changes={"training.initializer": "zeros"})[0])


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"target.encoding": "sparse_one_based", "loss.name": SCCE}, "outside the valid range"),
        ({"target.encoding": "sparse"}, "same rank"),
        ({"target.encoding": "sparse", "target.layout": "trailing_axis"}, "same shape"),
        ({"loss.name": SCCE, "target.encoding": "one_hot"}, "must have rank"),
        ({"loss.name": SCCE, "loss.axis": 1}, "Only axis=-1 is currently supported"),
        (
            {"loss.class_weights": [1, 1, 1, 9], "loss.weighting": "class_weight"},
            "0-dimensional arrays can be converted",
        ),
    ],
)
def test_what_keras_refuses_in_its_own_words(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(KerasRefusal) as refused:
        _losses("softmax", changes.get("loss.name", CCE), changes=changes)
    assert says in refused.value.original
