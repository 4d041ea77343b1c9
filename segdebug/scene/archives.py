"""Zip archives and .npz files as what they hold. Nothing is written to disk, and sizes are checked before reading."""

from __future__ import annotations

import io
import zipfile
import zlib

from segdebug.errors import SceneError
from segdebug.scene.arrays import HEADER_BYTES, npy_header, read_npy
from segdebug.scene.headers import is_zip
from segdebug.scene.limits import MAX_FILE_BYTES, MAX_MASK_FILES, MAX_TOTAL_BYTES, check_pixels, display_name
from segdebug.scene.source import Source

__all__ = ["unpacked"]

_MAX_DIRECTORY = 1 << 20  # bytes of the list of entries: zipfile makes an object of each
_BESIDE = (".txt", ".md", ".html", ".xml", ".yaml", ".yml", ".ini", ".db", ".ds_store")  # lie beside masks
_WANTED = {
    "image": ("image", "images", "img", "x", "data", "picture", "photo"),
    "mask": ("mask", "masks", "label", "labels", "seg", "segmentation", "gt", "y", "target", "annotation"),
}


def unpacked(source: Source, role: str) -> list[Source]:
    """The files of a zip archive or the arrays of an .npz as sources; any other source as itself.

    role: "image" or "mask": which array of an .npz is meant, where its names say so.
    Raises SceneError: damaged, encrypted, nested, packed in a way that is not read, too many or too large files.
    """
    if source.array is not None or not is_zip(source.data):
        return [source]
    name = source.name
    try:
        with zipfile.ZipFile(io.BytesIO(_checked(name, source.data))) as archive:
            entries = _entries(name, archive)
            if all(entry.filename.endswith(".npy") for entry in entries):
                chosen = _chosen(entries, role)
                return [_array(name, archive, entry, alone=len(chosen) == 1) for entry in chosen]
            return [_file(name, archive, entry) for entry in entries]
    except SceneError:
        raise
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError, RuntimeError, OSError) as error:
        raise SceneError(f"{name}: the zip archive is damaged. Save or copy it again.", name) from error


def _checked(name: str, data: bytes) -> bytes:
    """The archive, if its list of entries is one that may be taken in."""
    end = data.rfind(b"PK\x05\x06", max(0, len(data) - 65_557))
    if end < 0 or len(data) < end + 22:
        raise SceneError(f"{name}: the zip archive is cut short or damaged. Save or copy it again.", name)
    if int.from_bytes(data[end + 12 : end + 16], "little") > _MAX_DIRECTORY or data[end - 20 : end - 16] == b"PK\6\7":
        raise SceneError(f"{name}: the zip archive has too many entries. At most {MAX_MASK_FILES} are read.", name)
    return data


def _entries(name: str, archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """The files that count, in the order of their names, checked."""
    entries = [entry for entry in archive.infolist() if not entry.is_dir() and _counts(entry.filename)]
    if not entries:
        raise SceneError(f"{name}: the zip archive holds no picture.", name)
    if len(entries) > MAX_MASK_FILES:
        raise SceneError(
            f"{name}: the zip archive holds {len(entries):,} files; at most {MAX_MASK_FILES} are read. "
            "Leave some out, or merge them into one index mask.",
            name,
        )
    total = 0
    for entry in entries:
        if entry.flag_bits & 1:
            raise SceneError(f"{name}: the zip archive is encrypted. Unpack it first.", name)
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise SceneError(f"{name}: the zip archive is packed in a way that is not read. Use Deflate.", name)
        most = MAX_TOTAL_BYTES if entry.filename.endswith(".npy") else MAX_FILE_BYTES
        if entry.file_size > most:
            raise SceneError(
                f"{name}: {display_name(entry.filename)} unpacks to {entry.file_size:,} bytes, more than the "
                f"{most // 2**20} MB that are read.",
                name,
            )
        total += entry.file_size
    if total > MAX_TOTAL_BYTES:
        raise SceneError(
            f"{name}: the zip archive unpacks to more than the {MAX_TOTAL_BYTES // 2**20} MB that are read.", name
        )
    return sorted(entries, key=lambda entry: entry.filename)


def _counts(path: str) -> bool:
    """Whether an entry is meant, and not what an operating system or an author put beside it."""
    last = path.replace("\\", "/").rpartition("/")[2]
    return not path.startswith("__MACOSX/") and not last.startswith(".") and not last.lower().endswith(_BESIDE)


def _chosen(entries: list[zipfile.ZipInfo], role: str) -> list[zipfile.ZipInfo]:
    """The arrays whose names say that they are of this role, else all."""
    meant = [entry for entry in entries if display_name(entry.filename)[:-4].casefold() in _WANTED[role]]
    return meant or entries


def _file(name: str, archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Source:
    shown = display_name(entry.filename)
    with archive.open(entry) as file:
        data = file.read(MAX_FILE_BYTES + 1)
    if is_zip(data):
        raise SceneError(f"{name}: {shown} is an archive within the archive, which is not opened.", name)
    if not data:
        raise SceneError(f"{name}: {shown} is empty (0 bytes).", name)
    return Source(shown, data, named=True)


def _array(name: str, archive: zipfile.ZipFile, entry: zipfile.ZipInfo, *, alone: bool) -> Source:
    """An array, read once its header has said how large it is. Of several, each has its own name."""
    shown = display_name(entry.filename)
    shown = f"{name}[{shown[:-4] or 'array'}]" if alone else shown
    with archive.open(entry) as file:
        header = npy_header(shown, file.read(HEADER_BYTES), entry.file_size)
        if len(header.shape) in (2, 3):
            check_pixels(shown, header.shape[1], header.shape[0])
    with archive.open(entry) as file:
        data = file.read(entry.file_size + 1)
    return Source(shown, b"", read_npy(shown, data), named=True)
