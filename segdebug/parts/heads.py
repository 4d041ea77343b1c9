"""The head: a 1 × 1 convolution to the logits and the activation, attached as people attach it."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf
from keras import layers

from segdebug.experiment import Head
from segdebug.vocabulary import AXIS_ACTIVATIONS, LAYER_CLASSES

__all__ = ["attach", "output_stride"]

LOGITS = "logits"
"""The name of the layer whose output, before any activation of its own, is the logits."""


def output_stride(head: Head) -> int:
    """2 where the head enlarges its own output, else 1."""
    return 2 if head.attachment == "then_upsampling" else 1


def attach(head: Head, features: Any, channels: int, initializer: str) -> Any:
    """The model's output on a feature map (N, h, w, F): (N, H, W, channels), or (N, H*W, channels) where a
    Reshape is part of the attachment."""
    own_activation = _function(head) if head.attachment == "layer" else None
    z = layers.Conv2D(channels, 1, activation=own_activation, kernel_initializer=initializer, name=LOGITS)(features)
    return _ATTACHMENTS[head.attachment](head, z)


def _function(head: Head) -> str | Callable[[Any], Any]:
    """What goes into `activation=`: the name, or the function with its axis where that is not the last."""
    if head.axis != -1:
        return functools.partial(getattr(keras.activations, head.activation), axis=head.axis)
    return head.activation


def _axis(head: Head) -> dict[str, int]:
    return {"axis": head.axis} if head.activation in AXIS_ACTIVATIONS else {}


def _activation_layer(head: Head, x: Any, **more: Any) -> Any:
    return layers.Activation(_function(head), **more)(x)


def _layer_class(head: Head, z: Any) -> Any:
    return getattr(layers, LAYER_CLASSES[head.activation])(**_axis(head))(z)


def _ops(head: Head, z: Any) -> Any:
    """keras.ops has no function that does nothing, so a linear head stays as it is."""
    return z if head.activation == "linear" else getattr(keras.ops, head.activation)(z, **_axis(head))


def _lambda_tf(head: Head, z: Any) -> Any:
    function = tf.identity if head.activation == "linear" else getattr(tf.nn, head.activation)
    return layers.Lambda(functools.partial(function, **_axis(head)))(z)


def _flat(x: Any) -> Any:
    return layers.Reshape((x.shape[1] * x.shape[2], x.shape[3]))(x)


_ATTACHMENTS: dict[str, Callable[[Head, Any], Any]] = {
    "layer": lambda head, z: z,  # noqa: ARG005 - the convolution has the activation
    "activation_layer": _activation_layer,
    "layer_class": _layer_class,
    "ops": _ops,
    "lambda_tf": _lambda_tf,
    "after_reshape": lambda head, z: _activation_layer(head, _flat(z)),
    "then_reshape": lambda head, z: _flat(_activation_layer(head, z)),
    "then_dropout": lambda head, z: layers.Dropout(0.1)(_activation_layer(head, z)),
    "then_upsampling": lambda head, z: layers.UpSampling2D(2, interpolation="bilinear")(_activation_layer(head, z)),
    "then_lambda": lambda head, z: layers.Lambda(tf.identity)(_activation_layer(head, z)),
    "float32_layer": lambda head, z: _activation_layer(head, z, dtype="float32"),
}
