"""An engine that trains nothing: its runs have ended before they began, with made-up numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from segdebug.errors import SegdebugError
from segdebug.experiment import Experiment
from segdebug.run import Run, SceneSummary, versions
from segdebug.scene import Scene
from segdebug.trace import SCALARS, Progress, Snapshot, Trace


def made_up_run(scene: Scene, experiment: Experiment, steps: int = 5) -> Run:
    """Loss falls from 2 by halves; every class is right from the first step."""
    random = np.random.default_rng(experiment.training.seed)
    size, k = experiment.training.size, scene.n_classes
    scalars = np.zeros((steps, len(SCALARS)), np.float32)
    scalars[:, 0] = 2.0 * 0.5 ** np.arange(steps)
    counts = np.full((steps, 3, k), 10, np.int32)
    maps = [_snapshot(step, size, k, scene.overlapping, random) for step in (0, steps - 1)]
    progress = Progress(0, scalars, counts, counts, tuple(maps))
    trace = Trace([progress], outcome="finished")
    return Run(experiment, SceneSummary.of(scene), trace, 0.5, versions("1+1"), ("a <b>warning</b> of Keras's",))


def _snapshot(step: int, size: int, k: int, overlapping: bool, random: np.random.Generator) -> Snapshot:
    prediction: Any = random.integers(0, k, (size, size)).astype(np.int16)
    if overlapping:
        prediction = random.random((size, size, k)) > 0.5
    values = random.random((2, size, size)).astype(np.float32)
    return Snapshot(step, prediction, values[0], values[1], values[1] < 0.1, (0.5,))


class FakeJob:
    """What the pages use of a Job."""

    active = False
    place = 0
    viewers = 0
    seconds = 0.5

    def __init__(self, scene: Scene, experiment: Experiment, number: int, error: SegdebugError | None) -> None:
        self.id = f"run-{number}"
        self.scene, self.experiment, self.error = scene, experiment, error
        self.state = "failed" if error else "finished"
        self.result = None if error else made_up_run(scene, experiment)

    def since(self, n: int) -> list[Any]:
        return self.result.trace.parts[n:] if self.result else []

    def arrive(self, viewer: str) -> None:
        """Nobody is counted."""

    leave = arrive


class FakeEngine:
    """What the pages use of an Engine. `refuse`: the error that every run asked for from now on ends with."""

    refuse: SegdebugError | None = None

    def __init__(self, **_: Any) -> None:
        self.jobs: dict[str, FakeJob] = {}

    def submit(self, scene: Scene, experiment: Experiment, *, key: str) -> FakeJob:
        if key not in self.jobs:
            self.jobs[key] = FakeJob(scene, experiment, len(self.jobs), self.refuse)
        return self.jobs[key]

    def job(self, id: str) -> FakeJob | None:
        return next((job for job in self.jobs.values() if job.id == id), None)

    def close(self) -> None:
        """Nothing is open."""
