"""Masks of discs, rings and frames for the tests of encodings, and what each pixel of them is."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

HEIGHT, WIDTH = 96, 128
_Y, _X = np.mgrid[:HEIGHT, :WIDTH]

Labels = NDArray[np.int64]


def _inside(x: int, y: int, radius: int) -> NDArray[np.bool_]:
    return np.asarray((_X - x) ** 2 + (_Y - y) ** 2 < radius**2)


def discs(n: int) -> Labels:
    """Class 0 everywhere but for n − 1 discs of 1..n−1."""
    labels = np.zeros((HEIGHT, WIDTH), np.int64)
    for k in range(1, n):
        labels[_inside(18 + k * 37 % 95, 15 + k * 29 % 66, 13)] = k
    return labels


DISC = _inside(60, 48, 30)
RING = _inside(60, 48, 33) & ~DISC
FRAME = np.pad(np.zeros((HEIGHT - 8, WIDTH - 8), np.bool_), 4, constant_values=True)
MATTE = np.clip((30 - np.hypot(_X - 60, _Y - 48)) / 24 + 0.5, 0, 1)
"""One class in degrees: 1 in the middle, 0 outside, 24 pixels between."""


def enlarged(labels: NDArray[np.generic], times: int = 4) -> NDArray[np.generic]:
    return np.kron(labels, np.ones((times, times), labels.dtype))
