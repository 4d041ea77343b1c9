"""Bytes to an array, safely: the only place that decodes pictures. One failure is one SceneError."""

from __future__ import annotations

import io
import threading
import warnings
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from segdebug.errors import SceneError
from segdebug.scene.arrays import read_npy
from segdebug.scene.headers import NO_HEADER, Header, is_tiff, read_header
from segdebug.scene.limits import MAX_PLANE_VALUES, check_pixels
from segdebug.scene.source import Source
from segdebug.scene.tiff import Page, decode_page, tiff_pages

__all__ = ["Raster", "decode", "page_count", "upright"]

_ORIENTATION = 0x0112
_MAX_SCANS = 200  # a progressive JPEG has about ten; thousands are an attack on the decoder

# One picture at a time: it bounds memory, and `warnings.catch_warnings` is not safe between threads.
_ONE_AT_A_TIME = threading.Lock()


@dataclass(frozen=True)
class Raster:
    """A decoded file, upright, its values as stored.

    values: (H, W) or (H, W, C); bool, integer or float. Mode P holds palette indices; grey of 2 and 4 bits
        holds 0..3 and 0..15 (Pillow stretches them to 0..255).
    format: PNG, JPEG, GIF, BMP, WEBP, TIFF, NPY or array. mode: Pillow's, or the array's shape in words.
    palette: (256, 3) uint8 for mode P, else None. turned: EXIF asked for a rotation or a flip.
    pages: how many the file has; one of them is here.
    """

    name: str
    values: NDArray[Any]
    format: str
    mode: str
    palette: NDArray[np.uint8] | None = None
    header: Header = NO_HEADER
    turned: bool = False
    pages: int = 1

    @property
    def size(self) -> tuple[int, int]:
        """(width, height)."""
        return int(self.values.shape[1]), int(self.values.shape[0])

    @property
    def is_array(self) -> bool:
        many = self.values.ndim == 3 and self.values.shape[2] > 4  # bands of a TIFF: no colours
        return many or self.format in ("NPY", "array")


def page_count(source: Source) -> int:
    """How many pages a source has, 1 but for a TIFF of several. Raises SceneError for a damaged TIFF."""
    if source.array is not None or not is_tiff(source.data):
        return 1
    return len(tiff_pages(source.name, source.data))


def decode(source: Source, page: int = 0) -> Raster:
    """Decode one source, header before pixels: one page of it, counted from 0.

    Raises SceneError and nothing else, whatever it holds.
    """
    name = source.name
    if source.array is not None:
        return _from_array(name, source.array, "array")
    header = read_header(name, source.data)
    if header.format == "NPY":
        return _from_array(name, read_npy(name, source.data), "NPY")
    if header.format == "JPEG" and source.data.count(b"\xff\xda") > _MAX_SCANS:
        raise SceneError(f"{name}: the JPEG has more than {_MAX_SCANS} scans. Save it again.", name)
    try:
        with _ONE_AT_A_TIME, warnings.catch_warnings():
            warnings.filterwarnings("ignore", module=r"PIL\.")
            if header.format == "TIFF":
                return _tiff_page(name, source.data, page)
            return _with_pillow(name, source.data, header)
    except SceneError:
        raise
    except (Image.DecompressionBombError, MemoryError) as error:
        raise SceneError(f"{name}: the picture is too large to be read. Scale it down first.", name) from error
    except Exception as error:
        raise SceneError(f"{name}: {_reason(error, header.format)}", name) from error


def upright(values: NDArray[Any], orientation: int) -> NDArray[Any]:
    """(H, W, ...) as stored to how it is meant to be seen, by the EXIF orientation 1..8 (else unchanged)."""
    if orientation in (5, 6, 7, 8):
        values = values.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        values = values[::-1]
    if orientation in (2, 3, 6, 7):
        values = values[:, ::-1]
    return np.ascontiguousarray(values)


def _tiff_page(name: str, data: bytes, number: int) -> Raster:
    """One page, by Pillow where it keeps the samples as they are stored, else by tifffile."""
    pages = tiff_pages(name, data)
    if len(pages) == 1:
        number = 0  # a page is stated for files of several
    if not 0 <= number < len(pages):
        raise SceneError(f"{name}: there is no page {number}; pages 0 to {len(pages) - 1} are there.", name)
    page = pages[number]
    shown = name if len(pages) == 1 else f"{name} [{number}]"
    if page.for_pillow:
        raster = _with_pillow(name, data, Header("TIFF"), page)
        return replace(raster, name=shown, pages=len(pages))
    values = decode_page(name, data, page)
    turned = page.orientation in range(2, 9)
    return Raster(
        shown,
        upright(values, page.orientation) if turned else values,
        "TIFF",
        f"{page.samples} × {values.dtype}" if page.samples > 1 else str(values.dtype),
        header=Header("TIFF"),
        turned=turned,
        pages=len(pages),
    )


def _with_pillow(name: str, data: bytes, header: Header, page: Page | None = None) -> Raster:
    with Image.open(io.BytesIO(data), formats=(header.format,)) as opened:
        picture: Image.Image = opened
        check_pixels(name, *picture.size)
        if page is not None:
            picture.seek(page.index)
            check_pixels(name, *picture.size)
            header = _tiff_header(picture, page)
        if header.format == "GIF":
            _check_still(name, picture)
        picture.load()
        # After load: Pillow has then read PNG's late chunks, and has turned a TIFF itself.
        orientation = _orientation(picture)
        mode, palette = picture.mode, None
        if mode in ("P", "PA"):
            colours = np.asarray(picture.getpalette("RGB") or (), np.uint8).reshape(-1, 3)[:256]
            palette = np.zeros((256, 3), np.uint8)
            palette[: len(colours)] = colours
        elif mode in ("CMYK", "YCbCr", "LAB", "HSV", "RGBX", "RGBa"):
            picture = picture.convert("RGB")
        elif mode == "La":
            picture = picture.convert("LA")
        values = np.asarray(picture)
    if mode == "1":  # Pillow's true is a byte of 255, which numpy does not expect of a boolean
        values = values.view(np.uint8) != 0
    if mode == "PA":
        values = values[..., 0]
    if values.dtype.byteorder not in "=|":
        values = values.astype(values.dtype.newbyteorder("="))
    if header.grey_bits in (2, 4):
        values = values // (255 // (2**header.grey_bits - 1))
    turned = orientation in range(2, 9)
    return Raster(
        name, upright(values, orientation) if turned else values, header.format, mode, palette, header, turned
    )


def _orientation(picture: Image.Image) -> int:
    try:
        return int(picture.getexif().get(_ORIENTATION, 1))
    except Exception:  # damaged EXIF says nothing about the pixels
        return 1


def _check_still(name: str, picture: Image.Image) -> None:
    """Raise SceneError for a GIF of more than one frame; the second is looked for, the others are not."""
    try:
        picture.seek(1)
    except EOFError:
        picture.seek(0)
        return
    raise SceneError(f"{name}: this is an animated GIF, which is not read. Save one frame of it.", name)


def _tiff_header(picture: Image.Image, page: Page) -> Header:
    """How deep grey is, and whether JPEG was used."""
    lossy = picture.info.get("compression") in ("jpeg", "tiff_jpeg", "webp")
    return Header("TIFF", grey_bits=page.bits if picture.mode == "L" and page.samples == 1 else 0, lossy=lossy)


def _reason(error: Exception, kind: str) -> str:
    text = " ".join(str(error).split())
    if "MAX_TEXT" in text:
        return "the PNG carries more than 1 MB of metadata beside the pixels. Save it again without."
    if isinstance(error, UnidentifiedImageError):
        return f"the {kind} is damaged or of a kind that is not read. Save it again as PNG."
    if "truncated" in text or "cut" in text:
        return f"the {kind} is cut short. Save or copy it again."
    return f"the {kind} could not be decoded ({text[:120] or type(error).__name__}). Save it again as PNG."


def _from_array(name: str, array: NDArray[Any], form: str) -> Raster:
    if array.dtype.kind not in "biuf":
        raise SceneError(f"{name}: expected an array of numbers or booleans, but got {array.dtype}.", name)
    if array.dtype.itemsize > 8:
        raise SceneError(f"{name}: {array.dtype} is not read. Use float32 or an integer type.", name)
    if array.ndim not in (2, 3):
        batch = " Take one picture out of the batch." if array.ndim == 4 else ""
        raise SceneError(f"{name}: expected shape (H, W) or (H, W, channels), but got {array.shape}.{batch}", name)
    check_pixels(name, int(array.shape[1]), int(array.shape[0]))
    if array.ndim == 3 and not 0 < array.size <= MAX_PLANE_VALUES:
        raise SceneError(f"{name}: an array of shape {array.shape} is empty or too large to be read.", name)
    if array.dtype.byteorder not in "=|":
        array = array.astype(array.dtype.newbyteorder("="))
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[..., 0]
    return Raster(name, array, form, f"array {array.shape}")
