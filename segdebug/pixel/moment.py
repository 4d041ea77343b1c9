"""Every tensor of one step of a run, for all its pixels, as plain arrays. Only making it needs TensorFlow."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segdebug.experiment import Experiment
from segdebug.rules.known import Semantics
from segdebug.scene import Scene, SceneClass

__all__ = ["AtStep", "FileValues", "Moment", "moment"]

Array = NDArray[Any]


@dataclass(frozen=True)
class AtStep:
    """Asks for the tensors of one step of a configuration's run."""

    experiment: Experiment
    step: int


@dataclass(frozen=True)
class FileValues:
    """One mask file at the training grid: under each cell's centre what is stored, and what the reader delivers.

    stored, delivered: (S, S) or (S, S, C), in the library's dtype; None where it cannot be read, and then the
    library's words are in `no_stored`, `no_delivered`. class_id: the class whose plane the file is, if it is one.
    """

    name: str
    class_id: int | None
    stored: Array | None
    delivered: Array | None
    no_stored: str = ""
    no_delivered: str = ""


@dataclass(frozen=True)
class Moment:
    """One step of a run. S: the training grid's side; K: the head's channels; E: entries of the loss a pixel.

    label: (S, S, ...) as fed; None where it has no place for each pixel. logits: (h, w, K) float32, before the
    activation, coarser than the grid where the head enlarges its output; output: (S, S, K) float32.
    values: (S, S, E) float32, the loss before its reduction; None, with the reason in `no_values`, where pixels have
    none. coefficients: (S, S, E) float64, the derivative of the printed loss by each of them, measured on Keras: the
    loss is the sum of their products; whole: what it changes by where all of them, before the class weights inside the
    loss, grow by 1, as a region part does. weights: (S, S) sample_weight as it arrived, or None; inside: (S, S) class
    weights that the loss itself multiplied by, or None. gradient: (h, w, K) float32, dL/dz of what is minimised.
    loss: what fit prints at this step. truth (S, S) int32 with -1 for void, planes, valid: as in GridScene.
    """

    experiment: Experiment
    step: int
    classes: tuple[SceneClass, ...]
    width: int
    height: int
    files: tuple[FileValues, ...]
    truth: NDArray[np.int32]
    planes: NDArray[np.bool_] | None
    valid: NDArray[np.bool_]
    label: Array | None
    logits: NDArray[np.float32]
    output: NDArray[np.float32]
    values: NDArray[np.float32] | None
    coefficients: NDArray[np.float64] | None
    no_values: str
    whole: float
    weights: NDArray[np.float32] | None
    inside: NDArray[np.float32] | None
    gradient: NDArray[np.float32]
    loss: float
    semantics: Semantics

    @property
    def size(self) -> int:
        return int(self.truth.shape[0])

    @property
    def channels(self) -> int:
        return int(self.output.shape[-1])

    def coarse(self, row: int, column: int) -> tuple[int, int]:
        """Where a pixel's own logits are."""
        n = self.size // self.logits.shape[0]
        return row // n, column // n

    def channel_names(self) -> list[str]:
        """A name for each channel: its class, or "channel n"; of a single channel the class that it stands for."""
        names = [c.name for c in self.classes]
        if self.channels == 1 and len(names) == 2:
            return [names[1]]
        return [names[k] if k < len(names) else f"channel {k}" for k in range(self.channels)]

    def colours(self) -> list[str]:
        """A colour for each channel, "#rrggbb"."""
        colours = [c.colour for c in self.classes]
        if self.channels == 1 and len(colours) == 2:
            return [colours[1]]
        return [colours[k] if k < len(colours) else "#b0b0b0" for k in range(self.channels)]


def moment(
    scene: Scene,
    experiment: Experiment,
    step: int,
    *,
    on_progress: Callable[[int], None] | None = None,
    cancel: Callable[[], bool] | None = None,
) -> Moment | None:
    """The run again, from the same seed up to that step, and all tensors of that step; None where it is cancelled.

    on_progress gets the number of steps done. Raises what the run raises, and ExperimentError for a step that it does
    not have or a grid whose tensors would be too large to keep.
    """
    from segdebug.pixel.replay import replayed

    return replayed(scene, experiment, step, on_progress or (lambda _: None), cancel or (lambda: False))
