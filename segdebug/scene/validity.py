"""A second mask that says which pixels count: a field of view, or an area that was labelled."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from segdebug.errors import SceneError
from segdebug.scene.binary import LOSSY_CUT, nearly_binary
from segdebug.scene.codes import to_codes
from segdebug.scene.decode import Raster
from segdebug.scene.model import VOID, Scene, SceneWarning
from segdebug.scene.summary import file_report

__all__ = ["with_validity"]


def with_validity(scene: Scene, raster: Raster) -> Scene:
    """The scene with every pixel void where `raster`, of its size, is zero (black); counts follow.

    Raises SceneError: not a mask of two values, or nothing left.
    """
    codes = to_codes(raster)
    name = raster.name
    cut = 1
    if codes.lossy and nearly_binary(codes.distinct, codes.counts):
        cut = LOSSY_CUT
    elif len(codes.distinct) > 2 or int(codes.distinct[0]) < 0:
        raise SceneError(
            f"{name}: {len(codes.distinct):,} distinct values are too many for a mask of the pixels that count. "
            "Give one of two values: 0 where nothing counts.",
            name,
        )
    elif len(codes.distinct) == 2:
        cut = int(codes.distinct[1])
    counts = codes.values >= cut
    valid = scene.valid & counts
    if not valid.any():
        raise SceneError(f"{name}: it is black wherever the masks label anything: no pixel is left.", name)
    lost = int(np.count_nonzero(scene.valid & ~counts))
    warning = SceneWarning(
        "validity_applied",
        f"{name}: {lost:,} pixels ({100 * lost / valid.size:.2g} %) are outside of what counts, and became void.",
    )
    labels = np.where(valid, scene.labels, np.int32(VOID))
    planes = scene.planes
    if planes is None:
        pixels = np.bincount(labels[valid], minlength=scene.n_classes)
    else:
        planes = planes & valid[..., np.newaxis]
        pixels = np.count_nonzero(planes, axis=(0, 1))
    classes = tuple(replace(c, pixels=int(n)) for c, n in zip(scene.classes, pixels, strict=True))
    report = file_report(raster, codes, "binary", 0.95, [warning])
    return replace(
        scene,
        labels=labels,
        planes=planes,
        valid=valid,
        classes=classes,
        report=(*scene.report, replace(report, encoding="validity")),
        warnings=(*scene.warnings, warning),
        digest="",
    )
