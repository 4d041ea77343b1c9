"""One mask a class: files (or an array's channels) put together, kept apart where they overlap."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from segdebug.errors import SceneError
from segdebug.scene.binary import LOSSY_CUT, nearly_binary
from segdebug.scene.codes import to_codes
from segdebug.scene.colours import is_background
from segdebug.scene.decode import Raster
from segdebug.scene.limits import MAX_PLANE_VALUES, stem
from segdebug.scene.model import VOID, FileReport, SceneWarning
from segdebug.scene.reading import MAX_AUTO_VALUES
from segdebug.scene.summary import file_report
from segdebug.scene.void import not_code

__all__ = ["Plane", "Planes", "channels_of", "put_together", "read_plane"]


@dataclass(frozen=True)
class Plane:
    """One class: covered (H, W) bool; void (H, W) bool or None; how its file was read.

    said_by: what stands for the class in the files; "" is the name of its file.
    """

    stem: str
    covered: NDArray[np.bool_]
    void: NDArray[np.bool_] | None
    report: FileReport
    said_by: str = ""


@dataclass
class Planes:
    """labels (H, W) int32; planes (H, W, K) bool where they overlap, else None; valid (H, W) bool.
    first_id: the class of the first file (1 where a background was added). pixels: one count a class."""

    labels: NDArray[np.int32]
    planes: NDArray[np.bool_] | None
    valid: NDArray[np.bool_]
    first_id: int
    pixels: list[int]
    confidence: float
    warnings: list[SceneWarning] = field(default_factory=list)


def channels_of(raster: Raster) -> list[Raster]:
    """An array of shape (H, W, K) as K rasters named "name [k]"; a single one as itself."""
    if not raster.is_array or raster.values.ndim != 3:
        return [raster]
    return [
        replace(raster, name=f"{raster.name} [{k}]", values=np.ascontiguousarray(raster.values[..., k]))
        for k in range(raster.values.shape[2])
    ]


def read_plane(raster: Raster, ignore: int | None) -> Plane:
    """A file of one class: what is not zero (not black) belongs to it, `ignore` is void.

    Raises SceneError for a file that is no mask of one class: a photograph, or damaged by JPEG.
    """
    codes = to_codes(raster)
    name, values, warnings, confidence = codes.name, codes.values, list(codes.warnings), 0.95
    kept = not_code(codes, ignore)
    levels, counts = codes.distinct[kept], codes.counts[kept]
    void = None if kept.all() else values == codes.distinct[~kept][0]

    def warn(kind: str, message: str) -> None:
        warnings.append(SceneWarning(kind, f"{name}: {message}"))

    lossy = codes.lossy and codes.kind == "grey" and len(levels) > 1
    if lossy and nearly_binary(levels, counts):
        covered = values >= LOSSY_CUT
        repaired = int(counts[(levels != 0) & (levels != 255)].sum())
        if repaired:
            warn("binary_threshold", f"JPEG moved {repaired:,} pixels from 0 and 255: cut at {LOSSY_CUT}.")
            confidence = 0.85
    elif lossy and len(levels) > 2:
        raise SceneError(
            f"{name}: a mask saved as JPEG or lossy WebP ({len(levels)} distinct values): compression "
            "changed it. Export it again as PNG.",
            name,
        )
    else:
        if len(levels) > MAX_AUTO_VALUES:
            raise SceneError(
                f"{name}: {len(levels)} distinct values are too many for the mask of one class. It looks "
                "like a photograph, or a mask that was smoothed: threshold it and save it as PNG.",
                name,
            )
        covered = values != 0
        if len(levels) > 2:
            warn(
                "plane_values",
                f"{len(levels)} distinct values in the mask of one class: all but 0 count as the class.",
            )
            confidence = 0.6
    if void is not None:
        covered &= ~void
    if not covered.any():
        warn("empty_class", "no pixel belongs to this class.")
    elif covered.all():
        warn("full_class", "every pixel belongs to this class.")
    report = file_report(raster, codes, "planes", confidence, warnings)
    return Plane(stem(name), covered, void, report)


def put_together(planes: Iterator[Plane], n: int) -> tuple[Planes, list[Plane]]:
    """Labels from n planes of one size, in their order; each comes back without its pixels.

    Every pixel in exactly one plane: the labels say all. Some in none: a background class 0 is put first,
    unless a plane is named background. Some in several: `planes` keeps them.
    Raises SceneError: too many values in all.
    """
    packed: list[NDArray[np.uint8]] = []
    kept: list[Plane] = []
    labels = covering = void = None
    for number, plane in enumerate(planes):
        if labels is None or covering is None or void is None:
            _check_volume(plane.covered.size, n)
            labels = np.full(plane.covered.shape, VOID, np.int32)
            covering = np.zeros(plane.covered.shape, np.uint16)
            void = np.zeros(plane.covered.shape, np.bool_)
        labels[plane.covered] = number
        covering += plane.covered
        if plane.void is not None:
            void |= plane.void
        packed.append(np.packbits(plane.covered))
        kept.append(replace(plane, covered=np.empty((0, 0), np.bool_), void=None))
    if labels is None or covering is None or void is None:
        raise SceneError("No mask was given: add a mask file for the picture.")
    if void.all():
        raise SceneError("Every pixel of the masks is void.")
    confidence = min(plane.report.confidence for plane in kept)
    labels[void] = VOID
    twice = int(np.count_nonzero((covering > 1) & ~void))
    if twice:
        return _overlapping(packed, labels, void, twice, confidence), kept
    made = Planes(labels, None, ~void, 0, [], confidence)
    bare = (covering == 0) & ~void
    n_bare = int(np.count_nonzero(bare))
    if n_bare:
        _fill(made, bare, n_bare, kept)
    counts = np.bincount(labels[made.valid], minlength=n + made.first_id)
    made.pixels = [int(count) for count in counts]
    return made, kept


def _check_volume(pixels: int, n: int) -> None:
    if pixels * n > MAX_PLANE_VALUES:
        raise SceneError(
            f"{n} masks of {pixels:,} pixels are {pixels * n:,} values; at most {MAX_PLANE_VALUES:,} are "
            "read. Scale the files down (masks by the nearest pixel), or merge them into one index mask."
        )


def _overlapping(
    packed: list[NDArray[np.uint8]],
    labels: NDArray[np.int32],
    void: NDArray[np.bool_],
    twice: int,
    confidence: float,
) -> Planes:
    stack = np.zeros((*labels.shape, len(packed)), np.bool_)
    for number, bits in enumerate(packed):
        stack[..., number] = np.unpackbits(bits, count=labels.size).reshape(labels.shape)
    stack[void] = False
    warning = SceneWarning(
        "overlap",
        f"{twice:,} pixels belong to more than one class ({100 * twice / labels.size:.2g} %): the "
        "classes are kept as overlapping planes. A softmax can learn only one class a pixel.",
    )
    pixels = [int(np.count_nonzero(stack[..., k])) for k in range(len(packed))]
    return Planes(labels, stack, ~void, 0, pixels, min(confidence, 0.9), [warning])


def _fill(made: Planes, bare: NDArray[np.bool_], n_bare: int, planes: list[Plane]) -> None:
    """Give the pixels of no file to the background: the file of that name, or a class put first."""
    share = f"{n_bare:,} pixels ({100 * n_bare / bare.size:.2g} %)"
    own = next((k for k, plane in enumerate(planes) if is_background(plane.stem)), None)
    if own is not None:
        made.labels[bare] = own
        text = f"{share} are in no file: they were added to {planes[own].report.name}."
        made.warnings.append(SceneWarning("background_extended", text))
        return
    made.labels[made.labels != VOID] += 1
    made.labels[bare] = 0
    made.first_id, made.confidence = 1, min(made.confidence, 0.9)
    text = f'{share} are in no file: a class 0, "background", was added for them, and the files follow from 1.'
    made.warnings.append(SceneWarning("background_added", text))
