"""Losses of single pixels in float64, as functions of what they read, each with its gradient.

u: (P, K) float64, what the loss reads: logits, or something that it takes for probabilities. y: (P, K) labels as
fed, any numbers. Each returns the values (P,) and the gradient (P, K) of each pixel's own value. The formulas are
those of Keras 3 (keras/src/losses/losses.py, keras/src/backend/tensorflow/nn.py) in exact arithmetic, but for the
bounds of its clipping, which are float32's.
"""

from __future__ import annotations

import numpy as np

from segdebug.reference.activations import Array, log_softmax, sigmoid, softmax

__all__ = [
    "EPSILON",
    "Read",
    "binary_focal",
    "binary_from_logits",
    "binary_from_probabilities",
    "categorical_focal",
    "categorical_from_logits",
    "categorical_from_probabilities",
    "categorical_fused",
    "categorical_hinge",
    "kl_divergence",
    "mean_absolute_error",
    "mean_squared_error",
    "smoothed",
    "sparse_from_probabilities",
]

Read = tuple[Array, Array]
"""Values and gradients."""

EPSILON = 1e-7
_UPPER = float(np.float32(1) - np.float32(EPSILON))  # 1 - 2^-23: float32 has nothing nearer to 1 - 1e-7


def smoothed(y: Array, amount: float, *, binary: bool) -> Array:
    """Labels after Keras's label smoothing: towards 1/2 for binary losses, else towards 1/K."""
    return y * (1 - amount) + (0.5 * amount if binary else amount / y.shape[-1])


def categorical_from_logits(u: Array, y: Array) -> Read:
    """S log sum exp u - y·u with S = sum y; gradient S p - y."""
    total = y.sum(axis=-1, keepdims=True)
    return -(y * log_softmax(u)).sum(axis=-1), total * softmax(u) - y


def categorical_fused(u: Array, y: Array) -> Read:
    """The same value with the gradient of TensorFlow's fused operation, p - y, whatever the labels sum to.

    It is the gradient of log sum exp u - y·u, which has no minimum unless the labels sum to 1.
    """
    return -(y * log_softmax(u)).sum(axis=-1), softmax(u) - y


def categorical_from_probabilities(u: Array, y: Array) -> Read:
    """-sum y log clip(u / sum u): renormalised, then clipped; no gradient where the clip holds."""
    ratio, total = _ratio(u)
    q, passes = _clipped(ratio)
    return -(y * np.log(q)).sum(axis=-1), _through_ratio(-y / q * passes, ratio, total)


def sparse_from_probabilities(u: Array, y: Array) -> Read:
    """The fused operation on log clip(u), which renormalises: log sum clip(u) - log clip(u)_y."""
    clipped, passes = _clipped(u)
    values, at_log = categorical_from_logits(np.log(clipped), y)
    return values, at_log / clipped * passes


def binary_from_logits(u: Array, y: Array) -> Read:
    """mean_k max(u, 0) - u y + log1p(exp(-|u|)); gradient (sigmoid(u) - y) / K."""
    values = np.maximum(u, 0) - u * y + np.log1p(np.exp(-np.abs(u)))
    return values.mean(axis=-1), (sigmoid(u) - y) / u.shape[-1]


def binary_from_probabilities(u: Array, y: Array) -> Read:
    """mean_k -(y log c + (1 - y) log(1 - c)) with c = clip(u)."""
    c, passes = _clipped(u)
    values = -(y * np.log(c) + (1 - y) * np.log(1 - c))
    return values.mean(axis=-1), (-(y / c) + (1 - y) / (1 - c)) * passes / u.shape[-1]


def categorical_focal(u: Array, y: Array, alpha: float = 0.25, gamma: float = 2.0) -> Read:
    """sum_k alpha (1 - q)^gamma · (-y log q) with q = clip(u / sum u)."""
    ratio, total = _ratio(u)
    q, passes = _clipped(ratio)
    weight = alpha * (1 - q) ** gamma
    slope = alpha * gamma * (1 - q) ** max(gamma - 1, 0) * y * np.log(q) * (gamma > 0) - weight * y / q
    return -(weight * y * np.log(q)).sum(axis=-1), _through_ratio(slope * passes, ratio, total)


def binary_focal(
    u: Array, y: Array, alpha: float | None = None, gamma: float = 2.0, entropy_logits: Array | None = None
) -> tuple[Array, Array, Array]:
    """mean_k (1 - p_t)^gamma · BCE with p_t = y u + (1 - y)(1 - u), times alpha's balance where one is given.

    entropy_logits: what the cross entropy reads in place of u (the hybrid that Keras makes after one of its own
    activations). Returns the values, the gradient at u and the gradient at those logits (zero where there are none).
    """
    if entropy_logits is None:
        c, passes = _clipped(u)
        entropy = -(y * np.log(c) + (1 - y) * np.log(1 - c))
        at_u = (-(y / c) + (1 - y) / (1 - c)) * passes
        at_logits = np.zeros_like(u)
    else:
        z = entropy_logits
        entropy = np.maximum(z, 0) - z * y + np.log1p(np.exp(-np.abs(z)))
        at_u, at_logits = np.zeros_like(u), sigmoid(z) - y
    balance = 1.0 if alpha is None else y * alpha + (1 - y) * (1 - alpha)
    missing = 1 - (y * u + (1 - y) * (1 - u))
    factor = balance * missing**gamma
    slope = balance * gamma * missing ** max(gamma - 1, 0) * (1 - 2 * y) * (gamma > 0)
    k = u.shape[-1]
    return (factor * entropy).mean(axis=-1), (slope * entropy + factor * at_u) / k, factor * at_logits / k


def mean_squared_error(u: Array, y: Array) -> Read:
    """mean_k (y - u)^2."""
    return ((y - u) ** 2).mean(axis=-1), 2 * (u - y) / u.shape[-1]


def mean_absolute_error(u: Array, y: Array) -> Read:
    """mean_k |y - u|."""
    return np.abs(y - u).mean(axis=-1), np.sign(u - y) / u.shape[-1]


def kl_divergence(u: Array, y: Array) -> Read:
    """sum_k y log(y / u), both clipped to [1e-7, 1]."""
    truth, q = np.clip(y, EPSILON, 1.0), np.clip(u, EPSILON, 1.0)
    slope = np.where((u >= EPSILON) & (u <= 1), -truth / q, np.zeros_like(u))
    return (truth * np.log(truth / q)).sum(axis=-1), slope


def categorical_hinge(u: Array, y: Array) -> Read:
    """max(0, 1 + max_k (1 - y_k) u_k - sum_k y_k u_k)."""
    others = (1 - y) * u
    worst = others == others.max(axis=-1, keepdims=True)
    values = 1 + others.max(axis=-1) - (y * u).sum(axis=-1)
    share = worst / worst.sum(axis=-1, keepdims=True)
    return np.maximum(values, 0), ((1 - y) * share - y) * (values > 0)[..., None]


def _clipped(u: Array) -> tuple[Array, Array]:
    """clip(u) between 1e-7 and 1 - 1e-7, and where its gradient passes."""
    held = (u < EPSILON) | (u > _UPPER)  # NaN is not held, as in Keras
    return np.clip(u, EPSILON, _UPPER), np.asarray(~held, np.float64)


def _ratio(u: Array) -> tuple[Array, Array]:
    """u / sum u, and the sum; NaN where all are zero, as in Keras."""
    total = u.sum(axis=-1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        return u / total, total


def _through_ratio(at_ratio: Array, ratio: Array, total: Array) -> Array:
    """dL/du from dL/d(u / sum u)."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return (at_ratio - (at_ratio * ratio).sum(axis=-1, keepdims=True)) / total
