"""What a run shows, in the numbers that the rules on training compare: facts only, no judgement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segdebug.rules.known import Known
from segdebug.trace import Trace

__all__ = ["LEARNT", "Ran", "a_tenth", "class_weights", "ended", "slower", "steps_more"]

LEARNT = 0.9
"""Mean IoU from which a run has plainly fitted its one image."""

_SHORT = 50  # steps: fewer say nothing of how a run goes on

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Ran:
    """A run that was not cancelled.

    loss, mean_iou, largest (steps,): what fit printed, mean IoU, and the largest |logit|.
    right, predicted, true (C,): pixels at the last step; iou (C,) of them. wrong: fraction of the labelled pixels
    decoded wrongly at the last step, NaN where classes overlap. quarter: steps in the last quarter.
    """

    trace: Trace
    loss: Array
    mean_iou: Array
    largest: Array
    right: Array
    predicted: Array
    true: Array
    iou: Array
    wrong: float

    @property
    def quarter(self) -> int:
        return max(1, len(self.loss) // 4)

    @property
    def learnt(self) -> bool:
        """Whether mean IoU ended at LEARNT or above."""
        return bool(self.mean_iou[-1] >= LEARNT)

    @property
    def fall(self) -> float:
        """How much the loss fell from the first half of the last quarter to its second, relative to the first."""
        last = self.loss[-self.quarter :]
        before, after = last[: len(last) // 2 or 1].mean(), last[len(last) // 2 :].mean()
        return float((before - after) / max(abs(before), 1e-12))

    @property
    def rise_of_iou(self) -> float:
        """How much the mean IoU rose over the last quarter."""
        return float(self.mean_iou[-1] - self.mean_iou[-self.quarter])

    @property
    def still_learns(self) -> bool:
        """The loss falls by more than 2 % within the last quarter and the mean IoU does not fall."""
        return self.fall > 0.02 and self.rise_of_iou > -0.02

    @property
    def flat(self) -> bool:
        """The loss moved by less than 1 % over the last quarter."""
        last = self.loss[-self.quarter :]
        return bool(np.ptp(last) < 0.01 * max(abs(last.mean()), 1e-12))

    def last(self, scalar: str) -> float:
        """The last value of one of `trace.SCALARS`."""
        return float(self.trace.scalar(scalar)[-1])

    def shares(self) -> Array:
        """(C,) fraction of the labelled pixels that each class has."""
        return self.true / max(1.0, self.true.sum())


def ended(known: Known, *, outcomes: tuple[str, ...] = ("finished", "diverged"), short: bool = False) -> Ran | None:
    """The run, where it ended in one of those ways and, unless `short` is allowed, did 50 steps or more."""
    trace = known.trace
    if trace is None or trace.outcome not in outcomes or trace.steps < (1 if short else _SHORT):
        return None
    right, predicted, true = trace.parts[-1].counts[-1].astype(np.float64)
    low, high = trace.scalar("logit_min").astype(np.float64), trace.scalar("logit_max").astype(np.float64)
    overlapping = known.scene is not None and known.scene.overlapping
    wrong = np.nan if overlapping or not true.sum() else 1.0 - right.sum() / true.sum()
    return Ran(
        trace,
        trace.loss.astype(np.float64),
        trace.mean_iou(),
        np.maximum(np.abs(low), np.abs(high)),
        right,
        predicted,
        true,
        trace.iou()[-1],
        float(wrong),
    )


def class_weights(known: Known) -> list[float] | None:
    """1 / frequency with a mean of 1 over the pixels, at most 100 times the smallest: larger ones paint a rare class
    everywhere. None without a scene, or where classes overlap and a pixel has no one class."""
    scene = known.scene
    if scene is None or scene.overlapping or len(scene.names) < 2:
        return None
    frequencies = scene.frequencies
    present = frequencies > 0
    weights = np.where(present, 1.0 / np.where(present, frequencies, 1.0), 0.0)
    weights = np.minimum(weights, 100 * weights[present].min())
    weights = np.where(present, weights / float((weights * frequencies).sum()), 1.0)
    return [float(f"{w:.3g}") for w in weights]


def steps_more(known: Known) -> dict[str, int]:
    """Twice the steps, as far as 5000; nothing where there are so many already."""
    steps = known.experiment.training.steps
    return {} if steps >= 5000 else {"training.steps": min(5000, 2 * steps)}


_CLASSES = {"adam": "Adam", "adamw": "AdamW", "rmsprop": "RMSprop", "sgd": "SGD"}


def a_tenth(known: Known) -> tuple[dict[str, Any], str]:
    """A tenth of the learning rate, as changes to the Experiment and as code."""
    training = known.experiment.training
    rate = float(f"{training.learning_rate / 10:.3g}")
    return {"training.learning_rate": rate}, f"optimizer = keras.optimizers.{_CLASSES[training.optimizer]}({rate:g})"


def slower(known: Known) -> tuple[dict[str, Any], str]:
    """The same where the learning rate is larger than optimizers usually take; nothing for a usual one."""
    training = known.experiment.training
    if training.learning_rate <= (0.1 if training.optimizer == "sgd" else 0.003):
        return {}, ""
    return a_tenth(known)
