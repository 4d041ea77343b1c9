"""Named configurations: the classical pairings, right and wrong, and the five question threads.

Each is written as what it changes from `Experiment()`, by dotted field name. All but the threads leave
unlabelled pixels out of the loss (`loss.void`), as sound code does; where the loss has its own way of leaving
them out (`ignore_class`), that is used.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from segdebug.errors import ExperimentError
from segdebug.experiment import Experiment

__all__ = ["PRESETS", "Preset", "preset"]


@dataclass(frozen=True)
class Preset:
    """meaning: one line; changes: from the default configuration, by dotted field."""

    meaning: str
    changes: dict[str, Any] = field(default_factory=dict)


def _head(activation: str, attachment: str = "layer") -> dict[str, Any]:
    return {"head.activation": activation, "head.attachment": attachment}


def _loss(name: str, **parameters: Any) -> dict[str, Any]:
    given = {f"loss.{key}": value for key, value in parameters.items()}
    return {"loss.name": name, "loss.void": "zero_weight", **given}


_CCE, _SCCE, _BCE = "categorical_crossentropy", "sparse_categorical_crossentropy", "binary_crossentropy"
_FLAT = {"target.layout": "flat"}
_SPARSE = {"target.encoding": "sparse", "target.dtype": "int32"}
_PLANES = {"target.encoding": "raw"}
_SINGLE = {"target.encoding": "single_channel"}

PRESETS: dict[str, Preset] = {
    "softmax_cce": Preset("softmax, categorical cross entropy", {**_head("softmax"), **_loss(_CCE)}),
    "softmax_cce_logits": Preset(
        "softmax, and the loss told that it gets logits",
        {**_head("softmax"), **_loss(_CCE, from_logits=True)},
    ),
    "linear_cce": Preset("no activation, and the loss told probabilities", {**_head("linear"), **_loss(_CCE)}),
    "linear_cce_logits": Preset(
        "logits, categorical cross entropy from logits", {**_head("linear"), **_loss(_CCE, from_logits=True)}
    ),
    "softmax_reshape_cce": Preset(
        "softmax, then Reshape to (H*W, K)", {**_head("softmax", "then_reshape"), **_FLAT, **_loss(_CCE)}
    ),
    "softmax_reshape_cce_logits": Preset(
        "softmax, then Reshape, and the loss told logits",
        {**_head("softmax", "then_reshape"), **_FLAT, **_loss(_CCE, from_logits=True)},
    ),
    "softmax_scce": Preset("softmax, integer labels", {**_head("softmax"), **_SPARSE, **_loss(_SCCE)}),
    "linear_scce_logits": Preset(
        "logits, integer labels, 255 left out",
        {**_head("linear"), **_SPARSE, **_loss(_SCCE, from_logits=True, ignore_class=255, void="as_fed")},
    ),
    "sigmoid_bce": Preset("sigmoid, binary cross entropy on one-hot labels", {**_head("sigmoid"), **_loss(_BCE)}),
    "sigmoid_bce_logits": Preset(
        "sigmoid, and the loss told that it gets logits",
        {**_head("sigmoid"), **_loss(_BCE, from_logits=True)},
    ),
    "linear_bce_logits": Preset(
        "logits, binary cross entropy from logits", {**_head("linear"), **_loss(_BCE, from_logits=True)}
    ),
    "sigmoid_bce_planes": Preset(
        "sigmoid and binary cross entropy on overlapping planes",
        {**_head("sigmoid"), **_PLANES, **_loss(_BCE)},
    ),
    "sigmoid_bce_binary": Preset("one sigmoid channel for two classes", {**_head("sigmoid"), **_SINGLE, **_loss(_BCE)}),
    "softmax_dice": Preset("softmax, pooled Dice", {**_head("softmax"), **_loss("dice")}),
    "sigmoid_dice": Preset("sigmoid, pooled Dice", {**_head("sigmoid"), **_loss("dice")}),
    "thread_000": Preset(
        "softmax then Reshape, summed planes, raw 0..255 input, he_normal: one image that will not fit",
        {
            **_head("softmax", "then_reshape"),
            **_FLAT,
            "target.encoding": "summed_planes",
            "loss.name": _CCE,
            "training.input_range": "0..255",
            "training.initializer": "he_normal",
        },
    ),
    "thread_001": Preset(
        "tf.nn.sigmoid_cross_entropy_with_logits on a linear head",
        {**_head("linear"), "loss.name": "sigmoid_cross_entropy_with_logits"},
    ),
    "thread_002": Preset(
        "five sigmoid channels, weight 1000 on the last class, inside a loss that also counts Dice",
        {
            **_head("sigmoid"),
            "loss.name": "weighted_bce_dice",
            "loss.class_weights": [1, 1, 1, 1, 1000],
            "loss.weighting": "in_loss",
        },
    ),
    "thread_003": Preset(
        "integer labels and tf.nn.sparse_softmax_cross_entropy_with_logits",
        {**_head("linear"), **_SPARSE, "loss.name": "sparse_softmax_cross_entropy_with_logits"},
    ),
    "thread_004": Preset(
        "one sigmoid channel and binary cross entropy", {**_head("sigmoid"), **_SINGLE, "loss.name": _BCE}
    ),
}


def preset(name: str) -> Experiment:
    """The configuration of that name; ExperimentError lists the names that there are."""
    if name not in PRESETS:
        close = get_close_matches(name, PRESETS, n=1)
        hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(PRESETS)}"
        raise ExperimentError(f"There is no preset {name!r}; {hint}", "preset")
    return Experiment().changed(PRESETS[name].changes)
