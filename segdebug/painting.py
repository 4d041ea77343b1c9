"""Maps as levels and colours: what a painter (browser, PNG, figure) needs, and nothing about where it paints.

Scalar maps are painted on one perceptually even scale, logarithmic where values span more than two decades,
and the same for all that is compared. What lies outside the scale is clipped, and the scale says so.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from plotly.colors import hex_to_rgb, sample_colorscale, unlabel_rgb

from segdebug.scene import VOID, SceneClass

__all__ = ["NO_CLASS", "Scale", "class_image", "class_levels", "magma", "overlay", "png", "scale_of"]

NO_CLASS = 65535
"""The level of a pixel without a class, and its colour: not painted."""

_LEVELS = 256


@dataclass(frozen=True)
class Scale:
    """From values to levels 0..255. low, high: the values of the first and last level; log: logarithmic
    between them; clipped: whether some value lies above `high`."""

    low: float
    high: float
    log: bool
    clipped: bool = False

    def levels(self, values: NDArray[np.floating]) -> NDArray[np.uint8]:
        """The same shape, uint8; NaN and infinity are painted as the last level."""
        finite = np.nan_to_num(values.astype(np.float64), nan=self.high, posinf=self.high, neginf=self.low)
        clipped = np.clip(finite, self.low, self.high)
        if self.high <= self.low:
            return np.zeros(values.shape, np.uint8)
        if self.log:
            share = np.log(clipped / self.low) / np.log(self.high / self.low)
        else:
            share = (clipped - self.low) / (self.high - self.low)
        return np.rint(share * (_LEVELS - 1)).astype(np.uint8)


def scale_of(maps: Iterable[NDArray[np.floating]]) -> Scale:
    """One scale for all these maps: up to the 99.9th percentile, logarithmic over at most four decades where
    the middle of the values lies more than two decades below the top; from 0, or from the lowest where
    negative."""
    values = np.concatenate([np.ravel(m)[:: max(1, m.size // 4096)] for m in maps] or [np.zeros(1)])
    values = values[np.isfinite(values)]
    if not values.size:
        return Scale(0.0, 1.0, log=False)
    low, high = float(values.min()), float(np.percentile(values, 99.9))
    clipped = bool(values.max() > high)
    positive = values[values > 0]
    if low >= 0 and positive.size and high > 100 * np.median(positive):
        return Scale(max(high * 1e-4, float(positive.min())), high, log=True, clipped=clipped)
    return Scale(min(low, 0.0), high if high > min(low, 0.0) else min(low, 0.0) + 1.0, log=False, clipped=clipped)


def magma() -> list[str]:
    """The 256 colours of the scale, darkest first, as "#rrggbb"."""
    return list(_magma())


@cache
def _magma() -> tuple[str, ...]:
    sampled = sample_colorscale("Magma", list(np.linspace(0, 1, _LEVELS)))
    return tuple("#" + "".join(f"{round(part):02x}" for part in unlabel_rgb(colour)) for colour in sampled)


def class_levels(labels: NDArray[np.integer] | NDArray[np.bool_]) -> NDArray[np.uint16]:
    """(S, S) classes or (S, S, K) planes to levels: the class, of several the last, or NO_CLASS."""
    if labels.ndim == 3:
        k = labels.shape[2]
        last = k - 1 - labels[..., ::-1].argmax(axis=-1)
        return np.where(labels.any(axis=-1), last, NO_CLASS).astype(np.uint16)
    return np.where(labels == VOID, NO_CLASS, labels).astype(np.uint16)


def class_image(levels: NDArray[np.uint16], classes: tuple[SceneClass, ...]) -> NDArray[np.uint8]:
    """(S, S) levels to (S, S, 4) RGBA, transparent where there is no class."""
    table = np.zeros((65536, 4), np.uint8)
    for c in classes:
        if c.id != NO_CLASS:
            table[c.id] = (*hex_to_rgb(c.colour), 255)
    return table[levels]


def overlay(
    image: NDArray[np.float32],
    labels: NDArray[np.integer],
    classes: tuple[SceneClass, ...],
    opacity: float = 0.5,
) -> NDArray[np.uint8]:
    """(H, W, 3) uint8: the picture under its classes; unlabelled pixels show the picture alone."""
    colours = class_image(class_levels(labels), classes)
    alpha = (colours[..., 3:] > 0) * np.float32(opacity)
    mixed = image * 255 * (1 - alpha) + colours[..., :3] * alpha
    return np.rint(mixed).astype(np.uint8)


def png(pixels: NDArray[np.uint8]) -> bytes:
    """(H, W, 3) or (H, W, 4) uint8 as PNG."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", compress_level=3)
    return buffer.getvalue()
