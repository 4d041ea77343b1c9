"""Family Z: questions about configurations that are right. Nothing may be said against them."""

from __future__ import annotations

from tests.faults.case import BCE, CCE, ONE_CHANNEL, SCCE, SPARSE, SPARSE_FILE, Case, changes, head, loss, target

__all__ = ["CASES"]

_NOTHING: frozenset[str] = frozenset()

CASES = (
    Case(
        "GH-divam-275",
        "https://github.com/divamgupta/image-segmentation-keras/issues/275",
        "Z0",
        "Softmax before categorical cross entropy was taken for a second softmax, as it would be in PyTorch.",
        _NOTHING,
        "four",
        changes(head("softmax", "activation_layer"), loss(CCE)),
    ),
    Case(
        "SEED-004",
        "",
        "Z0",
        "A sigmoid layer before binary cross entropy was taken for a second sigmoid.",
        _NOTHING,
        "binary_01",
        changes(head("sigmoid"), ONE_CHANNEL, loss(BCE)),
    ),
    Case(
        "GH-mrcnn-427",
        "https://github.com/matterport/Mask_RCNN/issues/427",
        "Z0",
        "The loss reads the logits, and the probabilities are another output.",
        _NOTHING,
        "three",
        changes(head("linear"), SPARSE, loss(SCCE, from_logits=True)),
    ),
    Case(
        "SO-outact",
        "https://it.cha138.com/zhidao/show-16118901.html",
        "Z0",
        "Softmax or sigmoid for three exclusive classes; softmax it is.",
        _NOTHING,
        "three",
        changes(head("softmax"), loss(CCE)),
        states_all=True,
    ),
    Case(
        "SO-74694933",
        "https://stackoverflow.com/questions/74694933",
        "Z0",
        "The answer's advice for classes that overlap: sigmoid and binary cross entropy.",
        _NOTHING,
        "overlapping",
        changes(head("sigmoid"), target(encoding="raw"), loss(BCE)),
    ),
    Case(
        "SE-246287",
        "https://stats.stackexchange.com/questions/246287",
        "Z0",
        "Two softmax channels do for object and background as well as one sigmoid.",
        _NOTHING,
        "binary_01",
        changes(head("softmax"), loss(CCE)),
    ),
    Case(
        "GH-nicolov-14",
        "https://github.com/nicolov/segmentation_keras/issues/14",
        "Z0",
        "Masks of small ids look black, and are right.",
        _NOTHING,
        "five",
        changes(head("softmax"), SPARSE_FILE, loss(SCCE)),
    ),
)
