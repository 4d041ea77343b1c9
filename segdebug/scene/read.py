"""Files to a Scene: the one entrance."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from segdebug.errors import SceneError
from segdebug.scene.codes import code_name, to_codes
from segdebug.scene.colours import class_colours
from segdebug.scene.decode import Raster, decode
from segdebug.scene.encodings import check_encoding
from segdebug.scene.interpret import interpret
from segdebug.scene.limits import MAX_MASK_FILES, display_text, stem
from segdebug.scene.model import VOID, Scene, SceneClass, SourceFile
from segdebug.scene.picture import to_image
from segdebug.scene.planes import channels_of, put_together, read_plane
from segdebug.scene.source import Readable, Source, open_source, open_sources
from segdebug.scene.summary import check_names, distinct_names, file_report, merged, named
from segdebug.scene.values import relabel

__all__ = ["read_scene"]


def read_scene(
    image: Readable,
    masks: Readable | Sequence[Readable],
    *,
    classes: Sequence[str] | None = None,
    encoding: str = "auto",
    ignore: int | None = None,
    name: str | None = None,
) -> Scene:
    """Read one picture and its masks.

    image: a path, bytes, a binary file object, a (name, bytes) pair, or an array (H, W), (H, W, 3) or
        (H, W, 4). PNG, JPEG, BMP, WebP, one-page TIFF or .npy; turned upright by its EXIF data.
    masks: one of the same, or a list of them, one file a class. An array (H, W, K) of zeros and ones is K
        classes.
    classes: names in the order of their ids. For an index or palette mask the values are then the ids, and
        there are as many classes as names; otherwise ids count the values (colours as 0xRRGGBB) upwards.
    encoding: one of `ENCODINGS`.
    ignore: the value that means void (for colours: that grey). None: −1, and 255 beside small ids, are void.
    name: what to call the scene; None: the picture's file name without its ending.

    Raises SceneError, with the file's name, for anything that cannot be used.

    >>> import numpy as np
    >>> scene = read_scene(np.zeros((2, 3), np.uint8), np.array([[0, 0, 2], [1, 1, 255]], np.uint8))
    >>> scene.labels.tolist(), scene.n_classes, scene.warnings[0].code
    ([[0, 0, 2], [1, 1, -1]], 3, 'void_inferred')
    """
    encoding = check_encoding(encoding)
    names = check_names(classes)
    if ignore is not None and (isinstance(ignore, bool) or not isinstance(ignore, (int, np.integer))):
        raise SceneError(f"Expected ignore to be an integer or None, but got {ignore!r:.40}.")
    void = None if ignore is None else int(ignore)
    picture = decode(open_source(image, "image"))
    pixels = to_image(picture)
    title = display_text(name, "scene") if name is not None else stem(picture.name)
    sources = open_sources(masks, "mask")
    if len(sources) > 1:
        if encoding not in ("auto", "planes"):
            raise SceneError(
                f'Encoding "{encoding}" is of one mask file, but {len(sources)} were given. '
                'Give one file, or choose "planes" for one file a class.'
            )
        return _from_planes(title, picture, pixels, sources, None, names, encoding, void)
    first = _fitting(decode(sources[0]), picture)
    if encoding == "planes" or (encoding == "auto" and _holds_planes(first)):
        return _from_planes(title, picture, pixels, sources, first, names, encoding, void)
    return _from_codes(title, pixels, sources[0], first, names, encoding, void)


def _fitting(mask: Raster, picture: Raster) -> Raster:
    """The mask, if it has the picture's size."""
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


def _holds_planes(raster: Raster) -> bool:
    """An array (H, W, K) of one plane a class, not of colours: zeros and ones, or K of 2 or above 4."""
    if not raster.is_array or raster.values.ndim != 3:
        return False
    if raster.values.shape[2] not in (3, 4) or raster.values.dtype == np.bool_:
        return True
    return bool(((raster.values == 0) | (raster.values == 1)).all())


def _from_codes(
    title: str,
    image: NDArray[np.float32],
    source: Source,
    raster: Raster,
    names: list[str] | None,
    encoding: str,
    ignore: int | None,
) -> Scene:
    """One mask file that holds every class."""
    codes = to_codes(raster, as_colours=encoding == "colour")
    reading = interpret(codes, encoding, ignore, None if names is None else len(names))
    labels = relabel(codes.values, codes.distinct, reading.labels)
    pixels = np.zeros(len(reading.codes), np.int64)
    labelled = reading.labels >= 0
    np.add.at(pixels, reading.labels[labelled], codes.counts[labelled])
    called = named(names, reading.names, codes.name, may_skip_background=reading.encoding == "binary")
    colours = class_colours(called)
    classes = tuple(
        SceneClass(k, called[k], colours[k], code_name(codes.kind, code), int(pixels[k]))
        for k, code in enumerate(reading.codes)
    )
    warnings = tuple(reading.warnings)
    report = file_report(raster, codes, reading.encoding, reading.confidence, warnings)
    return Scene(
        name=title,
        image=image,
        classes=classes,
        labels=labels,
        planes=None,
        valid=labels != VOID,
        encoding=reading.encoding,
        confidence=reading.confidence,
        report=(report,),
        warnings=warnings,
        mask_files=(SourceFile(source.name, source.file_bytes()),),
    )


def _from_planes(
    title: str,
    picture: Raster,
    image: NDArray[np.float32],
    sources: list[Source],
    first: Raster | None,
    names: list[str] | None,
    encoding: str,
    ignore: int | None,
) -> Scene:
    """One file a class, or one array with a channel a class (`first`, decoded already)."""

    def decoded() -> Iterator[Raster]:
        if first is not None:
            yield from channels_of(first)
        else:
            yield from (_fitting(decode(source), picture) for source in sources)

    n = len(sources) if first is None else len(channels_of(first))
    if n > MAX_MASK_FILES:
        raise SceneError(f"{n} masks, one a class, were given; at most {MAX_MASK_FILES} are read.")
    made, planes = put_together((read_plane(raster, ignore) for raster in decoded()), n)
    start = made.first_id
    array = first is not None and first.is_array and first.values.ndim == 3
    stems = [f"class {start + k}" if array else plane.stem for k, plane in enumerate(planes)]
    called = named(
        names,
        ["background"] * start + distinct_names(stems),
        sources[0].name if array else f"The {n} mask files",
        may_skip_background=start == 1,
    )
    colours = class_colours(called)
    encoded = [None] * start + [plane.report.name for plane in planes]
    classes = tuple(SceneClass(k, called[k], colours[k], encoded[k], made.pixels[k]) for k in range(len(called)))
    return Scene(
        name=title,
        image=image,
        classes=classes,
        labels=made.labels,
        planes=made.planes,
        valid=made.valid,
        encoding="planes",
        confidence=1.0 if encoding == "planes" else made.confidence,
        report=tuple(plane.report for plane in planes),
        warnings=(*made.warnings, *merged([w for plane in planes for w in plane.report.warnings])),
        mask_files=tuple(
            SourceFile(source.name, source.file_bytes(), None if array else start + i)
            for i, source in enumerate(sources)
        ),
    )
