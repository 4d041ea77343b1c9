"""Families E and G: what the metric shows or hides, and how the network is trained."""

from __future__ import annotations

from typing import Any

from tests.faults.case import BCE, CCE, ONE_CHANNEL, SCCE, SPARSE, Case, changes, head, loss

__all__ = ["CASES"]

_GITHUB = "https://github.com/"
_LONGER: dict[str, Any] = {"training__steps": 150, "training__learning_rate": 0.003}
"""Until the common classes are learnt."""
_DEFAULT_IOU = {"metric.name": "mean_iou", "metric.decode": "raw"}

CASES = (
    Case(
        "GH-tf-39173",
        "https://github.com/tensorflow/tensorflow/issues/39173",
        "E1",
        "MeanIoU gets softmax probabilities and one-hot labels: it never changes.",
        frozenset({"E01", "E02"}),
        "three",
        changes(head("softmax"), loss(CCE), _DEFAULT_IOU, training__steps=90),
        runs=True,
        states_all=True,
    ),
    Case(
        "GH-tf-32875",
        "https://github.com/tensorflow/tensorflow/issues/32875",
        "E1",
        "MeanIoU gets ids and probabilities of another shape.",
        frozenset({"E05"}),
        "three",
        changes(head("softmax"), SPARSE, loss(SCCE), _DEFAULT_IOU, training__steps=120),
        runs=True,
        states_all=True,
    ),
    Case(
        "DSSE-106164",
        "https://datascience.stackexchange.com/questions/106164",
        "E1",
        "MeanIoU of sigmoid outputs without a threshold is flat from the first epoch.",
        frozenset({"E01", "E02", "E06"}),
        "binary_01",
        changes(head("sigmoid"), ONE_CHANNEL, loss(BCE), _DEFAULT_IOU, training__steps=120),
        runs=True,
        states_all=True,
    ),
    Case(
        "GH-keras-3098",
        "https://github.com/keras-team/keras/pull/3098",
        "E1",
        "Binary accuracy over one-hot channels is high whatever is predicted.",
        frozenset({"E02", "E03"}),
        "rare_of_five",
        changes(head("sigmoid"), loss(BCE), metric__name="binary_accuracy", **_LONGER),
        runs=True,
        states_all=True,
    ),
    Case(
        "SEED-002",
        "",
        "E2",
        "Five classes share one mean: the loss is small, four are learnt, and the rare one is not.",
        frozenset({"E03", "G07", "G09"}),
        "rare_of_five",
        changes(head("sigmoid"), loss(BCE), **_LONGER),
        runs=True,
    ),
    Case(
        "GH-divam-203",
        _GITHUB + "divamgupta/image-segmentation-keras/issues/203",
        "E2",
        "Pixel accuracy is high although a class is never found.",
        frozenset({"E03", "G07"}),
        "rare",
        changes(head("softmax"), loss(CCE), metric__name="accuracy", training__steps=100),
        runs=True,
    ),
    Case(
        "GH-deeplab-9844",
        "https://github.com/tensorflow/models/issues/9844",
        "E2",
        "A small object, a border that is ignored, and nothing but background predicted.",
        frozenset({"D01", "E03", "G07"}),
        "rare_void",
        changes(head("linear"), SPARSE, loss(SCCE, from_logits=True, ignore_class=255), training__steps=100),
        runs=True,
    ),
    Case(
        "GH-zhixuhao-241",
        _GITHUB + "zhixuhao/unet/issues/241",
        "G1",
        "Stopped long before it had learnt: every prediction is grey.",
        frozenset({"G11", "G12"}),
        "binary_01",
        changes(head("sigmoid"), ONE_CHANNEL, loss(BCE), training__learning_rate=0.00001, training__steps=60),
        runs=True,
    ),
)
