"""Engines that train and check nothing: their jobs have ended before they began, with made-up numbers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from segdebug.diagnosis import Diagnosis
from segdebug.errors import SegdebugError
from segdebug.experiment import Experiment
from segdebug.pixel import AtStep, FileValues, Moment
from segdebug.rules.known import Semantics
from segdebug.run import Run, SceneSummary, versions
from segdebug.scene import Scene
from segdebug.trace import SCALARS, Progress, Snapshot, Trace
from segdebug.ui.kept import THREADS


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
    return Run(experiment, SceneSummary.of(scene), trace, 0.5, versions(THREADS), ("a <b>warning</b> of Keras's",))


def _snapshot(step: int, size: int, k: int, overlapping: bool, random: np.random.Generator) -> Snapshot:
    prediction: Any = random.integers(0, k, (size, size)).astype(np.int16)
    if overlapping:
        prediction = random.random((size, size, k)) > 0.5
    values = random.random((2, size, size)).astype(np.float32)
    return Snapshot(step, prediction, values[0], values[1], values[1] < 0.1, (0.5,))


def sound(scene: Scene, experiment: Experiment) -> Diagnosis:  # noqa: ARG001
    """Nothing found, whatever the configuration."""
    semantics = Semantics("intended", match=2e-7, fit=1.5, evaluate=1.5, of_predict=1.5)
    return Diagnosis("sound", "intended", "It computes <b>what</b> it says.", (), None, semantics)


def made_up_moment(scene: Scene, asked: AtStep) -> Moment:
    """Every logit 0 but for 3 in channel 0; the loss is 1 at each pixel, and all weigh the same."""
    size, k = asked.experiment.training.size, scene.n_classes
    grid = scene.at(size)
    logits = np.zeros((size, size, k), np.float32)
    logits[..., 0] = 3
    return Moment(
        asked.experiment,
        asked.step,
        scene.classes,
        scene.width,
        scene.height,
        (FileValues("mask.png", None, grid.labels.astype(np.uint8), None),),
        grid.labels,
        grid.planes,
        grid.valid,
        label=np.eye(k, dtype=np.float32)[np.maximum(grid.labels, 0)],
        logits=logits,
        output=np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True),
        values=np.ones((size, size, 1), np.float32),
        coefficients=np.full((size, size, 1), 1 / size**2),
        no_values="",
        whole=1.0,
        weights=None,
        inside=None,
        gradient=np.zeros((size, size, k), np.float32),
        loss=1.0,
        semantics=Semantics("intended", reads="logits", match=2e-7),
    )


class FakeJob:
    """What the pages use of a Job."""

    active = False
    key = ""
    place = 0
    viewers = 0
    seconds = 0.5
    finished = 0.0

    def __init__(self, scene: Scene, experiment: Any, id: str, error: SegdebugError | None, result: Any) -> None:
        self.id = id
        self.scene, self.experiment, self.error = scene, experiment, error
        self.state = "failed" if error else "finished"
        self.result = None if error else result

    def since(self, n: int) -> list[Any]:
        return self.result.trace.parts[n:] if isinstance(self.result, Run) else []

    def arrive(self, viewer: str) -> None:
        """Nobody is counted."""

    leave = arrive


class FakeEngine:
    """What the pages use of an Engine. `refuse`: the error that every run asked for from now on ends with;
    `diagnose`: what the checks find; `checks`: how many were asked for; `prepared`: what was to be made ready."""

    refuse: SegdebugError | None = None
    refuse_check: SegdebugError | None = None
    diagnose: Any = staticmethod(sound)
    checks = 0
    ahead = 4

    def __init__(self, *, runner: str = "", **_: Any) -> None:
        self.prepared: list[Experiment] = []
        self.jobs: dict[str, FakeJob] = {}
        self.checking = runner.endswith(":checked")

    def _answer(self, scene: Scene, question: Any) -> Any:
        if isinstance(question, AtStep):
            return made_up_moment(scene, question)
        diagnosis = self.diagnose(scene, question)
        return diagnosis if self.checking else replace(made_up_run(scene, question), diagnosis=diagnosis)

    def submit(self, scene: Scene, experiment: Experiment | AtStep, *, key: str) -> FakeJob:
        if key not in self.jobs or self.jobs[key].state == "failed":
            if self.checking:
                FakeEngine.checks += 1
            result: Any = self._answer(scene, experiment)
            refusal = self.refuse_check if self.checking else self.refuse
            kind = "check" if self.checking else "run"
            self.jobs[key] = FakeJob(scene, experiment, f"{kind}-{len(self.jobs)}", refusal, result)
            self.jobs[key].key = key
        return self.jobs[key]

    def job(self, id: str) -> FakeJob | None:
        return next((job for job in self.jobs.values() if job.id == id), None)

    def prepare(self, scene: Scene, experiment: Experiment, *, key: str) -> None:  # noqa: ARG002
        self.prepared.append(experiment)

    def adopt(self, run: Run, scene: Scene, *, id: str, key: str) -> FakeJob:
        self.jobs[key] = FakeJob(scene, run.experiment, id, None, run)
        self.jobs[key].key = key
        return self.jobs[key]

    def close(self) -> None:
        """Nothing is open."""
