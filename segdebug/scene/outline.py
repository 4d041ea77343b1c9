"""Shapes that tell what a value is for: thin outlines, frames, and what lies along the picture's edge."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["edge_share", "is_frame", "is_outline", "is_thin"]

_ROUNDS = 2  # of wearing off one pixel all around: what is gone then is at most 4 pixels wide
_GONE = 0.98
_FRAME_WIDTH = 0.06  # of the shorter side
_LEAST_SIDE = 16
_LARGEST = 4_000_000  # pixels: the outside of larger ones takes too long to find
_TURNS = 64
_PARTED = 0.8  # of an outline's pixels have the inside and the outside within three pixels


def edge_share(mask: NDArray[np.bool_]) -> float:
    """The fraction of the outermost pixels that belong to the mask."""
    edge = np.concatenate([mask[0], mask[-1], mask[1:-1, 0], mask[1:-1, -1]])
    return float(edge.mean())


def is_thin(mask: NDArray[np.bool_]) -> bool:
    """Whether it is nowhere more than about four pixels wide."""
    total = int(np.count_nonzero(mask))
    if not total or min(mask.shape) < _LEAST_SIDE:
        return False
    worn = mask
    for _ in range(_ROUNDS):
        worn = _worn(worn)
    return int(np.count_nonzero(worn)) <= (1 - _GONE) * total


def is_frame(mask: NDArray[np.bool_]) -> bool:
    """Whether it is a frame around the whole picture: narrow, and nothing of it farther in."""
    side = min(mask.shape)
    if side < _LEAST_SIDE or edge_share(mask) < 0.95:
        return False
    width = max(2, int(_FRAME_WIDTH * side))
    return not mask[width:-width, width:-width].any()


def is_outline(mask: NDArray[np.bool_]) -> bool:
    """Whether it is a thin closed line with more inside than it has itself: nearly all of its pixels part the inside
    from the outside. Vessels and cracks are thin as well, but the same ground lies on both sides of them."""
    if mask.size > _LARGEST or not is_thin(mask):
        return False
    ground = ~mask
    outside = _reached(ground)
    if outside is None:
        return False
    inside = ground & ~outside
    lines = int(np.count_nonzero(mask))
    if np.count_nonzero(inside) < lines:
        return False
    parting = mask & _widened(outside, 3) & _widened(inside, 3)
    return bool(np.count_nonzero(parting) >= _PARTED * lines)


def _worn(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """What is left without the pixels along its boundary; beyond the picture it is taken to go on."""
    padded = np.pad(mask, 1, mode="edge")
    rows = padded[:-2] & padded[1:-1] & padded[2:]
    return np.asarray(rows[:, :-2] & rows[:, 1:-1] & rows[:, 2:])


def _widened(mask: NDArray[np.bool_], by: int) -> NDArray[np.bool_]:
    for _ in range(by):
        padded = np.pad(mask, 1)
        rows = padded[:-2] | padded[1:-1] | padded[2:]
        mask = rows[:, :-2] | rows[:, 1:-1] | rows[:, 2:]
    return mask


def _reached(ground: NDArray[np.bool_]) -> NDArray[np.bool_] | None:
    """The ground that is joined to the picture's edge: runs along rows and columns are taken whole, in turns. None
    where it is a maze that takes too many."""
    rows, columns = _runs(ground), _runs(ground.T).T
    reached = np.zeros_like(ground)
    for edge in (np.s_[0], np.s_[-1], np.s_[:, 0], np.s_[:, -1]):
        reached[edge] = ground[edge]
    count = 0
    for _ in range(_TURNS):
        for runs in (rows, columns):
            hit = np.zeros(int(runs.max()) + 1, np.bool_)
            hit[runs[reached]] = True
            reached = hit[runs] & ground
        before, count = count, int(np.count_nonzero(reached))
        if count == before:
            return reached
    return None


def _runs(ground: NDArray[np.bool_]) -> NDArray[np.int32]:
    """A number for each unbroken run along a row."""
    starts = ground.copy()
    starts[:, 1:] &= ~ground[:, :-1]
    return np.cumsum(starts.reshape(-1), dtype=np.int32).reshape(ground.shape)
