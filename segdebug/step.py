"""Training steps on real Keras objects that return every record from their own forward pass.

They do what `keras.Model.train_step` does, in the kind of function that `fit` would build, and tap the logits
and the unreduced loss on their way. Nothing is computed again from `predict`: Keras's hidden swap of an output
for its logits would not survive that.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from segdebug.parts.build import Batch, Parts
from segdebug.parts.variables import OneVariable, OwnVariables, quickest
from segdebug.records import EVERY_STEP, StepRecord, Truth, records
from segdebug.scene import GridScene
from segdebug.stages import Training

__all__ = ["ManySteps", "Stretch", "build_step", "one_by_one"]

_Passed = tuple[Any, ...]
"""What a step hands to its records: output, logits, loss, unreduced loss, dL/dz (scaled), scale."""


class Stretch(NamedTuple):
    """Consecutive steps: what was recorded of each, stacked, and all that was recorded of the last one."""

    every_step: dict[str, NDArray[Any]]
    last: StepRecord


def build_step(parts: Parts, grid: GridScene, n_classes: int, threshold: float, training: Training) -> Any:
    """A function () → StepRecord that does one training step; a tf.function unless execution is eager."""
    truth, fed = Truth.of(grid, n_classes, parts.channels, threshold), parts.batch.tensors
    train = _training(parts, OwnVariables(parts.model))

    def record(*passed: Any) -> StepRecord:
        return _recorded(truth, parts.weights, passed)

    if training.execution == "eager":
        return lambda: record(*train(*fed))
    # As fit does it: not converted by AutoGraph, compiled by XLA only where that was asked for. The records are
    # made in a function of their own: within the step they would change how TensorFlow fuses and casts it, which
    # shows in the digits of half precision.
    traced = tf.function(
        train, input_signature=_as_fit_traces(fed, training), jit_compile=training.execution == "xla", autograph=False
    )
    recorded = tf.function(record, autograph=False)
    return lambda: recorded(*traced(*fed))


def one_by_one(step: Callable[[], StepRecord], n: int) -> Stretch:
    """At most `n` calls of a step of `build_step`; fewer where one of them ended the run."""
    rows: list[dict[str, Any]] = []
    for _ in range(n):
        record = step()
        rows.append({key: record[key].numpy() for key in EVERY_STEP})
        if rows[-1]["end"]:
            break
    return Stretch({key: np.stack([row[key] for row in rows]) for key in EVERY_STEP}, record)


class ManySteps:
    """Several training steps in one call of TensorFlow's, with the bits of `build_step`'s in a graph.

    Step and records are functions of their own in it, as they are there, so TensorFlow optimizes the step by itself
    as it does fit's. Batch and truth are arguments: it serves every run that differs in nothing else. Making one
    traces everything, and raises what Keras refuses.
    """

    def __init__(self, parts: Parts, truth: Truth, training: Training) -> None:
        self.weights = quickest(parts.model)
        self._fed = _as_fit_traces(parts.batch.tensors, training)
        self._weighted = parts.weights is not None
        apart = {"autograph": False, "experimental_attributes": {"_noinline": True}}
        train = tf.function(_training(parts, self.weights), input_signature=self._fed, **apart)
        self._train = train.get_concrete_function()

        def record(passed: _Passed, sample_weights: Any, *given: Any) -> StepRecord:
            return _recorded(truth.with_tensors(given), sample_weights, passed)

        self._record = tf.function(record, **apart).get_concrete_function(
            self._train.structured_outputs, self._fed[-1] if self._weighted else None, *_specs(truth.tensors)
        )
        n = tf.TensorSpec((), tf.int32)
        self._loop = tf.function(self._walk, autograph=False).get_concrete_function(
            n, *self._fed, *_specs(truth.tensors)
        )

    def __call__(self, batch: Batch, truth: Truth, n: int) -> Stretch:
        """At most `n` steps on this batch against this truth; fewer where one of them ended the run."""
        every_step, last = self._loop(tf.constant(n), *batch.tensors, *truth.tensors)
        arrays = {key: array.numpy() for key, array in every_step.items()}
        done = int(np.argmax(np.append(arrays["end"], 1) != 0)) + 1  # it went on to the n-th; that counts for nothing
        return Stretch({key: array[:done] for key, array in arrays.items()}, last)

    def _walk(self, n: Any, *given: Any) -> Any:
        fed, truth = given[: len(self._fed)], given[len(self._fed) :]
        specs: dict[str, tf.TensorSpec] = self._record.structured_outputs
        rows = {
            key: tf.TensorArray(specs[key].dtype, size=n, element_shape=specs[key].shape, clear_after_read=False)
            for key in EVERY_STEP
        }
        nothing = {key: tf.zeros([d or 0 for d in spec.shape], spec.dtype) for key, spec in specs.items()}

        def one_more(done: Any, trained: Any, last: StepRecord, rows: Any) -> Any:
            with tf.control_dependencies([trained]):
                passed = self._train(*fed)
            record = self._record(passed, fed[-1] if self._weighted else None, *truth)
            rows = {key: array.write(done, record[key]) for key, array in rows.items()}
            _, _, loss, *_ = passed
            return done + 1, loss, tf.cond(last["end"] == 0, lambda: record, lambda: last), rows

        # Two iterations at a time: a step's records are made beside the next step, which waits for the weights alone.
        _, _, spec, *_ = self._train.structured_outputs
        _, _, last, rows = tf.while_loop(
            lambda done, *_: done < n,
            one_more,
            (tf.constant(0), tf.zeros((), spec.dtype), nothing, rows),
            shape_invariants=(
                tf.TensorShape(()),
                tf.TensorShape(None),
                {key: spec.shape for key, spec in specs.items()},
                {key: tf.TensorShape(None) for key in EVERY_STEP},
            ),
            parallel_iterations=2,
        )
        return {key: array.stack() for key, array in rows.items()}, last


def _training(parts: Parts, weights: OwnVariables | OneVariable) -> Callable[..., _Passed]:
    """What fit's train_step does with a batch, and what its records are made from."""
    model, optimizer = parts.model, parts.model.optimizer

    def train(x: Any, y: Any, sample_weights: Any = None) -> _Passed:
        with tf.GradientTape() as tape:
            tensors = weights.tensors()
            output = weights.call(x, tensors)
            loss = model.compute_loss(x, y, output, sample_weights, training=True)
            scaled = optimizer.scale_loss(loss)
        logits, values = parts.logits.tensor, parts.pixel_values.tensor
        at_logits, *gradients = tape.gradient(scaled, [logits, *tensors])
        if at_logits is None:
            at_logits = tf.zeros_like(logits)
        scale = optimizer.scale_loss(tf.ones(()))
        weights.apply(gradients)
        return output, logits, loss, values, at_logits, scale

    return train


def _recorded(truth: Truth, sample_weights: Any, passed: _Passed) -> StepRecord:
    output, logits, loss, values, at_logits, scale = passed
    at_logits = tf.cast(at_logits, tf.float32) / tf.cast(scale, tf.float32)
    return records(truth, output, logits, tf.reduce_mean(loss), values, sample_weights, at_logits)


def _as_fit_traces(fed: Sequence[Any], training: Training) -> list[tf.TensorSpec]:
    """A batch of arrays has its size while fit traces, one of a Dataset has none: TensorFlow then simplifies
    other sums, and the last digits differ."""
    open_ended = training.container == "tf_data"
    return [tf.TensorSpec((None if open_ended else t.shape[0], *t.shape[1:]), t.dtype) for t in fed]


def _specs(tensors: Sequence[Any]) -> list[tf.TensorSpec]:
    return [tf.TensorSpec(tensor.shape, tensor.dtype) for tensor in tensors]
