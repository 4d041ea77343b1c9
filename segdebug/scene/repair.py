"""Codes that resizing, antialiasing or JPEG blurred: found by where the mask is calm, and put back one by one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segdebug.scene.values import count_values

__all__ = ["Repaired", "repair"]

_CALM = {1: 6, 3: 12}  # by channels: 3 × 3 pixels of one code differ by no more than this after JPEG
_REACH = {1: 14, 3: 24}  # and so far is a calm pixel from its code at most, at common qualities
_APART = {1: 24, 3: 40}  # two codes nearer than this cannot be told apart once they are blurred
_SECOND_PEAK = (5, 0.03, 16)  # so far off a code, this share and number of calm pixels of one value: two codes
_MAX_CODES = 64
_BIN = 16
_MOST_COLOURS = 100_000  # of calm pixels: more are a photograph's
_LEAST = (12, 5e-4)  # calm pixels, and their share of all: fewer are no code after JPEG
_CALM_SHARE = 0.6  # of the pixels near a code: fewer make a photograph
_BETWEEN = 0.8  # of the damaged pixels that lie between two codes, if an edge was smoothed
_OVERSHOOT = 28  # how far bicubic and Lanczos filters go beyond a code beside an edge
_WINDOW = 4  # pixels to each side in which the codes of a damaged pixel are looked for
_COMPANY = 8  # pixels near a code in that window that make it one of those to choose from
_AT_ONCE = 1 << 17

Pixels = NDArray[np.int16]


@dataclass(frozen=True)
class Repaired:
    """values: (H, W) or (H, W, 3) like what was given, each pixel one of `codes`. moved: how many pixels changed."""

    values: NDArray[np.uint8]
    codes: list[tuple[int, ...]]
    moved: int


def repair(values: NDArray[np.integer], *, lossy: bool, stated: Sequence[int] = ()) -> Repaired | None:
    """Put every pixel of an (H, W) or (H, W, 3) mask of 0..255 back to the code that it had; None where the codes
    cannot be told.

    A code is what fills at least some 3 × 3 pixels. Without JPEG these must be exact, and the other pixels must lie
    between two codes near them, as along a smoothed edge. A pixel goes to the nearest code of those within four
    pixels of it, because a smoothed edge from 0 to 160 passes through 80 without being it. `stated`: codes (colours as
    0xRRGGBB) that a legend names; what JPEG moved a little is put back to them.
    """
    planes = (values if values.ndim == 3 else values[..., np.newaxis]).astype(np.uint8, copy=False)
    if min(planes.shape[:2]) < 5:
        return None
    channels = planes.shape[2]
    calm = _calm(planes, _CALM[channels] if lossy else 0)
    codes = _lossy_codes(planes, calm, stated) if lossy else _exact_codes(planes, calm)
    if not 2 <= len(codes) <= _MAX_CODES:
        return None
    solid = _solid(planes, codes, _REACH[channels] if lossy else 0)
    if np.count_nonzero(solid >= 0) < _CALM_SHARE * solid.size:
        return None
    if not lossy and not (_apart(codes) and _along_edges(planes, solid, codes)):
        return None
    near = solid.copy() if lossy else solid
    if lossy:
        # Along edges JPEG passes through codes that are not there: only calm pixels are sure of theirs.
        solid[~_wide(calm)] = -1
    table = np.array(codes, np.int16)
    rows, columns = np.nonzero(solid < 0)
    for start in range(0, len(rows), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        solid[rows[part], columns[part]] = -2 - _nearest(planes, near, table, rows[part], columns[part])
    settled = np.where(solid < 0, -2 - solid, solid)
    result = table.astype(np.uint8)[settled]
    changed = np.zeros(solid.shape, np.bool_)
    for channel in range(channels):
        changed |= result[..., channel] != planes[..., channel]
    moved = int(np.count_nonzero(changed))
    return Repaired(result if values.ndim == 3 else result[..., 0], codes, moved)


def _calm(planes: NDArray[np.integer], spread: int) -> NDArray[np.bool_]:
    """(H, W): the 3 × 3 pixels around it differ by at most `spread` in every channel; False at the frame."""
    calm = np.zeros(planes.shape[:2], np.bool_)
    inner = np.ones((planes.shape[0] - 2, planes.shape[1] - 2), np.bool_)
    for channel in np.moveaxis(planes, 2, 0):
        low = np.minimum(np.minimum(channel[:-2], channel[1:-1]), channel[2:])
        high = np.maximum(np.maximum(channel[:-2], channel[1:-1]), channel[2:])
        low = np.minimum(np.minimum(low[:, :-2], low[:, 1:-1]), low[:, 2:])
        high = np.maximum(np.maximum(high[:, :-2], high[:, 1:-1]), high[:, 2:])
        inner &= high - low <= spread  # no less than 0, whatever the type
    calm[1:-1, 1:-1] = inner
    return calm


def _wide(calm: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Calm pixels and the eight around each."""
    rows = calm.copy()
    rows[1:] |= calm[:-1]
    rows[:-1] |= calm[1:]
    wide = rows.copy()
    wide[:, 1:] |= rows[:, :-1]
    wide[:, :-1] |= rows[:, 1:]
    return wide


def _histogram(planes: NDArray[np.integer], calm: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The distinct values (N, C) of the calm pixels and how often each occurs, the commonest first."""
    packed: NDArray[Any] = planes[..., 0][calm]  # a channel at a time: an index of pixels takes 16 bytes each
    if not len(packed):
        return np.zeros((0, planes.shape[2]), np.int64), np.zeros(0, np.int64)
    for channel in range(1, planes.shape[2]):
        packed = packed.astype(np.uint32) << 8 | planes[..., channel][calm]
    distinct, counts = count_values(packed)
    order = np.argsort(-counts, kind="stable")
    shifts = range(8 * (planes.shape[2] - 1), -1, -8)
    return np.stack([distinct[order] >> shift & 255 for shift in shifts], axis=1), counts[order]


def _exact_codes(planes: NDArray[np.integer], calm: NDArray[np.bool_]) -> list[tuple[int, ...]]:
    """What fills 3 × 3 pixels somewhere; nothing where that is more than any mask has."""
    colours, _ = _histogram(planes, calm)
    return [tuple(int(v) for v in colour) for colour in colours] if len(colours) <= _MAX_CODES else []


def _lossy_codes(planes: NDArray[np.integer], calm: NDArray[np.bool_], stated: Sequence[int]) -> list[tuple[int, ...]]:
    """The middles of the clouds that JPEG made of the codes; nothing where two clouds touch."""
    colours, counts = _histogram(planes, calm)
    channels = planes.shape[2]
    reach, total = _REACH[channels], int(counts.sum())
    least = max(_LEAST[0], _LEAST[1] * calm.size)
    off, share, number = _SECOND_PEAK
    codes: list[tuple[int, ...]] = []
    if len(counts) > _MOST_COLOURS:
        return codes
    while len(counts) and len(codes) <= _MAX_CODES:
        bins = colours // _BIN @ (_BIN ** np.arange(channels))
        fullest = np.argmax(np.bincount(bins, weights=counts))
        middle = np.average(colours[bins == fullest], axis=0, weights=counts[bins == fullest])
        for _ in range(3):
            mine = np.abs(colours - middle).max(axis=1) <= reach
            if not mine.any():
                break
            middle = np.average(colours[mine], axis=0, weights=counts[mine])
        if not mine.any() or counts[mine].sum() < least:
            break
        top = counts[mine].max()
        if top >= number:  # a value that occurs so often is the code itself
            middle = colours[mine][int(counts[mine].argmax())].astype(np.float64)
        far = np.abs(colours[mine] - middle).max(axis=1)
        if ((far >= off) & (counts[mine] >= max(number, share * top))).any():
            return []
        codes.append(tuple(int(v) for v in np.rint(middle)))
        colours, counts = colours[~mine], counts[~mine]
    if len(codes) < 2 or counts.sum() > 0.05 * total:
        return []
    return _snapped(codes, stated) if _apart(codes) else []


def _apart(codes: list[tuple[int, ...]]) -> bool:
    """Whether no two codes are so near that what lies between them could be a code as well."""
    table = np.array(codes)
    gaps = np.abs(table[:, np.newaxis] - table).max(axis=2) + 999 * np.eye(len(codes), dtype=np.int64)
    return bool(gaps.min() >= _APART[table.shape[1]])


def _snapped(codes: list[tuple[int, ...]], stated: Sequence[int]) -> list[tuple[int, ...]]:
    """Each code, or the stated one that is nearest and near enough."""
    if not stated:
        return codes
    shifts = range(8 * (len(codes[0]) - 1), -1, -8)
    table = np.array([[code >> shift & 255 for shift in shifts] for code in stated if code >= 0])
    result = []
    for code in codes:
        far = np.abs(table - np.array(code)).max(axis=1)
        near = tuple(int(v) for v in table[int(far.argmin())])
        result.append(near if far.min() <= _REACH[len(code)] and near not in result else code)
    return result


def _solid(planes: NDArray[np.integer], codes: list[tuple[int, ...]], reach: int) -> NDArray[np.int16]:
    """(H, W): the code that each pixel is within `reach` of; −1 for none."""
    solid = np.full(planes.shape[:2], -1, np.int16)
    for number, code in reversed(list(enumerate(codes))):
        near = np.ones(solid.shape, np.bool_)
        for channel, value in enumerate(code):
            near &= np.abs(planes[..., channel].astype(np.int16) - np.int16(value)) <= reach
        solid[near] = number
    return solid


def _along_edges(planes: NDArray[np.integer], solid: NDArray[np.int16], codes: list[tuple[int, ...]]) -> bool:
    """Whether the pixels that are no code lie between two codes on opposite sides of them, within four pixels."""
    rows, columns = np.nonzero(solid < 0)
    if not len(rows):
        return False
    if len(rows) > 50_000:  # enough to judge by
        keep = np.linspace(0, len(rows) - 1, 50_000).astype(np.int64)
        rows, columns = rows[keep], columns[keep]
    table = np.array([*codes, (0,) * planes.shape[2]], np.int32)
    mine = planes[rows, columns].astype(np.int32)
    between = np.zeros(len(rows), np.bool_)
    height, width = solid.shape
    first = np.full(len(rows), -1, np.int64)
    edge, beside = np.zeros(len(rows), np.bool_), np.zeros(len(rows), np.bool_)
    for down, right in ((0, 1), (1, 0), (1, 1), (1, -1)):
        sides = []
        for sign in (-1, 1):
            found = np.full(len(rows), -1, np.int64)
            for step in range(1, _WINDOW + 1):
                r = np.clip(rows + sign * step * down, 0, height - 1)
                c = np.clip(columns + sign * step * right, 0, width - 1)
                found = np.where(found < 0, solid[r, c], found)
            sides.append(found)
            edge |= (found >= 0) & (first >= 0) & (found != first)
            first = np.where(first < 0, found, first)
        one, other = table[sides[0]], table[sides[1]]
        low, high = np.minimum(one, other) - _OVERSHOOT, np.maximum(one, other) + _OVERSHOOT
        inside = (sides[0] >= 0) & (sides[1] >= 0) & ((mine >= low) & (mine <= high)).all(axis=1)
        between |= inside & (sides[0] != sides[1])
        beside |= inside
    between |= beside & edge  # filters that overshoot change pixels on both sides of an edge
    return bool(between.mean() >= _BETWEEN)


def _nearest(
    planes: NDArray[np.integer],
    solid: NDArray[np.int16],
    table: NDArray[np.int16],
    rows: NDArray[np.int64],
    columns: NDArray[np.int64],
) -> NDArray[np.int16]:
    """The code nearest in value to each of these pixels, of those in the window around it; of all if none is there."""
    mine = planes[rows, columns].astype(np.int32)
    cost = ((mine[:, np.newaxis] - table.astype(np.int32)) ** 2).sum(axis=2)
    company = np.zeros(cost.shape, np.int16)
    height, width = solid.shape
    each = np.arange(len(rows))
    for down in range(-_WINDOW, _WINDOW + 1):
        for right in range(-_WINDOW, _WINDOW + 1):
            r, c = rows + down, columns + right
            inside = (r >= 0) & (r < height) & (c >= 0) & (c < width)
            code = solid[np.clip(r, 0, height - 1), np.clip(c, 0, width - 1)]
            inside &= code >= 0
            company[each[inside], code[inside]] += 1
    there = company >= _COMPANY
    there |= ~there.any(axis=1, keepdims=True)
    return np.where(there, cost, np.iinfo(np.int32).max).argmin(axis=1).astype(np.int16)
