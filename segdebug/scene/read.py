"""Files to a Scene: the one entrance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from segdebug.errors import SceneError
from segdebug.scene.colours import class_colours
from segdebug.scene.decode import Raster, decode
from segdebug.scene.encodings import check_encoding
from segdebug.scene.legend import Legend, read_legend
from segdebug.scene.limits import display_text, stem
from segdebug.scene.model import VOID, Scene, SceneClass, SceneWarning, SourceFile
from segdebug.scene.picture import to_image
from segdebug.scene.single import read_single
from segdebug.scene.soft import check_threshold
from segdebug.scene.source import Readable, Source, open_source
from segdebug.scene.summary import check_names, named
from segdebug.scene.together import check_page, fitting, open_masks, open_picture, parts_of, scene_of
from segdebug.scene.validity import with_validity

__all__ = ["read_scene"]


def read_scene(
    image: Readable,
    masks: Readable | Sequence[Readable],
    *,
    classes: Sequence[str] | None = None,
    encoding: str = "auto",
    ignore: int | None = None,
    name: str | None = None,
    validity: Readable | None = None,
    page: int | None = None,
    threshold: float | None = None,
    legend: object = None,
) -> Scene:
    """Read one picture and its masks.

    image: a path, bytes, a binary file object, a (name, bytes) pair, or an array (H, W), (H, W, 3) or
        (H, W, 4). PNG, JPEG, GIF, BMP, WebP, TIFF, .npy or .npz; turned upright by its EXIF data.
    masks: one of the same, or a list of them, one file a class or one an object, or a zip archive of them. An
        array (H, W, K) of zeros and ones, and a TIFF of K pages, is K classes. One file of shapes or runs:
        labelme's or COCO's JSON, or Kaggle's CSV of run lengths.
    classes: names in the order of their ids. For an index or palette mask the values are then the ids, and
        there are as many classes as names; otherwise ids count the values (colours as 0xRRGGBB) upwards.
    encoding: one of `ENCODINGS`.
    ignore: the value that means void (for colours: that grey). None: −1, and 255 beside small ids, are void.
    name: what to call the scene; None: the picture's file name without its ending.
    validity: a mask that is zero where nothing counts (outside of the field of view): those pixels are void.
    page: which page of a TIFF of several, from 0. None: the first of the picture, and of the masks the same one
        where they have as many pages, else each page is a class.
    threshold: where a soft or binary mask is cut, as a fraction of its full range. None: 0.5 for a soft mask.
    legend: which value or colour is which class, in the order of the classes, as `legend.read_legend` takes it: a
        mapping {code: name}, or a names file (its text, bytes or path). It says more than `encoding`.

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
    check_page(page)
    cut, codes = check_threshold(threshold), None if legend is None else read_legend(legend)
    picture = decode(open_picture(image), page or 0)
    pixels = to_image(picture)
    title = display_text(name, "scene") if name is not None else stem(picture.name)
    sources = open_masks(masks)
    parts = parts_of(sources, picture, encoding, ignore=void, page=page)
    if isinstance(parts, Raster):
        scene = _from_codes(title, pixels, sources[0], parts, names, encoding, void, cut, codes)
    else:
        scene = scene_of(parts, title, pixels, names, encoding)
    if validity is not None:
        scene = with_validity(scene, fitting(decode(open_source(validity, "validity")), picture))
    if picture.pages > 1:
        text = f"{picture.name}: the picture has {picture.pages} pages; this is the one that was taken."
        scene = replace(scene, warnings=(*scene.warnings, SceneWarning("page_taken", text)))
    return scene


def _from_codes(
    title: str,
    image: NDArray[np.float32],
    source: Source,
    raster: Raster,
    names: list[str] | None,
    encoding: str,
    ignore: int | None,
    threshold: float | None,
    legend: Legend | None,
) -> Scene:
    """One mask file that holds every class."""
    n_names = None if names is None else len(names)
    mask = read_single(raster, encoding, ignore, n_names, threshold=threshold, legend=legend)
    report = mask.report
    may_skip = report.encoding in ("binary", "soft", "instances")
    called = named(names, mask.names, report.name, may_skip_background=may_skip)
    colours = class_colours(called)
    classes = tuple(SceneClass(k, called[k], colours[k], code, mask.pixels[k]) for k, code in enumerate(mask.codes))
    return Scene(
        name=title,
        image=image,
        classes=classes,
        labels=mask.labels,
        planes=None,
        valid=mask.labels != VOID,
        encoding=report.encoding,
        confidence=report.confidence,
        report=(report,),
        warnings=report.warnings,
        mask_files=(SourceFile(source.name, source.file_bytes()),),
    )
