"""What a run recorded: numbers of every step, maps of the steps worth showing. No TensorFlow here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

__all__ = ["OUTCOMES", "SCALARS", "Progress", "Snapshot", "Trace", "snapshot_steps"]

SCALARS = (
    "loss",
    "logit_min",
    "logit_max",
    "output_min",
    "output_max",
    "pixel_loss_max",
    "gradient_max",
    "dead",
    "dead_wrong",
)
"""Numbers of every step. loss: what fit prints. logit, output: extremes over all pixels and channels.
pixel_loss_max: NaN where pixels have no loss of their own. gradient_max: the largest |dL/dz| of a pixel.
dead: fraction of the labelled pixels whose dL/dz is exactly zero in every channel; dead_wrong: the same among
the wrongly decoded ones, NaN where none is wrong."""

OUTCOMES = {
    "finished": "all steps were done",
    "cancelled": "cancelled",
    "not_finite": "the loss or a logit became NaN or infinite",
    "diverged": "the logits grew beyond 1e12",
}

_MAPS_AT_MOST = 24
_MAP_BYTES = 96 * 2**20


@dataclass(frozen=True)
class Snapshot:
    """The maps of one step, at the training grid.

    prediction: (S, S) int16 class, or (S, S, K) bool where classes overlap.
    pixel_loss: (S, S) float32, times its sample weight: the mean over pixels is the loss under the default
        reduction; None where pixels have no loss of their own.
    gradient: (S, S) float32, the L2 norm over channels of dL/dz.
    dead: (S, S) bool, dL/dz exactly zero in every channel.
    metric: what the person's own metric would print: one number, or one a class; None where Keras refused it.
    """

    step: int
    prediction: NDArray[np.int16] | NDArray[np.bool_]
    pixel_loss: NDArray[np.float32] | None
    gradient: NDArray[np.float32]
    dead: NDArray[np.bool_]
    metric: tuple[float, ...] | None = None


@dataclass(frozen=True)
class Progress:
    """Consecutive steps, as a run reports them: scalars (n, len(SCALARS)) float32; counts and
    threshold_counts (n, 3, C) int32, as in Trace."""

    first_step: int
    scalars: NDArray[np.float32]
    counts: NDArray[np.int32]
    threshold_counts: NDArray[np.int32]
    snapshots: tuple[Snapshot, ...] = ()


@dataclass
class Trace:
    """A run's records so far.

    counts: per step (3, C): pixels right, predicted and true of each class, by the decoding that suits the
        head; threshold_counts: the same with every channel cut at p = 0.5 on its own.
    """

    parts: list[Progress] = field(default_factory=list)
    outcome: str | None = None  # a key of OUTCOMES; None while it runs
    no_pixel_loss: str | None = None  # why there is no pixel loss, where there is none
    metric_error: str | None = None  # Keras's reason, where the person's metric cannot be computed

    def append(self, progress: Progress) -> None:
        """Add the next steps; ValueError where they do not follow the last one."""
        if progress.first_step != self.steps:
            raise ValueError(f"expected step {self.steps} next, but got {progress.first_step}")
        self.parts.append(progress)

    @property
    def steps(self) -> int:
        """How many steps were done."""
        return self.parts[-1].first_step + len(self.parts[-1].scalars) if self.parts else 0

    def scalar(self, name: str) -> NDArray[np.float32]:
        """(steps,) float32: one of SCALARS."""
        column = SCALARS.index(name)
        return np.concatenate([part.scalars[:, column] for part in self.parts] or [np.zeros(0, np.float32)])

    @property
    def loss(self) -> NDArray[np.float32]:
        """(steps,) float32: what fit prints at each step."""
        return self.scalar("loss")

    def iou(self, *, by_threshold: bool = False) -> NDArray[np.float64]:
        """(steps, C): intersection over union per class; NaN where a class is neither true nor predicted."""
        name = "threshold_counts" if by_threshold else "counts"
        parts = [getattr(part, name) for part in self.parts]
        if not parts:
            return np.zeros((0, 0))
        right, predicted, true = np.moveaxis(np.concatenate(parts).astype(np.float64), 1, 0)
        union = predicted + true - right
        return np.divide(right, union, out=np.full_like(right, np.nan), where=union > 0)

    def mean_iou(self, *, by_threshold: bool = False) -> NDArray[np.float64]:
        """(steps,): mean over the classes that occur in truth or prediction; NaN where none does."""
        iou = self.iou(by_threshold=by_threshold)
        occurs = ~np.isnan(iou)
        n = occurs.sum(axis=1)
        return np.divide(np.nansum(iou, axis=1), n, out=np.full(len(iou), np.nan), where=n > 0)

    @property
    def snapshots(self) -> list[Snapshot]:
        """All maps, in the order of their steps."""
        return list(self._snapshots())

    def _snapshots(self) -> Iterator[Snapshot]:
        for part in self.parts:
            yield from part.snapshots

    def at(self, step: int) -> Snapshot | None:
        """The maps of that step, or of the latest before it; None where there are none yet."""
        return max((s for s in self.snapshots if s.step <= step), key=lambda s: s.step, default=None)


def snapshot_steps(steps: int, size: int) -> list[int]:
    """Steps whose maps are kept: the first and last, and between them closer together early on, where a run
    changes most. At most 24, and fewer where pictures are so large that all would take more than 96 MB."""
    bytes_each = size * size * 11  # two float32 maps, an int16 one and a boolean one
    most = max(2, min(_MAPS_AT_MOST, _MAP_BYTES // bytes_each))
    spaced = np.rint(np.expm1(np.linspace(0.0, np.log(steps), most))).astype(int)
    return sorted({*np.clip(spaced, 0, steps - 1).tolist(), 0, steps - 1})
