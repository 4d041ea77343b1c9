"""Masks of one class and its background: two values, or more that compression or smoothing made of two."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from segdebug.scene.reading import Reading

__all__ = ["LOSSY_CUT", "nearly_binary", "read_binary"]

LOSSY_CUT = 128
"""Where a mask of 0 and 255 that went through JPEG is cut in two."""

_SLACK = 32  # how far JPEG moves 0 and 255 at common qualities
_SHARE = 0.99  # of the pixels are that near; the rest is ringing along edges (quality 50: 0.4 % of a disc)


def nearly_binary(values: NDArray[np.int64], counts: NDArray[np.int64]) -> bool:
    """Whether a mask of these 8-bit values was 0 and 255 before it was compressed: 255 occurs, and nearly all
    pixels are near an end. (Ids 0, 1, 2 … are all near 0, and JPEG leaves nothing of them.)"""
    near = (values <= _SLACK) | (values >= 255 - _SLACK)
    return bool(values[-1] >= 255 - _SLACK and counts[near].sum() >= _SHARE * counts.sum())


def read_binary(reading: Reading, threshold: float | None = None) -> None:
    """Two classes, cut at `threshold` of the full range where one is given. Of two values the larger is foreground;
    more are cut at half of the largest, or above 0 where all are small.

    Raises SceneError for a lossy file that was not binary, unless the person says so.
    """
    values, full = reading.values, reading.source.full or 1
    low, high = int(values[0]), int(values[-1])
    cut = high
    if threshold is not None and (len(values) > 2 or int(values[0]) != 0):
        low, high = 0, full if high > 1 else 1
        cut = int(np.ceil(threshold * high))
        reading.threshold = threshold
    elif len(values) > 2:
        cut = _cut(reading, high)
        low, high = 0, reading.source.full or high
    elif len(values) == 1:
        low, high, cut = (0, full, 1) if low == 0 else (0, high, 1)
    else:
        usual = high in (1, 255, reading.source.full)
        reading.doubt(0.95 if high == 1 else 0.99 if usual else 0.8)
        reading.because(f"two values, {low} and {high}" + (", as most tools write a mask" if usual else ""))
        if not usual and not reading.stated:
            reading.warn("binary_value", f"two values, 0 and {high}: {high} is taken as the class.")
    reading.settle((low, high), ("background", "foreground"), (values >= cut).astype(np.int32))


def _cut(reading: Reading, high: int) -> int:
    values, counts, lossy = reading.values, reading.counts, reading.source.lossy
    if lossy and not reading.stated and not nearly_binary(values, counts):
        raise reading.refusal(
            f"a mask saved as JPEG or lossy WebP ({len(values)} distinct values): compression changed the "
            'class ids. Export it again as PNG; choose "binary" if it should be cut in two at half grey.'
        )
    cut = LOSSY_CUT if lossy else 1 if high < 128 else (high + 1) // 2
    between = int(counts[(values > 0) & (values < (reading.source.full or high))].sum())
    reason = "JPEG or lossy WebP moved them" if lossy else "smoothed or resized, perhaps"
    reading.doubt(0.85)
    reading.because(f"{len(values)} values, {between:,} pixels of them between the two of a binary mask ({reason})")
    reading.warn(
        "binary_threshold",
        f"{len(values)} values where a binary mask has two ({reason}): values from {cut} up count as the "
        f"class, and {between:,} pixels were repaired. Save masks as PNG.",
    )
    return cut
