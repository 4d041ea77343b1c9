"""The formulas of one pixel's way, as LaTeX, and the numbers that they give in float64.

Each function takes rows (K,) of float64 and gives the formula with its numbers: `Line`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from segdebug.experiment import Head, Loss
from segdebug.reference.activations import ACTIVATIONS, Array, log_softmax, sigmoid
from segdebug.reference.losses import EPSILON, smoothed

__all__ = ["ACTIVATION", "Line", "clipped", "kind", "logarithm", "loss_formula", "read"]

_UPPER = float(np.float32(1) - np.float32(EPSILON))


class Line(NamedTuple):
    """A formula, what it gives, one number a channel or one, and what to say beside it."""

    formula: str
    numbers: Array
    words: str = ""


ACTIVATION = {
    "linear": r"u = z",
    "softmax": r"u_k = \frac{e^{z_k}}{\sum_j e^{z_j}}",
    "sigmoid": r"u_k = \frac{1}{1 + e^{-z_k}}",
    "relu": r"u_k = \max(z_k, 0)",
    "tanh": r"u_k = \tanh z_k",
    "log_softmax": r"u_k = z_k - \log \sum_j e^{z_j}",
}

_KINDS = {
    "categorical_crossentropy": "categorical",
    "softmax_cross_entropy_with_logits": "categorical",
    "sparse_categorical_crossentropy": "sparse",
    "sparse_softmax_cross_entropy_with_logits": "sparse",
    "binary_crossentropy": "binary",
    "sigmoid_cross_entropy_with_logits": "binary",
    "weighted_bce_dice": "binary",
    "categorical_focal_crossentropy": "categorical_focal",
    "binary_focal_crossentropy": "binary_focal",
    "mean_squared_error": "squared",
    "mean_absolute_error": "absolute",
    "kl_divergence": "kl",
    "categorical_hinge": "hinge",
    "cce_dice": "categorical",
    "cce_jaccard": "categorical",
    "bce_dice": "binary",
    "bce_jaccard": "binary",
}

_LOSS = {
    "categorical": r"\ell = -\sum_k y_k \log \hat q_k",
    "sparse": r"\ell = -\log \hat q_y",
    "binary": r"\ell = -\frac{1}{K} \sum_k \left[ y_k \log \hat q_k + (1 - y_k) \log(1 - \hat q_k) \right]",
    "categorical_focal": r"\ell = -\alpha \sum_k (1 - \hat q_k)^\gamma \, y_k \log \hat q_k",
    "binary_focal": r"\ell = -\frac{1}{K} \sum_k (1 - p_t)^\gamma \log p_t",
    "squared": r"\ell = \frac{1}{K} \sum_k (y_k - u_k)^2",
    "absolute": r"\ell = \frac{1}{K} \sum_k |y_k - u_k|",
    "kl": r"\ell = \sum_k y_k \log \frac{y_k}{\hat q_k}",
    "hinge": r"\ell = \max\left(0,\; 1 + \max_k (1 - y_k) u_k - \sum_k y_k u_k\right)",
}


def kind(loss: Loss, head: Head, channels: int) -> str:
    """What sort of loss the pixel part is; "" for one that is all region."""
    if loss.name == "focal_dice":
        return "binary_focal" if head.activation == "sigmoid" or channels == 1 else "categorical_focal"
    return _KINDS.get(loss.name, "")


def loss_formula(of: str) -> str:
    """How the logarithms, or differences, become the pixel's loss."""
    return _LOSS[of]


def read(of: str, reads: str, own: str, activation: str, z: Array, u: Array) -> Line:
    """What the loss takes in place of the output, or of it."""
    if reads == "logits":
        if activation == "linear":
            return Line("x = z", z)
        return Line("x = z", z, "Keras goes back to the logits")
    if reads == "output_logits":
        return Line("x = u", u, "the output, taken for logits")
    if reads in ("mixed", "mixed_activated"):
        return Line(r"p = u,\; x = z", u, "the factor reads the output, the logarithm the logits")
    if reads == "activated":
        again = ACTIVATIONS[own].forward(u, -1)
        return Line(rf"q = \operatorname{{{own}}}(u)", again, "once more, in the loss")
    if of in ("categorical", "categorical_focal"):
        with np.errstate(all="ignore"):
            return Line(r"q_k = \frac{u_k}{\sum_j u_j}", u / u.sum(), "the output, taken for probabilities")
    return Line("q = u", u, "the output as it is")


def clipped(of: str, q: Array) -> Line | None:
    """The probabilities within what Keras lets pass; None for a loss that does not clip."""
    if of in ("squared", "absolute", "hinge", ""):
        return None
    if of == "kl":
        return Line(r"\hat q_k = \min(\max(q_k, 10^{-7}), 1)", np.clip(q, EPSILON, 1.0))
    formula = r"\hat q_k = \min(\max(q_k, 10^{-7}), 1 - 10^{-7})"
    return Line(formula, np.clip(q, EPSILON, _UPPER))


def logarithm(of: str, loss: Loss, y: Array, *, logits: Array | None = None, q: Array | None = None) -> Line | None:
    """The logarithm of what each class was given, from logits or from probabilities; None for a loss without one."""
    if of in ("squared", "absolute", "hinge", ""):
        return None
    binary = of in ("binary", "binary_focal")
    if logits is not None:
        if not binary:
            return Line(r"\log \hat q_k = x_k - \log \sum_j e^{x_j}", log_softmax(logits))
        y = smoothed(y, loss.label_smoothing, binary=True)
        numbers = y * np.log(sigmoid(logits)) + (1 - y) * np.log(sigmoid(-logits))
        return Line(r"y_k \log \sigma(x_k) + (1 - y_k) \log \sigma(-x_k)", numbers)
    assert q is not None
    with np.errstate(all="ignore"):
        if not binary:
            return Line(r"\log \hat q_k", np.log(q))
        y = smoothed(y, loss.label_smoothing, binary=True)
        return Line(r"y_k \log \hat q_k + (1 - y_k) \log(1 - \hat q_k)", y * np.log(q) + (1 - y) * np.log(1 - q))
