"""Where a model's weights are kept while it trains: in its own variables, as fit has them, or all in one.

With an optimizer that works on each number by itself one long variable gets the same bits as many short ones, and
TensorFlow has some 2,000 operations less to start in each step. Not so RMSprop: its reciprocal square root has other
last digits in the middle of an array, where it is taken of several numbers at once, than at its end.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

__all__ = ["OneVariable", "OwnVariables", "joined", "quickest"]

Array = NDArray[np.float32]

_EXACT_IN_ONE = (keras.optimizers.Adam, keras.optimizers.AdamW, keras.optimizers.SGD)


def quickest(model: keras.Model) -> OwnVariables | OneVariable:
    """All in one, where its optimizer then computes the same bits."""
    optimizer = getattr(model.optimizer, "inner_optimizer", model.optimizer)  # a loss scale's
    return OneVariable(model) if type(optimizer) in _EXACT_IN_ONE else OwnVariables(model)


class OwnVariables:
    """The model's own variables, each with its own part of the optimizer."""

    def __init__(self, model: keras.Model) -> None:
        self._model = model
        model.optimizer.build(model.trainable_variables)

    def tensors(self) -> list[Any]:
        """The weights, as the gradient is to be taken of."""
        return list(self._model.trainable_variables)

    def call(self, x: Any, tensors: Sequence[Any]) -> Any:  # noqa: ARG002 - they are the model's own
        """The model's output in training, with these weights."""
        return self._model(x, training=True)

    def apply(self, gradients: Sequence[Any]) -> None:
        """One step of the model's own optimizer."""
        self._model.optimizer.apply_gradients(zip(gradients, self._model.trainable_variables, strict=True))

    def assign(self, values: Array) -> None:
        """Set all of them, as `joined` gives them."""
        pieces = np.split(values, np.cumsum([int(np.prod(v.shape)) for v in self._model.trainable_variables])[:-1])
        for variable, piece in zip(self._model.trainable_variables, pieces, strict=True):
            variable.assign(piece.reshape(variable.shape))


class OneVariable:
    """A variable that holds every weight, one after the other; the model computes on pieces of it.

    The model's own variables keep their first values. What it counts on its way, as the seeds of dropout, goes on in
    its own variables.
    """

    def __init__(self, model: keras.Model) -> None:
        self._model = model
        self._shapes = [tuple(variable.shape) for variable in model.trainable_variables]
        self._sizes = [int(np.prod(shape)) for shape in self._shapes]
        self.variable = keras.Variable(joined(model), dtype="float32", name="weights")
        model.optimizer.build([self.variable])

    def tensors(self) -> list[Any]:
        """The weights, as the gradient is to be taken of."""
        pieces = tf.split(tf.convert_to_tensor(self.variable.value), self._sizes)
        return [_of_shape(piece, shape) for piece, shape in zip(pieces, self._shapes, strict=True)]

    def call(self, x: Any, tensors: Sequence[Any]) -> Any:
        """The model's output in training, with these weights."""
        mapping = list(zip(self._model.trainable_variables, tensors, strict=True))
        with keras.StatelessScope(state_mapping=mapping) as scope:
            output = self._model(x, training=True)
        for variable in self._model.non_trainable_variables:
            value = scope.get_current_value(variable)
            if value is not None:
                variable.assign(value)
        return output

    def apply(self, gradients: Sequence[Any]) -> None:
        """One step of the model's own optimizer. A weight that nothing depends on has a gradient of zero; where
        that is so of all, Keras says so."""
        if all(gradient is None for gradient in gradients):
            self._model.optimizer.apply_gradients([(None, self.variable)])
            return
        pieces = [
            tf.zeros((size,)) if gradient is None else _of_shape(gradient, (size,))
            for gradient, size in zip(gradients, self._sizes, strict=True)
        ]
        self._model.optimizer.apply_gradients([(tf.concat(pieces, axis=0), self.variable)])

    def assign(self, values: Array) -> None:
        """Set all of them, as `joined` gives them."""
        self.variable.assign(values)


def joined(model: keras.Model) -> Array:
    """(n,) float32: every trainable weight of the model."""
    return np.concatenate([np.ravel(variable.numpy()) for variable in model.trainable_variables])


def _of_shape(tensor: Any, shape: tuple[int, ...]) -> Any:
    return tensor if tuple(tensor.shape) == shape else tf.reshape(tensor, shape)  # tracing counts each operation
