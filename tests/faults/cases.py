"""All reports: those that a configuration can express, and why the others are left out."""

from __future__ import annotations

from tests.faults import files, heads, ids, losses, ranges, shapes, sound, training
from tests.faults.case import Case

__all__ = ["CASES", "LEFT_OUT"]

CASES: tuple[Case, ...] = (
    *heads.CASES,
    *ranges.CASES,
    *ids.CASES,
    *files.CASES,
    *shapes.CASES,
    *losses.CASES,
    *training.CASES,
    *sound.CASES,
)

_NO_CAUSE = "its cause was never established"
_AFTERWARDS = "the fault is in how a prediction is shown, after the configuration"
_PAIRS = "image and mask are drawn apart by augmentation; here there is one pair"
_NOT_IN_LOSS = "argmax or rounding inside the loss is no loss of the vocabulary"
_KERAS_TAKES_IT = "Keras 3 casts labels, and takes pixel weights, that older versions refused"
_IN_LIBRARY = "the fault is inside a library's own loss, which no loss of the vocabulary repeats"

LEFT_OUT: dict[str, str] = {
    "SEED-003": _NOT_IN_LOSS,
    "GH-keras-2994": _NOT_IN_LOSS,
    "GH-golb-6": _NOT_IN_LOSS,
    "GH-milesial-271": _NO_CAUSE,
    "GH-sm-403": _NO_CAUSE,
    "GH-sm-207": _NO_CAUSE,
    "SO-58111350": _NO_CAUSE,
    "GH-zerocost-21": _NO_CAUSE,
    "GH-bonlime-66": _NO_CAUSE,
    "GH-mlyg-13": _NO_CAUSE,
    "GH-milesial-305": _NO_CAUSE,
    "GH-milesial-440": _NO_CAUSE,
    "GH-zhixuhao-48": _NO_CAUSE,
    "GH-sm-21": _NO_CAUSE,
    "SO-lasttwo": _NO_CAUSE,
    "GH-sm-126": _AFTERWARDS,
    "GH-zhixuhao-132": _AFTERWARDS,
    "GH-milesial-329": _AFTERWARDS,
    "GH-keraspp-236": _PAIRS,
    "GH-keraspp-125": _PAIRS,
    "GH-zfturbo-19": _KERAS_TAKES_IT,
    "GH-sm-592": _KERAS_TAKES_IT,
    "GH-keras-7120": _KERAS_TAKES_IT,
    "GH-keras-6629": _KERAS_TAKES_IT,
    "GH-keras-4155": "softmax of tensors with five axes was missing in Keras 1",
    "GH-tfkeras-734": "a bug of Keras 2 alone: Keras 3 leaves -1 out as it should",
    "GH-doodle-113": "half precision was a guess, and gives no NaN on Keras 3: such steps are skipped",
    "GH-keras-20574": "counts are lost only above 2^24 pixels",
    "GH-keras-8009": "a sample weight with a class axis is no weighting of the vocabulary",
    "GH-sm-183": _IN_LIBRARY,
    "GH-mberkay-7": _IN_LIBRARY,
    "GH-monai-5413": _IN_LIBRARY,
    "GH-kocabas-5": _IN_LIBRARY,
    "GH-smp-575": _IN_LIBRARY,
    "GH-lovasz-12": "labels and predictions were exchanged in the call, which Keras makes itself",
    "GH-sm-483": "batch normalisation in few steps; the U-Net here has none",
    "GH-zfturbo-13": "labels with the channels first are no layout of the vocabulary",
    "GH-karolzak-6": "one label an image, not a mask",
    "GH-zhixuhao-26": "a network that crops its output; the U-Net here keeps its size",
    "GH-supervisely-35": "the overlap is gone before there is a file",
}
"""Report → why no case expresses it."""
