"""What the checking engine is asked: whether a configuration is sound, or what the readers make of the files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from segdebug import diagnosis, forensics
from segdebug.diagnosis import warm_up
from segdebug.experiment import Experiment
from segdebug.scene import Scene

__all__ = ["Readers", "checked", "warm_up"]


@dataclass(frozen=True)
class Readers:
    """Asks what every reader delivers, and which labels result under the configuration's target."""

    experiment: Experiment


def checked(
    scene: Scene,
    question: Experiment | Readers,
    *,
    on_progress: Callable[[Any], None] | None = None,
    cancel: Callable[[], bool] | None = None,
) -> diagnosis.Diagnosis | forensics.Examination:
    """The answer, as a job that one engine can carry out for both, so that one warm process does."""
    if isinstance(question, Readers):
        return forensics.examined(scene, question.experiment, on_progress=on_progress, cancel=cancel)
    return diagnosis.checked(scene, question, on_progress=on_progress, cancel=cancel)
