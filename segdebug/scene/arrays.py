"""NumPy's own files, read without NumPy's reader: never unpickled, and sized from the header first."""

from __future__ import annotations

import io
import re
import struct
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segdebug.errors import SceneError
from segdebug.scene.limits import MAX_PIXELS, MAX_PLANE_VALUES

__all__ = ["NpyHeader", "npy_bytes", "npy_header", "read_npy"]

# What numpy itself writes, and nothing else: no evaluation of text that came with a file.
_NPY_HEADER = re.compile(
    r"\{\s*'descr':\s*'(?P<descr>[<>|=]?[biuf][1248])',\s*'fortran_order':\s*(?P<fortran>True|False),"
    r"\s*'shape':\s*\((?P<shape>[0-9]{1,12}(?:,\s*[0-9]{1,12}){0,7},?|)\),?\s*\}\s*"
)

HEADER_BYTES = 4200
"""As many bytes of a .npy file as are looked at for its header."""


@dataclass(frozen=True)
class NpyHeader:
    """What a .npy file says of itself. start: where its values begin."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    fortran: bool
    start: int

    @property
    def count(self) -> int:
        count = 1
        for n in self.shape:
            count *= n
        return count


def npy_header(name: str, head: bytes, total: int) -> NpyHeader:
    """The header in the first bytes of a .npy file of `total` bytes.

    Raises SceneError for any type but bool, integer and float (objects included), a header that lies, or more
    values than are read.
    """
    try:
        length_format = {1: "<H", 2: "<I"}[head[6]]
        start = 8 + struct.calcsize(length_format)
        (length,) = struct.unpack(length_format, head[8:start])
        text = head[start : start + min(length, 4096)].decode("latin-1")
    except (IndexError, KeyError, struct.error) as error:
        raise SceneError(f"{name}: the .npy file is damaged, or of a version that is not read.", name) from error
    found = _NPY_HEADER.fullmatch(text)
    if found is None:
        raise SceneError(
            f"{name}: the .npy file does not hold a plain array of numbers (objects are never loaded). "
            "Save an integer array with numpy.save.",
            name,
        )
    shape = tuple(int(n) for n in found["shape"].replace(" ", "").split(",") if n)
    header = NpyHeader(shape, np.dtype(found["descr"]), found["fortran"] == "True", start + length)
    if header.count * header.dtype.itemsize != total - header.start:
        raise SceneError(
            f"{name}: the .npy header states shape {shape} of {header.dtype}, but the file holds "
            f"{total - header.start} bytes of values. It is cut short or damaged.",
            name,
        )
    if header.count > max(MAX_PLANE_VALUES, 4 * MAX_PIXELS):
        raise SceneError(f"{name}: an array of shape {shape} is too large to be read.", name)
    return header


def read_npy(name: str, data: bytes) -> NDArray[np.generic]:
    """The array of a .npy file (bool, integer or float; read-only, native byte order). Never unpickles.

    Raises SceneError as `npy_header` does.
    """
    header = npy_header(name, data[:HEADER_BYTES], len(data))
    flat = np.frombuffer(data, header.dtype, header.count, header.start)
    array = flat.reshape(header.shape, order="F" if header.fortran else "C")
    return array.astype(header.dtype.newbyteorder("="), copy=False)


def npy_bytes(array: NDArray[Any]) -> bytes:
    """The .npy file that holds an array."""
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return buffer.getvalue()
