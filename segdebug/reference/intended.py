"""The loss that was meant: a loss by its name, on the probabilities that its own activation makes of the logits."""

from __future__ import annotations

from dataclasses import replace

from segdebug.experiment import Head, Loss
from segdebug.reference.hypotheses import Hypothesis, family

__all__ = ["meant"]

_OF_ANY_SCORES = ("categorical_hinge", "mean_squared_error", "mean_absolute_error")


def meant(loss: Loss, head: Head, channels: int) -> tuple[Head, Hypothesis]:
    """The head that suits the loss, and the loss in exact arithmetic, without clipping, on it.

    Squared and absolute errors and the hinge take what the head gives: its softmax or sigmoid, else the logits.
    """
    own = family(loss, head, channels).own
    if loss.name in _OF_ANY_SCORES:
        activation = head.activation if head.activation in ("softmax", "sigmoid") else "linear"
    else:
        activation = own or ("softmax" if channels > 1 else "sigmoid")
    right = head.model_copy(update={"activation": activation, "attachment": "layer", "axis": -1})
    of = family(loss.model_copy(update={"axis": None}), right, channels)
    reads = "logits" if of.from_logits else "mixed" if of.focal else "probabilities" if of.from_probabilities else ""
    return right, Hypothesis(reads, "probabilities" if of.region else "", replace(of, clips=False))
