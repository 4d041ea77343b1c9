"""The probe's measurements: the real head and the real loss object, on logits that are known.

The head's convolution is given the identity as its kernel, so that what goes in are the logits; everything behind it
is what `build` would make, in the execution and precision that were asked for.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from segdebug.parts import heads
from segdebug.parts.build import dtype_policy
from segdebug.parts.losses import build_loss
from segdebug.parts.taps import Tap
from segdebug.semantics.question import Question

__all__ = ["Measured", "Probe"]

Array = NDArray[Any]

# Each probe traces functions of its own, once; TensorFlow takes that for a loop that retraces by mistake.
logging.getLogger("tensorflow").addFilter(lambda record: "triggered tf.function retracing" not in record.getMessage())


@dataclass(frozen=True)
class Measured:
    """One batch through head and loss. output, logits, gradient (dL/dz of the mean loss) and values as float64, with
    the batch axis; loss: what fit prints."""

    logits: Array
    output: Array
    values: Array
    gradient: Array
    loss: float


class Probe:
    """A model that is nothing but the head, compiled with the loss. Raises whatever Keras raises."""

    def __init__(self, question: Question) -> None:
        self.question = question
        self.heard: list[str] = []
        with self._listening(), dtype_policy(question.precision):
            shape = (*question.logits_grid, question.channels)
            x = keras.Input(shape)
            self.model = keras.Model(x, heads.attach(question.head, x, question.channels, "zeros"))
            logits = self.model.get_layer(heads.LOGITS)
            logits.set_weights([np.eye(question.channels)[None, None], np.zeros(question.channels)])
            self.model.compile(
                loss=build_loss(question.loss, question.head, question.channels),
                run_eagerly=question.execution == "eager",
                jit_compile=question.execution == "xla",
            )
            self._z = Tap.on(logits, "activation")
            self._values = Tap.on(self.model.loss, "call", result=True)
        self._step = self._traced()

    def train(self, logits: Array, labels: Array) -> Measured:
        """What a training step computes."""
        with self._listening():
            output, z, values, gradient, loss = self._step(tf.constant(logits, tf.float32), tf.constant(labels))
        arrays = [np.asarray(tf.cast(tensor, tf.float64)) for tensor in (z, output, values, gradient)]
        return Measured(arrays[0], arrays[1], arrays[2], arrays[3], float(loss))

    def evaluate(self, logits: Array, labels: Array) -> float:
        """What `model.evaluate` prints."""
        with self._listening():
            return float(self.model.test_on_batch(logits.astype(np.float32), labels))

    def of_predict(self, logits: Array, labels: Array) -> float:
        """`loss(y, model.predict(x))`."""
        with self._listening():
            predicted = self.model.predict_on_batch(logits.astype(np.float32))
            return float(tf.reduce_mean(tf.cast(self.model.loss(labels, predicted), tf.float32)))

    def _traced(self) -> Callable[..., Any]:
        def step(x: Any, y: Any) -> tuple[Any, ...]:
            with tf.GradientTape() as tape:
                output = self.model(x, training=True)
                loss = self.model.compute_loss(x, y, output, None, training=True)
            z, values = self._z.tensor, self._values.tensor
            gradient = tape.gradient(loss, z)
            return output, z, values, tf.zeros_like(z) if gradient is None else gradient, tf.reduce_mean(loss)

        if self.question.execution == "eager":
            return step
        return tf.function(step, jit_compile=self.question.execution == "xla", autograph=False)

    def _listening(self) -> Any:
        return _Listening(self.heard)


class _Listening(warnings.catch_warnings):
    """Every warning inside is kept in a list, each text once, and shown to nobody."""

    def __init__(self, heard: list[str]) -> None:
        super().__init__(record=True)
        self._heard = heard

    def __enter__(self) -> Any:
        self._log = super().__enter__()
        warnings.simplefilter("always")
        return self._log

    def __exit__(self, *exc: Any) -> None:
        super().__exit__(*exc)
        for warning in self._log or ():
            text = str(warning.message)
            if issubclass(warning.category, (UserWarning, SyntaxWarning)) and text not in self._heard:
                self._heard.append(text)
