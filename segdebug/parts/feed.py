"""What `fit` would hand to its training step: the image, the labels and their weights, through Keras's own
data handling."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from segdebug.errors import ExperimentError
from segdebug.experiment import Experiment, Loss
from segdebug.scene import GridScene

__all__ = ["as_fit_feeds", "input_image", "weight_map"]

_SCALES = {"0..1": (1.0, 0.0), "0..255": (255.0, 0.0), "-1..1": (2.0, -1.0)}


class _Catcher(keras.Model):
    """A model whose training step does nothing but keep what fit gave it."""

    def train_step(self, data: Any) -> dict[str, Any]:
        self.caught = data
        return {"kept": tf.constant(1.0)}  # fit cannot do with no result at all


def input_image(grid: GridScene, input_range: str) -> NDArray[np.float32]:
    """(1, S, S, 3) float32 in the range that the person's own loader leaves the image in."""
    scale, offset = _SCALES[input_range]
    return (grid.image * np.float32(scale) + np.float32(offset))[None]


def weight_map(grid: GridScene, loss: Loss, flat: bool) -> NDArray[np.float32] | None:
    """The sample_weight of each pixel, (1, S, S) or (1, S*S) where the head is flat; None where it is all 1.

    Class weights are looked up by the scene's class; where classes overlap, by argmax of the planes: the first that
    is present, and class 0 where none is. An unlabelled pixel weighs 1, or 0 under `void: zero_weight`.
    """
    weights = np.ones(grid.labels.shape, np.float32)
    by_class = loss.class_weights is not None and loss.weighting == "pixel"
    if by_class:
        table = np.asarray(loss.class_weights, np.float32)
        classes = grid.labels if grid.planes is None else grid.planes.argmax(axis=-1)
        weights = np.where(grid.valid, table[np.clip(classes, 0, None)], np.float32(1))
    leaves_void_out = loss.void == "zero_weight" and not grid.valid.all()
    if leaves_void_out:
        weights = np.where(grid.valid, weights, np.float32(0))
    if not by_class and not leaves_void_out:
        return None
    return weights.reshape(1, -1) if flat else weights[None]


def as_fit_feeds(
    x: NDArray[Any], y: NDArray[Any], weights: NDArray[Any] | None, experiment: Experiment
) -> tuple[Any, Any, Any]:
    """(x, y, sample_weight) as tensors, exactly as fit's training step receives them.

    Arrays or a Dataset go through a real `fit` of a model that only keeps its batch, so class_weight becomes
    whatever the installed Keras makes of it. Raises what fit raises.
    """
    loss = experiment.loss
    class_weight = None
    if loss.weighting == "class_weight" and loss.class_weights is not None:
        class_weight = dict(enumerate(loss.class_weights))
    catcher = _Catcher()
    catcher.built = True
    catcher.compile(run_eagerly=True)
    if experiment.training.container == "tf_data":
        parts = (x, y) if weights is None else (x, y, weights)
        data = tf.data.Dataset.from_tensor_slices(parts).batch(1)
        catcher.fit(data, class_weight=class_weight, epochs=1, verbose=0)
    else:
        catcher.fit(x, y, sample_weight=weights, class_weight=class_weight, batch_size=1, epochs=1, verbose=0)
    fed_x, fed_y, fed_weights = keras.utils.unpack_x_y_sample_weight(catcher.caught)
    return fed_x, fed_y, fed_weights


def check_class_weights(loss: Loss, n_classes: int) -> None:
    """One number a class, or ExperimentError with both counts."""
    if loss.class_weights is not None and len(loss.class_weights) != n_classes:
        raise ExperimentError(
            f"loss.class_weights: {len(loss.class_weights)} numbers for {n_classes} classes; give one a class, "
            "in class order.",
            "loss.class_weights",
        )
