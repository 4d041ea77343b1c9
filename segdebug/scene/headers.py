"""What a file is, from its first bytes: format and size before any pixel is decoded."""

from __future__ import annotations

import codecs
import struct
import zlib
from dataclasses import dataclass

from segdebug.errors import SceneError
from segdebug.scene.limits import check_pixels

__all__ = ["FORMATS", "NO_HEADER", "Header", "is_text", "is_tiff", "is_zip", "read_header"]

FORMATS = ("PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF", "NPY")
"""What is read, for pictures and masks alike; archives of them and files of shapes or runs come beside."""

_WANTED = "Save it as PNG (masks) or as PNG or JPEG (pictures)."
_PNG = b"\x89PNG\r\n\x1a\n"
_PIECE = 1 << 18  # bytes unpacked at a time
_MAX_CHUNKS = 20_000  # a 64 MiB PNG in 8 KiB pieces has 8,192

# Known by their first bytes, and not read: to say what the file is, whatever its name claims.
_OTHERS: tuple[tuple[bytes, str], ...] = (
    (b"%PDF", "a PDF"),
    (b"%!PS", "a PostScript file"),
    (b"\xc5\xd0\xd3\xc6", "a PostScript file"),
    (b"PK\x03\x04", "a zip archive"),
    (b"PK\x05\x06", "an empty zip archive"),
    (b"Rar!", "a RAR archive"),
    (b"7z\xbc\xaf", "a 7-Zip archive"),
    (b"\x1f\x8b", "a gzip file (perhaps NIfTI)"),
    (b"8BPS", "a Photoshop file"),
    (b"\x89HDF", "an HDF5 file"),
    (b"v/1\x01", "an OpenEXR file"),
    (b"\x00\x00\x00\x0cjP  ", "a JPEG 2000 file"),
    (b"\xff\x4f\xff\x51", "a JPEG 2000 file"),
    (b"\x00\x00\x01\x00", "an icon"),
    (b"\x80\x04\x95", "a Python pickle"),
    (b"\x80\x05\x95", "a Python pickle"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a program"),
)


@dataclass(frozen=True)
class Header:
    """`format` is one of `FORMATS`. `grey_bits`: the depth of a grey PNG or TIFF, else 0. `deep_channels`: a PNG with
    16 bits a channel and more than one channel, which Pillow cuts to 8. `lossy`: JPEG, or lossy WebP."""

    format: str
    grey_bits: int = 0
    deep_channels: bool = False
    lossy: bool = False


NO_HEADER = Header("array")
"""Of an array, which has none."""


def read_header(name: str, data: bytes) -> Header:
    """Format and kind of `data`; its size is checked here wherever Pillow would spend memory to find it.

    Raises SceneError for whatever is not in `FORMATS`, is animated, too large, damaged or cut short.
    """
    if data.startswith(_PNG):
        return _png(name, data)
    if data.startswith(b"\xff\xd8\xff"):
        return Header("JPEG", lossy=True)
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return _webp(name, data)
    if is_tiff(data):
        return Header("TIFF")
    if data[:6] in (b"GIF87a", b"GIF89a"):
        return _gif(name, data)
    if data.startswith(b"\x93NUMPY"):
        return Header("NPY")
    if data.startswith(b"BM") and len(data) > 25 and data[14:18] in _BMP_HEADERS:
        return Header("BMP")
    raise SceneError(f"{name}: this is {_guess(data)}, which is not read. {_WANTED}", name)


_BMP_HEADERS = {struct.pack("<I", size) for size in (12, 16, 40, 52, 56, 64, 108, 124)}


def _guess(data: bytes) -> str:
    for start, what in _OTHERS:
        if data.startswith(start):
            return what
    if data[4:8] == b"ftyp":
        return "an AVIF, HEIC or video file"
    if data[128:132] == b"DICM":
        return "a DICOM file"
    if data[344:348] in (b"n+1\0", b"ni1\0"):
        return "a NIfTI volume"
    head = data[:2000]
    if head.lstrip()[:5].lower() in (b"<svg ", b"<?xml") and b"<svg" in head:
        return "an SVG drawing"
    return "a text file" if is_text(data) else "an unknown kind of file"


def is_tiff(data: bytes) -> bool:
    """Whether the bytes begin as a TIFF's or a BigTIFF's do."""
    return data[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


def is_zip(data: bytes) -> bool:
    """Whether the bytes begin as a zip archive's, `.npz` among them, do."""
    return data[:4] in (b"PK\x03\x04", b"PK\x05\x06")


def is_text(data: bytes) -> bool:
    """Whether the first bytes are UTF-8 text, without control characters."""
    head = data[:2000]
    if any(byte < 32 and byte not in b"\t\n\r\f\x1b" for byte in head):
        return False
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)  # the last character may be cut in two
    except UnicodeDecodeError:
        return False
    return True


def _png(name: str, data: bytes) -> Header:
    """Walk the chunks: size first, then every checksum, then that there are pixels enough: Pillow checks neither
    of the last two, and would read a damaged mask as other classes."""
    if len(data) < 33 or data[12:16] != b"IHDR":
        raise SceneError(f"{name}: the PNG is cut short or damaged (no header). Save or copy it again.", name)
    width, height, depth, colour, _, _, interlaced = struct.unpack(">IIBBBBB", data[16:29])
    check_pixels(name, width, height)
    view, at, chunks, kind = memoryview(data), 8, 0, b""
    missing = _png_bytes(width, height, depth * {2: 3, 4: 2, 6: 4}.get(colour, 1), bool(interlaced))
    inflater = zlib.decompressobj()
    while kind != b"IEND":
        if at + 12 > len(data):
            raise SceneError(f"{name}: the PNG is cut short. Save or copy it again.", name)
        length, kind = struct.unpack(">I4s", view[at : at + 8])
        end = at + 12 + length
        if end > len(data):
            raise SceneError(f"{name}: the PNG is cut short. Save or copy it again.", name)
        if zlib.crc32(view[at + 4 : end - 4]) != int.from_bytes(view[end - 4 : end], "big"):
            raise SceneError(f"{name}: the PNG is damaged (a checksum is wrong). Save or copy it again.", name)
        if kind == b"acTL":
            raise SceneError(f"{name}: this is an animated PNG, which is not read. Save one frame of it.", name)
        if kind == b"IDAT":
            try:
                missing -= _inflated(inflater, view[at + 8 : end - 4], missing)
            except zlib.error as error:
                raise SceneError(
                    f"{name}: the PNG is damaged (its pixels do not unpack). Save or copy it again.", name
                ) from error
        at, chunks = end, chunks + 1
        if chunks > _MAX_CHUNKS:
            raise SceneError(f"{name}: the PNG is in more than {_MAX_CHUNKS} pieces. Save it again.", name)
    if missing > 0:
        raise SceneError(f"{name}: the PNG holds fewer pixels than its header says. Save or copy it again.", name)
    return Header("PNG", depth if colour == 0 else 0, depth == 16 and colour != 0)


_ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))


def _png_bytes(width: int, height: int, bits: int, interlaced: bool) -> int:
    """Bytes of the unpacked pixels: each row of each pass has one more, for its filter."""
    total = 0
    for x, y, step_x, step_y in _ADAM7 if interlaced else ((0, 0, 1, 1),):
        columns, rows = -((x - width) // step_x), -((y - height) // step_y)
        total += rows * (1 + (columns * bits + 7) // 8) if columns > 0 and rows > 0 else 0
    return total


def _inflated(inflater: zlib._Decompress, packed: memoryview, most: int) -> int:
    """How many bytes `packed` unpacks to, a little at a time, and not much further than `most`."""
    total, rest = 0, bytes(packed)
    while rest and total < most:
        total += len(inflater.decompress(rest, _PIECE))
        rest = inflater.unconsumed_tail
    return total


def _gif(name: str, data: bytes) -> Header:
    """Its screen's size; a frame may be larger than that, which is checked when it is opened."""
    if len(data) < 13:
        raise SceneError(f"{name}: the GIF is cut short. Save or copy it again.", name)
    check_pixels(name, *struct.unpack("<HH", data[6:10]))
    return Header("GIF")


def _webp(name: str, data: bytes) -> Header:
    """Pillow allocates the canvas when it opens a WebP: find its size before."""
    lossy, at = False, 12
    while at + 8 <= len(data):
        kind, length = struct.unpack("<4sI", data[at : at + 8])
        body = data[at + 8 : at + 18]
        if kind == b"VP8X" and len(body) == 10:
            if body[0] & 0x02:
                raise SceneError(f"{name}: this is an animated WebP, which is not read. Save one frame.", name)
            check_pixels(name, 1 + int.from_bytes(body[4:7], "little"), 1 + int.from_bytes(body[7:10], "little"))
        elif kind == b"VP8 " and len(body) == 10:
            lossy = True
            w, h = struct.unpack("<HH", body[6:10])
            check_pixels(name, w & 0x3FFF, h & 0x3FFF)
        elif kind == b"VP8L" and len(body) >= 5:
            bits = int.from_bytes(body[1:5], "little")
            check_pixels(name, 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF))
        at += 8 + length + length % 2
    return Header("WEBP", lossy=lossy)
