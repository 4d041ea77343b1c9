"""Masks whose every value, index or colour is a class of its own."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from segdebug.scene.codes import Codes
from segdebug.scene.limits import MAX_CLASSES
from segdebug.scene.reading import MAX_AUTO_VALUES, Reading, some

__all__ = ["evenly_spaced", "in_regions", "read_ids", "read_instances"]

_STEP = 16  # between grey levels that were chosen to be seen
_ROWS = 512
_BESIDE = 0.5  # of a value's pixels have the same value to their right, in patches
_IN_PATCHES = 0.9  # of the values are so


def evenly_spaced(values: NDArray[np.int64]) -> bool:
    """Whether these are three or more grey levels at even steps (to rounding), from 0 and wide enough to be seen."""
    if len(values) < 3 or values[0] != 0 or values[-1] > 255:
        return False
    steps = np.diff(values)
    return bool(steps.min() >= _STEP and steps.max() - steps.min() <= 1)


def in_regions(codes: Codes) -> bool:
    """Whether nearly every value beside the commonest stands in patches, next to itself: ids do; the values of a
    photograph, and those that smoothing leaves along an edge, do not. Large masks are looked at in some of their rows.
    """
    rows = codes.values[:: -(-codes.values.shape[0] // _ROWS)]
    places = np.searchsorted(codes.distinct, rows)
    n = len(codes.distinct)
    beside = np.bincount(places[:, :-1][rows[:, :-1] == rows[:, 1:]], minlength=n)
    pixels = np.bincount(places[:, :-1].ravel(), minlength=n)
    seen = pixels > 0
    seen[np.argmax(codes.counts)] = False
    if not seen.any():
        return False
    patches = beside[seen] >= _BESIDE * pixels[seen]
    return bool(np.mean(patches) >= _IN_PATCHES)


def read_ids(reading: Reading) -> None:
    """One class a value, index or colour: ascending, or the values themselves where names are given."""
    values, colours = reading.values, reading.source.kind == "colour"
    if len(values) > MAX_CLASSES:
        raise reading.refusal(
            f"{len(values):,} distinct values are more than the {MAX_CLASSES} classes that are trained. "
            "Merge them or crop the picture first."
        )
    if reading.source.lossy:
        reading.doubt(0.5)
        reading.warn("lossy", "saved as JPEG or lossy WebP, which changes codes. Save masks as PNG.")
    if colours:
        _doubt_colours(reading)
    else:
        _check_range(reading)
    if reading.n_names is not None and not colours and reading.encoding != "grey_levels":
        reading.doubt(0.98)
        reading.because(f"{reading.n_names} class names were given, and every value is below that")
        classes = list(range(reading.n_names))
        reading.settle(classes, [_class_name(code) for code in classes], values.astype(np.int32))
        return
    if reading.encoding == "grey_levels":
        _doubt_levels(reading)
    elif not colours:
        _doubt_ids(reading)
    codes = [int(v) for v in values]
    counted = colours or reading.encoding == "grey_levels"
    names = [_class_name(i if counted and code else code) for i, code in enumerate(codes)]
    reading.settle(codes, names, np.arange(len(codes), dtype=np.int32))


def read_instances(reading: Reading) -> None:
    """Two classes: 0 (black) is background, every other number is an object."""
    values = reading.values
    reading.because(f"{int(np.count_nonzero(values != 0))} values other than 0: the objects of one class")
    reading.settle((0, int(values[-1])), ("background", "foreground"), (values != 0).astype(np.int32), (0, "not 0"))


def _class_name(number: int) -> str:
    return f"class {number}" if number else "background"


def _check_range(reading: Reading) -> None:
    values, n_names = reading.values, reading.n_names
    if values[0] < 0:
        raise reading.refusal(
            f"the mask holds the negative value {values[0]}. State it as void (ignore), or start ids at 0."
        )
    if n_names is not None and values[-1] >= n_names and reading.encoding != "grey_levels":
        raise reading.refusal(
            f"the mask holds the value {some(values[values >= n_names])}, but {n_names} class names were "
            f"given (ids 0 to {n_names - 1}). Name every class, or state the value as void."
        )


def _doubt_colours(reading: Reading) -> None:
    n = len(reading.values)
    reading.doubt(0.9 if n <= MAX_AUTO_VALUES else 0.4)
    reading.because(f"{n} colours, each a class, in ascending order of their hexadecimal code")
    if n > MAX_AUTO_VALUES:
        reading.warn("many_colours", f"{n} colours, each taken as a class: smoothed edges, perhaps.")


def _doubt_levels(reading: Reading) -> None:
    values = reading.values
    reading.doubt(0.85 if int(values[-1]) < 255 else 0.75)
    reading.because(f"{len(values)} grey levels at even steps ({some(values)}): ids that were spread to be seen")
    reading.warn(
        "grey_levels",
        f"the grey levels {some(values)} became classes 0 to {len(values) - 1}; loading code must map them too.",
    )


def _doubt_ids(reading: Reading) -> None:
    """How surely these values are class ids, with a warning for each reason to doubt it."""
    values, counts = reading.values, reading.counts
    n, low, high = len(values), int(values[0]), int(values[-1])
    palette = reading.source.kind == "palette"
    reading.doubt(0.98 if palette else 0.9)
    reading.because(f"{n} palette indices, from {low} to {high}" if palette else f"{n} values, from {low} to {high}")
    ends = counts[(values == 0) | (values == 255)].sum() if (low, high) == (0, 255) else 0
    if not palette and n > 8 and ends > 0.9 * counts.sum():
        reading.doubt(0.35)
        reading.warn(
            "edge_values",
            f"almost all pixels are 0 or 255, and the {n - 2} values between may be smoothed edges rather "
            'than classes. Choose "binary" if so.',
        )
    elif high - low != n - 1 or low > 1:
        reading.doubt(0.9 if palette else 0.7)
        if n > 1:
            reading.warn(
                "sparse_ids",
                f"the ids have gaps ({some(values)}): they became classes 0 to {n - 1} in this order. "
                "Give the class names if the values are to be the ids.",
            )
    elif low == 1 and n > 1:
        reading.doubt(0.8)
        reading.warn("one_based", f"ids start at 1: value 1 became class 0, value {high} class {n - 1}.")
