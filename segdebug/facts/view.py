"""A label tensor pixel by pixel, beside the scene's truth: which class each label says, in vectorised NumPy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segdebug.experiment import Experiment
from segdebug.families import SPARSE
from segdebug.scene import GridScene

__all__ = ["NONE", "LabelView", "Truth", "kind_of"]

Mask = NDArray[np.bool_]

NONE = -1
"""What a row of zeros says: no class."""

_NOT_AN_ID = -(2**31)


@dataclass(frozen=True)
class Truth:
    """The scene at the training grid, flat. classes (P,) int, or None where classes overlap; planes (P, K) bool or
    None; valid (P,) bool; n_classes K."""

    classes: NDArray[np.int64] | None
    planes: Mask | None
    valid: Mask
    n_classes: int

    @classmethod
    def of(cls, grid: GridScene, n_classes: int) -> Truth:
        valid = grid.valid.ravel()
        if grid.planes is None:
            return cls(np.maximum(grid.labels, 0).ravel().astype(np.int64), None, valid, n_classes)
        planes = np.zeros((valid.size, n_classes), bool)
        planes[:, : grid.planes.shape[-1]] = grid.planes.reshape(valid.size, -1)
        return cls(None, planes, valid, n_classes)


def kind_of(shape: tuple[int, ...], pixels: int, channels: int, experiment: Experiment) -> str:
    """ "rows", "ids", "single" or "mismatch", as `LabelFacts.kind`; `shape` without the batch axis."""
    values = int(np.prod(shape)) / max(1, pixels)
    if values == 1 and experiment.loss.name in SPARSE:
        return "ids"
    if values == 1 and channels == 1:
        return "single"
    if values == channels > 1 and shape[-1] == channels and experiment.loss.name not in SPARSE:
        return "rows"
    return "mismatch"


class LabelView:
    """One label tensor of a kind other than "mismatch", read as the loss reads it.

    values (P, C) in the dtype as fed. said: (P,) the class that each label says, `NONE` for a row of zeros, or
    None where it cannot be compared with the scene. wrong, outside: (P,) bool, not restricted to labelled pixels.
    """

    def __init__(self, labels: NDArray[Any], kind: str, truth: Truth, channels: int, ignore: int | None) -> None:
        self.kind, self.truth = kind, truth
        self.values = labels.reshape(truth.valid.size, -1)
        self.sums: NDArray[Any] | None = None
        self.said: NDArray[np.int64] | None = None
        self.wrong: Mask | None = None
        {"rows": self._rows, "ids": self._ids, "single": self._single}[kind](channels, ignore)

    def _rows(self, channels: int, _ignore: int | None) -> None:
        values = self.values
        zeros_and_ones = np.count_nonzero(values == 1) + np.count_nonzero(values == 0) == values.size
        if zeros_and_ones:  # the common case, in few passes over what may be millions of values
            self.sums = values.sum(axis=-1, dtype=np.float32)
            self.top = np.minimum(self.sums, 1)
            self.outside = np.zeros(self.sums.shape, bool)
        else:
            self.sums = values.sum(axis=-1, dtype=np.float64)
            self.top = values.max(axis=-1)
            self.outside = ~((values.min(axis=-1) >= 0) & (self.top <= 1))
        if self.truth.planes is not None:
            self.said_planes = _fitted(values > 0.5, self.truth.n_classes)
            self.wrong = (self.said_planes != self.truth.planes).any(axis=-1)
            return
        assert self.truth.classes is not None
        inside = np.minimum(self.truth.classes, channels - 1)
        at_truth = np.take_along_axis(values, inside[:, None], axis=-1)[:, 0]
        agrees = (at_truth >= self.top) & (self.truth.classes < channels)
        self.wrong = ~agrees & ~(self.top <= 0)
        self.said = np.where(self.top > 0, self.truth.classes, NONE)
        self.said[self.wrong] = values[self.wrong].argmax(axis=-1)

    def _ids(self, channels: int, ignore: int | None) -> None:
        column = self.values[:, 0]
        with np.errstate(invalid="ignore"):
            whole = np.nan_to_num(column.astype(np.float64), nan=_NOT_AN_ID, posinf=2**31, neginf=_NOT_AN_ID)
        ids = np.trunc(whole).astype(np.int64)  # as Keras casts them
        self.said = ids
        self.ignored = np.zeros(ids.shape, bool) if ignore is None else ids == ignore
        self.outside = ((ids < 0) | (ids >= channels)) & ~self.ignored
        if self.truth.classes is not None:
            self.wrong = ids != self.truth.classes

    def _single(self, _channels: int, _ignore: int | None) -> None:
        column = self.values[:, 0]
        self.outside = ~((column >= 0) & (column <= 1))
        above = column > 0.5
        if self.truth.planes is not None and self.truth.n_classes == 1:
            self.said_planes = above[:, None]
            self.wrong = above != self.truth.planes[:, 0]
        elif self.truth.classes is not None and self.truth.n_classes == 2:
            self.said = above.astype(np.int64)
            self.wrong = self.said != self.truth.classes

    def exact(self) -> bool:
        """Whether every labelled pixel holds exactly the scene's own class, as 0/1 rows, 0/1 values or an id."""
        valid = self.truth.valid
        if self.wrong is None or (self.wrong & valid).any() or (self.outside & valid).any():
            return False
        if self.kind == "ids":
            return True
        if self.truth.planes is not None or self.kind == "single":
            values = self.values[valid]
            return bool(((values == 0) | (values == 1)).all())
        assert self.sums is not None
        return bool((self.sums[valid] == 1).all() and (self.top[valid] == 1).all())

    def absent(self) -> tuple[int, ...]:
        """Classes with labelled pixels in the scene that no labelled pixel says."""
        valid, classes = self.truth.valid, self.truth.classes
        if self.wrong is None:
            return ()
        if classes is None:
            assert self.truth.planes is not None
            missing = self.truth.planes[valid].any(axis=0) & ~self.said_planes[valid].any(axis=0)
            return tuple(int(c) for c in np.flatnonzero(missing))
        assert self.said is not None
        present, said = np.unique(classes[valid]), np.unique(self.said[valid])
        return tuple(int(c) for c in np.setdiff1d(present, said))

    def one_label(self) -> bool:
        """Whether the labelled pixels all say the same although they differ in the scene."""
        valid = self.truth.valid
        if self.wrong is None or not valid.any():
            return False
        if self.truth.classes is None:
            assert self.truth.planes is not None
            return _constant(self.said_planes[valid]) and not _constant(self.truth.planes[valid])
        assert self.said is not None
        return _constant(self.said[valid]) and not _constant(self.truth.classes[valid])

    def shift(self) -> int:
        """What is added to every labelled pixel's id; 0 where it is not the same number everywhere."""
        valid = self.truth.valid
        if self.kind != "ids" or self.truth.classes is None or not valid.any():
            return 0
        assert self.said is not None
        difference = (self.said - self.truth.classes)[valid]
        return int(difference[0]) if _constant(difference) else 0

    def confused(self) -> tuple[tuple[int, int] | None, float]:
        """The commonest (class of the scene, class of the label) among the wrong, and its share."""
        if self.wrong is None or self.said is None or self.truth.classes is None:
            return None, 0.0
        wrong = self.wrong & self.truth.valid
        if not wrong.any():
            return None, 0.0
        pairs = np.stack([self.truth.classes[wrong], self.said[wrong]], axis=-1)
        kinds, counts = np.unique(pairs, axis=0, return_counts=True)
        first, second = kinds[counts.argmax()]
        return (int(first), int(second)), float(counts.max() / np.count_nonzero(self.truth.valid))

    def between(self) -> Mask:
        """(P,) where a value lies between 0 and 1, or between 0 and 255, by more than 2 % of that."""
        if self.kind == "ids" or (self.values.dtype.kind in "iub" and self.values.max(initial=0) <= 1):
            return np.zeros(self.truth.valid.shape, bool)
        unit = 255.0 if self.values.max(initial=0) > 127 else 1.0
        low, high = 0.02 * unit, 0.98 * unit
        return np.asarray(((self.values > low) & (self.values < high)).any(axis=-1))


def _constant(array: NDArray[Any]) -> bool:
    return bool((array == array[:1]).all())


def _fitted(planes: Mask, n_classes: int) -> Mask:
    """(P, C) to (P, n_classes): channels beyond the classes left out, missing ones False."""
    missing = max(0, n_classes - planes.shape[-1])
    return np.pad(planes, ((0, 0), (0, missing)))[:, :n_classes]
