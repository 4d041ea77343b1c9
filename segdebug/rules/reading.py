"""What heads belong to which losses, how a head is written in Keras, and how a finding shows what was measured."""

from __future__ import annotations

from typing import Any

from segdebug.rules.known import Known, Semantics
from segdebug.vocabulary import LOSSES

__all__ = ["DISTRIBUTION", "GET_LOGITS", "THREAD_000", "head_code", "linear_logits", "measured", "own_activation"]

GET_LOGITS = "keras/src/backend/tensorflow/nn.py, _get_logits"
THREAD_000 = "https://stackoverflow.com/questions/57253841"

DISTRIBUTION = (
    "categorical_crossentropy",
    "sparse_categorical_crossentropy",
    "categorical_focal_crossentropy",
    "cce_dice",
    "cce_jaccard",
    "kl_divergence",
)
"""Losses of one distribution over the classes."""


def own_activation(known: Known) -> str:
    """softmax for one distribution over several channels, else sigmoid; region losses keep theirs if it is one."""
    loss, head = known.experiment.loss, known.experiment.head
    overlapping = known.scene is not None and known.scene.overlapping
    if known.channels == 1 or loss.name.startswith("b") or overlapping or loss.name == "weighted_bce_dice":
        return "sigmoid"
    if loss.name in DISTRIBUTION:
        return "softmax"
    return head.activation if head.activation in ("softmax", "sigmoid") else "softmax"


def linear_logits(known: Known) -> dict[str, Any]:
    """The head and from_logits that suit the loss whatever the head was."""
    if "from_logits" in LOSSES[known.experiment.loss.name].accepts:
        return {"head.activation": "linear", "loss.from_logits": True}
    if known.experiment.loss.name.endswith("_with_logits"):
        return {"head.activation": "linear"}
    return {"head.activation": own_activation(known)}


def head_code(changes: dict[str, Any]) -> str:
    """The last layer as Keras code."""
    activation, flat = changes["head.activation"], changes.get("head.attachment") == "after_reshape"
    if flat:
        return (
            f'x = layers.Reshape((H * W, K))(logits)\noutputs = layers.Activation("{activation}", dtype="float32")(x)'
        )
    return f'outputs = layers.Conv2D(K, 1, activation="{activation}", dtype="float32")(x)'


def measured(semantics: Semantics) -> dict[str, Any]:
    """How it is known which formula is computed."""
    return {
        "the loss reads": _READS[semantics.reads],
        "largest difference from that formula in float64": semantics.match,
        "loss that fit prints on the probe": semantics.fit,
        "loss that was meant there": semantics.intended,
        "cosine of the gradient with the one that was meant": semantics.cosine,
        "norm of the gradient against it": semantics.norm_ratio,
    }


_READS = {
    "logits": "the logits before the activation, in place of the output",
    "output_logits": "the output, as logits",
    "probabilities": "the output, as probabilities",
    "activated": "the output after another activation of its own",
    "mixed": "output and logits, in different parts",
    "mixed_activated": "the output as logits",
    "": "the output",
    "error": "nothing",
}
