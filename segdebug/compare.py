"""One picture under several configurations, and in what these differ."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from segdebug.errors import ExperimentError
from segdebug.experiment import OPTIONS, Experiment
from segdebug.overfit import overfit
from segdebug.run import Run
from segdebug.scene import Scene
from segdebug.trace import Progress

__all__ = ["compare", "differences"]


def compare(
    scene: Scene,
    experiments: Sequence[Experiment],
    *,
    on_progress: Callable[[int, Progress], None] | None = None,
    cancel: Callable[[], bool] | None = None,
) -> list[Run]:
    """Overfit the picture under each configuration, one after the other, as `overfit` does.

    Configurations of one seed and one model begin with the same weights. on_progress gets the configuration's place in
    the list with each report; cancel is asked before each step, and what was not begun by then has no run.
    Raises ExperimentError where none is given, and what `overfit` raises.
    """
    if not experiments:
        raise ExperimentError("Give at least one configuration to compare.")
    runs: list[Run] = []
    for place, experiment in enumerate(experiments):
        if cancel is not None and cancel():
            break
        runs.append(overfit(scene, experiment, on_progress=_of(place, on_progress), cancel=cancel))
    return runs


def _of(place: int, on_progress: Callable[[int, Progress], None] | None) -> Callable[[Progress], None] | None:
    return None if on_progress is None else lambda progress: on_progress(place, progress)


def differences(experiments: Sequence[Experiment]) -> dict[str, list[Any]]:
    """The dotted fields in which not all are alike, each with its value in every configuration, in their order."""
    values = {field: [experiment[field] for experiment in experiments] for field in OPTIONS}
    return {field: given for field, given in values.items() if any(value != given[0] for value in given)}
