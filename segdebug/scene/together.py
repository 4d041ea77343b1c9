"""Classes that come apart (files, channels, pages, objects, shapes or runs), put together as one scene."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segdebug.errors import SceneError
from segdebug.scene.archives import unpacked
from segdebug.scene.colours import class_colours
from segdebug.scene.decode import Raster, decode, page_count
from segdebug.scene.headers import is_text
from segdebug.scene.instances import group_by_name, group_planes, looks_like_objects
from segdebug.scene.limits import MAX_MASK_FILES, MAX_TOTAL_BYTES
from segdebug.scene.marks import Marks
from segdebug.scene.model import FileReport, Scene, SceneClass, SceneWarning, SourceFile
from segdebug.scene.planes import Plane, channels_of, put_together, read_plane
from segdebug.scene.polygons import read_json
from segdebug.scene.runs import is_run_csv, read_run_csv
from segdebug.scene.source import Source, open_source, open_sources
from segdebug.scene.summary import distinct_names, merged, named

__all__ = ["Parts", "check_page", "fitting", "open_masks", "open_picture", "parts_of", "scene_of"]


@dataclass(frozen=True)
class Parts:
    """What one scene is put together from.

    encoding: as it is told. planes: one a class, decoded one at a time; n: how many. class_of: the class of each
    of `sources`, None where one holds them all. numbered: the classes have no names of their own. reports: of the
    files, where that is not one a plane; filled while `planes` is read. surety: no surer than this.
    """

    encoding: str
    planes: Iterator[Plane]
    n: int
    sources: list[Source]
    class_of: list[int | None]
    numbered: bool = False
    reports: list[FileReport] | None = None
    surety: float = 1.0
    warnings: list[SceneWarning] = field(default_factory=list)


def check_page(page: object) -> None:
    """Raise SceneError unless `page` is None or a whole number from 0."""
    if page is not None and (isinstance(page, bool) or not isinstance(page, (int, np.integer)) or page < 0):
        raise SceneError(f"Expected page to be a number from 0 or None, but got {page!r:.40}.")


def open_picture(image: object) -> Source:
    """The one picture that was handed over, out of its archive where it came in one."""
    source = open_source(image, "image")
    parts = unpacked(source, "image")
    if len(parts) != 1:
        raise SceneError(f"{source.name}: {len(parts)} files are in it, but one picture is expected.", source.name)
    return parts[0]


def open_masks(masks: object) -> list[Source]:
    """The mask files that were handed over, archives unpacked: `MAX_MASK_FILES` and `MAX_TOTAL_BYTES` at most."""
    found: list[Source] = []
    total = 0
    for given in open_sources(masks, "mask"):
        for source in unpacked(given, "mask"):
            total += len(source.data) if source.array is None else source.array.nbytes
            found.append(source)
        if len(found) > MAX_MASK_FILES:
            raise SceneError(f"More than {MAX_MASK_FILES} mask files were given, which are not read.", given.name)
        if total > MAX_TOTAL_BYTES:
            raise SceneError(
                f"{given.name}: the masks unpack to more than the {MAX_TOTAL_BYTES // 2**20} MB that are read.",
                given.name,
            )
    return found


def fitting(mask: Raster, picture: Raster) -> Raster:
    """The mask, if it has the picture's size; else SceneError with what may have happened."""
    (w, h), (mw, mh) = picture.size, mask.size
    if (w, h) == (mw, mh):
        return mask
    if (w, h) == (mh, mw):
        hint = "One is turned by 90°, perhaps because EXIF rotation was lost in one of them. Rotate the mask."
    elif abs(w * mh - h * mw) <= max(w, h):
        hint = f"The shape agrees: resize the mask to {w} × {h} by the nearest pixel, or the image."
    else:
        hint = "They do not belong together, or one was cropped. Give the files that do."
    raise SceneError(f"{picture.name} is {w} × {h} px, but {mask.name} is {mw} × {mh} px (W × H). {hint}", mask.name)


def parts_of(
    sources: list[Source], picture: Raster, encoding: str, *, ignore: int | None, page: int | None
) -> Parts | Raster:
    """The classes that come apart in these masks, or the decoded mask where one file holds them all.

    Raises SceneError: an encoding that is of one file, pages that are no classes, another size.
    """
    if len(sources) > 1:
        return _of_files(sources, picture, encoding, ignore)
    source = sources[0]
    marks = _marks(source, picture)
    if marks is not None:
        return _of_marks(source, marks)
    pages = page_count(source)
    if pages > 1 and page is None and picture.pages != pages:
        return _of_pages(source, pages, picture, encoding, ignore)
    first = fitting(decode(source, page or 0), picture)
    if encoding == "planes" or (encoding == "auto" and _holds_planes(first)):
        return _of_channels(source, first, ignore)
    return first


def scene_of(parts: Parts, title: str, image: NDArray[np.float32], names: list[str] | None, encoding: str) -> Scene:
    """The scene of these parts under a picture's pixels. encoding: what the person said."""
    made, planes = put_together(parts.planes, parts.n)
    start = made.first_id
    stems = [f"class {start + k}" if parts.numbered else plane.stem for k, plane in enumerate(planes)]
    called = named(
        names,
        ["background"] * start + distinct_names(stems),
        parts.sources[0].name if len(parts.sources) == 1 else f"The {parts.n} mask files",
        may_skip_background=start == 1,
    )
    colours = class_colours(called)
    encoded = [None] * start + [plane.said_by or plane.report.name for plane in planes]
    reports = parts.reports if parts.reports is not None else [plane.report for plane in planes]
    return Scene(
        name=title,
        image=image,
        classes=tuple(SceneClass(k, called[k], colours[k], encoded[k], made.pixels[k]) for k in range(len(called))),
        labels=made.labels,
        planes=made.planes,
        valid=made.valid,
        encoding=parts.encoding,
        confidence=1.0 if encoding == parts.encoding else min(made.confidence, parts.surety),
        report=tuple(reports),
        warnings=(*made.warnings, *parts.warnings, *merged([w for report in reports for w in report.warnings])),
        mask_files=tuple(
            SourceFile(source.name, source.file_bytes(), None if of is None else start + of)
            for source, of in zip(parts.sources, parts.class_of, strict=True)
        ),
    )


def _of_files(sources: list[Source], picture: Raster, encoding: str, ignore: int | None) -> Parts:
    """One file a class, or one an object."""
    if encoding not in ("auto", "planes", "instances"):
        raise SceneError(
            f'Encoding "{encoding}" is of one mask file, but {len(sources)} were given. '
            'Give one file, or choose "planes" for one file a class.'
        )

    def read(number: int) -> Plane:
        return read_plane(fitting(decode(sources[number]), picture), ignore)

    files = [source.name for source in sources]
    guessed = encoding == "auto" and all(source.named for source in sources) and looks_like_objects(files)
    if encoding != "instances" and not guessed:
        planes = (read(number) for number in range(len(sources)))
        return Parts("planes", planes, len(sources), sources, list(range(len(sources))))
    groups = group_by_name(files)
    reports: list[FileReport] = []

    def read_object(number: int) -> Plane:
        plane = read(number)
        return replace(plane, report=replace(plane.report, encoding="instances"))

    parts = Parts(
        "instances",
        group_planes(groups, read_object, reports),
        len(groups.names),
        sources,
        list(groups.of_file),
        reports=reports,
        surety=groups.sure,
    )
    if guessed:
        parts.warnings.append(_objects_inferred(len(sources), groups.names))
    return parts


def _objects_inferred(n: int, names: tuple[str, ...]) -> SceneWarning:
    shown = ", ".join(names[:4]) + (", …" if len(names) > 4 else "")
    return SceneWarning(
        "objects_inferred",
        f"{n} files were taken as one object each, by their names, of {len(names)} "
        f'class{"es" if len(names) > 1 else ""} ({shown}). Choose "planes" if each file is a class of its own.',
    )


def _of_channels(source: Source, first: Raster, ignore: int | None) -> Parts:
    """One array with a channel a class, or one file of one class."""
    channels = channels_of(first)
    if len(channels) > MAX_MASK_FILES:
        raise SceneError(f"{len(channels)} masks, one a class, were given; at most {MAX_MASK_FILES} are read.")
    array = len(channels) > 1
    planes = (read_plane(channel, ignore) for channel in channels)
    return Parts("planes", planes, len(channels), [source], [None if array else 0], numbered=array)


def _holds_planes(raster: Raster) -> bool:
    """An array (H, W, K) of one plane a class, not of colours: zeros and ones, or K of 2 or above 4."""
    if not raster.is_array or raster.values.ndim != 3:
        return False
    if raster.values.shape[2] not in (3, 4) or raster.values.dtype == np.bool_:
        return True
    return bool(((raster.values == 0) | (raster.values == 1)).all())


def _of_pages(source: Source, pages: int, picture: Raster, encoding: str, ignore: int | None) -> Parts:
    """A TIFF with a page a class. Pages of more than two values are slices: which of them is meant, is asked."""
    if encoding not in ("auto", "planes"):
        raise SceneError(
            f'{source.name}: the TIFF has {pages} pages. State which page belongs to the picture, or choose "planes" '
            "for one page a class.",
            source.name,
        )

    def planes() -> Iterator[Plane]:
        for number in range(pages):
            plane = read_plane(fitting(decode(source, number), picture), ignore)
            if encoding == "auto" and plane.report.n_distinct > 2:
                raise SceneError(
                    f"{plane.report.name}: a page of {plane.report.n_distinct} values is no mask of one class. If the "
                    f"{pages} pages are slices, state which of them belongs to the picture.",
                    source.name,
                )
            yield plane

    return Parts("planes", planes(), pages, [source], [None], numbered=True, surety=0.85)


def _marks(source: Source, picture: Raster) -> Marks | None:
    """The shapes or runs of the picture in a text file, or None for any other file."""
    if source.array is not None or not is_text(source.data):
        return None
    read: Callable[[str, bytes, str, tuple[int, int]], Marks] | None = None
    if source.data[:200].decode("utf-8-sig", "replace").lstrip()[:1] in ("{", "["):
        read = read_json
    elif is_run_csv(source.data):
        read = read_run_csv
    return None if read is None else read(source.name, source.data, picture.name, picture.size)


def _of_marks(source: Source, marks: Marks) -> Parts:
    counts: dict[str, int] = {}

    def report(size: tuple[int, int]) -> FileReport:
        extra: dict[str, Any] = {"histogram": tuple(counts.items())[:64]}
        return FileReport(
            name=source.name,
            format=marks.form,
            mode=marks.mode,
            dtype="",
            size=size,
            distinct=marks.names[:64],
            n_distinct=len(marks.names),
            encoding="planes",
            confidence=0.95,
            warnings=tuple(marks.warnings),
            **extra,
        )

    reports: list[FileReport] = []

    def planes() -> Iterator[Plane]:
        union: NDArray[np.bool_] | None = None
        for number, name in enumerate(marks.names):
            covered = marks.draw(number)
            counts[name] = int(np.count_nonzero(covered))
            void = None
            if marks.void is not None:
                union = covered.copy() if union is None else union | covered
                if number == len(marks.names) - 1:
                    void = marks.void() & ~union
            size = (covered.shape[1], covered.shape[0])
            if number == len(marks.names) - 1:
                reports.append(report(size))
            yield Plane(name, covered, void, report(size), name)

    return Parts("planes", planes(), len(marks.names), [source], [None], reports=reports)
