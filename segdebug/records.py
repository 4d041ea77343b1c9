"""What a training step records, from the tensors of its own forward pass and of its own gradient."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import tensorflow as tf

from segdebug.scene import GridScene

__all__ = ["ENDS", "EVERY_STEP", "StepRecord", "Truth", "pixel_loss_reason", "records"]


EVERY_STEP = ("scalars", "end", "counts", "threshold_counts")
"""What is kept of each step; the rest of a record, of the steps worth showing."""

ENDS = (None, "not_finite", "diverged")
"""What a record's `end` means: the run goes on, or its outcome."""

_DIVERGED = 1e12  # a float32 logit this large has lost every digit below 2^16: no class can be told apart


@dataclass(frozen=True)
class Truth:
    """What a step is scored against. labels (S, S) int32, 0 where void; valid (S, S) bool; planes (S, S, K) bool or
    None; n_classes: rows of the counts; threshold: see `decoding`."""

    labels: Any
    valid: Any
    planes: Any
    n_classes: int
    threshold: float

    @classmethod
    def of(cls, grid: GridScene, n_classes: int, channels: int, threshold: float) -> Truth:
        """With a row for each class and each channel; one channel alone decodes to two."""
        rows = max(n_classes, channels, 2 if channels == 1 else 1)
        planes = None
        if grid.planes is not None:
            planes = tf.constant(np.pad(grid.planes, ((0, 0), (0, 0), (0, rows - grid.planes.shape[-1]))))
        return cls(tf.constant(np.maximum(grid.labels, 0)), tf.constant(grid.valid), planes, rows, threshold)

    @property
    def tensors(self) -> tuple[Any, ...]:
        """What differs from picture to picture."""
        return (self.labels, self.valid) if self.planes is None else (self.labels, self.valid, self.planes)

    def with_tensors(self, tensors: Sequence[Any]) -> Truth:
        """The same with others in their places."""
        return replace(self, **dict(zip(("labels", "valid", "planes"), tensors, strict=False)))


StepRecord = dict[str, Any]
"""scalars (len(SCALARS),) float32; end int32, an index of ENDS; counts, threshold_counts (3, C) int32; prediction,
pixel_loss, gradient, dead (S, S), as in Trace and Snapshot, pixel_loss (0,) where there is none; output: the head's."""


def pixel_loss_reason(values_shape: tuple[int | None, ...], size: int) -> str | None:
    """Why a loss of that unreduced shape has no value for each pixel; None where it has."""
    n = int(np.prod([d or 1 for d in values_shape]))
    if n % (size * size) == 0:
        return None
    if n == 1:
        return "this loss is one number for the whole picture, not a mean over pixels"
    return f"Keras had already averaged over pixels before the reduction: its values have shape {values_shape}"


def records(truth: Truth, output: Any, logits: Any, loss: Any, values: Any, weights: Any, at_logits: Any) -> StepRecord:
    """loss: what fit prints; values: the unreduced loss; weights: the sample weights or None; at_logits: dL/dz."""
    size = truth.valid.shape[0]
    output = tf.cast(output, tf.float32)
    logits = tf.cast(logits, tf.float32)
    spatial = tf.reshape(output, (size, size, output.shape[-1]))
    prediction = _decoded(spatial, truth)
    wrong = truth.valid & _is_wrong(prediction, truth)
    dead = _stretched(tf.reduce_all(at_logits[0] == 0, axis=-1), size)
    gradient = _stretched(tf.norm(at_logits[0], axis=-1), size)
    pixel_loss = _pixel_loss(values, weights, size)
    scalars = [
        loss,
        tf.reduce_min(logits),
        tf.reduce_max(logits),
        tf.reduce_min(output),
        tf.reduce_max(output),
        np.nan if pixel_loss is None else tf.reduce_max(pixel_loss),
        tf.reduce_max(gradient),
        _fraction(dead & truth.valid, truth.valid),
        _fraction(dead & wrong, wrong),
    ]
    return {
        "scalars": tf.stack([tf.cast(scalar, tf.float32) for scalar in scalars]),
        "end": _end(loss, logits),
        "counts": _counts(prediction, truth),
        "threshold_counts": _threshold_counts(spatial, truth),
        "prediction": prediction,
        "pixel_loss": tf.zeros((0,)) if pixel_loss is None else pixel_loss,
        "gradient": gradient,
        "dead": dead,
        "output": output,
    }


def _end(loss: Any, logits: Any) -> Any:
    """An index of ENDS, int32."""
    finite = tf.math.is_finite(loss) & tf.reduce_all(tf.math.is_finite(logits))
    bounded = tf.reduce_max(tf.abs(logits)) <= _DIVERGED
    return tf.where(finite, tf.where(bounded, 0, ENDS.index("diverged")), ENDS.index("not_finite"))


def _decoded(output: Any, truth: Truth) -> Any:
    """(S, S, C) to classes (S, S) int32, or to planes (S, S, n_classes) bool where classes overlap."""
    channels = output.shape[-1]
    if truth.planes is not None:
        above = output > truth.threshold
        return tf.pad(above, ((0, 0), (0, 0), (0, truth.n_classes - channels)))
    if channels == 1:
        return tf.cast(output[..., 0] > truth.threshold, tf.int32)
    return tf.argmax(output, axis=-1, output_type=tf.int32)


def _is_wrong(prediction: Any, truth: Truth) -> Any:
    if truth.planes is not None:
        return tf.reduce_any(prediction != truth.planes, axis=-1)
    return prediction != truth.labels


def _counts(prediction: Any, truth: Truth) -> Any:
    """(3, C) int32: pixels right, predicted and true of each class, among the valid ones."""
    if truth.planes is not None:
        return _plane_counts(prediction, truth.planes, truth.valid)
    right = truth.valid & (prediction == truth.labels)
    return tf.stack(
        [
            _per_class(right, truth.labels, truth),
            _per_class(truth.valid, prediction, truth),
            _per_class(truth.valid, truth.labels, truth),
        ]
    )


def _per_class(mask: Any, classes: Any, truth: Truth) -> Any:
    """(C,) int32: pixels of the mask of each class."""
    ones = tf.reshape(tf.cast(mask, tf.int32), (-1,))
    return tf.math.unsorted_segment_sum(ones, tf.reshape(classes, (-1,)), truth.n_classes)


def _threshold_counts(output: Any, truth: Truth) -> Any:
    """(3, C) int32 as in `_counts`, every channel on its own; of one channel, class 1."""
    channels = output.shape[-1]
    if channels == 1 and truth.planes is None:
        return _counts(_decoded(output, truth), truth)
    above = output > truth.threshold
    padding = (0, truth.n_classes - channels)
    if truth.planes is not None:
        return _plane_counts(tf.pad(above, ((0, 0), (0, 0), padding)), truth.planes, truth.valid)
    # A pixel is true of one class only: its own channel is looked up, instead of all compared with one-hot planes.
    own = tf.gather(above, tf.minimum(truth.labels, channels - 1), batch_dims=2)
    right = truth.valid & own & (truth.labels < channels)
    predicted = _per_channel(above, truth.valid)
    return tf.stack(
        [
            _per_class(right, truth.labels, truth),
            tf.pad(predicted, (padding,)),
            _per_class(truth.valid, truth.labels, truth),
        ]
    )


def _per_channel(planes: Any, mask: Any) -> Any:
    """(C,) int32: pixels of the mask in each plane (S, S, C). A product of matrices, which is exact up to 2^24 pixels:
    TensorFlow repeats a mask along the last axis ten times more slowly."""
    columns = tf.reshape(tf.cast(planes, tf.float32), (-1, planes.shape[-1]))
    return tf.cast(tf.linalg.matvec(columns, tf.reshape(tf.cast(mask, tf.float32), (-1,)), transpose_a=True), tf.int32)


def _plane_counts(predicted: Any, true: Any, valid: Any) -> Any:
    sets = (predicted & true, predicted, true)
    return tf.stack([_per_channel(planes, valid) for planes in sets])


def _pixel_loss(values: Any, weights: Any, size: int) -> Any:
    """(S, S) float32: the unreduced loss times its sample weight; None where a pixel has none."""
    if pixel_loss_reason(tuple(values.shape), size) is not None:
        return None
    pixels = tf.reduce_mean(tf.reshape(tf.cast(values, tf.float32), (size, size, -1)), axis=-1)
    n_weights = 0 if weights is None else int(np.prod([d or 1 for d in weights.shape]))
    if n_weights not in (1, size * size):
        return pixels
    shape = (size, size) if n_weights == size * size else (1, 1)
    return pixels * tf.reshape(tf.cast(weights, tf.float32), shape)


def _stretched(coarse: Any, size: int) -> Any:
    """(h, w) to (S, S), each value repeated where the logits are coarser than the grid."""
    repeats = size // coarse.shape[0]
    return coarse if repeats == 1 else tf.repeat(tf.repeat(coarse, repeats, axis=0), repeats, axis=1)


def _fraction(of: Any, among: Any) -> Any:
    """How many of `among` are in `of`, 0..1; NaN where there are none."""
    counts = [tf.cast(tf.math.count_nonzero(mask, dtype=tf.int32), tf.float32) for mask in (of, among)]
    return counts[0] / counts[1]
