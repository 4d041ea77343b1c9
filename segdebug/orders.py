"""What the training engine is asked to carry out: a run, or one step of a run again with all its tensors."""

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
    order: Experiment | AtStep,
    *,
    on_progress: Callable[[Any], None] | None = None,
    cancel: Callable[[], bool] | None = None,
) -> Run | Moment | None:
    """The run or the step, as a job that one engine can carry out for both, so that one warm process does."""
    if isinstance(order, AtStep):
        return moment(scene, order.experiment, order.step, on_progress=on_progress, cancel=cancel)
    return overfit(scene, order, on_progress=on_progress, cancel=cancel)
