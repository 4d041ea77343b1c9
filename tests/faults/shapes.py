"""Family C: labels of another shape than the loss takes."""

from __future__ import annotations

from tests.faults.case import BCE, CCE, SPARSE, Case, changes, head, loss, target

__all__ = ["CASES"]

_GITHUB = "https://github.com/"

CASES = (
    Case(
        "GH-sm-137",
        _GITHUB + "qubvel/segmentation_models/issues/137",
        "C1",
        "An integer mask (H, W, 1) under categorical cross entropy.",
        frozenset({"T10"}),
        "five",
        changes(head("softmax", "activation_layer"), SPARSE, target(layout="trailing_axis"), loss(CCE)),
        states_all=True,
    ),
    Case(
        "GH-tksegnet-18",
        _GITHUB + "ykamikawa/tf-keras-SegNet/issues/18",
        "C1",
        "The model flattens its pixels before softmax; the one-hot labels are not flat.",
        frozenset({"T10"}),
        "five",
        changes(head("softmax", "after_reshape"), target(layout="spatial"), loss(CCE)),
        states_all=True,
    ),
    Case(
        "GH-keras-2526",
        "https://github.com/keras-team/keras/issues/2526",
        "C1",
        "The last layer has 32 channels; the binary mask has no channel axis.",
        frozenset({"T10", "T12"}),
        "binary_01",
        changes(
            head("sigmoid", "activation_layer", channels=32),
            target(reader="pillow", encoding="raw"),
            loss(BCE),
            training__size=48,
        ),
        states_all=True,
    ),
)
