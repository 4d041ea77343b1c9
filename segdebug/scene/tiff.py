"""TIFF: its pages found and checked before anything is decoded, and the kinds that Pillow does not keep as they are.

The chain of directories is walked here, by the specification (TIFF 6.0, and BigTIFF): loops, too many pages, lying
sizes and strips that unpack to more than they should are refused. tifffile then decodes what was checked.
"""

from __future__ import annotations

import io
import logging
import struct
import zlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segdebug.errors import SceneError
from segdebug.scene.limits import MAX_PAGES, MAX_PLANE_VALUES, MAX_TOTAL_BYTES, check_pixels

__all__ = ["Page", "decode_page", "tiff_pages"]

_MAX_ENTRIES = 1024  # tags of one directory; real files have some thirty
_MAX_TAG_BYTES = 8 * 2**20  # of all tags of one directory together
_TABLES = (273, 279, 324, 325)  # where the strips and tiles are, and their bytes: as long as there are of them
_WIDTHS = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
_KEPT = (254, 256, 257, 258, 259, 262, 274, 277, 278, 284, 322, 323, 338, 339, *_TABLES)
_INTEGERS = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q"}
_PLAIN, _DEFLATE = (1,), (8, 32946)
_REDUCED_OR_MASK = 0b101  # NewSubfileType: a thumbnail, or the transparency of another page


@dataclass(frozen=True)
class Page:
    """One directory of a TIFF. index: its place in the chain. bits, sample_format: of its samples, all alike.

    tags: those of its integer tags that are needed, by number. byte_order: "<" or ">".
    """

    index: int
    byte_order: str
    tags: dict[int, tuple[int, ...]] = field(repr=False)

    def tag(self, number: int, otherwise: int) -> int:
        values = self.tags.get(number)
        return values[0] if values else otherwise

    @property
    def width(self) -> int:
        return self.tag(256, 0)

    @property
    def height(self) -> int:
        return self.tag(257, 0)

    @property
    def bits(self) -> int:
        return self.tag(258, 1)

    @property
    def samples(self) -> int:
        return self.tag(277, 1)

    @property
    def kind(self) -> str:
        """ "u", "i" or "f", "" for another sample format."""
        return {1: "u", 2: "i", 3: "f", 4: "u"}.get(self.tag(339, 1), "")

    @property
    def compression(self) -> int:
        return self.tag(259, 1)

    @property
    def orientation(self) -> int:
        return self.tag(274, 1)

    @property
    def for_pillow(self) -> bool:
        """Whether Pillow keeps the samples as they are stored."""
        if self.samples == 1:
            return (self.kind == "u" and self.bits in (1, 2, 4, 8, 16)) or (self.kind == "f" and self.bits == 32)
        return (
            self.kind == "u" and self.bits == 8 and (self.samples in (3, 4) or (self.samples == 2 and 338 in self.tags))
        )

    @property
    def segment(self) -> tuple[int, int]:
        """How many strips or tiles there are, and the bytes of one of them unpacked."""
        separate = self.tag(284, 1) == 2 and self.samples > 1
        samples = 1 if separate else self.samples
        if 322 in self.tags:
            across, down = self.tag(322, 1), self.tag(323, 1)
            number = -(-self.width // across) * -(-self.height // down)
        else:
            across, down = self.width, max(1, min(self.tag(278, self.height), self.height))
            number = -(-self.height // down)
        return number * (self.samples if separate else 1), -(-across * samples * self.bits // 8) * down


def tiff_pages(name: str, data: bytes) -> list[Page]:
    """The pages of a TIFF that are pictures, without reduced copies; at least one.

    Raises SceneError: damaged, chained in a loop, more than `MAX_PAGES`, too large, or tables that cannot be.
    """
    try:
        pages = _walked(name, data)
    except (struct.error, IndexError, KeyError) as error:
        raise SceneError(f"{name}: the TIFF is cut short or damaged. Save or copy it again.", name) from error
    shown = [page for page in pages if not page.tag(254, 0) & _REDUCED_OR_MASK] or pages[:1]
    total = 0
    for page in shown:
        _check_page(name, page)
        total += page.width * page.height * page.samples
    if total > MAX_PLANE_VALUES:
        raise SceneError(
            f"{name}: the {len(shown)} pages hold {total:,} values; at most {MAX_PLANE_VALUES:,} are read. "
            "Save fewer pages, or one page a file.",
            name,
        )
    return shown


def _walked(name: str, data: bytes) -> list[Page]:
    order = "<" if data[:2] == b"II" else ">"
    big = struct.unpack(order + "H", data[2:4])[0] == 43
    (at,) = struct.unpack(order + ("Q" if big else "I"), data[8:16] if big else data[4:8])
    pages: list[Page] = []
    seen: set[int] = set()
    while at:
        if at in seen:
            raise SceneError(f"{name}: the pages of the TIFF are chained in a loop. Save it again.", name)
        if len(pages) >= MAX_PAGES:
            raise SceneError(f"{name}: the TIFF has more than {MAX_PAGES} pages. Save fewer in one file.", name)
        seen.add(at)
        page, at = _directory(name, data, at, order, big, len(pages))
        pages.append(page)
    if not pages:
        raise SceneError(f"{name}: the TIFF has no page. Save or copy it again.", name)
    return pages


def _directory(name: str, data: bytes, at: int, order: str, big: bool, index: int) -> tuple[Page, int]:
    """One directory at offset `at`, and the offset of the next."""
    count_format, entry, word = (order + "Q", 20, order + "Q") if big else (order + "H", 12, order + "I")
    start = at + struct.calcsize(count_format)
    (n,) = struct.unpack(count_format, data[at:start])
    if n > _MAX_ENTRIES:
        raise SceneError(f"{name}: a page of the TIFF has {n:,} tags. It is damaged: save it again.", name)
    tags: dict[int, tuple[int, ...]] = {}
    inline = struct.calcsize(word)
    total = 0
    for number in range(n):
        where = start + number * entry
        tag, kind = struct.unpack(order + "HH", data[where : where + 4])
        (count,) = struct.unpack(word, data[where + 4 : where + 4 + inline])
        size = count * _WIDTHS.get(kind, 1)
        value = where + 4 + inline
        if size > inline:
            (value,) = struct.unpack(word, data[value : value + inline])
        total += size
        if total > _MAX_TAG_BYTES:
            raise SceneError(f"{name}: the TIFF carries more than 8 MB of metadata. Save it without.", name)
        if value + size > len(data):
            raise SceneError(f"{name}: the TIFF is cut short. Save or copy it again.", name)
        if kind in _INTEGERS and tag in _KEPT:
            tags[tag] = struct.unpack(f"{order}{count}{_INTEGERS[kind]}", data[value : value + size])
    end = start + n * entry
    return Page(index, order, tags), struct.unpack(word, data[end : end + inline])[0]


def _check_page(name: str, page: Page) -> None:
    check_pixels(name, page.width, page.height)
    if 322 in page.tags or 323 in page.tags:
        check_pixels(name, page.tag(322, 1), page.tag(323, 1))
    if not 1 <= page.bits <= 64 or page.samples < 1 or len(set(page.tags.get(258, (1,)))) != 1:
        raise SceneError(f"{name}: the TIFF has samples of unlike or impossible depth. Save it again as PNG.", name)
    number, size = page.segment
    if number * size > MAX_TOTAL_BYTES:
        raise SceneError(f"{name}: a page of the TIFF is too large to be read. Scale it down first.", name)
    for table in _TABLES:
        if len(page.tags.get(table, ())) > number:
            raise SceneError(f"{name}: a page of the TIFF lists more pieces than it has. Save it again.", name)


def decode_page(name: str, data: bytes, page: Page) -> NDArray[Any]:
    """One page by tifffile: (H, W) or (H, W, C) as stored, not turned.

    Raises SceneError for a compression other than none and Deflate, and for strips that are not what was stated.
    """
    if page.compression not in _PLAIN + _DEFLATE or page.kind == "":
        raise SceneError(
            f"{name}: a TIFF of {page.samples} × {page.bits} bits in this compression ({page.compression}) is not "
            "read. Save it uncompressed, with Deflate, or as .npy.",
            name,
        )
    _check_segments(name, data, page)
    import tifffile

    logging.getLogger("tifffile").addHandler(logging.NullHandler())  # what it finds odd is said by us, or not at all
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        values = np.asarray(file.pages[page.index].asarray())
    if values.ndim == 3 and page.tag(284, 1) == 2 and values.shape[0] == page.samples:
        values = np.moveaxis(values, 0, -1)
    if values.shape[:2] != (page.height, page.width) or values.ndim not in (2, 3):
        raise SceneError(f"{name}: the TIFF holds other pixels than its header says. Save it again.", name)
    return values


def _check_segments(name: str, data: bytes, page: Page) -> None:
    """Every strip or tile lies in the file and unpacks to what it should, and not to more."""
    number, size = page.segment
    offsets = page.tags.get(324) or page.tags.get(273) or ()
    lengths = page.tags.get(325) or page.tags.get(279) or ()
    if len(offsets) != number or len(lengths) != number:
        raise SceneError(f"{name}: the TIFF is damaged (its table of strips). Save it again.", name)
    tiled, rest = 322 in page.tags, page.height
    for offset, length in zip(offsets, lengths, strict=True):
        rows = self_rows = page.tag(278, page.height)
        expected = size
        if not tiled:  # the last strip of a plane is shorter
            rows = min(self_rows, rest) if rest > 0 else min(self_rows, page.height)
            rest = (rest if rest > 0 else page.height) - rows
            expected = size // max(1, min(self_rows, page.height)) * rows
        if offset + length > len(data):
            raise SceneError(f"{name}: the TIFF is cut short. Save or copy it again.", name)
        found = length if page.compression in _PLAIN else _unpacked(name, data[offset : offset + length], size)
        if found < expected or (page.compression in _DEFLATE and found > size):
            raise SceneError(f"{name}: a strip of the TIFF holds other pixels than its header says.", name)


def _unpacked(name: str, packed: bytes, most: int) -> int:
    """How many bytes a Deflate strip unpacks to, counted not much further than `most`."""
    inflater, total, rest = zlib.decompressobj(), 0, packed
    try:
        while rest and total <= most:
            total += len(inflater.decompress(rest, 1 << 18))
            rest = inflater.unconsumed_tail
    except zlib.error as error:
        raise SceneError(f"{name}: the TIFF is damaged (a strip does not unpack). Save it again.", name) from error
    return total
