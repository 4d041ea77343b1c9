"""A decoded picture as the float image that a network is shown."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from segdebug.errors import SceneError
from segdebug.scene.decode import Raster

__all__ = ["to_image"]


def to_image(raster: Raster) -> NDArray[np.float32]:
    """(H, W, 3) float32 in [0, 1]: grey is repeated, alpha dropped, palettes looked up.

    Scaled by what the type can hold, not by what the picture reaches: 8 bits by 255, 16 by 65535, 1 by 1.
    Wider integers by the first of 1, 255, 65535 that no value exceeds, floats by the first of 1 and 255; an
    array of 8 or 16 bits that holds only 0 and 1 by 1.
    Raises SceneError: NaN or infinity, negative or larger values, a number of channels that is no picture.
    """
    values = raster.values
    if raster.palette is not None:
        values = raster.palette[values]
    if values.ndim == 3:
        values = _colour_channels(raster.name, values)
    scaled = np.divide(values, _scale(raster, values), dtype=np.float32)
    if values.dtype.kind == "f":
        np.clip(scaled, 0.0, 1.0, out=scaled)  # the rounding of what wrote the floats
    if scaled.ndim == 2:
        scaled = scaled[..., np.newaxis]
    if scaled.shape[2] == 1:
        scaled = np.repeat(scaled, 3, axis=2)
    return np.ascontiguousarray(scaled)


def _colour_channels(name: str, values: NDArray[Any]) -> NDArray[Any]:
    """(H, W, C) without its alpha: C of 2 is grey and alpha, of 4 is RGB and alpha."""
    channels = values.shape[2]
    if channels in (2, 4):
        return values[..., : channels - 1]
    if channels == 3:
        return values
    hint = " It looks channels-first: numpy.moveaxis(array, 0, -1)." if values.shape[0] in (1, 3, 4) else ""
    raise SceneError(
        f"{name}: expected an image of shape (H, W), (H, W, 3) or (H, W, 4), but got {values.shape}.{hint}",
        name,
    )


def _scale(raster: Raster, values: NDArray[Any]) -> np.float32:
    name, dtype = raster.name, values.dtype
    if dtype == np.bool_:
        return np.float32(1)
    if dtype.kind == "f" and not np.isfinite(values).all():
        raise SceneError(f"{name}: the image holds NaN or infinity. Replace them first.", name)
    low, high = values.min(), values.max()
    if low < 0:
        raise SceneError(
            f"{name}: the image holds negative values (down to {low:g}). Expected 0..1 or 0..255: shift and "
            "scale it; the input range that the network sees is chosen later.",
            name,
        )
    if dtype.kind == "f":
        limits: tuple[int, ...] = (1, 255)
        slack = 1e-3
    else:
        fixed = {np.dtype(np.uint8): 255, np.dtype(np.uint16): 65535}.get(dtype)
        if fixed is not None and not (raster.is_array and high <= 1):
            return np.float32(fixed)
        limits, slack = (1, 255, 65535), 0.0
    for limit in limits:
        if high <= limit + slack:
            return np.float32(limit)
    raise SceneError(
        f"{name}: the image reaches {high:g}; {dtype} is read in 0..1 or 0..{limits[-1]}. Scale it first.",
        name,
    )
