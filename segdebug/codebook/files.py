"""The files that a script reads, and the code that reads them: picture, truth, and the mask files as they came."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segdebug.painting import png
from segdebug.scene import VOID, Scene
from segdebug.scenefiles import mask_file_name

__all__ = ["ImageFile", "TruthFile", "image_file", "mask_files", "truth_file"]

_UNLABELLED = 255  # what the right loader of `parts.targets` writes


@dataclass(frozen=True)
class ImageFile:
    """files: name → bytes; code: an expression for (H, W, 3) float32 in [0, 1]."""

    files: dict[str, bytes]
    code: str


@dataclass(frozen=True)
class TruthFile:
    """What a right loader gives. files: name → bytes; name: the variable that holds it, load: the code that makes it,
    valid: an expression for where a pixel is labelled."""

    files: dict[str, bytes]
    name: str
    load: str
    valid: str


def image_file(scene: Scene) -> ImageFile:
    """The picture without loss: PNG where it has 8 bits, else NumPy's format."""
    levels = np.rint(scene.image * 255).astype(np.uint8)
    if np.array_equal(np.divide(levels, np.float32(255), dtype=np.float32), scene.image):
        return ImageFile({"image.png": png(levels)}, 'np.asarray(Image.open("image.png"), np.float32) / 255')
    return ImageFile({"image.npy": _npy(scene.image)}, 'np.load("image.npy")')


def truth_file(scene: Scene) -> TruthFile:
    """Ids, 255 where unlabelled; or planes of 0 and 1 where classes overlap."""
    if scene.planes is not None:
        files = {"planes.npy": _npy(scene.planes.astype(np.uint8)), "labelled.png": _mask(scene.valid)}
        load = 'planes = np.load("planes.npy")  # (H, W, K), 0 or 1: classes overlap\n'
        return TruthFile(files, "planes", load, 'np.array(Image.open("labelled.png")) > 0')
    ids = np.where(scene.labels == VOID, _UNLABELLED, scene.labels).astype(np.int32)
    void = bool((scene.labels == VOID).any())
    said = f"  # {_UNLABELLED} where unlabelled" if void else ""
    files = {"labels.png": png(ids.astype(np.uint8))}  # a scene has 256 classes at most
    load = f'ids = np.asarray(Image.open("labels.png"), np.int32){said}\n'
    if np.array_equal(scene.valid, ids != _UNLABELLED):
        return TruthFile(files, "ids", load, f"ids != {_UNLABELLED}")
    return TruthFile(
        {**files, "labelled.png": _mask(scene.valid)}, "ids", load, 'np.array(Image.open("labelled.png")) > 0'
    )


def mask_files(scene: Scene) -> dict[str, bytes]:
    """The uploaded files, under names that are safe everywhere."""
    names = (mask_file_name(file.name, n) for n, file in enumerate(scene.mask_files))
    with_ending = [name if "." in name else f"{name}.png" for name in names]
    return {name: file.data for name, file in zip(with_ending, scene.mask_files, strict=True)}


def _mask(mask: NDArray[np.bool_]) -> bytes:
    return png(mask.astype(np.uint8) * np.uint8(255))


def _npy(array: NDArray[Any]) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return buffer.getvalue()
