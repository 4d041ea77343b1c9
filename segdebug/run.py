"""A finished run: what was asked, on which scene, what was recorded, and on which versions."""

from __future__ import annotations

import math
import platform
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from segdebug.diagnosis import Diagnosis
from segdebug.experiment import Experiment
from segdebug.scene import Scene, SceneClass
from segdebug.trace import Trace

__all__ = ["Run", "SceneSummary", "versions"]


@dataclass(frozen=True)
class SceneSummary:
    """What a run keeps of its scene: enough to say which one it was, and whose class each number is."""

    name: str
    digest: str
    width: int
    height: int
    classes: tuple[SceneClass, ...]

    @classmethod
    def of(cls, scene: Scene) -> SceneSummary:
        return cls(scene.name, scene.digest, scene.width, scene.height, scene.classes)


@dataclass
class Run:
    """One Experiment on one scene. seconds: building and training; keras_warnings: what Keras warned of, each
    text once; versions: of everything that the numbers depend on, thread counts included; diagnosis: what is said of
    it with the run as evidence, None for a run that was not carried through."""

    experiment: Experiment
    scene: SceneSummary
    trace: Trace
    seconds: float
    versions: dict[str, str]
    keras_warnings: tuple[str, ...] = ()
    diagnosis: Diagnosis | None = None

    def save(self, folder: str | Path) -> None:
        """Write it as a folder of JSON and NumPy files, described in `runfiles`; whole or not at all.

        Raises StoreError where something else than a run is in that place, or it cannot be written.
        """
        from segdebug.runfiles import save_run

        save_run(self, Path(folder))

    @classmethod
    def load(cls, folder: str | Path) -> Run:
        """The run that was saved there. Raises StoreError, with the reason, where it cannot be read."""
        from segdebug.runfiles import load_run

        return load_run(Path(folder))

    def report(self, path: str | Path, scene: Scene | None = None) -> None:
        """Write it as one HTML file that can be read anywhere, without a network.

        scene: the run's own, for picture, truth and Keras code in it. Raises StoreError where it cannot be written.
        """
        from segdebug.report import write_report

        write_report(Path(path), [self], scene)

    def class_names(self) -> list[str]:
        """A name for each column of the trace's counts; channels that the scene has no class for get one too."""
        names = [c.name for c in self.scene.classes]
        columns = self.trace.iou().shape[1]
        return names + [f"channel {n}" for n in range(len(names), columns)]

    def to_json(self) -> dict[str, Any]:
        """The numbers of every step as plain JSON values; NaN and infinity are None."""
        iou, mean = self.trace.iou(), self.trace.mean_iou()
        return {
            "loss": _plain(self.trace.loss),
            "iou": {name: _plain(iou[:, k]) for k, name in enumerate(self.class_names())},
            "mean_iou": _plain(mean),
            "steps": self.trace.steps,
            "seconds": round(self.seconds, 3),
            "outcome": self.trace.outcome,
            "versions": self.versions,
        }


def versions(threads: str) -> dict[str, str]:
    """Versions of what computed, and of the threads it used."""
    packages = {name: version(name) for name in ("keras", "tensorflow", "numpy")}
    return {
        "segdebug": "0.1.0",
        "python": platform.python_version(),
        **packages,
        "machine": platform.machine(),
        "threads": threads,
    }


def _plain(values: Any) -> list[float | None]:
    """Floats as short as they still say the same float32, with None for what JSON has no word for."""
    return [float(str(v)) if math.isfinite(v) else None for v in np.asarray(values, np.float32)]
