"""Distinct values of large masks, fast: counting and relabelling without sorting pixels."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["count_values", "distinct_colours", "pack_rgb", "relabel"]

_BLOCK = 1 << 21  # values at a time: np.bincount makes an int64 copy of what it counts
_TABLE = 1 << 24  # the widest range that is counted by a table: every 24-bit colour


def count_values(values: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Distinct values of an integer array, ascending, and how often each occurs."""
    flat = np.ascontiguousarray(values).reshape(-1)
    low, high = int(flat.min()), int(flat.max())
    if high - low >= _TABLE or high > np.iinfo(np.int64).max:
        distinct, counts = np.unique(flat, return_counts=True)
        return distinct.astype(np.int64), counts.astype(np.int64)
    counts = np.zeros(high - low + 1, np.int64)
    for start in range(0, flat.size, _BLOCK):
        block = flat[start : start + _BLOCK].astype(np.int64) - low
        part = np.bincount(block)
        counts[: len(part)] += part
    present = np.flatnonzero(counts)
    return present + low, counts[present]


def relabel(
    values: NDArray[Any], distinct: NDArray[np.int64], labels: NDArray[np.int32]
) -> NDArray[np.int32]:
    """Each value replaced by its label: int32, same shape. `distinct`: every value that occurs, ascending."""
    low, high = int(distinct[0]), int(distinct[-1])
    if high - low < _TABLE:
        table = np.zeros(high - low + 1, np.int32)
        table[distinct - low] = labels
        index = values if low == 0 else values.astype(np.int64) - low
        return table[index]
    return labels[np.searchsorted(distinct, values)]


def pack_rgb(rgb: NDArray[np.uint8]) -> NDArray[np.uint32]:
    """(..., 3) uint8 to (...) uint32, 0xRRGGBB."""
    packed = rgb[..., 0].astype(np.uint32)
    for channel in (1, 2):
        packed <<= 8
        packed |= rgb[..., channel]
    return packed


def distinct_colours(packed: NDArray[np.uint32]) -> int:
    """How many distinct 0xRRGGBB there are: one pass, 16 MiB."""
    seen = np.zeros(_TABLE, np.bool_)
    seen[packed] = True
    return int(np.count_nonzero(seen))
