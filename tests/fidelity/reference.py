"""The independent side of the fidelity tests: the model, labels, weights and loss as a user would write them
by the documentation, trained by the real `compile` and `fit`.

It imports nothing from segdebug. It is given a plain dict (an Experiment's JSON) and a `Picture`, and gives the
loss that `fit` prints at each step, or raises whatever Keras raises.
"""

from __future__ import annotations

import inspect
import io
import tempfile
import warnings
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers
from PIL import Image

STEPS = 20


@dataclass(frozen=True)
class Picture:
    """One image and its truth, as plain arrays.

    image (H, W, 3) float32 in [0, 1]; ids (H, W), -1 where void; planes (H, W, K) bool where classes overlap;
    valid (H, W) bool; files: the mask files' bytes; file_class: each file's class, None where it has them all;
    stated: the classes that some file draws (a background that is only "the rest" is not among them).
    """

    image: np.ndarray
    ids: np.ndarray
    n_classes: int
    valid: np.ndarray
    planes: np.ndarray | None = None
    files: tuple[bytes, ...] = ()
    file_class: tuple[int | None, ...] = ()
    stated: tuple[int, ...] = ()


# -- labels ------------------------------------------------------------------------------------------------


def read_mask(data: bytes, reader: str) -> np.ndarray:
    """One mask file, as the named library returns it."""
    if reader == "pillow":
        return np.array(Image.open(io.BytesIO(data)))
    if reader == "pillow_l":
        return np.array(Image.open(io.BytesIO(data)).convert("L"))
    if reader == "tensorflow":
        return tf.squeeze(tf.io.decode_image(data, channels=1), -1).numpy()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mask.png"
        path.write_bytes(data)
        if reader == "keras_load_img":
            return keras.utils.img_to_array(keras.utils.load_img(path, color_mode="grayscale"), dtype="uint8").squeeze(
                -1
            )
        if reader == "matplotlib":
            import matplotlib.pyplot as plt

            return plt.imread(path)
        import cv2

        return cv2.imread(str(path), cv2.IMREAD_COLOR if reader == "opencv_color" else cv2.IMREAD_GRAYSCALE)


def loaded(picture: Picture, target: dict[str, Any]) -> tuple[list[np.ndarray], list[int]]:
    """The arrays that the loader gives, and the channel in which each is summed."""
    if target["reader"] != "scene":
        arrays = [read_mask(data, target["reader"]) for data in picture.files]
        channels = [i if c is None else c for i, c in enumerate(picture.file_class)]
        return arrays, channels
    if target["encoding"] == "summed_planes":
        if picture.planes is None:
            return [(picture.ids == c) * np.uint8(1) for c in picture.stated], list(picture.stated)
        return [picture.planes[:, :, c] * np.uint8(1) for c in picture.stated], list(picture.stated)
    if picture.planes is not None:
        return [picture.planes * np.uint8(1)], [0]
    ids = picture.ids.astype("int32")
    ids[ids == -1] = 255
    return [ids], [0]


def stretch(array: np.ndarray, size: int, method: str) -> np.ndarray:
    """tf.image.resize of (H, W) or (H, W, C); nearest keeps the type, bilinear makes floats."""
    if array.dtype == bool:
        return stretch(array.astype("uint8"), size, method).astype(bool)
    channels = array.reshape(*array.shape[:2], -1)
    if method == "nearest":
        out = tf.image.resize(channels, [size, size], method="nearest").numpy()
    else:
        out = tf.image.resize(tf.cast(channels, tf.float32), [size, size], method="bilinear").numpy()
    return out.reshape(size, size, *array.shape[2:])


def rescale(array: np.ndarray, how: str) -> np.ndarray:
    if how == "divide_255":
        return array.astype("float32") / 255.0
    if how == "divide_max":
        return array.astype("float32") / array.max().astype("float32") if array.max() > 0 else array
    if how == "threshold":
        return np.where(array > 0.5, 1, 0)
    return array


def labels_as_fed(picture: Picture, target: dict[str, Any], channels: int, size: int) -> np.ndarray:
    """y of one image: reader, resize, scale, encoding, layout, dtype, in that order."""
    arrays, where = loaded(picture, target)
    arrays = [rescale(stretch(a, size, target["resize"]), target["scale"]) for a in arrays]
    encoding = target["encoding"]
    if encoding == "summed_planes":
        y = np.zeros((size, size, channels), "float32")
        for array, channel in zip(arrays, where, strict=True):
            y[:, :, channel] += array
    else:
        y = arrays[0] if len(arrays) == 1 else np.stack(arrays, -1)
        if encoding == "one_hot":
            y = tf.one_hot(y.astype("int32"), channels).numpy()
        elif encoding == "sparse":
            y = y.astype("int32")
        elif encoding == "sparse_one_based":
            y = y.astype("int32") + 1
        elif encoding == "single_channel":
            if y.ndim != 2:
                raise ValueError(f"single_channel: one value a pixel is needed, not shape {y.shape}")
            y = y[:, :, np.newaxis].astype("float32")
    if target["layout"] == "flat":
        y = y.reshape(-1, *y.shape[2:])
    elif target["layout"] == "trailing_axis" and encoding != "single_channel":
        y = y[..., np.newaxis]
    return y.astype(target["dtype"])


# -- image and weights -------------------------------------------------------------------------------------


def image_as_fed(picture: Picture, size: int, input_range: str) -> np.ndarray:
    """(S, S, 3) float32: stretched with Pillow, channel by channel."""
    bands = [Image.fromarray(picture.image[:, :, c]) for c in range(3)]
    image = np.stack([np.array(b.resize((size, size), Image.Resampling.BILINEAR)) for b in bands], -1)
    image = image.clip(0, 1)
    if input_range == "0..255":
        image = image * 255
    elif input_range == "-1..1":
        image = image * 2 - 1
    return image.astype("float32")


def pixel_weights(picture: Picture, loss: dict[str, Any], size: int) -> np.ndarray | None:
    """(S, S) float32: each pixel's class weight, 0 where void is left out; None where nothing is weighed."""
    valid = stretch(picture.valid, size, "nearest")
    per_class = loss["class_weights"] if loss["weighting"] == "pixel" else None
    skips_void = loss["void"] == "zero_weight" and not np.all(valid)
    if per_class is None and not skips_void:
        return None
    weights = np.ones((size, size), "float32")
    if per_class is not None:
        if picture.planes is None:
            ids = stretch(picture.ids, size, "nearest")
        else:
            ids = stretch(picture.planes, size, "nearest").argmax(-1)
        for c, weight in enumerate(per_class):
            weights[(ids == c) & valid] = weight
    if skips_void:
        weights[~valid] = 0
    return weights


# -- model -------------------------------------------------------------------------------------------------


def u_net(x: Any, filters: int, depth: int, init: str, half: bool) -> Any:
    conv = partial(layers.Conv2D, kernel_size=3, padding="same", activation="relu", kernel_initializer=init)
    if depth == 0:
        return conv(filters, strides=2 if half else 1)(x)
    skips = []
    for level in range(depth):
        x = conv(filters * 2**level)(x)
        x = conv(filters * 2**level)(x)
        skips.append(x)
        x = layers.MaxPooling2D()(x)
    x = conv(filters * 2**depth)(x)
    x = conv(filters * 2**depth)(x)
    for level in range(depth - 1, 0 if half else -1, -1):
        up = layers.Conv2DTranspose(filters * 2**level, 2, strides=2, padding="same", kernel_initializer=init)(x)
        x = layers.Concatenate()([skips[level], up])
        x = conv(filters * 2**level)(x)
        x = conv(filters * 2**level)(x)
    return x


LAYER_CLASS = {"softmax": layers.Softmax, "relu": layers.ReLU}


def head(x: Any, name: str, attachment: str, channels: int, axis: int, init: str) -> Any:
    """The last layer, the ways people write it."""
    conv = partial(layers.Conv2D, channels, 1, kernel_initializer=init)
    takes_axis = name in ("softmax", "log_softmax")
    activation: Any = name
    if axis != -1:
        if not takes_axis:
            raise TypeError(f"{name}() got an unexpected keyword argument 'axis'")
        activation = lambda z: getattr(keras.activations, name)(z, axis=axis)  # noqa: E731

    if attachment == "layer":
        return conv(activation=activation)(x)
    z = conv()(x)
    flat = layers.Reshape((-1, channels), name="flat")
    if attachment == "layer_class":
        if name not in LAYER_CLASS:
            raise TypeError(f"keras.layers has no class for {name}")
        return (LAYER_CLASS[name](axis=axis) if takes_axis else LAYER_CLASS[name]())(z)
    if attachment == "ops":
        if name == "linear":
            return z
        return getattr(keras.ops, name)(z, axis=axis) if takes_axis else getattr(keras.ops, name)(z)
    if attachment == "lambda_tf":
        if name == "linear":
            return layers.Lambda(lambda t: tf.identity(t))(z)
        if takes_axis:
            return layers.Lambda(lambda t: getattr(tf.nn, name)(t, axis=axis))(z)
        return layers.Lambda(lambda t: getattr(tf.nn, name)(t))(z)
    if attachment == "after_reshape":
        return layers.Activation(activation)(flat(z))
    if attachment == "float32_layer":
        return layers.Activation(activation, dtype="float32")(z)
    p = layers.Activation(activation)(z)
    after = {
        "activation_layer": lambda t: t,
        "then_reshape": flat,
        "then_dropout": layers.Dropout(0.1),
        "then_upsampling": layers.UpSampling2D((2, 2), interpolation="bilinear"),
        "then_lambda": layers.Lambda(lambda t: tf.identity(t)),
    }
    return after[attachment](p)


# -- losses ------------------------------------------------------------------------------------------------


def soft_dice(y: Any, p: Any) -> Any:
    return (2 * tf.reduce_sum(y * p) + 1) / (tf.reduce_sum(y) + tf.reduce_sum(p) + 1)


def jaccard_loss(y: Any, p: Any) -> Any:
    inter = tf.reduce_sum(y * p)
    union = tf.reduce_sum(y) + tf.reduce_sum(p) - inter
    return 1 - (inter + 1e-7) / (union + 1e-7)


def lovasz_loss(y: Any, p: Any) -> Any:
    """Berman et al. 2018, algorithm 1: mean over the classes that occur."""
    k = y.shape[-1]
    y, p = tf.reshape(y, [-1, k]), tf.reshape(p, [-1, k])
    errors = tf.abs(y - p)
    largest_first = tf.argsort(errors, axis=0, direction="DESCENDING", stable=True)
    sorted_errors = _rows(errors, largest_first)
    truth = _rows(y, largest_first)
    positives = tf.reduce_sum(truth, axis=0, keepdims=True)
    inter = positives - tf.cumsum(truth, axis=0)
    union = positives + tf.cumsum(1.0 - truth, axis=0)
    jaccard = 1.0 - inter / tf.maximum(union, 1e-7)
    steps = tf.concat([jaccard[:1], jaccard[1:] - jaccard[:-1]], axis=0)
    losses = tf.reduce_sum(sorted_errors * steps, axis=0)
    there = tf.cast(tf.reduce_sum(y, axis=0) > 0, tf.float32)
    return tf.reduce_sum(losses * there) / tf.maximum(tf.reduce_sum(there), 1.0)


def _rows(values: Any, order: Any) -> Any:
    """values[order[i, c], c] of (P, C) tensors."""
    columns = tf.broadcast_to(tf.range(tf.shape(order)[1])[tf.newaxis], tf.shape(order))
    return tf.gather_nd(values, tf.stack([order, columns], axis=-1))


class UserLoss(keras.losses.Loss):
    """A user's own loss: `call` gives the unreduced values."""

    def __init__(self, function: Any, reduction: str) -> None:
        super().__init__(name="user_loss", reduction=reduction)
        self.function = function

    def call(self, y_true: Any, y_pred: Any) -> Any:
        return self.function(y_true, y_pred)


KERAS = {
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

NOT_GIVEN = {
    "from_logits": False,
    "label_smoothing": 0.0,
    "alpha": None,
    "gamma": None,
    "beta": None,
    "apply_class_balancing": False,
    "ignore_class": None,
    "axis": None,
}


def composite(name: str, activation: str, channels: int, weights: list[float] | None) -> Any:
    """A user's function of the parameters that it takes, returning a loss function."""

    def entropy(kind: str, **options: Any) -> Any:
        return KERAS[kind](reduction="none", **options)

    def plus(pixels: Any, region: Any, squash: Any, from_logits: bool) -> Any:
        return lambda y, p: pixels(y, p) + region(y, squash(p) if from_logits else p)

    softmax, sigmoid = keras.ops.softmax, keras.ops.sigmoid

    def summed(kind: str, region: Any, squash: Any) -> Any:
        return lambda from_logits=False: plus(entropy(kind, from_logits=from_logits), region, squash, from_logits)

    def focal_dice(from_logits: bool = False, **options: Any) -> Any:
        binary = activation == "sigmoid" or channels == 1
        kind = "binary_focal_crossentropy" if binary else "categorical_focal_crossentropy"
        pixels = entropy(kind, from_logits=from_logits, **options)
        return plus(pixels, keras.losses.dice, sigmoid if binary else softmax, from_logits)

    def focal_signature(alpha: float = 0.25, gamma: float = 2.0, from_logits: bool = False) -> Any:
        return focal_dice(from_logits, alpha=alpha, gamma=gamma)

    def class_selector() -> Any:
        def loss(y: Any, p: Any) -> Any:
            w = 1.0 if weights is None else weight_of_label(y, p, weights)
            return w * (keras.losses.binary_crossentropy(y, p) - (1 + soft_dice(y, p)))

        return loss

    return {
        "bce_dice": summed("binary_crossentropy", keras.losses.dice, sigmoid),
        "cce_dice": summed("categorical_crossentropy", keras.losses.dice, softmax),
        "bce_jaccard": summed("binary_crossentropy", jaccard_loss, sigmoid),
        "cce_jaccard": summed("categorical_crossentropy", jaccard_loss, softmax),
        "focal_dice": focal_signature,
        "jaccard": lambda: jaccard_loss,
        "lovasz": lambda: lovasz_loss,
        "negative_dice": lambda: lambda y, p: -soft_dice(y, p),
        "weighted_bce_dice": class_selector,
        "sigmoid_cross_entropy_with_logits": lambda: lambda y, z: tf.nn.sigmoid_cross_entropy_with_logits(y, z),
        "softmax_cross_entropy_with_logits": lambda: lambda y, z: tf.nn.softmax_cross_entropy_with_logits(y, z),
        "sparse_softmax_cross_entropy_with_logits": lambda: (
            lambda y, z: tf.nn.sparse_softmax_cross_entropy_with_logits(tf.cast(y, "int32"), z)
        ),
    }[name]


def weight_of_label(y: Any, p: Any, weights: list[float]) -> Any:
    """The weight of each pixel's label: argmax over the class axis, or the id itself."""
    if y.shape.rank == p.shape.rank and y.shape[-1] > 1:
        ids = tf.argmax(y, axis=-1)
    else:
        ids = tf.cast(y[..., 0] if y.shape.rank == p.shape.rank else y, tf.int64)
    return tf.gather(tf.constant(weights, tf.float32), ids)


def make_loss(loss: dict[str, Any], activation: str, channels: int) -> Any:
    """What goes into compile(loss=); TypeError for a parameter that this loss does not have."""
    given = {name: loss[name] for name, absent in NOT_GIVEN.items() if loss[name] != absent}
    weights = loss["class_weights"] if loss["weighting"] == "in_loss" else None
    name, reduction = loss["name"], loss["reduction"]
    if name in KERAS:
        inspect.signature(KERAS[name]).bind(**given)
        if weights is None:
            return KERAS[name](reduction=reduction, **given)
        values = KERAS[name](reduction="none", **given)
    else:
        values = composite(name, activation, channels, loss["class_weights"])(**given)
    if weights is None or name == "weighted_bce_dice":
        return UserLoss(values, reduction)
    return UserLoss(lambda y, p: values(y, p) * weight_of_label(y, p, weights), reduction)


# -- fit ---------------------------------------------------------------------------------------------------

OPTIMIZERS = {
    "adam": keras.optimizers.Adam,
    "adamw": keras.optimizers.AdamW,
    "rmsprop": keras.optimizers.RMSprop,
    "sgd": keras.optimizers.SGD,
}


class LossOfEachStep(keras.callbacks.Callback):
    """Keeps what fit prints, with the running mean begun anew at each batch as at each epoch."""

    def __init__(self) -> None:
        super().__init__()
        self.losses: list[float] = []

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:  # noqa: ARG002 - Keras's names
        self.model.reset_metrics()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:  # noqa: ARG002 - Keras's names
        self.losses.append(float(logs["loss"]))


def compiled(experiment: dict[str, Any], picture: Picture) -> tuple[keras.Model, int]:
    """The model on which `fit` is called, seeded and compiled; and its channels."""
    training, last = experiment["training"], experiment["head"]
    channels = last["channels"]
    if channels is None:
        one = picture.n_classes == 2 and experiment["target"]["encoding"] == "single_channel"
        channels = 1 if one else picture.n_classes
    keras.utils.set_random_seed(training["seed"])
    keras.mixed_precision.set_global_policy(training["precision"])
    try:
        inputs = keras.Input((training["size"], training["size"], 3))
        half = last["attachment"] == "then_upsampling"
        init = training["initializer"]
        x = u_net(inputs, experiment["model"]["filters"], experiment["model"]["depth"], init, half)
        outputs = head(x, last["activation"], last["attachment"], channels, last["axis"], init)
        model = keras.Model(inputs, outputs)
        model.compile(
            optimizer=OPTIMIZERS[training["optimizer"]](learning_rate=training["learning_rate"]),
            loss=make_loss(experiment["loss"], last["activation"], channels),
            run_eagerly=training["execution"] == "eager",
            jit_compile=training["execution"] == "xla",
        )
    finally:
        keras.mixed_precision.set_global_policy("float32")
    return model, channels


def fit_losses(
    experiment: dict[str, Any],
    picture: Picture,
    steps: int = STEPS,
    *,
    one_epoch: bool = False,
    built_first: bool = False,
) -> list[float]:
    """The loss that `fit` prints at each of the first steps.

    Two ways to the same numbers, sooner (a test holds them to the bit). one_epoch: 20 copies of the image as 20
    batches of one epoch, instead of 20 epochs of one batch; not with class_weight. built_first: the optimizer's
    variables are made before fit, which then traces its step once, not twice.
    """
    training, loss = experiment["training"], experiment["loss"]
    size = training["size"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model, channels = compiled(experiment, picture)
        if built_first:
            model.optimizer.build(model.trainable_variables)
        class_weights = loss["class_weights"]
        if class_weights is not None and len(class_weights) != max(picture.n_classes, channels):
            raise ValueError("one class weight a class is needed")
        x = image_as_fed(picture, size, training["input_range"])[np.newaxis]
        y = labels_as_fed(picture, experiment["target"], channels, size)[np.newaxis]
        weights = pixel_weights(picture, loss, size)
        if weights is not None:
            flat = experiment["head"]["attachment"] in ("after_reshape", "then_reshape")
            weights = weights.reshape(1, size * size) if flat else weights[np.newaxis]
        class_weight = None
        if class_weights is not None and loss["weighting"] == "class_weight":
            class_weight = dict(enumerate(class_weights))
        if one_epoch:
            x, y = np.repeat(x, steps, 0), np.repeat(y, steps, 0)
            weights = None if weights is None else np.repeat(weights, steps, 0)
        arguments: dict[str, Any] = {"class_weight": class_weight, "verbose": 0}
        arguments["epochs"] = 1 if one_epoch else steps
        if training["container"] == "tf_data":
            parts = (x, y) if weights is None else (x, y, weights)
            arguments["x"] = tf.data.Dataset.from_tensor_slices(parts).batch(1)
        else:
            arguments |= {"x": x, "y": y, "sample_weight": weights, "batch_size": 1, "shuffle": False}
        if one_epoch:
            each = LossOfEachStep()
            model.fit(callbacks=[each], **arguments)
            return each.losses
        return [float(value) for value in model.fit(**arguments).history["loss"]]
