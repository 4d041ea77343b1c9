"""What a person hands over (path, bytes, file object, named bytes, array) as one thing: a named source."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, TypeGuard

import numpy as np
from numpy.typing import NDArray

from segdebug.errors import SceneError
from segdebug.scene.arrays import npy_bytes
from segdebug.scene.limits import MAX_FILE_BYTES, MAX_MASK_FILES, MAX_TOTAL_BYTES, display_name

__all__ = ["Readable", "Source", "open_source", "open_sources"]

Readable = str | os.PathLike[str] | bytes | bytearray | memoryview | IO[bytes] | tuple[str, bytes] | NDArray[Any]
"""A path, bytes, a file opened in binary mode, a (name, bytes) pair, or an array."""

_EXPECTED = "expected a path, bytes, a file opened in binary mode, a (name, bytes) pair or an array"


@dataclass(frozen=True)
class Source:
    """One file's bytes or one array, not decoded yet. `name` may be shown as it is; `named`: it came with it."""

    name: str
    data: bytes
    array: NDArray[Any] | None = None
    named: bool = False

    def file_bytes(self) -> bytes:
        """The bytes as they came; an array becomes the .npy file that holds it."""
        if self.array is None:
            return self.data
        return npy_bytes(self.array)


def open_source(given: object, fallback: str) -> Source:
    """Take `given` in, reading at most `MAX_FILE_BYTES`. `fallback` names it where it has no name.

    Raises SceneError: no such file, a folder, not readable, empty, too many bytes, or no file at all.
    """
    if isinstance(given, (str, os.PathLike)):
        return _from_path(given)
    if isinstance(given, (bytes, bytearray, memoryview)):
        return _checked(fallback, bytes(given))
    if _is_pair(given):
        return _checked(display_name(given[0], fallback), bytes(given[1]), named=True)
    if isinstance(given, np.ndarray) or hasattr(given, "__array__"):
        return Source(fallback, b"", _as_array(fallback, given))
    if callable(getattr(given, "read", None)):
        return _from_file(given, fallback)
    raise SceneError(f"{fallback}: {_EXPECTED}, but got {type(given).__name__}.", fallback)


def open_sources(given: object, fallback: str) -> list[Source]:
    """One source, or a list of them, as a list: 1 to `MAX_MASK_FILES` sources, `MAX_TOTAL_BYTES` together."""
    if not isinstance(given, (list, tuple)) or _is_pair(given):
        return [open_source(given, fallback)]
    parts: Sequence[object] = given
    if not parts:
        raise SceneError("No mask was given: add a mask file for the picture.")
    if len(parts) > MAX_MASK_FILES:
        raise SceneError(
            f"{len(parts)} mask files were given; at most {MAX_MASK_FILES} are read. "
            "Merge them into one index mask, or leave some out."
        )
    sources: list[Source] = []
    total = 0
    for number, part in enumerate(parts, start=1):
        source = open_source(part, fallback if len(parts) == 1 else f"{fallback} {number}")
        total += len(source.data) if source.array is None else source.array.nbytes
        if total > MAX_TOTAL_BYTES:
            raise SceneError(
                f"{source.name}: the mask files together hold more than the {MAX_TOTAL_BYTES // 2**20} MB "
                "that are read. Save them as PNG, or merge them into one index mask.",
                source.name,
            )
        sources.append(source)
    return sources


def _is_pair(given: object) -> TypeGuard[tuple[str, bytes]]:
    return (
        isinstance(given, tuple)
        and len(given) == 2
        and isinstance(given[0], str)
        and isinstance(given[1], (bytes, bytearray, memoryview))
    )


def _as_array(name: str, given: object) -> NDArray[Any]:
    try:
        return np.asarray(given)
    except Exception as error:
        raise SceneError(f"{name}: {type(given).__name__} could not be taken as an array.", name) from error


def _from_path(given: str | os.PathLike[str]) -> Source:
    name = display_name(given)
    try:
        path = Path(given)
        kind = path.stat().st_mode
        if stat.S_ISDIR(kind):
            raise SceneError(f"{name}: this is a folder. Give the file itself.", name)
        if not stat.S_ISREG(kind):  # a pipe or a device may never end
            raise SceneError(f"{name}: this is not a regular file.", name)
        with path.open("rb") as file:
            return _checked(name, file.read(MAX_FILE_BYTES + 1), named=True)
    except FileNotFoundError as error:
        raise SceneError(f"{name}: there is no such file. Check the path.", name) from error
    except (OSError, ValueError) as error:  # ValueError: a null byte in the path
        reason = getattr(error, "strerror", None) or "the path is not valid"
        raise SceneError(f"{name}: the file cannot be read ({reason}).", name) from error


def _from_file(given: Any, fallback: str) -> Source:
    """A file object is read from where it stands and set back there; one held in memory is read whole, so
    that an upload that was read before is not taken for empty."""
    raw_name = getattr(given, "name", None)
    name = display_name(raw_name, fallback) if isinstance(raw_name, str) else fallback
    try:
        if callable(getattr(given, "getvalue", None)):
            data = given.getvalue()
        else:
            start = given.tell() if given.seekable() else None
            data = given.read(MAX_FILE_BYTES + 1)
            if start is not None:
                given.seek(start)
    except Exception as error:
        raise SceneError(f"{name}: the file object cannot be read.", name) from error
    if isinstance(data, str):
        raise SceneError(f"{name}: the file is open in text mode. Open it in binary mode ('rb').", name)
    if not isinstance(data, (bytes, bytearray, memoryview)):
        raise SceneError(f"{name}: {_EXPECTED}, but its read() gave {type(data).__name__}.", name)
    return _checked(name, bytes(data), named=isinstance(raw_name, str))


def _checked(name: str, data: bytes, *, named: bool = False) -> Source:
    if not data:
        raise SceneError(f"{name}: the file is empty (0 bytes).", name)
    if len(data) > MAX_FILE_BYTES:
        raise SceneError(
            f"{name}: the file holds more than the {MAX_FILE_BYTES // 2**20} MB that are read. "
            "Save it smaller, or as PNG.",
            name,
        )
    return Source(name, data, named=named)
