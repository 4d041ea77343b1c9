"""Small scenes made in memory, whose truth the tests know because they drew it."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from segdebug.scene import Scene, read_scene

__all__ = ["blocks", "blocks_mask", "discs", "png_bytes", "striped"]


def png_bytes(array: NDArray[np.uint8]) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, "PNG")
    return buffer.getvalue()


def blocks_mask(classes: int = 4, size: int = 32, void: bool = False) -> NDArray[np.uint8]:
    """Vertical bands of classes 0..classes-1; with void, the top two rows are 255."""
    mask = np.repeat((np.arange(size) * classes // size)[None], size, axis=0).astype(np.uint8)
    if void:
        mask[:2] = 255
    return mask


def blocks(classes: int = 4, size: int = 32, void: bool = False) -> Scene:
    """Bands of classes, each in its own colour with a little noise: easily learnt."""
    mask = blocks_mask(classes, size, void)
    rng = np.random.default_rng(7)
    colours = rng.integers(30, 226, (256, 3))
    image = np.clip(colours[mask] + rng.normal(0, 6, (size, size, 3)), 0, 255).astype(np.uint8)
    names = [f"band {k}" for k in range(classes)]
    return read_scene(
        ("image.png", png_bytes(image)),
        [("mask.png", png_bytes(mask))],
        classes=names,
        encoding="index",
        ignore=255 if void else None,
    )


def striped(size: int = 32) -> Scene:
    """A binary scene: a bright bar on dark ground, mask 0/255."""
    mask = np.zeros((size, size), np.uint8)
    mask[size // 4 : size // 2] = 255
    image = np.stack([mask // 2 + 40] * 3, axis=-1).astype(np.uint8)
    return read_scene(("image.png", png_bytes(image)), [("mask.png", png_bytes(mask))])


def discs(size: int = 32) -> Scene:
    """Two overlapping squares, one file each."""
    a, b = np.zeros((2, size, size), np.uint8)
    a[4:20, 4:20] = 255
    b[12:28, 12:28] = 255
    image = np.stack([a // 2, b // 2, np.full_like(a, 60)], axis=-1)
    return read_scene(("image.png", png_bytes(image)), [("left.png", png_bytes(a)), ("right.png", png_bytes(b))])
