"""Class colours that stay apart for every eye: Okabe–Ito first, then more, distinct by lightness."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

__all__ = ["BACKGROUND_GREY", "class_colours", "is_background", "palette"]

BACKGROUND_GREY = "#686868"
"""Seen apart from all of Okabe–Ito by every eye; #999999 is their reddish purple to a deuteranope."""

# Okabe and Ito (2008), without their black: it vanishes on a dark theme and on dark pictures.
_OKABE_ITO = ("#e69f00", "#56b4e9", "#009e73", "#f0e442", "#0072b2", "#d55e00", "#cc79a7")

# Linear sRGB to what a person without long- or middle-wave cones sees: Machado et al. (2009), severity 1.
_PROTANOPIA = (
    (0.152286, 1.052583, -0.204868),
    (0.114503, 0.786281, 0.099216),
    (-0.003882, -0.048116, 1.051998),
)
_DEUTERANOPIA = (
    (0.367322, 0.860646, -0.227968),
    (0.280085, 0.672501, 0.047413),
    (-0.011820, 0.042940, 0.968881),
)
# OKLab, Ottosson (2020): linear sRGB to cone responses, their cube roots to L, a, b.
_TO_CONES = ((0.4122214708, 0.5363325363, 0.0514459929), (0.2119034982, 0.6806995451, 0.1073969566),
             (0.0883024619, 0.2817188376, 0.6299787005))  # fmt: skip
_TO_LAB = ((0.2104542553, 0.7936177850, -0.0040720468), (1.9779984951, -2.4285922050, 0.4505937099),
           (0.0259040371, 0.7827717662, -0.8086757660))  # fmt: skip
_LIGHTNESS = (0.38, 0.94)  # of OKLab: visible on a black and on a white page
_LIGHTNESS_WEIGHT = 2.0  # a difference that survives greyscale and colour blindness counts double


def is_background(name: str) -> bool:
    """Whether a class name says background."""
    return name.strip().casefold() in ("background", "bg", "_background_")


def class_colours(names: Sequence[str]) -> tuple[str, ...]:
    """One "#rrggbb" a class, no two alike: grey for the first class named background, then `palette`."""
    first = next((i for i, name in enumerate(names) if is_background(name)), None)
    rest = iter(palette(len(names)))
    return tuple(BACKGROUND_GREY if i == first else next(rest) for i in range(len(names)))


@lru_cache(maxsize=32)
def palette(n: int) -> tuple[str, ...]:
    """The first n class colours, "#rrggbb", distinct (to about 5,000; then they repeat), alike for every n.

    The Okabe–Ito colours, then greedily whichever colour is farthest from all before it and from the
    background grey, the distance being the smallest of those seen with normal, protan and deutan vision.
    """
    if n <= len(_OKABE_ITO):
        return _OKABE_ITO[:n]
    candidates = _candidates()
    seen = _appearance(candidates)
    taken = [*_OKABE_ITO, BACKGROUND_GREY]
    nearest = np.full(len(candidates), np.inf)
    for colour in taken:
        nearest = np.minimum(nearest, _distance(seen, _appearance(_rgb(colour))))
    colours = list(_OKABE_ITO)
    while len(colours) < min(n, len(candidates)):
        pick = int(np.argmax(nearest))
        colours.append("#{:02x}{:02x}{:02x}".format(*candidates[pick]))
        nearest = np.minimum(nearest, _distance(seen, seen[pick : pick + 1]))
    return tuple(colours[i % len(colours)] for i in range(n))


def _candidates() -> NDArray[np.uint8]:
    """(N, 3) uint8: a grid of colours, 15 steps apart, of a lightness that shows on both themes."""
    steps = np.arange(0, 256, 15, dtype=np.uint8)
    grid = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1).reshape(-1, 3)
    lightness = _appearance(grid)[:, 0, 0] / _LIGHTNESS_WEIGHT
    kept: NDArray[np.uint8] = grid[(lightness >= _LIGHTNESS[0]) & (lightness <= _LIGHTNESS[1])]
    return kept


def _rgb(colour: str) -> NDArray[np.uint8]:
    return np.frombuffer(bytes.fromhex(colour[1:]), np.uint8)[np.newaxis]


def _appearance(rgb: NDArray[np.uint8]) -> NDArray[np.float64]:
    """(N, 3) uint8 to (N, 3 kinds of vision, 3): weighted L, a, b."""
    s = rgb / 255.0
    linear = np.where(s <= 0.04045, s / 12.92, ((s + 0.055) / 1.055) ** 2.4)
    views = [linear, linear @ np.array(_PROTANOPIA).T, linear @ np.array(_DEUTERANOPIA).T]
    cones = np.stack([np.clip(view, 0, 1) for view in views], axis=1) @ np.array(_TO_CONES).T
    lab: NDArray[np.float64] = np.cbrt(cones) @ np.array(_TO_LAB).T
    lab[..., 0] *= _LIGHTNESS_WEIGHT
    return lab


def _distance(seen: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    """(N, 3, 3) against (1, 3, 3): the smallest distance over the kinds of vision, (N,)."""
    gaps: NDArray[np.float64] = np.linalg.norm(seen - other, axis=2)
    smallest: NDArray[np.float64] = gaps.min(axis=1)
    return smallest
