"""Losses by formula that Keras does not have, each written with keras.ops on (N, ..., K) tensors.

Sums run over the batch, all pixels and all classes at once, as Keras's own Dice does by default.
"""

from __future__ import annotations

from typing import Any

from keras import ops

__all__ = ["dice_coefficient", "jaccard", "lovasz", "negative_dice"]


def jaccard(y_true: Any, y_pred: Any) -> Any:
    """1 - (I + 1e-7) / (U + 1e-7) with I = sum y p and U = sum y + sum p - I; a scalar."""
    intersection = ops.sum(y_true * y_pred)
    union = ops.sum(y_true) + ops.sum(y_pred) - intersection
    return 1.0 - (intersection + 1e-7) / (union + 1e-7)


def dice_coefficient(y_true: Any, y_pred: Any, smooth: float = 1.0) -> Any:
    """(2 I + smooth) / (sum y + sum p + smooth); a scalar."""
    return (2.0 * ops.sum(y_true * y_pred) + smooth) / (ops.sum(y_true) + ops.sum(y_pred) + smooth)


def negative_dice(y_true: Any, y_pred: Any) -> Any:
    """-(2 I + 1) / (S + 1): the negative coefficient that some use as a loss."""
    return -dice_coefficient(y_true, y_pred)


def lovasz(y_true: Any, y_pred: Any) -> Any:
    """Lovász-softmax of Berman, Rannen Triki and Blaschko (CVPR 2018), Algorithm 1, mean over the classes
    that occur in `y_true`. Several channels: errors |y_c - p_c| of each class, sorted, against the gradient of
    its Jaccard index. One channel: the same for that channel alone."""
    channels = y_true.shape[-1]
    truth = ops.reshape(y_true, (-1, channels))
    errors = ops.abs(truth - ops.reshape(y_pred, (-1, channels)))
    order = ops.argsort(-errors, axis=0)  # of equal errors the first pixel first, as in the authors' TensorFlow code
    sorted_errors = ops.take_along_axis(errors, order, axis=0)
    gradient = _jaccard_gradient(ops.take_along_axis(truth, order, axis=0))
    present = ops.cast(ops.sum(truth, axis=0) > 0, sorted_errors.dtype)
    per_class = ops.sum(sorted_errors * gradient, axis=0)
    return ops.sum(per_class * present) / ops.maximum(ops.sum(present), 1.0)


def _jaccard_gradient(truth: Any) -> Any:
    """(P, C) sorted labels to the steps of 1 - I/U as errors are taken in, largest first."""
    total = ops.sum(truth, axis=0, keepdims=True)
    intersection = total - ops.cumsum(truth, axis=0)
    union = total + ops.cumsum(1.0 - truth, axis=0)
    loss = 1.0 - intersection / ops.maximum(union, 1e-7)
    return ops.concatenate([loss[:1], loss[1:] - loss[:-1]], axis=0)
