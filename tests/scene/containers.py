"""TIFFs, zips and .npz files for the tests, some of them by hand so that they can lie."""

from __future__ import annotations

import io
import struct
import zipfile
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

from .files import npy


def tiff(array: NDArray[Any], **options: Any) -> bytes:
    """The bytes of a TIFF as tifffile writes it; grey unless said otherwise."""
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, array, **({"photometric": "minisblack"} | options))
    return buffer.getvalue()


def raw_tiff(*pages: dict[int, tuple[int, ...]], chain: list[int] | None = None, pixels: bytes = b"") -> bytes:
    """A TIFF of directories of long integers by tag. chain: the page after each, -1 for none; None: in order.

    `pixels` lie at offset 8.
    """
    offsets, at = [], 8 + len(pixels)
    for tags in pages:
        offsets.append(at)
        at += 6 + 12 * len(tags) + sum(4 * len(values) for values in tags.values() if len(values) > 1)
    following = chain if chain is not None else [*range(1, len(pages)), -1]
    body = struct.pack("<2sHI", b"II", 42, offsets[0]) + pixels
    for number, tags in enumerate(pages):
        entries, extra = b"", b""
        beyond = offsets[number] + 6 + 12 * len(tags)
        for tag, values in sorted(tags.items()):
            value = values[0] if len(values) == 1 else beyond + len(extra)
            entries += struct.pack("<HHII", tag, 4, len(values), value)
            extra += b"" if len(values) == 1 else struct.pack(f"<{len(values)}I", *values)
        after = following[number]
        body += struct.pack("<H", len(tags)) + entries + struct.pack("<I", 0 if after < 0 else offsets[after]) + extra
    return body


def tags(width: int, height: int, **others: int) -> dict[int, tuple[int, ...]]:
    """The tags of a grey 8-bit page in one strip at offset 8. others: by name, as compression=8."""
    numbers = {"bits": 258, "compression": 259, "samples": 277, "rows": 278, "kind": 339, "offset": 273, "bytes": 279}
    plain = {256: width, 257: height, 258: 8, 259: 1, 262: 1, 273: 8, 277: 1, 278: height, 279: width * height}
    plain |= {numbers[name]: value for name, value in others.items()}
    return {tag: (value,) for tag, value in plain.items()}


def zipped(files: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def npz(**arrays: NDArray[Any]) -> bytes:
    """The .npz that NumPy itself writes, compressed."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)  # type: ignore[arg-type]
    return buffer.getvalue()


def npz_of(text: str, body: bytes) -> bytes:
    """An .npz with one member of which the header's text is given."""
    raw = text.encode()
    return zipped({"mask.npy": b"\x93NUMPY\1\0" + struct.pack("<H", len(raw)) + raw + body})


def object_npz() -> bytes:
    return zipped({"mask.npy": npy(np.array([[{}]]), allow_pickle=True)})
