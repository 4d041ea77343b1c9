"""Experiment + Scene → the compiled Keras model and the batch that fit would train it on."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import keras
import numpy as np

from segdebug.decoding import channels_of
from segdebug.errors import SegdebugError
from segdebug.experiment import Experiment
from segdebug.parts import heads, unet
from segdebug.parts.feed import as_fit_feeds, check_class_weights, input_image, weight_map
from segdebug.parts.losses import build_loss
from segdebug.parts.refusals import refused
from segdebug.parts.taps import Tap
from segdebug.parts.targets import label_tensor
from segdebug.scene import GridScene, Scene

__all__ = ["Batch", "Parts", "build", "compiled", "dtype_policy", "feed", "keras_reasons", "tapped"]

_OPTIMIZERS = {
    "adam": keras.optimizers.Adam,
    "adamw": keras.optimizers.AdamW,
    "rmsprop": keras.optimizers.RMSprop,
    "sgd": keras.optimizers.SGD,
}


@dataclass
class Parts:
    """What trains: the compiled model, its batch as fit would feed it, and taps on the way.

    x (1, S, S, 3), y and weights (or None) as tensors. `logits` and `pixel_values` hold, after each call, the
    tensors that the real layers and the real loss object passed on.
    """

    model: keras.Model
    x: Any
    y: Any
    weights: Any
    channels: int
    logits: Tap
    pixel_values: Tap

    @property
    def batch(self) -> Batch:
        """The batch alone."""
        return Batch(self.x, self.y, self.weights, self.channels)


def build(scene: Scene, grid: GridScene, experiment: Experiment) -> Parts:
    """Everything that `fit` needs, from real Keras objects, seeded as the Experiment says.

    Raises ExperimentError or SceneError for what is refused here, KerasRefusal for what Keras refuses.
    """
    batch = feed(scene, grid, experiment)
    with keras_reasons(batch.shapes):
        return tapped(compiled(experiment, batch.channels), batch)


class Batch(NamedTuple):
    """x (1, S, S, 3), y and weights (or None) as fit would feed them; channels: of the head on this scene."""

    x: Any
    y: Any
    weights: Any
    channels: int

    @property
    def tensors(self) -> list[Any]:
        """As one call's arguments: weights only where there are any."""
        return [tensor for tensor in (self.x, self.y, self.weights) if tensor is not None]

    @property
    def shapes(self) -> str:
        """What to say beside a refusal."""
        return f"Labels are {tuple(self.y.shape[1:])}."


def feed(scene: Scene, grid: GridScene, experiment: Experiment) -> Batch:
    """The batch of this scene that `fit` would train on. Raises as `build` does."""
    channels = channels_of(experiment, scene.n_classes)
    check_class_weights(experiment.loss, max(scene.n_classes, channels))
    y = label_tensor(scene, experiment.target, channels, experiment.training.size)[None]
    flat = experiment.head.attachment in ("after_reshape", "then_reshape")
    weights = weight_map(grid, experiment.loss, flat)
    with keras_reasons(f"Labels are {y.shape[1:]}."):
        x = input_image(grid, experiment.training.input_range)
        return Batch(*as_fit_feeds(x, y, weights, experiment), channels)


def tapped(model: keras.Model, batch: Batch) -> Parts:
    """The compiled model and its batch, with taps on the way. A model is tapped once."""
    return Parts(
        model,
        *batch,
        logits=Tap.on(model.get_layer(heads.LOGITS), "activation"),
        pixel_values=Tap.on(model.loss, "call", result=True),
    )


def compiled(experiment: Experiment, channels: int) -> keras.Model:
    """The compiled model with the initial weights of its seed."""
    training, model, head = experiment.training, experiment.model, experiment.head
    _seed(training.seed)
    with dtype_policy(training.precision):
        image = keras.Input((training.size, training.size, 3))
        read = unet.features(image, model.filters, model.depth, training.initializer, heads.output_stride(head))
        built = keras.Model(image, heads.attach(head, read, channels, training.initializer))
        built.compile(
            optimizer=_OPTIMIZERS[training.optimizer](training.learning_rate),
            loss=build_loss(experiment.loss, head, channels),
            run_eagerly=training.execution == "eager",
            jit_compile=training.execution == "xla",
        )
    return built


def _seed(seed: int) -> None:
    """As keras.utils.set_random_seed, but for TensorFlow's own global seed: Keras's layers draw theirs from Python's,
    and setting it makes TensorFlow optimize every function anew that has been called in this process."""
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002 - what Keras sets


@contextlib.contextmanager
def dtype_policy(precision: str) -> Iterator[None]:
    """Layers made inside have this policy, as after keras.mixed_precision.set_global_policy."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(precision)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


@contextlib.contextmanager
def keras_reasons(shapes: str) -> Iterator[None]:
    """Whatever Keras or TensorFlow raises inside leaves as a KerasRefusal in plain words."""
    try:
        yield
    except SegdebugError:
        raise
    except Exception as error:  # Keras raises ValueError, TypeError, TensorFlow's own and others
        raise refused(error, shapes) from error
