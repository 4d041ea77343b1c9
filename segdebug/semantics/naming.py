"""From what a loss was measured to read to what that means: pure logic, no measuring."""

from __future__ import annotations

from segdebug.experiment import Head, Loss
from segdebug.finding import COMPUTES
from segdebug.reference.hypotheses import Family

__all__ = ["named", "worst"]

_BADNESS = (
    "intended",
    "rescued",
    "intended_clipped",
    "literal",
    "hybrid",
    "substituted",
    "double_activation",
    "bounded_logits",
    "log_probabilities_misused",
    "not_probabilities",
    "logits_as_probabilities",
    "wrong_axis",
    "broadcast",
    "error",
)
assert set(_BADNESS) == set(COMPUTES)

_SQUASHING = ("softmax", "sigmoid")


def worst(computes: list[str]) -> str:
    """Of the parts of a sum the worst one counts."""
    return max(computes, key=_BADNESS.index)


def named(reads: str, region_reads: str, head: Head, loss: Loss, family: Family) -> str:
    """A key of COMPUTES for one matched hypothesis."""
    parts = []
    if reads:
        parts.append(_pixels(reads, head.activation, loss, family))
    if region_reads:
        parts.append(_region(region_reads, head.activation, loss))
    return worst(parts)


def _pixels(reads: str, activation: str, loss: Loss, family: Family) -> str:
    return {
        "logits": _recovered,
        "output_logits": _as_logits,
        "probabilities": _as_probabilities,
        "activated": _activated,
        "mixed": _mixed,
        "mixed_activated": _as_logits,
    }[reads](activation, loss, family)


def _recovered(activation: str, loss: Loss, family: Family) -> str:
    """Keras took the logits in place of the output."""
    if activation not in (family.own, "linear"):
        return "substituted"
    return "rescued" if loss.from_logits and activation != "linear" else "intended"


def _as_logits(activation: str, loss: Loss, family: Family) -> str:  # noqa: ARG001
    if activation == "log_softmax":
        # A softmax of log-probabilities gives the probabilities back; a sigmoid does not.
        return "intended" if family.own == "softmax" else "log_probabilities_misused"
    if activation in _SQUASHING:
        return "double_activation"
    return "intended" if activation == "linear" else "bounded_logits"


def _as_probabilities(activation: str, loss: Loss, family: Family) -> str:
    if activation == "log_softmax":
        return "log_probabilities_misused"
    if loss.name == "categorical_hinge":  # takes scores: a margin of 1 between outputs of 0..1 is never reached
        return "intended" if activation == "linear" else "literal"
    if family.own == "":  # squared and absolute errors: a regression to the labels, of any output that can reach them
        return {"tanh": "literal", "relu": "literal"}.get(activation, "intended")
    if activation == family.own:
        return "intended_clipped" if family.clips else "intended"
    if activation in _SQUASHING:
        return "literal"
    return "logits_as_probabilities" if activation == "linear" else "not_probabilities"


def _activated(activation: str, loss: Loss, family: Family) -> str:  # noqa: ARG001
    if activation == "log_softmax":
        return "intended_clipped" if family.own == "softmax" else "log_probabilities_misused"
    if activation in _SQUASHING:
        return "double_activation"
    return "intended_clipped" if activation == "linear" else "bounded_logits"


def _mixed(activation: str, loss: Loss, family: Family) -> str:  # noqa: ARG001
    """The focal factor reads the output and the cross entropy its logits: the same thing after a sigmoid only."""
    return "intended" if activation == "sigmoid" else "hybrid"


def _region(reads: str, activation: str, loss: Loss) -> str:  # noqa: ARG001
    if reads == "activated":
        if activation in _SQUASHING:
            return "double_activation"
        return "intended" if activation in ("linear", "log_softmax") else "bounded_logits"
    return "intended" if activation in _SQUASHING else "not_probabilities"
