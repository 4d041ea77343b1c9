"""Whether a mask is a public data set's, by its file's name or by codes that are hardly anything else."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from segdebug.scene.known_codes import KNOWN
from segdebug.scene.reading import Reading

__all__ = ["likely_set", "set_of_codes"]

_FILE_NAMES = (("labeltrainids", "cityscapes_train"), ("labelids", "cityscapes"), ("_gtfine_color", "cityscapes"))
_ROAD = 7  # of the Cityscapes label ids
_SCORED_AT_LEAST = 6  # Cityscapes ids that occur
_COLOURS_AT_LEAST = 5
_VOC_BORDER = 0xE0E0C0


def likely_set(reading: Reading) -> tuple[str, float, str] | None:
    """(encoding, confidence, reason), or None."""
    values, kind, name = reading.values, reading.source.kind, reading.source.name.casefold()
    for part, key in _FILE_NAMES:
        table = KNOWN[key].colours if kind == "colour" else KNOWN[key].ids
        if part in name and all(int(v) in table for v in values) and any(table[int(v)] >= 0 for v in values):
            return key, 0.97, f'the file name says "{part}", and all its codes are {KNOWN[key].title}'
    if kind == "colour":
        return _by_colours(values)
    if kind == "grey" and values[0] >= 0:
        table = KNOWN["cityscapes"].ids
        values = values[values != 255]
        scored = [int(v) for v in values if table.get(int(v), -1) >= 0]
        if len(scored) < _SCORED_AT_LEAST:
            return None
        gaps = int(values[-1]) - int(values[0]) + 1 > len(values)
        if values[-1] <= 33 and _ROAD in scored and scored[-1] > 20 and gaps:
            share = reading.counts[np.isin(reading.values, scored)].sum() / reading.counts.sum()
            if share > 0.5:
                words = f"{len(scored)} of the values are Cityscapes label ids that are scored"
                return "cityscapes", 0.75, f"{words} ({100 * share:.0f} % of the pixels)"
    return None


def _by_colours(values: NDArray[np.int64]) -> tuple[str, float, str] | None:
    present = {int(v) for v in values}
    for key in ("voc", "cityscapes", "vistas"):
        table = KNOWN[key].colours
        classes = {table[code] for code in present if code in table} - {-1}
        marked = key == "voc" and _VOC_BORDER in present and len(classes) > 1
        if present <= set(table) and (marked or len(classes) >= _COLOURS_AT_LEAST):
            words = f"all {len(present)} colours are {KNOWN[key].title}'s"
            return key, 0.95 if marked or len(classes) > 6 else 0.9, words
    return None


def set_of_codes(values: list[int], *, colours: bool) -> list[tuple[str, float]]:
    """Data sets that have all of these codes, the likeliest first, with a weight: small ids fit every set."""
    found = []
    for key, table in KNOWN.items():
        codes = table.colours if colours else table.ids
        classes = {codes[value] for value in values if value in codes} - {-1}
        if len(classes) < 2 or not set(values) <= set(codes):
            continue
        found.append((key, _fit(key, values, len(classes), colours=colours)))
    return sorted((item for item in found if item[1] > 0), key=lambda item: -item[1])


def _fit(key: str, values: list[int], n: int, *, colours: bool) -> float:
    """How well it fits: many colours of a set say much; ids say it only by their gaps or by how far they go."""
    if colours:
        return min(1.0, n / 4)
    if key == "ade20k":
        return 0.8 if 100 < values[-1] <= 150 else 0.4 if values[-1] > 33 else 0.0
    if key == "vistas":
        return 0.3 if values[-1] > 33 else 0.0
    if key == "cityscapes":
        gaps = values[-1] - values[0] + 1 > len(values)
        return 0.9 if n >= 4 and gaps and _ROAD in values else 0.2 if gaps and values[-1] > 20 and n >= 3 else 0.0
    if key == "cityscapes_train":
        return 0.5 if values[-1] > 15 or (len(values) > 8 and values[0] == 0) else 0.0
    return 0.4 if 12 < values[-1] <= 20 and values[0] == 0 else 0.0
