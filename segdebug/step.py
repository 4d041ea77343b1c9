"""One training step on real Keras objects that returns every record from its own forward pass.

It does what `keras.Model.train_step` does, in the kind of function that `fit` would build, and taps the logits
and the unreduced loss on their way. Nothing is computed again from `predict`: Keras's hidden swap of an output
for its logits would not survive that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from segdebug.parts.build import Parts
from segdebug.scene import GridScene
from segdebug.stages import Training

__all__ = ["StepRecord", "build_step", "pixel_loss_reason"]


@dataclass(frozen=True)
class Truth:
    """What a step is scored against. labels (S, S) int32, 0 where void; planes (S, S, K) bool or None;
    valid (S, S) bool; n_classes: rows of the counts; threshold: see `decoding`."""

    labels: Any
    planes: Any
    valid: Any
    n_classes: int
    threshold: float

    @classmethod
    def of(cls, grid: GridScene, n_classes: int, threshold: float) -> Truth:
        planes = None
        if grid.planes is not None:
            missing = n_classes - grid.planes.shape[-1]
            planes = tf.constant(np.pad(grid.planes, ((0, 0), (0, 0), (0, missing))))
        labels = tf.constant(np.maximum(grid.labels, 0))
        return cls(labels, planes, tf.constant(grid.valid), n_classes, threshold)


StepRecord = dict[str, Any]
"""scalars (len(SCALARS),) float32; finite bool; counts, threshold_counts (3, C) int32; prediction, pixel_loss,
gradient, dead (S, S), as in Trace and Snapshot; output: the head's output."""


def pixel_loss_reason(values_shape: tuple[int | None, ...], size: int) -> str | None:
    """Why a loss of that unreduced shape has no value for each pixel; None where it has."""
    n = int(np.prod([d or 1 for d in values_shape]))
    if n % (size * size) == 0:
        return None
    if n == 1:
        return "this loss is one number for the whole picture, not a mean over pixels"
    return f"Keras had already averaged over pixels before the reduction: its values have shape {values_shape}"


def build_step(parts: Parts, grid: GridScene, n_classes: int, threshold: float, training: Training) -> Any:
    """A function () → StepRecord that does one training step; a tf.function unless execution is eager."""
    model, optimizer = parts.model, parts.model.optimizer
    optimizer.build(model.trainable_variables)
    truth = Truth.of(grid, max(n_classes, parts.channels, 2 if parts.channels == 1 else 1), threshold)

    def train(x: Any, y: Any, weights: Any = None) -> tuple[Any, ...]:
        with tf.GradientTape() as tape:
            output = model(x, training=True)
            loss = model.compute_loss(x, y, output, weights, training=True)
            scaled = optimizer.scale_loss(loss)
        logits, values = parts.logits.tensor, parts.pixel_values.tensor
        at_logits, *gradients = tape.gradient(scaled, [logits, *model.trainable_variables])
        if at_logits is None:
            at_logits = tf.zeros_like(logits)
        scale = optimizer.scale_loss(tf.ones(()))
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        return output, logits, loss, values, at_logits, scale

    def record(output: Any, logits: Any, loss: Any, values: Any, at_logits: Any, scale: Any) -> StepRecord:
        at_logits = tf.cast(at_logits, tf.float32) / tf.cast(scale, tf.float32)
        return _records(truth, output, logits, tf.reduce_mean(loss), values, parts.weights, at_logits)

    fed = [tensor for tensor in (parts.x, parts.y, parts.weights) if tensor is not None]
    if training.execution == "eager":
        return lambda: record(*train(*fed))
    # As fit does it: not converted by AutoGraph, compiled by XLA only where that was asked for. The records are
    # made in a function of their own: within the step they would change how TensorFlow fuses and casts it, which
    # shows in the digits of half precision.
    traced = tf.function(
        train,
        input_signature=[_as_fit_traces(tensor, training.container) for tensor in fed],
        jit_compile=training.execution == "xla",
        autograph=False,
    )
    recorded = tf.function(record, autograph=False)
    return lambda: recorded(*traced(*fed))


def _as_fit_traces(tensor: Any, container: str) -> Any:
    """A batch of arrays has its size while fit traces, one of a Dataset has none: TensorFlow then simplifies
    other sums, and the last digits differ."""
    batch = None if container == "tf_data" else tensor.shape[0]
    return tf.TensorSpec((batch, *tensor.shape[1:]), tensor.dtype)


def _records(
    truth: Truth, output: Any, logits: Any, loss: Any, values: Any, weights: Any, at_logits: Any
) -> StepRecord:
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
        "finite": tf.math.is_finite(loss) & tf.reduce_all(tf.math.is_finite(logits)),
        "counts": _counts(prediction, truth),
        "threshold_counts": _threshold_counts(spatial, truth),
        "prediction": prediction,
        "pixel_loss": tf.zeros((0,)) if pixel_loss is None else pixel_loss,
        "gradient": gradient,
        "dead": dead,
        "output": output,
    }


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
    valid = tf.cast(truth.valid, tf.int32)

    def per_class(ones: Any, classes: Any) -> Any:
        flat = tf.reshape(ones, (-1,)), tf.reshape(classes, (-1,))
        return tf.math.unsorted_segment_sum(*flat, truth.n_classes)

    right = valid * tf.cast(prediction == truth.labels, tf.int32)
    return tf.stack([per_class(right, truth.labels), per_class(valid, prediction), per_class(valid, truth.labels)])


def _threshold_counts(output: Any, truth: Truth) -> Any:
    """(3, C) int32 as in `_counts`, every channel on its own; of one channel, class 1."""
    if output.shape[-1] == 1 and truth.planes is None:
        return _counts(_decoded(output, truth), truth)
    above = tf.pad(output > truth.threshold, ((0, 0), (0, 0), (0, truth.n_classes - output.shape[-1])))
    planes = truth.planes
    if planes is None:
        planes = tf.one_hot(truth.labels, truth.n_classes, on_value=True, off_value=False, dtype=tf.bool)
    return _plane_counts(above, planes, truth.valid)


def _plane_counts(predicted: Any, true: Any, valid: Any) -> Any:
    sets = (predicted & true, predicted, true)
    return tf.stack([tf.reduce_sum(tf.cast(s & valid[..., None], tf.int32), axis=(0, 1)) for s in sets])


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
