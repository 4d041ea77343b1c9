"""A run carried out again up to one step, with every tensor of that step kept. The only place here that knows Keras."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from segdebug.decoding import threshold
from segdebug.errors import ExperimentError, SegdebugError
from segdebug.experiment import Experiment
from segdebug.parts.build import Parts, build, keras_reasons
from segdebug.parts.losses import selected_weights
from segdebug.parts.readers import read_file
from segdebug.pixel.moment import FileValues, Moment
from segdebug.records import pixel_loss_reason
from segdebug.scene import Scene
from segdebug.scene.resize import resize_nearest
from segdebug.semantics import probe
from segdebug.step import build_step

__all__ = ["replayed"]

_BYTES_AT_MOST = 256 * 2**20
_FILES_AT_MOST = 16
_REPORT_EVERY = 0.1  # seconds

Array = NDArray[Any]


def replayed(
    scene: Scene,
    experiment: Experiment,
    step: int,
    on_progress: Callable[[int], None],
    cancel: Callable[[], bool],
) -> Moment | None:
    """As `segdebug.pixel.moment`."""
    training = experiment.training
    if not 0 <= step < training.steps:
        raise ExperimentError(
            f"step: the run has steps 0 to {training.steps - 1}, and {step} was asked for.", "training.steps"
        )
    grid = scene.at(training.size)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the run itself has told what Keras warns of
        parts = build(scene, grid, experiment)
        _refuse_too_large(parts, training.size)
        walk = build_step(parts, grid, scene.n_classes, threshold(experiment), training)
        with keras_reasons(f"Labels are {tuple(parts.y.shape[1:])}."):
            if not _walked(walk, step, on_progress, cancel):
                return None
            tensors = _last_step(parts, experiment)
        semantics = probe(experiment, parts.channels, tuple(parts.y.shape[1:]), training.size)
    return Moment(
        experiment,
        step,
        scene.classes,
        scene.width,
        scene.height,
        tuple(_file_values(scene, experiment)),
        grid.labels,
        grid.planes,
        grid.valid,
        semantics=semantics,
        **tensors,
    )


def _walked(walk: Any, steps: int, on_progress: Callable[[int], None], cancel: Callable[[], bool]) -> bool:
    """Whether all steps before the one asked for were done."""
    reported = 0.0
    for number in range(steps):
        if cancel():
            return False
        walk()
        if time.perf_counter() - reported > _REPORT_EVERY:
            on_progress(number + 1)
            reported = time.perf_counter()
    return True


def _last_step(parts: Parts, experiment: Experiment) -> dict[str, Any]:
    """The step asked for: the same forward pass and gradient, and how the printed number depends on each value."""
    model, optimizer, execution = parts.model, parts.model.optimizer, experiment.training.execution

    def look(x: Any, y: Any, weights: Any = None) -> tuple[Any, ...]:
        with tf.GradientTape(persistent=True) as tape:
            output = model(x, training=True)
            loss = model.compute_loss(x, y, output, weights, training=True)
            printed = tf.reduce_mean(loss)
            scaled = optimizer.scale_loss(loss)
        logits, values = parts.logits.tensor, parts.pixel_values.tensor
        gradient = tape.gradient(scaled, logits)
        by_value = tape.gradient(printed, values)
        gradient = tf.zeros_like(logits) if gradient is None else gradient
        by_value = tf.zeros_like(values) if by_value is None else by_value
        scale = optimizer.scale_loss(tf.ones(()))
        at_logits = tf.cast(gradient, tf.float32) / tf.cast(scale, tf.float32)
        return output, logits, values, by_value, at_logits, printed

    if execution != "eager":
        look = tf.function(look, jit_compile=execution == "xla", autograph=False)
    fed = [tensor for tensor in (parts.x, parts.y, parts.weights) if tensor is not None]
    return _arrays(parts, experiment, look(*fed))


def _arrays(parts: Parts, experiment: Experiment, tensors: tuple[Any, ...]) -> dict[str, Any]:
    """Moment's fields, each in its shape."""
    output, logits, values, by_value, gradient, printed = tensors
    size = experiment.training.size
    reason = pixel_loss_reason(tuple(values.shape), size) or ""
    cells = (size, size, -1)
    inside = _map_of(_inside(parts, experiment, output), size)
    by_value = _float(by_value).astype(np.float64)
    return {
        "label": _by_pixel(parts.y.numpy()[0], size),
        "logits": _float(logits)[0],
        "output": _float(output).reshape(size, size, output.shape[-1]),
        "values": None if reason else _float(values).reshape(cells),
        "coefficients": None if reason else by_value.reshape(cells),
        "no_values": reason,
        "whole": float(
            by_value.sum() if reason or inside is None else (by_value.reshape(cells)[..., 0] * inside).sum()
        ),
        "weights": _map_of(parts.weights, size),
        "inside": inside,
        "gradient": _float(gradient)[0],
        "loss": float(printed),
    }


def _inside(parts: Parts, experiment: Experiment, output: Any) -> Any:
    """The class weights that the loss multiplies by, as it looks them up itself."""
    loss = experiment.loss
    if loss.class_weights is None or (loss.weighting != "in_loss" and loss.name != "weighted_bce_dice"):
        return None
    return selected_weights(loss.class_weights, parts.y, output)


def _map_of(weights: Any, size: int) -> NDArray[np.float32] | None:
    """(S, S) float32 of one number a pixel or one for all; None where there are none, or other ones."""
    if weights is None:
        return None
    array = _float(weights)
    if array.size == 1:
        return np.full((size, size), array.ravel()[0])
    return array.reshape(size, size) if array.size == size * size else None


def _by_pixel(array: Array, size: int) -> Array | None:
    """(S, S, ...) from (S, S, ...) or (S*S, ...)."""
    if array.shape[:2] == (size, size):
        return array
    return array.reshape(size, size, *array.shape[1:]) if array.shape[:1] == (size * size,) else None


def _float(tensor: Any) -> NDArray[np.float32]:
    return np.asarray(tf.cast(tensor, tf.float32))


def _refuse_too_large(parts: Parts, size: int) -> None:
    needed = 4 * parts.channels * size * size * 4  # logits, output, gradient, label
    if needed > _BYTES_AT_MOST:
        raise ExperimentError(
            f"training.size: one step's tensors of {parts.channels} channels at {size} px take "
            f"{needed / 2**20:.0f} MB, and at most {_BYTES_AT_MOST // 2**20} are kept; "
            "train at a smaller size to look into pixels.",
            "training.size",
        )


def _file_values(scene: Scene, experiment: Experiment) -> list[FileValues]:
    """What the first files hold under each cell's centre, as Pillow shows it, and what the reader delivers."""
    size, reader = experiment.training.size, experiment.target.reader
    found = []
    for file in scene.mask_files[:_FILES_AT_MOST]:
        stored = _tried(file, "pillow", size)
        # The scene's own loader knows the encoding; what it delivers is the class, and is told as such.
        delivered = (None, "") if reader == "scene" else _tried(file, reader, size)
        found.append(FileValues(file.name, file.class_id, stored[0], delivered[0], stored[1], delivered[1]))
    return found


def _tried(file: Any, reader: str, size: int) -> tuple[Array | None, str]:
    try:
        array = read_file(file, reader)
    except SegdebugError as error:
        return None, str(error)
    if array.ndim not in (2, 3) or not array.size:
        return None, f"{file.name}: an array of shape {array.shape} has no pixels in rows and columns."
    return resize_nearest(array, size), ""
