"""What a probe depends on, and the logits and labels that it is asked with. No TensorFlow here."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segdebug.experiment import Experiment, Head, Loss
from segdebug.vocabulary import LOSSES

__all__ = ["Question"]

Array = NDArray[Any]

_FLAT = ("after_reshape", "then_reshape")
_CONFIDENT = 200.0  # a sixteenth of it, as bilinear enlarging makes, is still beyond every clip
_GRIDS = (6, 8, 10)
_SEED = 20190729


@dataclass(frozen=True)
class Question:
    """Everything that an answer depends on, but for the versions of what computes it.

    label_rest: the axes of the labels behind the pixels': () for ids, (K,) for rows, (1,) for a trailing axis.
    label_flat: pixels are one axis (H*W) instead of two.
    """

    head: Head
    loss: Loss
    channels: int
    execution: str
    precision: str
    label_rest: tuple[int, ...]
    label_flat: bool
    label_dtype: str

    @classmethod
    def of(cls, experiment: Experiment, channels: int, label_shape: tuple[int, ...], size: int) -> Question:
        """The question that a configuration asks, with labels of that shape (without the batch axis) at that size.

        Class weights and the reduction are not part of it: they scale what a pixel's loss is, not what it reads.
        """
        flat = label_shape[:1] == (size * size,)
        loss = experiment.loss.model_copy(
            update={
                "class_weights": _ones(experiment.loss, channels),
                "void": "as_fed",
                "reduction": "sum_over_batch_size",
                "weighting": experiment.loss.weighting if experiment.loss.weighting == "in_loss" else "pixel",
            }
        )
        training = experiment.training
        return cls(
            experiment.head,
            loss,
            channels,
            training.execution,
            training.precision,
            tuple(label_shape[1:] if flat else label_shape[2:]),
            flat,
            experiment.target.dtype,
        )

    def wirings(self) -> list[Question]:
        """The same loss in the wirings where it could see the logits, if it looks for them."""
        attached = self.head.model_copy(update={"attachment": "layer"})
        loss = self.loss.model_copy(update={"from_logits": False, "ignore_class": None})
        plain = replace(self, head=attached, loss=loss, precision="float32", label_flat=False)
        wirings = [plain]
        if "from_logits" in LOSSES[self.loss.name].accepts:
            linear = self.head.model_copy(update={"attachment": "layer", "activation": "linear"})
            wirings.append(replace(plain, head=linear, loss=loss.model_copy(update={"from_logits": True})))
        return [wiring for wiring in wirings if wiring != self]

    @property
    def side(self) -> int:
        """Pixels on a side: even, and no number that could be taken for the channels."""
        taken = {self.channels, *self.label_rest}
        return next(side for side in _GRIDS if side not in taken and side * side not in taken)

    @property
    def logits_grid(self) -> tuple[int, int]:
        side = self.side // 2 if self.head.attachment == "then_upsampling" else self.side
        return side, side

    @property
    def sparse(self) -> bool:
        """Whether the loss takes one id a pixel."""
        return self.loss.name.startswith("sparse_")

    def moderate(self) -> Array:
        """(1, h, w, K) logits within ±4, where no clip and no rounding matters; one pixel has only negative ones."""
        rng = np.random.default_rng(_SEED)
        z = np.clip(rng.normal(0, 1.5, (1, *self.logits_grid, self.channels)), -4, 4)
        z[0, 0, 0] = -np.abs(z[0, 0, 0]) - 0.1
        return z

    def confident(self) -> Array:
        """(1, h, w, K) logits of ±200: right at every other pixel, wrong at the rest."""
        ids = self._ids()
        right = (np.add.outer(*map(np.arange, self.logits_grid)) % 2 == 0).reshape(ids.shape)
        if self.channels == 1:
            return np.where(right == (ids == 1), _CONFIDENT, -_CONFIDENT)[None, ..., None]
        chosen = np.where(right, ids, (ids + 1) % self.channels)
        return np.where(np.eye(self.channels)[chosen] == 1, _CONFIDENT, -_CONFIDENT)[None]

    def labels(self) -> Array:
        """(1, ...) clean labels in the shape and dtype as fed: one-hot rows, ids, or 0/1."""
        finer = self.side // self.logits_grid[0]
        ids = self._ids().repeat(finer, axis=0).repeat(finer, axis=1)
        if self.label_rest == (self.channels,) and self.channels > 1:
            labels = np.eye(self.channels)[ids]
        elif self.label_rest in ((), (1,)):
            labels = ids.reshape(*ids.shape, *self.label_rest)
        else:
            labels = np.broadcast_to((ids % 2)[(..., *[None] * len(self.label_rest))], (*ids.shape, *self.label_rest))
        if self.label_flat:
            labels = labels.reshape(self.side**2, *labels.shape[2:])
        return labels[None].astype(self.label_dtype)

    def rows(self, labels: Array) -> Array:
        """Labels as float64 in the shape in which a loss that is no sparse one compares them with the output."""
        y = labels.astype(np.float64)
        if not self.sparse:
            return y
        ids = labels.astype(int)
        ids = ids[..., 0] if self.label_rest == (1,) else ids
        return np.eye(max(self.channels, 2))[ids][..., : self.channels]

    def clean_rows(self, shape: tuple[int, ...]) -> Array:
        """Right labels in the shape of the logits: one-hot, or 0/1 for one channel."""
        ids = self._ids()
        return (ids[..., None] if self.channels == 1 else np.eye(self.channels)[ids]).reshape(shape).astype(float)

    def wrong(self) -> Array:
        """(h, w) bool: the confidently wrong pixels."""
        return np.asarray(np.add.outer(*map(np.arange, self.logits_grid)) % 2 == 1)

    def _ids(self) -> Array:
        """(h, w) class ids of the logits' pixels, all in turn, in no step with the pattern of right and wrong."""
        count = max(self.channels, 2) if not (self.sparse and self.channels == 1) else 1
        h, w = self.logits_grid
        return (np.arange(h * w) // 2 % count).reshape(h, w)


def _ones(loss: Loss, channels: int) -> tuple[float, ...] | None:
    """Weights inside the loss are part of how it is called: they stay, and weigh nothing."""
    weighs = loss.weighting == "in_loss" and loss.class_weights is not None
    return (1.0,) * max(channels, 2) if weighs else None
