"""Files to upload that are no sample: drawn here, so that the test knows what each pixel is."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
from PIL import Image

__all__ = ["as_file", "huge_png", "photograph", "png"]


def png(array: np.ndarray[Any, Any]) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, "PNG")
    return buffer.getvalue()


def as_file(name: str, data: bytes) -> dict[str, Any]:
    """What the browser's file chooser is given."""
    return {"name": name, "mimeType": "application/octet-stream", "buffer": data}


def photograph(width: int = 210, height: int = 140) -> tuple[bytes, bytes, np.ndarray[Any, Any]]:
    """A hill under a sky with a sun, as JPEG with EXIF orientation 6, its index mask as PNG, and the mask."""
    y, x = np.mgrid[0:height, 0:width]
    mask = np.zeros((height, width), np.uint8)
    mask[y > height * 0.55 + 18 * np.sin(x / 23)] = 1
    mask[(x - width * 0.7) ** 2 + (y - height * 0.25) ** 2 < (height * 0.14) ** 2] = 2
    colours = np.array([[120, 170, 230], [60, 120, 50], [250, 220, 90]], float)
    noise = np.random.default_rng(11).normal(0, 7, (height, width, 3))
    image = np.clip(colours[mask] + noise + (y / height * 30)[..., None], 0, 255).astype(np.uint8)
    turned = Image.fromarray(np.rot90(image))  # shown upright only by who heeds the orientation
    exif = Image.Exif()
    exif[0x0112] = 6
    buffer = io.BytesIO()
    turned.save(buffer, "JPEG", quality=92, exif=exif)
    return buffer.getvalue(), png(mask), mask


def huge_png() -> bytes:
    """A PNG whose header promises 50,000 × 50,000 pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 50_000, 50_000, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
