"""Which codes of a mask mean void: stated, or inferred from the other codes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from segdebug.scene.codes import Codes
from segdebug.scene.reading import MAX_AUTO_VALUES, Reading, some

__all__ = ["infer_void", "not_code"]

_SMALL_ID = 40  # 255 beside sparse ids up to this (Pascal VOC: 20, Cityscapes: 33) is void, not a grey level


def not_code(codes: Codes, ignore: int | None) -> NDArray[np.bool_]:
    """Which distinct codes are not the stated void value (for colours: not that grey)."""
    if ignore is None:
        return np.ones(len(codes.distinct), np.bool_)
    code = ignore * 0x010101 if codes.kind == "colour" and 0 <= ignore <= 255 else ignore
    return np.asarray(codes.distinct != code)


def infer_void(reading: Reading) -> None:
    """Take −1, or a 255 (65535) beside codes that look like small ids, as void, and say so.

    Never of colours or lossy files, nor of {0, 255}: that is a binary mask.
    """
    if reading.source.kind == "colour" or reading.source.lossy:
        return
    values = [int(v) for v in reading.source.distinct]
    candidate, others = (values[0], values[1:]) if values[0] == -1 else (values[-1], values[:-1])
    if candidate == -1:
        surety = 0.95 if others else 0.0
    elif candidate in (255, 65535) and (reading.encoding != "binary" or others == [0, 1]):
        surety = _surety(others, reading)
    else:
        return
    if not surety:
        return
    reading.keep = reading.source.distinct != candidate
    reading.doubt(surety)
    pixels = int(reading.source.counts[~reading.keep][0])
    reading.warn(
        "void_inferred",
        f"{candidate} was taken as void ({pixels:,} pixels): the other values look like class ids "
        f"({some(others)}). If {candidate} is a class, state another void value.",
    )


def _surety(others: list[int], reading: Reading) -> float:
    """How surely the largest value beside `others` is void; 0 for not at all."""
    if len(others) < 2:
        return 0.0  # {0, 255} is a binary mask, {7, 255} says nothing
    if reading.n_names is not None:
        return 0.95 if others[-1] < reading.n_names else 0.0
    palette = reading.source.kind == "palette"  # as in Pascal VOC
    if others[0] in (0, 1) and others[-1] - others[0] == len(others) - 1 and others[-1] < MAX_AUTO_VALUES:
        return 0.92 if palette else 0.88
    if others[-1] <= _SMALL_ID:
        return 0.92 if palette else 0.7
    return 0.0
