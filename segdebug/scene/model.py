"""What a picture and its masks say: the scene's truth, apart from how any loader feeds it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

__all__ = ["VOID", "Alternative", "FileReport", "GridScene", "Scene", "SceneClass", "SceneWarning", "SourceFile"]

VOID = -1
"""The value of `Scene.labels` where no class is stated."""


@dataclass(frozen=True)
class SceneClass:
    """One class: `id` is its channel, 0..K-1; `pixels` counts it at the files' own size."""

    id: int
    name: str
    colour: str  # "#rrggbb"
    encoded_as: int | str | None  # grey value or palette index, "#rrggbb", a file's name; None: the rest
    pixels: int


@dataclass(frozen=True)
class SceneWarning:
    """Something found in the files that is worth a question, and that reading went on despite."""

    code: str
    message: str


@dataclass(frozen=True)
class Alternative:
    """Something else that a mask file could be.

    encoding, ignore, legend: what to give to `read_scene` to have it so; `legend` is (code, name) pairs in the
    order of the classes, empty where none is needed. words: what it would mean. confidence: [0, 1].
    """

    encoding: str
    ignore: int | None
    words: str
    confidence: float
    legend: tuple[tuple[int | str, str], ...] = ()


@dataclass(frozen=True)
class FileReport:
    """What one mask file holds, how it was taken, why, and what else it could be.

    reasons: why this encoding, in words with numbers. alternatives: what else it could be, the likeliest first;
    none where the person said it. repaired: pixels moved to the nearest code. histogram: the commonest values or
    colours as they are in the file, with their pixels, at most 64. threshold: where a soft mask was cut, as a
    fraction of the full range, else None.
    """

    name: str
    format: str  # "PNG", "JPEG", "NPY", "array"
    mode: str  # Pillow's mode, or the array's shape in words
    dtype: str
    size: tuple[int, int]  # width, height
    distinct: tuple[int | str, ...]  # values or colours, the commonest first, at most 64 of them
    n_distinct: int
    encoding: str
    confidence: float  # [0, 1]
    warnings: tuple[SceneWarning, ...] = ()
    reasons: tuple[str, ...] = ()
    alternatives: tuple[Alternative, ...] = ()
    repaired: int = 0
    histogram: tuple[tuple[int | str, int], ...] = ()
    threshold: float | None = None


@dataclass(frozen=True)
class SourceFile:
    """An uploaded file as it came, for the loaders that people use on it. `class_id`: the class whose
    plane the file is, where there is one file a class."""

    name: str
    data: bytes
    class_id: int | None = None


@dataclass(frozen=True)
class GridScene:
    """The scene stretched to the training grid: image (S, S, 3) float32 in [0, 1]; labels (S, S) int32 with
    `VOID`; planes (S, S, K) bool where classes overlap, else None; valid (S, S) bool, False where void."""

    image: NDArray[np.float32]
    labels: NDArray[np.int32]
    planes: NDArray[np.bool_] | None
    valid: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Scene:
    """One picture and what its masks say of each pixel.

    image: (H, W, 3) float32 in [0, 1], upright.
    labels: (H, W) int32, class ids, `VOID` (-1) where not labelled. Where classes overlap, the last class
        that covers the pixel, for display only; the truth is `planes`.
    planes: (H, W, K) bool where classes overlap, else None. A pixel with no class is then a true "none".
    valid: (H, W) bool, False where the pixel takes no part in any score.
    """

    name: str
    image: NDArray[np.float32]
    classes: tuple[SceneClass, ...]
    labels: NDArray[np.int32]
    planes: NDArray[np.bool_] | None
    valid: NDArray[np.bool_]
    encoding: str
    confidence: float
    report: tuple[FileReport, ...]
    warnings: tuple[SceneWarning, ...] = ()
    mask_files: tuple[SourceFile, ...] = ()
    digest: str = field(default="")

    def __post_init__(self) -> None:
        if not self.digest:
            object.__setattr__(self, "digest", self._content_digest())

    @property
    def n_classes(self) -> int:
        return len(self.classes)

    @property
    def height(self) -> int:
        return int(self.labels.shape[0])

    @property
    def width(self) -> int:
        return int(self.labels.shape[1])

    @property
    def ignored_pixels(self) -> int:
        return int(self.valid.size - np.count_nonzero(self.valid))

    @property
    def overlapping(self) -> bool:
        return self.planes is not None

    def at(self, size: int) -> GridScene:
        """The scene stretched to (size, size): the image bilinearly, everything else by the nearest pixel.

        Nearest means the pixel under the centre of each cell, as tf.image.resize and Pillow choose it.
        """
        from segdebug.scene.resize import resize_bilinear, resize_nearest

        return GridScene(
            image=resize_bilinear(self.image, size),
            labels=resize_nearest(self.labels, size),
            planes=None if self.planes is None else resize_nearest(self.planes, size),
            valid=resize_nearest(self.valid, size),
        )

    def with_classes(self, names: dict[int, str] | None = None, colours: dict[int, str] | None = None) -> Scene:
        """The same scene under other class names and colours ("#rrggbb"), by class id."""
        names, colours = names or {}, colours or {}
        classes = tuple(
            replace(c, name=names.get(c.id, c.name), colour=colours.get(c.id, c.colour)) for c in self.classes
        )
        return replace(self, classes=classes)

    def _content_digest(self) -> str:
        """SHA-256 of what a run depends on: pixels, truth, how many classes there are and what stands for each in the
        files, and the files' bytes; not names or colours."""
        digest = hashlib.sha256(repr([(c.id, c.encoded_as) for c in self.classes]).encode())
        for array in (self.image, self.labels, self.valid, self.planes):
            if array is not None:
                digest.update(f"{array.shape}{array.dtype}".encode())
                digest.update(np.ascontiguousarray(array).data)
        for file in self.mask_files:
            digest.update(f"{file.class_id}:{len(file.data)}:".encode())
            digest.update(file.data)
        return digest.hexdigest()
