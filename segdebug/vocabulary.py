"""The words of an Experiment: every value that a field may take, and what it means, as the person reads it.

Losses carry more: the parameters that their Keras signature has, and how their number is made. A test holds
`accepts` against the signatures of the installed Keras.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = [
    "ACTIVATIONS",
    "ATTACHMENTS",
    "AXIS_ACTIVATIONS",
    "CONTAINERS",
    "DECODES",
    "ENCODINGS",
    "EXECUTIONS",
    "INITIALIZERS",
    "INPUT_RANGES",
    "LAYER_CLASSES",
    "LAYOUTS",
    "LOSSES",
    "LOSS_PARAMETERS",
    "METRICS",
    "OPTIMIZERS",
    "PRECISIONS",
    "READERS",
    "REDUCTIONS",
    "RESIZES",
    "SCALES",
    "TARGET_DTYPES",
    "VOIDS",
    "WEIGHTINGS",
    "LossEntry",
]

ACTIVATIONS = {
    "linear": "no activation: the output is the logits",
    "softmax": "exp(z) / sum exp(z): probabilities over the classes",
    "sigmoid": "1 / (1 + exp(-z)): one probability per channel",
    "relu": "max(z, 0)",
    "tanh": "between -1 and 1",
    "log_softmax": "z - log sum exp(z): log-probabilities",
}

ATTACHMENTS = {
    "layer": "Conv2D(K, 1, activation=...)",
    "activation_layer": "Activation(...) after the Conv2D",
    "layer_class": "keras.layers.Softmax() or ReLU() after the Conv2D",
    "ops": "keras.ops.softmax(x) in the functional graph",
    "lambda_tf": "Lambda(tf.nn.softmax): TensorFlow's own function",
    "after_reshape": "Reshape((H*W, K)), then the activation",
    "then_reshape": "the activation, then Reshape((H*W, K))",
    "then_dropout": "the activation, then Dropout(0.1)",
    "then_upsampling": "the activation at half size, then UpSampling2D(2, interpolation='bilinear')",
    "then_lambda": "the activation, then Lambda(tf.identity)",
    "float32_layer": "Activation(..., dtype='float32') as a layer of its own",
}

LAYER_CLASSES = {"softmax": "Softmax", "relu": "ReLU"}
"""Activations that Keras has a layer class for, and its name."""

AXIS_ACTIVATIONS = ("softmax", "log_softmax")
"""Activations that take an axis."""

READERS = {
    "scene": "a right loader: ids 0..K-1, 255 where unlabelled; 0/1 planes where classes overlap",
    "pillow": "np.array(Image.open(file)): as stored, indices for a palette file",
    "pillow_l": "Image.open(file).convert('L'): grey, palette colours turned into brightness",
    "opencv_gray": "cv2.imread(file, cv2.IMREAD_GRAYSCALE)",
    "opencv_color": "cv2.imread(file): three channels, blue first",
    "tensorflow": "tf.io.decode_image(bytes, channels=1)",
    "keras_load_img": "keras.utils.load_img(file, color_mode='grayscale')",
    "matplotlib": "matplotlib.image.imread(file): floats 0..1 for PNG",
}

RESIZES = {
    "nearest": "each label is one of the file's own",
    "bilinear": "labels are averaged, as tf.image.resize does by default: values between classes appear",
}

SCALES = {
    "none": "values as read",
    "divide_255": "values / 255",
    "divide_max": "values / values.max()",
    "threshold": "1 where the value is above 0.5, else 0",
}

ENCODINGS = {
    "one_hot": "tf.one_hot(int(values), K): a value out of range becomes a row of zeros",
    "summed_planes": "y[..., c] += file c: only the files given, background only where it has a file",
    "sparse": "integer class ids",
    "sparse_one_based": "integer class ids + 1",
    "single_channel": "the value itself as a float, in one channel",
    "raw": "untouched, with the channels that the reader gives",
}

LAYOUTS = {
    "spatial": "(H, W, K), or (H, W) for ids",
    "flat": "(H*W, K), or (H*W,) for ids",
    "trailing_axis": "(H, W, 1): an axis of one at the end",
}

TARGET_DTYPES = {
    "float32": "as most loaders end",
    "float64": "as NumPy makes it",
    "uint8": "as files hold it: 255 + 1 is 0",
    "int32": "whole numbers",
    "int64": "whole numbers",
}

VOIDS = {
    "as_fed": "unlabelled pixels are learnt as whatever the labels say there",
    "zero_weight": "sample_weight is 0 where the scene is unlabelled",
}

WEIGHTINGS = {
    "pixel": "a sample_weight map with each pixel's class weight",
    "class_weight": "fit's class_weight argument, with whatever Keras makes of it",
    "in_loss": "multiplied inside the loss by the weight of argmax(y_true)",
}

REDUCTIONS = {
    "sum_over_batch_size": "sum divided by the number of entries (the default)",
    "mean": "the same as sum_over_batch_size",
    "mean_with_sample_weight": "sum divided by the sum of the sample weights",
    "sum": "sum over everything",
    "none": "not reduced: fit prints the mean and follows the gradient of the sum",
}

METRICS = {
    "mean_iou": "keras.metrics.MeanIoU",
    "one_hot_mean_iou": "keras.metrics.OneHotMeanIoU",
    "binary_iou": "keras.metrics.BinaryIoU",
    "accuracy": "the accuracy that fits the shapes, as metrics=['accuracy'] picks it",
    "binary_accuracy": "keras.metrics.BinaryAccuracy",
    "iou_per_class": "one keras.metrics.IoU for each class",
}

DECODES = {
    "auto": "as suits the head: argmax, or the threshold at p = 0.5",
    "raw": "the head's output as it is, the metric's own defaults",
    "argmax": "argmax over the channels first",
    "threshold_0.5": "output > 0.5 first",
    "threshold_0": "output > 0 first",
}

OPTIMIZERS = {
    "adam": "keras.optimizers.Adam",
    "adamw": "keras.optimizers.AdamW",
    "rmsprop": "keras.optimizers.RMSprop",
    "sgd": "keras.optimizers.SGD",
}

INPUT_RANGES = {
    "0..1": "image / 255",
    "0..255": "the image as read",
    "-1..1": "image / 127.5 - 1",
}

INITIALIZERS = {
    "glorot_uniform": "Keras's default",
    "glorot_normal": "normal, by the mean of fan in and fan out",
    "he_normal": "normal, by fan in: twice the variance, for relu",
    "he_uniform": "uniform, by fan in",
    "zeros": "all weights 0: nothing but the last bias can learn",
}

EXECUTIONS = {
    "graph": "a tf.function, as fit does by default on a CPU",
    "eager": "run_eagerly=True",
    "xla": "jit_compile=True, as fit does by default on a GPU",
}

PRECISIONS = {
    "float32": "Keras's default",
    "mixed_float16": "float16 layers, float32 weights, scaled loss",
    "mixed_bfloat16": "bfloat16 layers, float32 weights",
}

CONTAINERS = {
    "numpy": "fit(x, y): arrays",
    "tf_data": "fit(tf.data.Dataset)",
}


@dataclass(frozen=True)
class LossEntry:
    """One loss of the vocabulary.

    accepts: the parameters that it takes, by their names in Keras and in `Experiment.loss`.
    per_pixel: whether it is a mean over pixels of something that one pixel has; a region loss is not.
    """

    meaning: str
    accepts: tuple[str, ...] = ()
    per_pixel: bool = True


LOSS_PARAMETERS = (
    "from_logits",
    "label_smoothing",
    "axis",
    "ignore_class",
    "alpha",
    "gamma",
    "beta",
    "apply_class_balancing",
)
"""Fields of `Experiment.loss` that only some losses take."""

_REGION = "not a mean over pixels, so no pixel has a loss of its own"

LOSSES = {
    "categorical_crossentropy": LossEntry(
        "-sum_k y_k log p_k, one-hot labels", ("from_logits", "label_smoothing", "axis")
    ),
    "sparse_categorical_crossentropy": LossEntry("-log p[y], integer labels", ("from_logits", "ignore_class", "axis")),
    "binary_crossentropy": LossEntry(
        "mean_k of -(y log p + (1 - y) log(1 - p))", ("from_logits", "label_smoothing", "axis")
    ),
    "categorical_focal_crossentropy": LossEntry(
        "-sum_k alpha (1 - p_k)^gamma y_k log p_k",
        ("alpha", "gamma", "from_logits", "label_smoothing", "axis"),
    ),
    "binary_focal_crossentropy": LossEntry(
        "binary cross entropy times (1 - p_t)^gamma",
        ("apply_class_balancing", "alpha", "gamma", "from_logits", "label_smoothing", "axis"),
    ),
    "dice": LossEntry(f"1 - 2 I / (A + B), pooled; {_REGION}", ("axis",), per_pixel=False),
    "tversky": LossEntry(
        f"1 - I / (I + alpha FP + beta FN), pooled; {_REGION}", ("alpha", "beta", "axis"), per_pixel=False
    ),
    "mean_squared_error": LossEntry("mean_k (y - p)^2"),
    "mean_absolute_error": LossEntry("mean_k |y - p|"),
    "kl_divergence": LossEntry("sum_k y log(y / p)"),
    "categorical_hinge": LossEntry("max(0, 1 + max_{k != y} p_k - p_y)"),
    "bce_dice": LossEntry("binary cross entropy + Dice", ("from_logits",), per_pixel=False),
    "cce_dice": LossEntry("categorical cross entropy + Dice", ("from_logits",), per_pixel=False),
    "bce_jaccard": LossEntry("binary cross entropy + Jaccard", ("from_logits",), per_pixel=False),
    "cce_jaccard": LossEntry("categorical cross entropy + Jaccard", ("from_logits",), per_pixel=False),
    "focal_dice": LossEntry(
        "focal loss + Dice: binary focal after a sigmoid or for one channel, else categorical",
        ("from_logits", "alpha", "gamma"),
        per_pixel=False,
    ),
    "jaccard": LossEntry(f"1 - (I + 1e-7) / (U + 1e-7), pooled; {_REGION}", per_pixel=False),
    "lovasz": LossEntry(f"the Lovász extension of the Jaccard loss (Berman et al. 2018); {_REGION}", per_pixel=False),
    "negative_dice": LossEntry(f"-(2 I + 1) / (A + B + 1): from -1 to 0; {_REGION}", per_pixel=False),
    "weighted_bce_dice": LossEntry(
        "w[argmax y] (binary cross entropy - (1 + Dice coefficient)): negative by construction",
        per_pixel=False,
    ),
    "sigmoid_cross_entropy_with_logits": LossEntry("tf.nn's own: relu(z) - z y + log1p(exp(-|z|))"),
    "softmax_cross_entropy_with_logits": LossEntry("tf.nn's own: log sum exp(z) - y·z, one-hot labels"),
    "sparse_softmax_cross_entropy_with_logits": LossEntry("tf.nn's own: log sum exp(z) - z[y], integer labels"),
}
