"""One mask file that holds every class: repaired where it is damaged, read, and reported."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segdebug.errors import SceneError
from segdebug.scene.binary import nearly_binary
from segdebug.scene.codes import Codes, check_colours, code_name, to_codes
from segdebug.scene.combined import FACTORS
from segdebug.scene.decode import Raster
from segdebug.scene.interpret import interpret
from segdebug.scene.known_codes import KNOWN, voc_colours
from segdebug.scene.legend import Legend
from segdebug.scene.model import Alternative, FileReport
from segdebug.scene.reading import Reading
from segdebug.scene.repair import Repaired, repair
from segdebug.scene.soft import check_threshold, without_fractions
from segdebug.scene.summary import file_report
from segdebug.scene.values import count_values, pack_rgb, relabel

__all__ = ["Single", "read_single"]

_FEW = 8  # distinct values of a lossless mask: no more are damage
_UNREPAIRED = ("binary", "soft", "instances", *FACTORS, "ade20k")


@dataclass(frozen=True)
class Single:
    """labels (H, W) int32 with `VOID`; codes, names, pixels: one a class, in their order."""

    labels: NDArray[np.int32]
    codes: list[int | str]
    names: list[str]
    pixels: list[int]
    report: FileReport


def read_single(
    raster: Raster,
    encoding: str,
    ignore: int | None,
    n_names: int | None,
    *,
    threshold: float | None = None,
    legend: Legend | None = None,
) -> Single:
    """Read a mask that holds every class. `encoding`: of `ENCODINGS`, not "planes". Raises SceneError."""
    threshold = check_threshold(threshold)
    plain, notes = without_fractions(raster)
    as_colours = encoding == "colour" or (legend is not None and legend.colours)
    shown = to_codes(plain, as_colours=as_colours, unchecked=True)
    codes = replace(shown, warnings=(*notes, *shown.warnings))
    mended = _mended(codes, encoding, legend)
    if mended is not None:
        codes = _with(codes, mended)
    check_colours(codes)
    reading = interpret(codes, encoding, ignore, n_names, threshold=threshold, legend=legend)
    moved = _told(reading, mended)
    if raster.palette is not None and codes.kind == "palette":
        _about_palette(reading, raster.palette)
    labels = relabel(codes.values, codes.distinct, reading.labels)
    pixels = np.zeros(len(reading.codes), np.int64)
    labelled = reading.labels >= 0
    np.add.at(pixels, reading.labels[labelled], codes.counts[labelled])
    if not labelled.any():
        raise SceneError(f"{codes.name}: every pixel of the mask is void.", codes.name)
    report = file_report(
        raster,
        shown,
        reading.encoding,
        reading.confidence,
        reading.warnings,
        reasons=reading.reasons,
        alternatives=reading.alternatives() if mended is None else _repaired_too(reading),
        repaired=moved,
        threshold=reading.threshold,
    )
    return Single(labels, reading.shown, reading.names, [int(n) for n in pixels], report)


def _mended(codes: Codes, encoding: str, legend: Legend | None) -> Repaired | None:
    """The mask with damaged pixels put back, where it is damaged and that can be done.

    What the person named is believed: without JPEG it is repaired only to the codes of a legend, and a mask that is
    to be cut never is.
    """
    if (
        encoding in _UNREPAIRED
        or (encoding != "auto" and legend is None and not codes.lossy)
        or len(codes.distinct) <= 2
    ):
        return None
    if codes.kind == "palette" or int(codes.distinct[0]) < 0:
        return None
    if codes.kind == "grey" and int(codes.distinct[-1]) > 255:
        return None
    if codes.kind == "grey" and codes.lossy and nearly_binary(codes.distinct, codes.counts):
        return None
    if not codes.lossy and len(codes.distinct) <= _FEW:
        return None
    values = codes.values
    if codes.kind == "colour":
        values = np.stack([(values >> shift & 255).astype(np.uint8) for shift in (16, 8, 0)], axis=2)
    known = legend.table if legend is not None else KNOWN.get(encoding)
    stated = () if known is None else tuple(known.colours if codes.kind == "colour" else known.ids)
    return repair(values, lossy=codes.lossy, stated=stated)


def _with(codes: Codes, mended: Repaired) -> Codes:
    values: NDArray[Any] = mended.values
    if codes.kind == "colour":
        values = pack_rgb(values.astype(np.uint8))
    distinct, counts = count_values(values)
    return replace(codes, values=values, distinct=distinct, counts=counts, lossy=False)


def _told(reading: Reading, mended: Repaired | None) -> int:
    """Warn of what was repaired, by whichever means, and return how many pixels that was."""
    if mended is None:
        return _cut_pixels(reading)
    share = 100 * mended.moved / reading.source.values.size
    reading.doubt(0.8)
    reading.warn(
        "repaired",
        f"{mended.moved:,} pixels ({share:.2g} %) held none of the {len(mended.codes)} codes that fill areas, as JPEG, "
        "smoothing or resizing leaves them: each was given the nearest code beside it. Save masks as PNG, and resize "
        "them by the nearest pixel.",
    )
    reading.because(f"{len(mended.codes)} codes fill areas; {mended.moved:,} pixels between them were repaired")
    return mended.moved


def _repaired_too(reading: Reading) -> tuple[Alternative, ...]:
    """The questions about a repaired mask: each lists the codes, so that the answer is repaired as well."""
    kind = reading.source.kind
    asked = []
    for one in reading.alternatives():
        if one.encoding in ("index", "colour", "grey_levels") and not one.legend:
            void = None if one.ignore is None else one.ignore * 0x010101 if kind == "colour" else one.ignore
            left = [int(code) for code in reading.source.distinct if int(code) != void]
            one = replace(one, legend=tuple((code_name(kind, code), f"class {k}") for k, code in enumerate(left)))
        asked.append(one)
    return tuple(asked)


def _cut_pixels(reading: Reading) -> int:
    """The pixels that a binary mask's cut moved to one of its two values."""
    if not any(warning.code == "binary_threshold" for warning in reading.warnings):
        return 0
    values = reading.values
    return int(reading.counts[(values > 0) & (values < (reading.source.full or int(values[-1])))].sum())


def _about_palette(reading: Reading, palette: NDArray[np.uint8]) -> None:
    used = [int(v) for v in reading.source.distinct]
    if np.array_equal(palette[used], voc_colours()[used]):
        reading.because("the palette is Pascal VOC's colour map, which labelme and many others write as well")
