"""Which class each code of one mask stands for: stated by the person, or inferred with a confidence."""

from __future__ import annotations

import numpy as np

from segdebug.scene.binary import nearly_binary, read_binary
from segdebug.scene.codes import Codes, code_name
from segdebug.scene.limits import MAX_CLASSES
from segdebug.scene.reading import MAX_AUTO_VALUES, Reading, some
from segdebug.scene.void import infer_void, not_code

__all__ = ["interpret"]


def interpret(codes: Codes, encoding: str, ignore: int | None, n_names: int | None) -> Reading:
    """Read one mask. `n_names`: how many class names were given, or None.

    Raises SceneError: nothing but void, too many values, an id beyond the names, or an encoding that the file
    cannot have.
    """
    reading = Reading(codes, encoding, encoding != "auto", n_names, not_code(codes, ignore))
    reading.warnings += codes.warnings
    _check_kind(reading)
    if ignore is None:
        infer_void(reading)
    if not reading.keep.any():
        raise reading.refusal(f"every pixel of the mask is void ({ignore}).")
    if not reading.stated:
        reading.encoding = _encoding(reading)
    if reading.encoding == "binary":
        read_binary(reading)
    else:
        _read_ids(reading)
    if len(reading.values) == 1:
        reading.doubt(0.5)
        shown = code_name(codes.kind, int(reading.values[0]))
        reading.warn("one_value", f"every labelled pixel holds the same value, {shown}.")
    return reading


def _check_kind(reading: Reading) -> None:
    encoding, kind, n = reading.encoding, reading.source.kind, len(reading.source.distinct)
    if encoding == "palette" and kind != "palette":
        raise reading.refusal('the file has no palette. Choose "index" or "auto".')
    if kind == "colour" and (encoding == "index" or (encoding == "binary" and n > 2)):
        raise reading.refusal(f'the mask holds {n} colours, not one channel of values. Choose "colour".')


def _encoding(reading: Reading) -> str:
    """The encoding of a mask that nobody named."""
    values, n_names = reading.values, reading.n_names
    if reading.source.kind != "grey":
        return reading.source.kind
    if reading.source.lossy and (len(values) > 2 or nearly_binary(values, reading.counts)):
        return "binary"
    if len(values) == 2 and values[0] == 0 and n_names in (None, 1, 2):
        return "binary"
    if n_names is not None and values[-1] < n_names:
        return "index"
    if len(values) > MAX_AUTO_VALUES:
        raise reading.refusal(
            f"{len(values):,} distinct grey values are too many to be classes. It looks like a photograph, "
            "or a mask that was smoothed, resized, saved as JPEG, or holds probabilities: export it again as "
            'PNG without antialiasing; choose "binary" to threshold it, or "index" if the values are ids.'
        )
    return "index"


def _read_ids(reading: Reading) -> None:
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
    if reading.n_names is not None and not colours:
        reading.doubt(0.98)
        classes = list(range(reading.n_names))
        reading.settle(classes, [_class_name(code) for code in classes], values.astype(np.int32))
        return
    if not colours:
        _doubt_ids(reading)
    codes = [int(v) for v in values]
    names = [_class_name(i if colours and code else code) for i, code in enumerate(codes)]
    reading.settle(codes, names, np.arange(len(codes), dtype=np.int32))


def _class_name(number: int) -> str:
    return f"class {number}" if number else "background"


def _check_range(reading: Reading) -> None:
    values, n_names = reading.values, reading.n_names
    if values[0] < 0:
        raise reading.refusal(
            f"the mask holds the negative value {values[0]}. State it as void (ignore), or start ids at 0."
        )
    if n_names is not None and values[-1] >= n_names:
        raise reading.refusal(
            f"the mask holds the value {some(values[values >= n_names])}, but {n_names} class names were "
            f"given (ids 0 to {n_names - 1}). Name every class, or state the value as void."
        )


def _doubt_colours(reading: Reading) -> None:
    n = len(reading.values)
    reading.doubt(0.9 if n <= MAX_AUTO_VALUES else 0.4)
    if n > MAX_AUTO_VALUES:
        reading.warn("many_colours", f"{n} colours, each taken as a class: smoothed edges, perhaps.")


def _doubt_ids(reading: Reading) -> None:
    """How surely these values are class ids, with a warning for each reason to doubt it."""
    values, counts = reading.values, reading.counts
    n, low, high = len(values), int(values[0]), int(values[-1])
    palette = reading.source.kind == "palette"
    reading.doubt(0.98 if palette else 0.9)
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
