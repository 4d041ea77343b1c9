"""Labels as fed: the person's own loading code, carried out literally and never repaired.

reader → resize → scale → encoding → layout → dtype. Whatever nonsense comes out is what Keras is given.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from segdebug.errors import ExperimentError, SceneError
from segdebug.experiment import Target
from segdebug.parts.readers import read_file
from segdebug.scene import VOID, Scene
from segdebug.scene.resize import resize_nearest

__all__ = ["UNLABELLED", "label_tensor"]

Array = NDArray[Any]

UNLABELLED = 255
"""What a right loader writes where nothing is labelled, as most data sets do."""


@dataclass(frozen=True)
class _Planes:
    """One (H, W) or (H, W, C) array a file, and the channel that each file's class has."""

    arrays: list[Array]
    channels: list[int]

    def map(self, function: Callable[[Array], Array]) -> _Planes:
        return _Planes([function(array) for array in self.arrays], self.channels)

    def together(self) -> Array:
        """The array itself if there is one, else all of them along a last axis."""
        return self.arrays[0] if len(self.arrays) == 1 else np.stack(self.arrays, axis=-1)


def label_tensor(scene: Scene, target: Target, channels: int, size: int) -> Array:
    """The labels of one image, without the batch axis, in the layout and dtype of `target`.

    channels: K of one_hot and summed_planes, as many as the head puts out.
    Raises SceneError where a reader cannot read a file, ExperimentError where shapes cannot be made.
    """
    values = _read(scene, target).map(lambda array: _resized(array, size, target.resize))
    values = values.map(lambda array: _scaled(array, target.scale))
    labels = _laid_out(_encoded(values, target.encoding, channels), target, size)
    return labels.astype(target.dtype)


def _read(scene: Scene, target: Target) -> _Planes:
    if target.reader != "scene":
        if not scene.mask_files:
            raise SceneError(
                f"target.reader: {target.reader} needs mask files, and this scene was made from arrays; "
                "use reader scene."
            )
        arrays = [read_file(file, target.reader) for file in scene.mask_files]
        given = [file.class_id for file in scene.mask_files]
        return _Planes(arrays, [n if class_id is None else class_id for n, class_id in enumerate(given)])
    if target.encoding == "summed_planes":
        return _one_plane_a_class(scene)
    if scene.planes is not None:
        return _Planes([scene.planes.astype(np.uint8)], [0])
    return _Planes([np.where(scene.labels == VOID, UNLABELLED, scene.labels)], [0])


def _one_plane_a_class(scene: Scene) -> _Planes:
    """0/1 planes of the classes that a file states; what is only "the rest" has no file."""
    stated = [c.id for c in scene.classes if c.encoded_as is not None]
    if scene.planes is not None:
        return _Planes([scene.planes[..., c].astype(np.uint8) for c in stated], stated)
    return _Planes([(scene.labels == c).astype(np.uint8) for c in stated], stated)


def _resized(array: Array, size: int, how: str) -> Array:
    if how == "nearest":
        return resize_nearest(array, size)
    with_channels = array if array.ndim == 3 else array[..., None]
    stretched = tf.image.resize(with_channels.astype(np.float32), (size, size)).numpy()
    return np.asarray(stretched if array.ndim == 3 else stretched[..., 0])


def _scaled(array: Array, how: str) -> Array:
    if how == "divide_255":
        return np.asarray(array / np.float32(255))
    if how == "divide_max":
        largest = np.float32(array.max())
        return np.asarray(array / largest) if largest else array
    if how == "threshold":
        return (array > 0.5).astype(np.uint8)
    return array


def _encoded(values: _Planes, how: str, channels: int) -> Array:
    if how == "summed_planes":
        return _summed(values, channels)
    array = values.together()
    if how == "one_hot":
        return np.asarray(tf.one_hot(array.astype(np.int32), channels).numpy())
    if how == "sparse":
        return array.astype(np.int32)
    if how == "sparse_one_based":
        return array.astype(np.int32) + 1
    if how == "single_channel":
        return _single(array)
    return array


def _summed(values: _Planes, channels: int) -> Array:
    size = values.arrays[0].shape[0]
    labels = np.zeros((size, size, channels), np.float32)
    for plane, channel in zip(values.arrays, values.channels, strict=True):
        if plane.ndim != 2:
            raise ExperimentError(
                f"target.encoding: summed_planes adds one grey plane a file, and this reader gives {plane.shape[2]} "
                "channels; use a grey reader.",
                "target.reader",
            )
        if channel >= channels:
            raise ExperimentError(
                f"head.channels: file {channel + 1} belongs in channel {channel}, and the head has {channels}; "
                "leave channels empty.",
                "head.channels",
            )
        labels[..., channel] += plane
    return labels


def _single(array: Array) -> Array:
    if array.ndim == 3:
        raise ExperimentError(
            f"target.encoding: single_channel needs one value a pixel, and the reader gives {array.shape[2]}; "
            "use raw, or a grey reader.",
            "target.encoding",
        )
    return array.astype(np.float32)[..., None]


def _laid_out(labels: Array, target: Target, size: int) -> Array:
    if target.layout == "flat":
        return labels.reshape((size * size, *labels.shape[2:]))
    if target.layout == "trailing_axis" and target.encoding != "single_channel":
        return labels[..., None]
    return labels
