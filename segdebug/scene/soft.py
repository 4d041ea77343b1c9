"""Masks in degrees: mattes, probabilities, and files whose values were divided."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from segdebug.errors import SceneError
from segdebug.scene.decode import Raster
from segdebug.scene.model import SceneWarning
from segdebug.scene.reading import Reading

__all__ = ["DEFAULT_THRESHOLD", "check_threshold", "is_soft", "read_soft", "without_fractions"]

DEFAULT_THRESHOLD = 0.5

_NEAR = 0.05  # of the full range, from either end
_SHARE = 0.6  # of a matte's pixels are that near; of a photograph's far fewer
_FULL = 0.2
_FEW = 8  # values: fewer are classes


def check_threshold(threshold: object) -> float | None:
    """Raise SceneError unless it is None or a number above 0 and at most 1."""
    if threshold is None:
        return None
    if isinstance(threshold, (int, float, np.number)) and not isinstance(threshold, bool) and 0 < threshold <= 1:
        return float(threshold)
    raise SceneError(f"Expected threshold to be a number above 0 and at most 1, but got {threshold!r:.40}.")


def without_fractions(raster: Raster) -> tuple[Raster, tuple[SceneWarning, ...]]:
    """A one-channel mask of fractions in [0, 1] as 8-bit values, with what was done; any other as it is.

    Ids and grey levels that were divided by 255 come back exactly.
    """
    values = raster.values
    if values.ndim != 2 or values.dtype.kind != "f" or not np.isfinite(values).all():
        return raster, ()
    if values.min() < 0 or values.max() > 1 or np.array_equal(values, np.rint(values)):
        return raster, ()
    times = values.astype(np.float64) * 255
    whole = np.rint(times)
    exact = float(np.abs(times - whole).max()) < 2e-3
    text = (
        "fractions that are whole numbers divided by 255: they were multiplied back."
        if exact
        else f"fractions from {float(values.min()):.3g} to {float(values.max()):.3g}: taken as 0 to 255."
    )
    warning = SceneWarning("divided" if exact else "fractions", f"{raster.name}: {text}")
    return replace(raster, values=whole.astype(np.uint8)), (warning,)


def is_soft(values: NDArray[np.int64], counts: NDArray[np.int64], full: int | None) -> bool:
    """Whether these values look like one class in degrees: many of them, most pixels near one end or the other."""
    if full is None or full > 65535 or len(values) <= _FEW or values[0] < 0:
        return False
    low, high = _NEAR * full, (1 - _NEAR) * full
    total = counts.sum()
    ends = counts[values <= low].sum(), counts[values >= high].sum()
    # Beside the background, most of a matte is full foreground; grey levels between 0 and 255 are not.
    return bool(ends[0] and ends[1] >= _FULL * (total - ends[0]) > 0 and sum(ends) >= _SHARE * total)


def read_soft(reading: Reading, threshold: float | None) -> None:
    """Two classes, cut at a fraction of the full range (of the largest value, where that is at most 1)."""
    values, counts = reading.values, reading.counts
    if values[0] < 0:
        raise reading.refusal(f"a soft mask runs from 0 upwards, but this one holds {int(values[0])}.")
    at = DEFAULT_THRESHOLD if threshold is None else threshold
    full = reading.source.full or int(values[-1])
    if int(values[-1]) <= 1:
        full = 1
    cut = at * full
    foreground = values >= cut
    between = int(counts[(values > 0) & (values < full)].sum())
    reading.threshold = at
    reading.because(
        f"{len(values):,} values, {between:,} pixels of them between 0 and {full}: one class in degrees, cut at {at:g} "
        f"({cut:g} of {full})"
    )
    if threshold is None:
        reading.warn(
            "soft_threshold",
            f"a soft mask: values from {cut:g} up ({at:g} of the range) count as the class. Choose another threshold "
            "if that is not meant.",
        )
    reading.settle((0, full), ("background", "foreground"), foreground.astype(np.int32))
