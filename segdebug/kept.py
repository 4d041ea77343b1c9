"""Traced steps that are kept: tracing is much of what a short run costs, and many runs differ in what no graph sees.

Kept steps serve every configuration that differs only in the picture (of the same size), the labels' values, the
sample weights, the seed, the initializer, the learning rate, the number of steps or the metric. Before each run
weights, optimizer and seeds are set back, so that the same bits come out as from new ones. The batch of a scene is kept
too, where it is small: feeding one picture as fit does takes as long as several steps.
"""

from __future__ import annotations

import threading
import warnings
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, TypeVar

import keras

from segdebug.decoding import threshold
from segdebug.experiment import Experiment
from segdebug.parts.build import Batch, Parts, build, compiled, feed, keras_reasons, tapped
from segdebug.parts.variables import joined
from segdebug.records import Truth
from segdebug.scene import GridScene, Scene
from segdebug.step import ManySteps, Stretch, build_step, one_by_one

__all__ = ["Ready", "forget", "keeps", "ready", "traced"]

T = TypeVar("T")

_KEPT_EXECUTION = "graph"
_WIDEST = 512  # channels: such a network has some 30 MB of weights, and Adam twice as much
_STEPS_AT_MOST = 8
_INITIAL_AT_MOST = 16
_FED_AT_MOST = 8
_FED_BYTES = 2**23  # of each batch


@dataclass(frozen=True)
class Ready:
    """A run that can begin. steps(n): at most n training steps; pixel_values: the shape of the unreduced loss, known
    after the first step."""

    batch: Batch
    steps: Callable[[int], Stretch]
    pixel_values: Callable[[], tuple[int | None, ...]]


@contextmanager
def ready(scene: Scene, grid: GridScene, experiment: Experiment) -> Iterator[Ready]:
    """The steps of a run, traced now or kept from an earlier one. What Keras warns of while it traces is warned of
    either way. Raises ExperimentError or SceneError where the two do not fit together, KerasRefusal where Keras
    refuses."""
    if experiment.training.execution != _KEPT_EXECUTION:
        parts = build(scene, grid, experiment)
        step = build_step(parts, grid, scene.n_classes, threshold(experiment), experiment.training)
        yield Ready(parts.batch, partial(one_by_one, step), partial(_shape_of_values, parts))
        return
    batch = _batch(scene, grid, experiment)
    truth = Truth.of(grid, scene.n_classes, batch.channels, threshold(experiment))
    key = _key(experiment, batch, truth)
    with keras_reasons(batch.shapes):
        kept = _steps.take(key) or _Kept(experiment, batch, truth)
    try:
        kept.begin(experiment)
        yield Ready(batch, partial(kept.steps, batch, truth), partial(_shape_of_values, kept.parts))
    finally:
        if keeps(experiment):
            _steps.put(key, kept)


def keeps(experiment: Experiment) -> bool:
    """Whether its steps stay for the next run: not those of networks of which a few would fill the memory. Weights
    grow with the square of the widest layer."""
    widest = experiment.model.filters * 2**experiment.model.depth
    return experiment.training.execution == _KEPT_EXECUTION and widest <= _WIDEST


def traced() -> int:
    """How many are kept."""
    return len(_steps)


def forget() -> None:
    """Keep none of them any longer."""
    _steps.clear()
    _initial.clear()
    _fed.clear()


def _batch(scene: Scene, grid: GridScene, experiment: Experiment) -> Batch:
    training = experiment.training
    fed_as = training.size, training.input_range, training.container, training.precision
    key = scene.digest, experiment.head, experiment.target, experiment.loss, *fed_as
    fed = _fed.take(key)
    if fed is None:
        with _heard() as heard:
            fed = feed(scene, grid, experiment), heard
    _say_again(fed[1])
    if sum(tensor.numpy().nbytes for tensor in fed[0].tensors) <= _FED_BYTES:
        _fed.put(key, fed)
    return fed[0]


@contextmanager
def _heard() -> Iterator[list[warnings.WarningMessage]]:
    """What is warned of inside, instead of a warning."""
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        yield heard


def _say_again(heard: list[warnings.WarningMessage]) -> None:
    for warning in heard:
        warnings.warn(warning.message, warning.category, stacklevel=3)


def _shape_of_values(parts: Parts) -> tuple[int | None, ...]:
    return tuple(parts.pixel_values.tensor.shape)


class _Kept:
    """Steps, and what sets them back."""

    def __init__(self, experiment: Experiment, batch: Batch, truth: Truth) -> None:
        with _heard() as self._heard:
            model = compiled(experiment, batch.channels)
            _initial.put(_initial_key(experiment, batch.channels), _Initial.of(model))
            self.parts = tapped(model, batch)
            self.steps = ManySteps(self.parts, truth, experiment.training)
        self._optimizer = [(variable, variable.numpy()) for variable in model.optimizer.variables]

    def begin(self, experiment: Experiment) -> None:
        """Back to the first step, with this Experiment's seed and learning rate."""
        _say_again(self._heard)
        initial = _initial_of(experiment, self.parts.channels)
        self.steps.weights.assign(initial.weights)
        for variable, value in zip(self.parts.model.non_trainable_variables, initial.others, strict=True):
            variable.assign(value)
        for variable, value in self._optimizer:
            variable.assign(value)
        self.parts.model.optimizer.learning_rate = experiment.training.learning_rate


@dataclass(frozen=True)
class _Initial:
    """What a seed makes: all weights in one array, and the model's other variables, as the seeds of dropout."""

    weights: Any
    others: list[Any]

    @classmethod
    def of(cls, model: keras.Model) -> _Initial:
        return cls(joined(model), [variable.numpy() for variable in model.non_trainable_variables])


def _initial_of(experiment: Experiment, channels: int) -> _Initial:
    key = _initial_key(experiment, channels)
    initial = _initial.take(key)
    if initial is None:
        initial = _Initial.of(compiled(experiment, channels))
    if keeps(experiment):
        _initial.put(key, initial)
    return initial


def _initial_key(experiment: Experiment, channels: int) -> Hashable:
    training = experiment.training
    numbers = training.seed, training.initializer, training.size, training.precision
    return experiment.model, experiment.head, channels, *numbers


def _key(experiment: Experiment, batch: Batch, truth: Truth) -> Hashable:
    """All that a graph of steps depends on."""
    loss, training = experiment.loss, experiment.training
    unseen: dict[str, Any] = {"void": "as_fed"}  # sample weights are fed, and seen as their shape only
    if loss.weighting != "in_loss" and loss.name != "weighted_bce_dice":
        unseen |= {"class_weights": None, "weighting": "pixel"}
    return (
        experiment.model,
        experiment.head,
        loss.model_copy(update=unseen),
        (training.optimizer, training.precision, training.container),
        tuple((tuple(tensor.shape), tensor.dtype) for tensor in (*batch.tensors, *truth.tensors)),
        (batch.channels, batch.weights is None, truth.planes is None, truth.n_classes, truth.threshold),
    )


class _Shelf(Generic[T]):
    """The last few things used, by key. What is taken is another thread's no longer, until it is put back."""

    def __init__(self, at_most: int) -> None:
        self._at_most = at_most
        self._things: OrderedDict[Hashable, T] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, key: Hashable) -> T | None:
        with self._lock:
            return self._things.pop(key, None)

    def __len__(self) -> int:
        return len(self._things)

    def clear(self) -> None:
        with self._lock:
            self._things.clear()

    def put(self, key: Hashable, thing: T) -> None:
        with self._lock:
            self._things[key] = thing
            if len(self._things) > self._at_most:
                self._things.popitem(last=False)


_steps: _Shelf[_Kept] = _Shelf(_STEPS_AT_MOST)
_initial: _Shelf[_Initial] = _Shelf(_INITIAL_AT_MOST)
_fed: _Shelf[tuple[Batch, list[warnings.WarningMessage]]] = _Shelf(_FED_AT_MOST)
