"""What the training engine is asked: a run, or one step of it again with all its tensors kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from segdebug.experiment import Experiment
from segdebug.overfit import overfit, prepare, warm_up
from segdebug.pixel import AtStep, Moment, moment
from segdebug.run import Run
from segdebug.scene import Scene

__all__ = ["carried_out", "prepare", "warm_up"]


def carried_out(
    scene: Scene,
    question: Experiment | AtStep,
    *,
    on_progress: Callable[[Any], None] | None = None,
    cancel: Callable[[], bool] | None = None,
) -> Run | Moment | None:
    """The answer, as a job that one engine can carry out for both, so that the same warm processes do."""
    if isinstance(question, AtStep):
        return moment(scene, question.experiment, question.step, on_progress=on_progress, cancel=cancel)
    return overfit(scene, question, on_progress=on_progress, cancel=cancel)
