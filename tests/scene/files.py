"""Picture files for the tests, written with Pillow and by hand."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from segdebug.scene import Scene, read_scene


def encoded(picture: Image.Image | NDArray[Any], form: str = "PNG", **options: Any) -> bytes:
    """The bytes of a picture in one of Pillow's formats."""
    image = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def npy(array: NDArray[Any], **options: Any) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, **options)
    return buffer.getvalue()


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(
    width: int, height: int, depth: int, colour: int, rows: bytes, *between: bytes, interlaced: bool = False
) -> bytes:
    """A PNG from its filtered rows, with further chunks before the pixels."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlaced))
    return b"".join((b"\x89PNG\r\n\x1a\n", header, *between, chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b"")))


def plain_image(height: int, width: int) -> bytes:
    return encoded(np.full((height, width, 3), 90, np.uint8))


def read_mask(mask: Any, height: int = 0, width: int = 0, **options: Any) -> Scene:
    """The scene of a mask under a plain picture: of the mask's size where that is an array."""
    if isinstance(mask, np.ndarray):
        height, width = mask.shape[:2]
    return read_scene(("photo.png", plain_image(height, width)), mask, **options)


def codes(scene: Scene) -> tuple[str, ...]:
    return tuple(warning.code for warning in scene.warnings)


def pixels(scene: Scene) -> list[int]:
    return [c.pixels for c in scene.classes]


def coded(scene: Scene) -> list[int | str | None]:
    return [c.encoded_as for c in scene.classes]
