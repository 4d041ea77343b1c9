"""What is compared: each configuration with its letter, line, run and what is said of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from segdebug.comparisons import differing, label
from segdebug.experiment import Experiment
from segdebug.jobs import Job
from segdebug.losses_figure import LINES
from segdebug.scene import Scene
from segdebug.trace import Trace
from segdebug.ui.engine import Said, said_of

__all__ = ["Compared", "all_of"]


@dataclass(frozen=True)
class Compared:
    """One configuration. letter: A to F; colour, dash: of its line; label: what sets it apart from the others."""

    letter: str
    colour: str
    dash: tuple[int, ...]
    label: str
    experiment: Experiment
    scene: Scene
    job: Job | None

    @property
    def name(self) -> str:
        return f"{self.letter}: {self.label}"

    @cached_property
    def trace(self) -> Trace:
        """As far as the run has come; empty without one."""
        return Trace([] if self.job is None else list(self.job.since(0)))

    @property
    def said(self) -> Said | None:
        return said_of(self.scene, self.experiment)


def all_of(experiments: list[Experiment], jobs: list[Job | None], scene: Scene) -> list[Compared]:
    """The configurations in their order, with runs where there are any."""
    fields = differing(experiments)
    return [
        Compared("ABCDEF"[n], *LINES[n], label(experiment, fields), experiment, scene, job)
        for n, (experiment, job) in enumerate(zip(experiments, jobs, strict=True))
    ]
