"""Three small scenes for the fidelity tests, as plain arrays and real PNG bytes: 24 × 20 px, so that both training
sizes stretch them."""

from __future__ import annotations

import functools
import io

import numpy as np
from PIL import Image

from tests.fidelity.reference import Picture

H, W = 24, 20


def _png(array: np.ndarray, palette: list[int] | None = None) -> bytes:
    image = Image.fromarray(array.astype(np.uint8), "L" if palette is None else "P")
    if palette is not None:
        image.putpalette(palette)
    held = io.BytesIO()
    image.save(held, "PNG")
    return held.getvalue()


def _photo(shade: np.ndarray, seed: int) -> np.ndarray:
    """Noise on a shade of each class: something that can be learnt."""
    noise = np.random.default_rng(seed).random((H, W, 3), np.float32)
    return (0.6 * shade[..., None] + 0.4 * noise).astype(np.float32)


@functools.cache
def void() -> Picture:
    """Four classes and void, in one palette file: indices 0 to 3, and 255."""
    rows, columns = np.mgrid[:H, :W]
    ids = np.where(rows < 9, 0, np.where(columns < 8, 1, 2)).astype(np.int32)
    ids[14:17, 11:14] = 3
    ids[20:, 15:] = -1
    palette = [0, 0, 0, 250, 10, 10, 20, 240, 30, 30, 40, 230] + [0] * (251 * 3) + [255, 255, 255]
    file = _png(np.where(ids < 0, 255, ids), palette)
    return Picture(_photo(np.maximum(ids, 0) / 3, 1), ids, 4, ids >= 0, None, (file,), (None,), stated=(0, 1, 2, 3))


@functools.cache
def binary() -> Picture:
    """One object on a background that no file draws: one grey file of 0 and 255."""
    rows, columns = np.mgrid[:H, :W]
    ids = ((rows - 11) ** 2 + (columns - 9) ** 2 < 40).astype(np.int32)
    return Picture(_photo(ids, 2), ids, 2, np.ones((H, W), bool), None, (_png(ids * 255),), (1,), stated=(1,))


@functools.cache
def planes() -> Picture:
    """Three classes that overlap, each in a file of its own, and pixels of none."""
    rows, columns = np.mgrid[:H, :W]
    stacked = np.stack([rows > 12, columns > 11, (rows + columns) % 23 < 6], -1)
    ids = np.where(stacked.any(-1), 2 - stacked[..., ::-1].argmax(-1), -1).astype(np.int32)
    files = tuple(_png(stacked[..., c] * 255) for c in range(3))
    photo = _photo(stacked.mean(-1), 3)
    return Picture(photo, ids, 3, np.ones((H, W), bool), stacked, files, (0, 1, 2), stated=(0, 1, 2))


PICTURES = {"void": void, "binary": binary, "planes": planes}
