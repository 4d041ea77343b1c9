"""The part of the script that makes the model: `parts.unet` and `parts.heads`, written out for one configuration."""

from __future__ import annotations

from segdebug.experiment import Experiment, Head
from segdebug.vocabulary import AXIS_ACTIVATIONS, LAYER_CLASSES

__all__ = ["functions", "model"]


def functions(experiment: Experiment) -> str:
    """The U-Net; nothing where the model is a single convolution."""
    depth = experiment.model.depth
    if depth == 0:
        return ""
    coarse = _coarse(experiment.head)
    levels = "range(1, DEPTH)" if coarse else "range(DEPTH)"
    half = " Its output has half the picture's size." if coarse else ""
    return f'''\
FILTERS, DEPTH = {experiment.model.filters}, {depth}


def convolution(x, filters):
    return layers.Conv2D(filters, 3, padding="same", activation="relu"{_initializer(experiment)})(x)


def unet(x):
    """Two 3 × 3 convolutions a level, transposed convolutions on the way up.{half}"""
    skips = []
    for level in range(DEPTH):
        x = convolution(convolution(x, FILTERS * 2**level), FILTERS * 2**level)
        skips.append(x)
        x = layers.MaxPooling2D()(x)
    x = convolution(convolution(x, FILTERS * 2**DEPTH), FILTERS * 2**DEPTH)
    for level in reversed({levels}):
        filters = FILTERS * 2**level
        x = layers.Conv2DTranspose(filters, 2, strides=2, padding="same"{_initializer(experiment)})(x)
        x = layers.Concatenate()([skips[level], x])
        x = convolution(convolution(x, filters), filters)
    return x


'''


def model(experiment: Experiment, k: str) -> str:
    """Code that makes `model`; k: an expression for the number of channels."""
    head = experiment.head
    if experiment.model.depth:
        features = "unet(image)"
    else:
        strides = ", strides=2" if _coarse(head) else ""
        given = f'{strides}, padding="same", activation="relu"{_initializer(experiment)}'
        features = f"layers.Conv2D({experiment.model.filters}, 3{given})(image)"
    own = f", activation={_function(head)}" if head.attachment == "layer" and head.activation != "linear" else ""
    return "\n".join(
        [
            "image = keras.Input((SIZE, SIZE, 3))",
            f"features = {features}",
            f"output = layers.Conv2D({k}, 1{own}{_initializer(experiment)})(features)",
            *_attached(head),
            "model = keras.Model(image, output)",
            "",
        ]
    )


def _attached(head: Head) -> list[str]:
    activation = f"output = layers.Activation({_function(head)})(output)"
    flat = "output = layers.Reshape((-1, output.shape[-1]))(output)"
    return {
        "layer": [],
        "activation_layer": [activation],
        "layer_class": [f"output = layers.{LAYER_CLASSES.get(head.activation, '')}({_axis(head)})(output)"],
        "ops": _ops(head),
        "lambda_tf": [f"output = layers.Lambda({_tensorflow(head)})(output)"],
        "after_reshape": [flat, activation],
        "then_reshape": [activation, flat],
        "then_dropout": [activation, "output = layers.Dropout(0.1)(output)"],
        "then_upsampling": [activation, 'output = layers.UpSampling2D(2, interpolation="bilinear")(output)'],
        "then_lambda": [activation, "output = layers.Lambda(tf.identity)(output)"],
        "float32_layer": [activation.replace(")(output)", ', dtype="float32")(output)')],
    }[head.attachment]


def _ops(head: Head) -> list[str]:
    if head.activation == "linear":
        return []
    axis = f", {_axis(head)}" if _axis(head) else ""
    return [f"output = keras.ops.{head.activation}(output{axis})"]


def _function(head: Head) -> str:
    if head.axis != -1:
        return f"functools.partial(keras.activations.{head.activation}, axis={head.axis})"
    return f'"{head.activation}"'


def _tensorflow(head: Head) -> str:
    if head.activation == "linear":
        return "tf.identity"
    return f"functools.partial(tf.nn.{head.activation}, {_axis(head)})" if _axis(head) else f"tf.nn.{head.activation}"


def _axis(head: Head) -> str:
    return f"axis={head.axis}" if head.activation in AXIS_ACTIVATIONS and head.axis != -1 else ""


def _coarse(head: Head) -> bool:
    return head.attachment == "then_upsampling"


def _initializer(experiment: Experiment) -> str:
    name = experiment.training.initializer
    return "" if name == "glorot_uniform" else f', kernel_initializer="{name}"'
