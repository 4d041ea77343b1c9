"""Stretching to the training grid, without TensorFlow."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

__all__ = ["resize_bilinear", "resize_nearest"]

Scalar = TypeVar("Scalar", bound=np.generic)


def resize_nearest(array: NDArray[Scalar], size: int) -> NDArray[Scalar]:
    """(H, W, ...) to (size, size, ...): the pixel under each cell's centre, floor((i + 0.5) · H / size)."""
    rows, columns = ((np.arange(size) + 0.5) * n / size for n in array.shape[:2])
    return np.ascontiguousarray(array[np.ix_(rows.astype(int), columns.astype(int))])


def resize_bilinear(image: NDArray[np.float32], size: int) -> NDArray[np.float32]:
    """(H, W, C) float32 to (size, size, C), triangle filter as wide as the reduction (no aliasing)."""
    channels = [
        np.asarray(Image.fromarray(image[..., c]).resize((size, size), Image.Resampling.BILINEAR))
        for c in range(image.shape[2])
    ]
    stretched: NDArray[np.float32] = np.clip(np.stack(channels, axis=-1), 0.0, 1.0).astype(np.float32)
    return stretched
