"""Which class each code of one mask stands for: stated by the person, or inferred with a confidence."""

from __future__ import annotations

import numpy as np

from segdebug.scene.alternatives import ask
from segdebug.scene.binary import nearly_binary, read_binary
from segdebug.scene.codes import Codes, code_name
from segdebug.scene.combined import FACTORS, likely_ade20k, likely_factor, read_ade20k, read_combined
from segdebug.scene.data_sets import likely_set
from segdebug.scene.ids import evenly_spaced, in_regions, read_ids, read_instances
from segdebug.scene.known_codes import KNOWN
from segdebug.scene.legend import Legend
from segdebug.scene.limits import MAX_CLASSES
from segdebug.scene.reading import MAX_AUTO_VALUES, Reading
from segdebug.scene.soft import is_soft, read_soft
from segdebug.scene.tables import read_table
from segdebug.scene.void import infer_void, not_code

__all__ = ["interpret"]

_OWN_VOID = ("soft", "instances", *FACTORS, *KNOWN)  # encodings that say themselves what is void, or have no void


def interpret(
    codes: Codes,
    encoding: str,
    ignore: int | None,
    n_names: int | None,
    *,
    threshold: float | None = None,
    legend: Legend | None = None,
) -> Reading:
    """Read one mask. `n_names`: how many class names were given, or None. `threshold`: of a soft mask, as a fraction.

    Raises SceneError: nothing but void, too many values, an id beyond the names, or an encoding that the file
    cannot have.
    """
    stated = encoding != "auto" or legend is not None
    reading = Reading(codes, encoding, stated, n_names, not_code(codes, ignore), void_stated=ignore is not None)
    reading.warnings += codes.warnings
    _check_kind(reading)
    found = None if stated or n_names is not None or not reading.keep.any() else likely_set(reading)
    if ignore is None and legend is None and found is None and encoding not in _OWN_VOID:
        infer_void(reading)
    if not reading.keep.any():
        raise reading.refusal(f"every pixel of the mask is void ({ignore}).")
    if legend is not None:
        if encoding == "auto":
            reading.encoding = "colour" if legend.colours else "palette" if codes.kind == "palette" else "index"
        read_table(reading, legend.table, colours=legend.colours)
    else:
        if found is not None:
            reading.encoding, confidence, reason = found
            reading.doubt(confidence)
            reading.because(reason)
        elif not stated:
            reading.encoding = _encoding(reading, threshold)
        _read(reading, threshold)
    if np.count_nonzero(reading.keep) == 1:
        reading.doubt(0.5)
        shown = code_name(codes.kind, int(reading.values[0]))
        reading.warn("one_value", f"every labelled pixel holds the same value, {shown}.")
    ask(reading)
    return reading


def _check_kind(reading: Reading) -> None:
    encoding, kind, n = reading.encoding, reading.source.kind, len(reading.source.distinct)
    if encoding == "palette" and kind != "palette":
        raise reading.refusal('the file has no palette. Choose "index" or "auto".')
    if kind == "colour" and (encoding in ("index", "grey_levels", "soft") or (encoding == "binary" and n > 2)):
        raise reading.refusal(f'the mask holds {n} colours, not one channel of values. Choose "colour".')


def _encoding(reading: Reading, threshold: float | None) -> str:
    """The encoding of a mask that nobody named."""
    values, n_names = reading.values, reading.n_names
    kind, counts = reading.source.kind, reading.counts
    if kind == "colour" and likely_ade20k(values):
        reading.doubt(0.85)
        reading.because("the red of every colour is a multiple of 10, as ADE20K writes its classes")
        return "ade20k"
    if kind != "grey":
        return kind
    if reading.source.lossy and (len(values) > 2 or nearly_binary(values, counts)):
        return "binary"
    if len(values) == 2 and values[0] == 0 and n_names in (None, 1, 2):
        return "binary"
    if n_names is not None and values[-1] < n_names:
        return "index"
    if (combined := likely_factor(values)) is not None:
        reading.doubt(combined[1])
        return combined[0]
    soft = is_soft(values, counts, reading.source.full)
    if soft and (len(values) > MAX_AUTO_VALUES or threshold is not None):
        reading.doubt(0.7)
        return "soft"
    if len(values) > MAX_AUTO_VALUES:
        if len(values) > MAX_CLASSES or not in_regions(reading.source):
            raise reading.refusal(_too_many(reading))
        reading.doubt(0.7)
        reading.because(f"{len(values)} values, nearly each of them in patches of its own, as ids are")
        return "index"
    return "grey_levels" if n_names is None and evenly_spaced(values) else "index"


def _too_many(reading: Reading) -> str:
    fractions = any(warning.code in ("fractions", "divided") for warning in reading.warnings)
    told = "the mask holds fractions, and " if fractions else ""
    return (
        f"{told}{len(reading.values):,} distinct grey values are too many to be classes. It looks like a photograph, "
        "or a mask that was smoothed, resized, saved as JPEG, or holds probabilities: export it again as "
        'PNG without antialiasing; choose "soft" or "binary" to threshold it, or "index" if the values are ids.'
    )


def _read(reading: Reading, threshold: float | None) -> None:
    encoding, colours = reading.encoding, reading.source.kind == "colour"
    if encoding == "binary":
        read_binary(reading, threshold)
    elif encoding == "soft":
        read_soft(reading, threshold)
    elif encoding == "instances":
        read_instances(reading)
    elif encoding in FACTORS:
        read_combined(reading)
    elif encoding == "ade20k" and colours:
        read_ade20k(reading)
    elif encoding in KNOWN:
        read_table(reading, KNOWN[encoding], colours=colours)
    else:
        read_ids(reading)
