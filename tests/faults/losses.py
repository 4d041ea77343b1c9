"""Families D and F: weights, and how the loss is defined."""

from __future__ import annotations

from tests.faults.case import BCE, CCE, ONE_CHANNEL, SCCE, SPARSE, Case, changes, head, loss

__all__ = ["CASES"]

_GITHUB = "https://github.com/"
_REFUSED = frozenset({"L23"})
_AS_ARGUMENT = {"loss.class_weights": [1.0, 5.0], "loss.weighting": "class_weight"}

CASES = (
    Case(
        "GH-keras-3653",
        "https://github.com/keras-team/keras/issues/3653",
        "D1",
        "class_weight in fit with a one-hot label for each of the flattened pixels.",
        _REFUSED,
        "binary_01",
        changes(head("softmax", "after_reshape"), loss(CCE), _AS_ARGUMENT),
        states_all=True,
    ),
    Case(
        "GH-keras-5437",
        "https://github.com/keras-team/keras/issues/5437",
        "D1",
        "class_weight in fit with a binary mask.",
        _REFUSED,
        "binary_01",
        changes(head("sigmoid"), ONE_CHANNEL, loss(BCE), _AS_ARGUMENT),
        states_all=True,
    ),
    Case(
        "GH-keras-16674",
        "https://github.com/keras-team/keras/issues/16674",
        "D1",
        "class_weight in fit with one-hot masks of four classes.",
        _REFUSED,
        "four",
        changes(head("softmax"), loss(CCE, class_weights=[1.0, 2.0, 2.0, 4.0], weighting="class_weight")),
        states_all=True,
    ),
    Case(
        "GH-sm-508",
        _GITHUB + "qubvel/segmentation_models/issues/508",
        "D2",
        "The background's weight in Dice is 0: half of the mean IoU cannot be reached.",
        frozenset({"L21", "L24"}),
        "binary_01",
        changes(head("softmax"), loss("dice", class_weights=[0.0, 1.0], weighting="in_loss")),
    ),
    Case(
        "GH-deeplab-4524",
        "https://github.com/tensorflow/models/issues/4524",
        "D2",
        "The object weighs 500 times as much as the background; 5 was right.",
        frozenset({"G16", "L20"}),
        "binary_01",
        changes(head("linear"), SPARSE, loss(SCCE, from_logits=True, class_weights=[1.0, 500.0])),
    ),
    Case(
        "GH-akirasosa-24",
        _GITHUB + "akirasosa/mobile-semantic-segmentation/issues/24",
        "F2",
        "The loss is minus the Dice coefficient, so it is negative.",
        frozenset({"G14", "L11"}),
        "binary_01",
        changes(head("sigmoid"), ONE_CHANNEL, loss("negative_dice")),
    ),
)
