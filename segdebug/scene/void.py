"""Which codes of a mask mean void: stated, or inferred from the other codes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from segdebug.scene.codes import Codes
from segdebug.scene.outline import is_frame, is_outline
from segdebug.scene.reading import MAX_AUTO_VALUES, Reading, some

__all__ = ["infer_void", "not_code"]

_FEW_OTHERS = 40  # values beside void: more are smoothed edges
_LARGEST_DRAWN = 0.35  # of the pixels are void at most, where only its shape says so
_SMALL_ID = 40  # 255 beside sparse ids up to this (Pascal VOC: 20, Cityscapes: 33) is void, not a grey level


def not_code(codes: Codes, ignore: int | None) -> NDArray[np.bool_]:
    """Which distinct codes are not the stated void value (for colours: not that grey)."""
    if ignore is None:
        return np.ones(len(codes.distinct), np.bool_)
    code = ignore * 0x010101 if codes.kind == "colour" and 0 <= ignore <= 255 else ignore
    return np.asarray(codes.distinct != code)


def infer_void(reading: Reading) -> None:
    """Take −1, or a 255 (254, 65535) beside codes that look like small ids, as void, and say so.

    Never of colours or lossy files, nor of {0, 255}, which is a binary mask unless 255 only frames the picture or
    outlines what lies in it.
    """
    if reading.source.kind == "colour" or reading.source.lossy:
        return
    values = [int(v) for v in reading.source.distinct]
    candidate, others = (values[0], values[1:]) if values[0] == -1 else (values[-1], values[:-1])
    if candidate == -1:
        surety = 0.95 if others else 0.0
    elif candidate in (254, 255, 65535) and (reading.encoding != "binary" or others == [0, 1]):
        surety = _surety(others, reading)
        if candidate == 254:
            surety = min(surety, 0.8) if others[-1] <= _SMALL_ID else 0.0
        if not reading.stated and reading.n_names is None:
            surety = max(surety, _drawn(candidate, others, reading))
    else:
        return
    if not surety:
        return
    reading.keep = reading.source.distinct != candidate
    reading.doubt(surety)
    pixels = int(reading.source.counts[~reading.keep][0])
    reading.because(f"{candidate} ({pixels:,} pixels) is void: the other values are {some(others)}")
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


def _drawn(candidate: int, others: list[int], reading: Reading) -> float:
    """How surely the value is void by its shape: a narrow frame of the picture, or thin lines around things."""
    if candidate not in (255, 65535) or len(others) > _FEW_OTHERS:
        return 0.0
    if reading.source.counts[-1] > _LARGEST_DRAWN * reading.source.values.size:
        return 0.0
    mask = np.asarray(reading.source.values == candidate)
    if is_frame(mask):
        reading.because(f"{candidate} is a narrow frame around the whole picture, as rectification leaves it")
        return 0.75
    if is_outline(mask):
        reading.because(f"{candidate} is a thin closed line, at most four pixels wide, that parts what it encloses")
        return 0.6 if others == [0] else 0.95
    return 0.0
