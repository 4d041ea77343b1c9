"""Distinct values of large masks, fast: counting and relabelling by tables rather than by sorting pixels."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["count_values", "pack_rgb", "relabel"]

_BLOCK = 1 << 21  # values at a time: np.bincount, and a table's index, make an int64 copy of them
_SMALL = 1 << 16  # a table that costs nothing
_LARGE = 1 << 24  # the largest table, for masks of as many pixels: every 24-bit colour


def count_values(values: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Distinct values of an integer array, ascending, and how often each occurs."""
    flat = np.ascontiguousarray(values).reshape(-1)
    low, high = int(flat.min()), int(flat.max())
    if not _by_table(low, high, flat.size):
        distinct, counts = np.unique(flat, return_counts=True)
        return distinct.astype(np.int64), counts.astype(np.int64)
    if high - low < _SMALL:
        counts = _counts(flat, low, high)
        present = np.flatnonzero(counts)
        return present + low, counts[present]
    seen = np.zeros(high - low + 1, np.bool_)
    for start in range(0, flat.size, _BLOCK):
        seen[flat[start : start + _BLOCK].astype(np.int64) - low] = True
    distinct = np.flatnonzero(seen) + low
    numbers = relabel(flat, distinct, np.arange(len(distinct), dtype=np.int32))
    return distinct, _counts(numbers, 0, len(distinct) - 1)


def relabel(values: NDArray[Any], distinct: NDArray[np.int64], labels: NDArray[np.int32]) -> NDArray[np.int32]:
    """Each value replaced by its label: int32, same shape. `distinct`: every value that occurs, ascending."""
    low, high = int(distinct[0]), int(distinct[-1])
    if low > 0 and high < _SMALL + 4 * values.size:
        low = 0  # the values are then indices as they are
    if not _by_table(low, high, values.size):
        return labels[np.searchsorted(distinct, values)]
    table = np.zeros(high - low + 1, np.int32)
    table[distinct - low] = labels
    flat = np.ascontiguousarray(values).reshape(-1)
    found = np.empty(flat.size, np.int32)
    for start in range(0, flat.size, _BLOCK):
        part = flat[start : start + _BLOCK]
        found[start : start + _BLOCK] = table[part if low == 0 else part.astype(np.int64) - low]
    return found.reshape(values.shape)


def pack_rgb(rgb: NDArray[np.uint8]) -> NDArray[np.uint32]:
    """(..., 3) uint8 to (...) uint32, 0xRRGGBB."""
    packed = rgb[..., 0].astype(np.uint32)
    for channel in (1, 2):
        packed <<= 8
        packed |= rgb[..., channel]
    return packed


def _by_table(low: int, high: int, size: int) -> bool:
    return high - low < min(_LARGE, max(_SMALL, 4 * size)) and high <= np.iinfo(np.int64).max


def _counts(flat: NDArray[Any], low: int, high: int) -> NDArray[np.int64]:
    """How often each of low..high occurs."""
    counts = np.zeros(high - low + 1, np.int64)
    for start in range(0, flat.size, _BLOCK):
        part = np.bincount(flat[start : start + _BLOCK].astype(np.int64) - low)
        counts[: len(part)] += part
    return counts
