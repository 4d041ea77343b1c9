"""Every loss of the vocabulary as a Keras loss object: Keras's own classes, sums of them, TensorFlow's raw
functions, and the formulas of `regions`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras
import tensorflow as tf
from keras import ops

from segdebug.experiment import Head, Loss
from segdebug.parts import regions
from segdebug.vocabulary import LOSSES

__all__ = ["build_loss"]

_KERAS_CLASSES = {
    "binary_crossentropy": keras.losses.BinaryCrossentropy,
    "binary_focal_crossentropy": keras.losses.BinaryFocalCrossentropy,
    "categorical_crossentropy": keras.losses.CategoricalCrossentropy,
    "categorical_focal_crossentropy": keras.losses.CategoricalFocalCrossentropy,
    "sparse_categorical_crossentropy": keras.losses.SparseCategoricalCrossentropy,
    "dice": keras.losses.Dice,
    "tversky": keras.losses.Tversky,
    "mean_squared_error": keras.losses.MeanSquaredError,
    "mean_absolute_error": keras.losses.MeanAbsoluteError,
    "kl_divergence": keras.losses.KLDivergence,
    "categorical_hinge": keras.losses.CategoricalHinge,
}

_FORMULAS: dict[str, Callable[[Any, Any], Any]] = {
    "jaccard": regions.jaccard,
    "lovasz": regions.lovasz,
    "negative_dice": regions.negative_dice,
    "sigmoid_cross_entropy_with_logits": lambda y, z: tf.nn.sigmoid_cross_entropy_with_logits(labels=y, logits=z),
    "softmax_cross_entropy_with_logits": lambda y, z: tf.nn.softmax_cross_entropy_with_logits(labels=y, logits=z),
    # Keras hands every loss float labels, and tf.nn takes integers only.
    "sparse_softmax_cross_entropy_with_logits": lambda y, z: tf.nn.sparse_softmax_cross_entropy_with_logits(
        labels=tf.cast(y, tf.int64), logits=z
    ),
}


class FunctionLoss(keras.losses.Loss):
    """A function of (y_true, y_pred) as a Keras loss, without the rank matching that Keras's own losses do."""

    def __init__(self, function: Callable[[Any, Any], Any], reduction: str, name: str) -> None:
        super().__init__(reduction=reduction, name=name)
        self._function = function

    def call(self, y_true: Any, y_pred: Any) -> Any:
        return self._function(y_true, y_pred)


def build_loss(loss: Loss, head: Head, channels: int) -> keras.losses.Loss:
    """The loss object that is compiled into the model, with class weights inside where the person put them.

    A loss takes the head and its channels only to choose between binary and categorical focal loss.
    """
    built = _unweighted(loss, head, channels)
    if loss.weighting != "in_loss" or loss.class_weights is None or loss.name == "weighted_bce_dice":
        return built
    weights = loss.class_weights
    return FunctionLoss(
        lambda y, p: built.call(y, p) * selected_weights(weights, y, p),
        loss.reduction,
        f"weighted_{loss.name}",
    )


def _unweighted(loss: Loss, head: Head, channels: int) -> keras.losses.Loss:
    if loss.name in _KERAS_CLASSES:
        return _KERAS_CLASSES[loss.name](reduction=loss.reduction, **_parameters(loss))
    function = _FORMULAS.get(loss.name) or _sum_of_parts(loss, head, channels)
    return FunctionLoss(function, loss.reduction, loss.name)


def _parameters(loss: Loss) -> dict[str, Any]:
    """The parameters that this loss takes and that were set; the others keep Keras's own defaults."""
    given = {name: getattr(loss, name) for name in LOSSES[loss.name].accepts}
    return {name: value for name, value in given.items() if value is not None}


def _sum_of_parts(loss: Loss, head: Head, channels: int) -> Callable[[Any, Any], Any]:
    if loss.name == "weighted_bce_dice":
        return _class_selector(loss.class_weights)
    parameters = _parameters(loss)
    binary = loss.name.startswith("bce") or (
        loss.name == "focal_dice" and (head.activation == "sigmoid" or channels == 1)
    )
    kind = "focal_crossentropy" if loss.name == "focal_dice" else "crossentropy"
    pixels = _KERAS_CLASSES[f"{'binary' if binary else 'categorical'}_{kind}"](**parameters)
    region = regions.jaccard if loss.name.endswith("jaccard") else keras.losses.dice
    probabilities = ops.sigmoid if binary else ops.softmax

    def total(y_true: Any, y_pred: Any) -> Any:
        p = probabilities(y_pred) if loss.from_logits else y_pred
        return pixels.call(y_true, y_pred) + region(y_true, p)

    return total


def _class_selector(weights: Sequence[float] | None) -> Callable[[Any, Any], Any]:
    """w[argmax y] · (BCE(y, p) - (1 + dice)): a map of pixels, in which dice is one number for all."""

    def selected(y_true: Any, y_pred: Any) -> Any:
        pixels = keras.losses.binary_crossentropy(y_true, y_pred)
        dice = regions.dice_coefficient(y_true, y_pred)
        selector = 1.0 if weights is None else selected_weights(weights, y_true, y_pred)
        return selector * (pixels - (1.0 + dice))

    return selected


def selected_weights(weights: Sequence[float], y_true: Any, y_pred: Any) -> Any:
    """The weight of each pixel's class: of argmax(y_true) where labels have a class axis, of the id itself
    where they are ids. As tf.gather does, an id out of range is an error on a CPU and 0 on a GPU."""
    table = ops.convert_to_tensor(list(weights), dtype="float32")
    if len(y_true.shape) == len(y_pred.shape) and y_true.shape[-1] != 1:
        ids = ops.argmax(y_true, axis=-1)
    else:
        squeezed = ops.squeeze(y_true, axis=-1) if len(y_true.shape) == len(y_pred.shape) else y_true
        ids = ops.cast(squeezed, "int32")
    return ops.take(table, ids, axis=0)
