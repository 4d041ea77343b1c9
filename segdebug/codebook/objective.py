"""The part of the script that makes the loss: `parts.losses` and `parts.regions`, written out for one configuration."""

from __future__ import annotations

from segdebug.codebook.data import value_axes
from segdebug.experiment import Experiment, Loss
from segdebug.scene import Scene
from segdebug.vocabulary import LOSSES

__all__ = ["loss_code"]

_CLASSES = {
    "binary_crossentropy": "BinaryCrossentropy",
    "binary_focal_crossentropy": "BinaryFocalCrossentropy",
    "categorical_crossentropy": "CategoricalCrossentropy",
    "categorical_focal_crossentropy": "CategoricalFocalCrossentropy",
    "sparse_categorical_crossentropy": "SparseCategoricalCrossentropy",
    "dice": "Dice",
    "tversky": "Tversky",
    "mean_squared_error": "MeanSquaredError",
    "mean_absolute_error": "MeanAbsoluteError",
    "kl_divergence": "KLDivergence",
    "categorical_hinge": "CategoricalHinge",
}

_JACCARD = '''\
def jaccard(y_true, y_pred):
    """1 - intersection / union, pooled over all pixels and classes."""
    intersection = ops.sum(y_true * y_pred)
    union = ops.sum(y_true) + ops.sum(y_pred) - intersection
    return 1.0 - (intersection + 1e-7) / (union + 1e-7)


'''

_DICE = '''\
def dice_coefficient(y_true, y_pred):
    """2 |A ∩ B| / (|A| + |B|), smoothed by 1, pooled over all pixels and classes."""
    return (2.0 * ops.sum(y_true * y_pred) + 1.0) / (ops.sum(y_true) + ops.sum(y_pred) + 1.0)


'''

_LOVASZ = '''\
def lovasz(y_true, y_pred):
    """Lovász-softmax (Berman et al. 2018, algorithm 1), mean over the classes that occur."""
    channels = y_true.shape[-1]
    truth = ops.reshape(y_true, (-1, channels))
    errors = ops.abs(truth - ops.reshape(y_pred, (-1, channels)))
    order = ops.argsort(-errors, axis=0)
    errors, truth = (ops.take_along_axis(values, order, axis=0) for values in (errors, truth))
    present = ops.cast(ops.sum(truth, axis=0) > 0, errors.dtype)
    total = ops.sum(truth, axis=0, keepdims=True)
    intersection, union = total - ops.cumsum(truth, axis=0), total + ops.cumsum(1.0 - truth, axis=0)
    index = 1.0 - intersection / ops.maximum(union, 1e-7)
    gradient = ops.concatenate([index[:1], index[1:] - index[:-1]], axis=0)
    return ops.sum(ops.sum(errors * gradient, axis=0) * present) / ops.maximum(ops.sum(present), 1.0)


'''

_BODIES = {
    "jaccard": "jaccard(y_true, y_pred)",
    "lovasz": "lovasz(y_true, y_pred)",
    "negative_dice": "-dice_coefficient(y_true, y_pred)",
    "sigmoid_cross_entropy_with_logits": "tf.nn.sigmoid_cross_entropy_with_logits(labels=y_true, logits=y_pred)",
    "softmax_cross_entropy_with_logits": "tf.nn.softmax_cross_entropy_with_logits(labels=y_true, logits=y_pred)",
    "sparse_softmax_cross_entropy_with_logits": (
        "tf.nn.sparse_softmax_cross_entropy_with_logits(labels=tf.cast(y_true, tf.int64), logits=y_pred)"
    ),
}


def loss_code(scene: Scene, experiment: Experiment, channels: int) -> tuple[str, str]:
    """Definitions, and the expression that goes into `compile(loss=...)`."""
    loss = experiment.loss
    weights = loss.class_weights if loss.weighting == "in_loss" or loss.name == "weighted_bce_dice" else None
    if loss.name in _CLASSES and weights is None:
        return "", _keras(loss, _CLASSES[loss.name], reduction=True)
    functions, setup, result = _body(loss, experiment, channels)
    if weights is not None:
        looked_up = _selected(scene, experiment, channels)
        functions += f'CLASS_WEIGHTS = ops.convert_to_tensor({[*weights]}, dtype="float32")\n\n\n'
        setup_weight = [f"weight = ops.take(CLASS_WEIGHTS, {looked_up}, axis=0)"]
        result = f"weight * ({result})" if loss.name == "weighted_bce_dice" else f"{result} * weight"
    else:
        setup_weight = []
    reduction = "" if loss.reduction == "sum_over_batch_size" else f'reduction="{loss.reduction}"'
    name = "".join(part.capitalize() for part in ("weighted" if weights else "", *loss.name.split("_")))
    name = name.replace("WeightedWeighted", "Weighted")
    lines = [f"class {name}(keras.losses.Loss):", "    def call(self, y_true, y_pred):"]
    lines += [f"        {line}" for line in (*setup, *setup_weight, f"return {result}")]
    return functions + "\n".join(lines) + "\n\n\n", f"{name}({reduction})"


def _body(loss: Loss, experiment: Experiment, channels: int) -> tuple[str, list[str], str]:
    """Functions to define, lines of `call`, and what it returns, without class weights."""
    if loss.name in _CLASSES:
        return "", [], f"{_keras(loss, _CLASSES[loss.name])}.call(y_true, y_pred)"
    if loss.name in _BODIES:
        functions = {"jaccard": _JACCARD, "lovasz": _LOVASZ, "negative_dice": _DICE}.get(loss.name, "")
        return functions, [], _BODIES[loss.name]
    if loss.name == "weighted_bce_dice":
        pixels = "keras.losses.binary_crossentropy(y_true, y_pred)"
        return _DICE, [], f"{pixels} - (1.0 + dice_coefficient(y_true, y_pred))"
    return _sum(loss, experiment, channels)


def _sum(loss: Loss, experiment: Experiment, channels: int) -> tuple[str, list[str], str]:
    """A cross entropy and a region loss; `from_logits` goes to the first, and the second gets probabilities."""
    focal = loss.name == "focal_dice"
    binary = loss.name.startswith("bce") or (focal and (experiment.head.activation == "sigmoid" or channels == 1))
    kind = f"{'Binary' if binary else 'Categorical'}{'Focal' if focal else ''}Crossentropy"
    by_jaccard = loss.name.endswith("jaccard")
    setup, p = [f"pixels = {_keras(loss, kind)}.call(y_true, y_pred)"], "y_pred"
    if loss.from_logits:
        setup, p = [*setup, f"p = ops.{'sigmoid' if binary else 'softmax'}(y_pred)"], "p"
    region = f"jaccard(y_true, {p})" if by_jaccard else f"keras.losses.dice(y_true, {p})"
    return _JACCARD if by_jaccard else "", setup, f"pixels + {region}"


def _keras(loss: Loss, kind: str, *, reduction: bool = False) -> str:
    """One of Keras's own losses, with the parameters that are not at its default."""
    given = [
        f"{name}={getattr(loss, name)!r}"
        for name in LOSSES[loss.name].accepts
        if getattr(loss, name) != type(loss).model_fields[name].default
    ]
    if reduction and loss.reduction != "sum_over_batch_size":
        given.append(f'reduction="{loss.reduction}"')
    return f"keras.losses.{kind}({', '.join(given)})"


def _selected(scene: Scene, experiment: Experiment, channels: int) -> str:
    """The id of each pixel's class, from the labels as fed."""
    target = experiment.target
    added = target.layout == "trailing_axis" and target.encoding != "single_channel"
    axes = value_axes(scene, experiment) + added
    pixel_axes = 1 if target.layout == "flat" else 2
    output_axes = 2 if experiment.head.attachment in ("after_reshape", "then_reshape") else 3
    if pixel_axes + axes != output_axes:
        return 'ops.cast(y_true, "int32")'
    last = 1 if added or target.encoding == "single_channel" else channels
    if target.encoding in ("one_hot", "summed_planes") and not added:
        last = channels
    return 'ops.cast(ops.squeeze(y_true, axis=-1), "int32")' if last == 1 else "ops.argmax(y_true, axis=-1)"
