"""Filling polygons whose corners are corners of pixels: a pixel belongs where its centre does."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["MAX_CROSSINGS", "crossings", "fill"]

MAX_CROSSINGS = 4_000_000
"""Edges times the rows that they cross, of one polygon; an outline around a large picture has some ten thousand."""


def crossings(points: NDArray[np.float64], height: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """For each edge of the polygon (N, 2) of x, y: the first row whose centre it crosses, and how many rows."""
    ends = np.stack([points[:, 1], np.roll(points[:, 1], -1)])
    low, high = np.clip(np.ceil(np.sort(ends, axis=0) - 0.5), 0, height).astype(np.int64)
    return low, high - low


def fill(into: NDArray[np.bool_], points: NDArray[np.float64]) -> None:
    """Set the pixels of `into` (H, W) inside the polygon (N, 2) of x, y, by the even-odd rule.

    Pillow paints every pixel that the outline touches, which makes an object of 10 × 10 px one of 11 × 11;
    pycocotools does not, and this agrees with it but for the roundings of slanted edges.
    """
    height, width = into.shape
    low, rows_of = crossings(points, height)
    total = int(rows_of.sum())
    if total == 0:
        return
    edge = np.repeat(np.arange(len(points)), rows_of)
    row = np.arange(total) - np.repeat(np.cumsum(rows_of) - rows_of - low, rows_of)
    x, y = points[:, 0], points[:, 1]
    slope = np.zeros(len(points))
    np.divide(np.roll(x, -1) - x, np.roll(y, -1) - y, out=slope, where=rows_of > 0)
    column = np.clip(np.ceil(x[edge] + (row + 0.5 - y[edge]) * slope[edge] - 0.5), 0, width).astype(np.int64)
    top, left = int(row.min()), int(column.min())
    turns = np.zeros((int(row.max()) + 1 - top, int(column.max()) + 1 - left), np.uint8)
    np.bitwise_xor.at(turns, (row - top, column - left), 1)
    inside = np.bitwise_xor.accumulate(turns, axis=1)[:, :-1] != 0
    into[top : top + inside.shape[0], left : left + inside.shape[1]] |= inside
