"""The probe: which formula a head and a loss really compute on the installed Keras, and how that is known.

The head and the loss run on logits that are known; their values and gradients are compared with every hypothesis of
`reference.hypotheses`. Nothing is looked up: another Keras gets another answer.
"""

from __future__ import annotations

import functools
from dataclasses import replace

from segdebug.experiment import Experiment
from segdebug.rules.known import Semantics
from segdebug.semantics.question import Question

__all__ = ["Question", "probe"]


def probe(experiment: Experiment, channels: int, label_shape: tuple[int, ...], size: int) -> Semantics:
    """What the configuration's head and loss compute, with that many channels.

    label_shape: of the labels as fed, without the batch axis, at `size` pixels a side: Keras decides by shapes.
    The answer is kept, for this process: versions do not change within it.
    """
    return _answer(Question.of(experiment, channels, label_shape, size))


@functools.lru_cache(maxsize=1024)
def _answer(question: Question) -> Semantics:
    from segdebug.semantics.match import answer

    found = answer(question)
    if found.computes != "intended_clipped":
        return found
    others = (_answer(other) for other in question.wirings())
    return replace(found, always_clips=all(other.clips for other in others))
