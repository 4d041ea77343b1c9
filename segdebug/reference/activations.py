"""Activations in float64, each with the way a gradient takes back through it.

Arrays may have any shape; `axis` is the axis that softmax and log_softmax sum over.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["ACTIVATIONS", "Activation", "Array", "log_softmax", "sigmoid", "softmax"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Activation:
    """forward: (z, axis) → u. backward: (z, u, dL/du, axis) → dL/dz, where u is the output at z.

    The output is an argument of its own because frameworks use theirs: near saturation `u (1 - u)` of a rounded
    output is what is computed.
    """

    forward: Callable[[Array, int], Array]
    backward: Callable[[Array, Array, Array, int], Array]


def softmax(z: Array, axis: int = -1) -> Array:
    """exp(z) / sum exp(z)."""
    e = np.exp(z - z.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


def sigmoid(z: Array) -> Array:
    """1 / (1 + exp(-z)), without overflow on either side."""
    e = np.exp(-np.abs(z))
    return np.where(z >= 0, 1.0, e) / (1.0 + e)


def log_softmax(z: Array, axis: int = -1) -> Array:
    """z - log sum exp(z)."""
    shifted = z - z.max(axis=axis, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=axis, keepdims=True))


def _softmax_back(z: Array, u: Array, g: Array, axis: int) -> Array:  # noqa: ARG001
    return u * (g - (g * u).sum(axis=axis, keepdims=True))


def _log_softmax_back(z: Array, u: Array, g: Array, axis: int) -> Array:  # noqa: ARG001
    return g - np.exp(u) * g.sum(axis=axis, keepdims=True)


def _elementwise(forward: Callable[[Array], Any], slope: Callable[[Array, Array], Any]) -> Activation:
    return Activation(lambda z, axis: forward(z), lambda z, u, g, axis: g * slope(z, u))  # noqa: ARG005


ACTIVATIONS: dict[str, Activation] = {
    "linear": _elementwise(lambda z: z, lambda z, u: 1.0),  # noqa: ARG005
    "softmax": Activation(softmax, _softmax_back),
    "sigmoid": _elementwise(sigmoid, lambda z, u: u * (1 - u)),  # noqa: ARG005
    "relu": _elementwise(lambda z: np.maximum(z, 0.0), lambda z, u: z > 0),  # noqa: ARG005
    "tanh": _elementwise(np.tanh, lambda z, u: 1 - u**2),  # noqa: ARG005
    "log_softmax": Activation(log_softmax, _log_softmax_back),
}
"""By the names of the vocabulary."""
