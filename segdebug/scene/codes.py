"""One mask file as integer codes: grey values, palette indices or colours, whichever it holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from segdebug.errors import SceneError
from segdebug.scene.decode import Raster
from segdebug.scene.limits import MAX_CLASSES
from segdebug.scene.model import SceneWarning
from segdebug.scene.values import count_values, pack_rgb

__all__ = ["Codes", "Kind", "check_colours", "code_name", "to_codes"]

Kind = Literal["grey", "palette", "colour"]

_JPEG_CHROMA = 32  # channels of a grey mask that went through a colour JPEG drift apart by a few values


@dataclass(frozen=True)
class Codes:
    """values: (H, W) integer codes (0xRRGGBB for colours). distinct, counts: ascending codes, their pixels.
    full: the largest code its type holds, or None. lossy: the file went through JPEG or lossy WebP."""

    name: str
    kind: Kind
    values: NDArray[Any]
    distinct: NDArray[np.int64]
    counts: NDArray[np.int64]
    full: int | None
    lossy: bool
    warnings: tuple[SceneWarning, ...]


def code_name(kind: Kind, code: int) -> int | str:
    """A code as it is shown: "#rrggbb" for a colour, else the number itself."""
    return f"#{code:06x}" if kind == "colour" else code


def to_codes(raster: Raster, *, as_colours: bool = False, unchecked: bool = False) -> Codes:
    """Codes of a raster. Alpha is left out and three identical channels are one, each with a warning.

    `as_colours`: grey values and palette entries as the colours that they show. `unchecked`: any number of colours,
    lossy ones too, for those who mean to repair them and call `check_colours` then.
    Raises SceneError: not integral, not finite, too many colours, or a mode that holds no codes.
    """
    name, values, warnings = raster.name, raster.values, list[SceneWarning]()

    def warn(code: str, message: str) -> None:
        warnings.append(SceneWarning(code, f"{name}: {message}"))

    if raster.mode in ("CMYK", "YCbCr", "LAB", "HSV"):
        raise SceneError(f"{name}: {raster.mode} pixels hold no class codes. Save an index PNG.", name)
    if raster.header.deep_channels and raster.mode == "RGBA":
        raise SceneError(f"{name}: a mask of 16 bits with alpha is not read. Save it without alpha.", name)
    if raster.turned:
        warn("mask_turned", "turned upright, as its EXIF data asks. Most loading code does not.")
    if raster.header.grey_bits in (2, 4):
        factor = 255 // (2**raster.header.grey_bits - 1)
        warn(
            "packed_grey",
            f"grey values of {raster.header.grey_bits} bits; the file's own values are kept. Pillow, OpenCV and "
            f"TensorFlow deliver them times {factor}.",
        )
    if raster.header.deep_channels:
        warn("deep_colours", "16 bits a channel; only the upper 8 of each were read.")
    if values.ndim == 3:
        values = _without_alpha(values, warn)
    if values.dtype.kind == "f":
        values = _integral(name, values)
    if values.dtype == np.bool_:
        values = values.astype(np.uint8)
    kind: Kind = "palette" if raster.palette is not None else "grey"
    if values.ndim == 3:
        grey = _as_grey(values, _JPEG_CHROMA if raster.header.lossy else 0)
        if grey is not None and not as_colours:
            warn("three_channels", "three identical channels: taken as one channel of values.")
            values = grey
        else:
            kind, values = "colour", pack_rgb(_bytes(name, values))
    elif as_colours:
        indices = _bytes(name, values)
        grey_ramp = np.repeat(np.arange(256, dtype=np.uint8)[:, np.newaxis], 3, axis=1)
        table = grey_ramp if raster.palette is None else raster.palette
        kind, values = "colour", pack_rgb(table)[indices]
    distinct, counts = count_values(values)
    full = 0xFFFFFF if kind == "colour" else {1: 255, 2: 65535}.get(values.dtype.itemsize)
    codes = Codes(name, kind, values, distinct, counts, full, raster.header.lossy, tuple(warnings))
    if not unchecked:
        check_colours(codes)
    return codes


def _without_alpha(values: NDArray[Any], warn: Any) -> NDArray[Any]:
    """(H, W, C): C of 2 and 4 loses its last channel; (H, W) for what was grey and alpha."""
    channels = values.shape[2]
    if channels in (2, 4):
        clear = int(np.count_nonzero(values[..., -1] != values[..., -1].max()))
        clear = clear or (values.shape[0] * values.shape[1] if values[..., -1].max() == 0 else 0)
        if clear:
            warn(
                "alpha_ignored",
                f"transparency was left out: {clear:,} pixels are not opaque, and their hidden value counts.",
            )
        values = values[..., : channels - 1]
    return values[..., 0] if values.shape[2] == 1 else values


def _integral(name: str, values: NDArray[Any]) -> NDArray[Any]:
    if not np.isfinite(values).all():
        raise SceneError(f"{name}: the mask holds NaN or infinity. Write the void value as an integer.", name)
    low, high = float(values.min()), float(values.max())
    slack = 1e-6
    if values.ndim == 3 and low >= 0 and high <= 1:  # colours as matplotlib reads them
        values, slack = values * 255, 1e-3
    rounded = np.rint(values)
    if np.abs(rounded - values).max() > slack or max(-low, high) > 2**31:
        raise SceneError(
            f"{name}: the mask holds fractions ({low:g} to {high:g}), not class ids. If they are "
            "probabilities, threshold them; if ids were divided by 255, multiply them back.",
            name,
        )
    whole: NDArray[np.int64] = rounded.astype(np.int64)
    return whole


def _as_grey(rgb: NDArray[Any], spread: int) -> NDArray[Any] | None:
    """The one channel of three that are identical (but for `spread`), else None."""
    red: NDArray[Any] = rgb[..., 0]
    green: NDArray[Any] = rgb[..., 1]
    blue: NDArray[Any] = rgb[..., 2]
    if spread == 0:
        return red if np.array_equal(red, green) and np.array_equal(red, blue) else None
    wide = int((rgb.max(axis=2).astype(np.int64) - rgb.min(axis=2)).max())
    return green if wide <= spread else None


def _bytes(name: str, values: NDArray[Any]) -> NDArray[np.uint8]:
    if int(values.min()) < 0 or int(values.max()) > 255:
        raise SceneError(
            f"{name}: colours are read from values 0..255, but the mask reaches "
            f"{int(values.max()) if int(values.max()) > 255 else int(values.min())}.",
            name,
        )
    return values.astype(np.uint8, copy=False)


def check_colours(codes: Codes) -> None:
    """Raise SceneError for colours that are no codes: more than classes are trained, or changed by JPEG."""
    name, n = codes.name, len(codes.distinct)
    if codes.kind != "colour":
        return
    if codes.lossy and n > 2:
        raise SceneError(
            f"{name}: a colour mask ({n:,} colours) saved as JPEG or lossy WebP: compression "
            "changed them. Export the mask again as PNG.",
            name,
        )
    if n > MAX_CLASSES:
        raise SceneError(
            f"{name}: {n:,} distinct colours are too many for a mask (at most {MAX_CLASSES}). "
            "It looks like a photograph, or a mask that was smoothed, resized or saved as JPEG: export it "
            "again as PNG, without antialiasing.",
            name,
        )
