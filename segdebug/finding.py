"""What is said of a configuration: findings with their evidence, and the words of the verdict. Plain data."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

__all__ = ["COMPUTES", "SEVERITIES", "STAGES", "VERDICTS", "Finding", "Fix"]

STAGES = ("masks", "target", "head", "loss", "training")
"""The stages of the pipeline, in its order. Metric and display are shown under training."""

SEVERITIES = ("error", "warning", "note")
"""The worst first. A note changes no verdict."""

VERDICTS = {
    "sound": "It computes what it says, and nothing was found that would keep it from learning.",
    "works_by_rescue": "It contradicts itself, and trains right only because Keras puts it right.",
    "suboptimal": "It can learn, but something in it slows it or holds it back.",
    "broken": "It does not compute what was meant.",
}

COMPUTES = {
    "intended": "the loss that was meant, of the probabilities that the head puts out",
    "intended_clipped": "the loss that was meant, on clipped probabilities: saturated pixels have no gradient",
    "rescued": "the loss that was meant, because Keras takes the logits in place of the output it was given",
    "substituted": "another loss than the head's output suggests: Keras takes its logits in place of the output",
    "double_activation": "the loss of an activation applied twice",
    "logits_as_probabilities": "logarithms of logits, as if they were probabilities",
    "not_probabilities": "a loss of values that are no probabilities",
    "bounded_logits": "a loss whose logits the activation keeps from going where they must",
    "log_probabilities_misused": "a loss of log-probabilities, which it takes for something else",
    "hybrid": "a loss whose parts read different tensors",
    "literal": "an unusual pairing, computed as it is written",
    "wrong_axis": "a loss or an activation that runs over another axis than the classes",
    "broadcast": "a loss of labels stretched to the output's shape: no pixel meets its own label",
    "error": "nothing: Keras refuses it",
}


@dataclass(frozen=True)
class Fix:
    """What to write instead. changes: dotted field → value, for `Experiment.changed`; code: the same as Keras code,
    or as loading code where the fault is in how the masks are read."""

    changes: Mapping[str, Any] = field(default_factory=dict)
    code: str = ""


@dataclass(frozen=True)
class Finding:
    """One thing found, with its evidence.

    evidence: what was measured, in words, → number, text, or a list of them. consequences: findings that this one
    explains.
    """

    code: str
    stage: str
    severity: str
    title: str
    explanation: str
    evidence: Mapping[str, Any]
    fix: Fix | None = None
    references: tuple[str, ...] = ()
    consequences: tuple[Finding, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values; NaN and infinity are None."""
        return {
            "code": self.code,
            "stage": self.stage,
            "severity": self.severity,
            "title": self.title,
            "explanation": self.explanation,
            "evidence": {words: _plain(value) for words, value in self.evidence.items()},
            "fix": None if self.fix is None else {"changes": _plain(dict(self.fix.changes)), "code": self.fix.code},
            "references": list(self.references),
            "consequences": [finding.to_json() for finding in self.consequences],
        }


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return value
