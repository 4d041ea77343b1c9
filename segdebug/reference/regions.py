"""Losses of whole regions in float64: sums over all pixels and classes, one value, with its gradient.

u, y: any shape, the same, classes last. Each returns the value () and the gradient in the shape of u. The
formulas are Keras 3's (keras/src/losses/losses.py) and those of `segdebug.parts.regions`.
"""

from __future__ import annotations

import numpy as np

from segdebug.reference.activations import Array
from segdebug.reference.losses import EPSILON

__all__ = ["dice", "dice_coefficient", "jaccard", "lovasz", "tversky"]

Region = tuple[Array, Array]


def dice(u: Array, y: Array, axis: int | None = None) -> Region:
    """1 - 2 I / (A + B + 1e-7), sums over all, or over one axis: then one value for each place on the others."""
    overlap, total = _sum(u * y, axis), _sum(u, axis) + _sum(y, axis) + EPSILON
    return np.squeeze(1 - 2 * overlap / total, axis), -2 * y / total + 2 * overlap / total**2


def dice_coefficient(u: Array, y: Array, smooth: float = 1.0) -> Region:
    """(2 I + smooth) / (A + B + smooth)."""
    upper, lower = 2 * (u * y).sum() + smooth, u.sum() + y.sum() + smooth
    return np.asarray(upper / lower), 2 * y / lower - upper / lower**2


def tversky(
    u: Array, y: Array, axis: int | None = None, of_false_positives: float = 0.5, of_false_negatives: float = 0.5
) -> Region:
    """1 - I / (I + a FP + b FN) with FP = sum u (1 - y), FN = sum (1 - u) y; axis as in `dice`."""
    a, b = of_false_positives, of_false_negatives
    overlap = _sum(u * y, axis)
    total = overlap + a * _sum(u * (1 - y), axis) + b * _sum((1 - u) * y, axis) + EPSILON
    slope = overlap / total**2 * (y + a * (1 - y) - b * y) - y / total
    return np.squeeze(1 - overlap / total, axis), slope


def jaccard(u: Array, y: Array) -> Region:
    """1 - (I + 1e-7) / (U + 1e-7) with U = A + B - I."""
    overlap = (u * y).sum() + EPSILON
    union = u.sum() + y.sum() - (u * y).sum() + EPSILON
    return np.asarray(1 - overlap / union), (overlap * (1 - y) - y * union) / union**2


def lovasz(u: Array, y: Array) -> Region:
    """The Lovász extension of the Jaccard loss, mean over the classes (last axis) that occur in y.

    Berman, Rannen Triki and Blaschko (CVPR 2018), Algorithm 1. Of equal errors the first pixel comes first.
    """
    truth, scores = y.reshape(-1, y.shape[-1]), u.reshape(-1, u.shape[-1])
    present = truth.sum(axis=0) > 0
    value, gradient = 0.0, np.zeros_like(scores)
    for k in np.flatnonzero(present):
        errors = np.abs(truth[:, k] - scores[:, k])
        order = np.argsort(-errors, kind="stable")
        total, hit = truth[order, k].sum(), np.cumsum(truth[order, k])
        index = 1 - (total - hit) / (total + np.cumsum(1 - truth[order, k]))
        steps = np.diff(index, prepend=0.0)
        value += (errors[order] * steps).sum()
        gradient[order, k] = steps * np.sign(scores[order, k] - truth[order, k])
    n = max(1, int(present.sum()))
    return np.asarray(value / n), gradient.reshape(u.shape) / n


def _sum(values: Array, axis: int | None) -> Array:
    """With the axes kept, so that it goes with the values themselves."""
    return np.asarray(values.sum(axis=axis, keepdims=True))
