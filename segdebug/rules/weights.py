"""Rules on what weighs the pixels."""

from __future__ import annotations

from typing import Any

import numpy as np

from segdebug.families import BARE_REGIONS
from segdebug.rules.catalogue import Noticed, rule
from segdebug.rules.known import Known, SceneFacts

__all__ = ["balanced_weights"]

_CLASS_WEIGHT = "keras/src/trainers/data_adapters/data_adapter_utils.py: class_weight_to_sample_weights"
_MISLABELLED = ("T12", "T10", "T06", "T05", "T04", "T07")

_EXTREME_RATIO = 20.0  # between the lightest of the heavy classes and the heaviest of the light ones
_EXTREME_PRICE = 5.0  # how far the heavy classes' share exceeds the one that a class each would have


def balanced_weights(scene: SceneFacts, length: int) -> tuple[float, ...]:
    """(length,) 1 / frequency, scaled so that their mean over the labelled pixels is 1; 1 where a class is absent."""
    present = np.flatnonzero(scene.pixels)
    weights = np.ones(length)
    total = float(scene.pixels.sum())
    weights[present] = total / (len(present) * scene.pixels[present])
    return tuple(float(f"{weight:.4g}") for weight in weights)


def _by_pixel(known: Known, scene: SceneFacts) -> dict[str, Any]:
    """Balanced weights as a map of pixels, as arguments of `Noticed`."""
    weights = balanced_weights(scene, max(len(scene.names), known.channels))
    changes: dict[str, Any] = {"loss.class_weights": list(weights)}
    code = f"class_weights = np.array({list(weights)})  # 1 / frequency, mean 1\n{_MAP}"
    if known.experiment.loss.weighting == "class_weight":
        changes["loss.weighting"] = "pixel"
    return {"changes": changes, "code": code}


_MAP = "model.fit(x, y, sample_weight=class_weights[ids])  # ids (N, H, W): one weight a pixel"


@rule(
    "L20",
    stage="loss",
    severity="warning",
    title="A class weighs so much that it will be painted everywhere",
    matters="What counts is weight times pixels. Where that is far larger for a rare class than for all others "
    "together, missing one of its pixels costs more than painting it over everything else, and that is what the "
    "network does: no pixel of it missed, thousands too many.",
    example="Weight 1000 for a class with 1 % of the pixels.",
    instead="1 / frequency, scaled to a mean of 1 over the pixels: every class then costs the same.",
    silent="Weights by inverse frequency, and large weights on a class so rare that it still costs no more than the "
    "others.",
    explained_by=("L22", "L23", "L24"),
)
def extreme_weights(known: Known) -> Noticed | None:
    """How much of the loss the heavily weighted classes cost, weight times pixels, beside the others."""
    scene, weights = known.scene, known.weights
    table = known.experiment.loss.class_weights
    if scene is None or weights is None or table is None or weights.error or not weights.as_meant:
        return None
    if known.experiment.loss.name in BARE_REGIONS:
        return None
    present = [c for c in np.flatnonzero(scene.pixels) if c < len(table) and table[c] > 0]
    order = sorted(present, key=lambda c: -table[c])
    prices = np.array([table[c] * scene.frequencies[c] for c in order])
    for cut in range(1, len(order)):
        ratio = table[order[cut - 1]] / table[order[cut]]
        price = float(prices[:cut].sum() / prices[cut:].sum())
        if ratio >= _EXTREME_RATIO and price > _EXTREME_PRICE * cut / (len(order) - cut):
            heavy = order[:cut]
            evidence = {
                "heavy classes": [scene.names[c] for c in heavy],
                "their weights": [table[c] for c in heavy],
                "their share of the labelled pixels": [float(scene.frequencies[c]) for c in heavy],
                "weight times pixels, against all other classes": price,
                "the same under 1 / frequency": cut / (len(order) - cut),
            }
            return Noticed(evidence, **_by_pixel(known, scene))
    return None


@rule(
    "L21",
    stage="loss",
    severity="error",
    title="A class that is left out of the loss is never learnt",
    matters="Its pixels have no gradient, so they are predicted as any of the other classes, and its IoU stays at 0.",
    example="class_weights [0, 1, 1], to leave the background out; ignore_class=0.",
    instead="A small weight in place of 0; ignore_class only for a value that stands for unlabelled.",
    silent="A weight of 0 for a class that this picture does not have; unlabelled pixels that weigh 0.",
    explained_by=("L22", "L23", "L24"),
)
def left_out(known: Known) -> Noticed | None:
    """Whether a class with labelled pixels weighs 0, or is the one that ignore_class leaves out."""
    scene, weights, labels, loss = known.scene, known.weights, known.labels, known.experiment.loss
    if scene is None:
        return None
    table = loss.class_weights or ()
    zero = [c for c in np.flatnonzero(scene.pixels) if c < len(table) and table[c] == 0]
    if weights is None or weights.error or not weights.as_meant or loss.name in BARE_REGIONS:
        zero = []
    ids = labels is not None and labels.kind == "ids" and labels.wrong == 0
    ignored = [c for c in np.flatnonzero(scene.pixels) if ids and c == loss.ignore_class]
    if not zero and not ignored:
        return None
    lost = sorted({*zero, *ignored})
    evidence = {
        "classes that are left out": [scene.names[c] for c in lost],
        "their share of the labelled pixels": [float(scene.frequencies[c]) for c in lost],
    }
    if not ignored:
        return Noticed(evidence, **_by_pixel(known, scene))
    changes = {"loss.ignore_class": 255 if scene.void else None}
    return Noticed(evidence, changes, "# ignore_class: only the value that stands for unlabelled, or None")


@rule(
    "L22",
    stage="loss",
    severity="error",
    title="class_weight does not do what it says",
    matters="fit turns class_weight into one weight for each entry of y along its first axes, and for segmentation "
    "labels that is seldom a pixel. With one image of flattened ids it takes the whole image for one sample, and "
    "nothing changes. No message says so.",
    example="fit(x, ids of shape (1, H*W), class_weight={3: 1000}).",
    instead="A sample_weight map with the weight of each pixel's class.",
    silent="Weights that reach every pixel as its class has them, whichever way.",
    references=(_CLASS_WEIGHT,),
    explained_by=(*_MISLABELLED, "T03", "T02"),
)
def without_effect(known: Known) -> Noticed | None:
    """Whether the weights that reach the training step are those of each pixel's class."""
    weights, loss = known.weights, known.experiment.loss
    if weights is None or not weights.given or weights.error or weights.as_meant:
        return None
    evidence: dict[str, Any] = {
        "class weights given": list(loss.class_weights or ()),
        "how": loss.weighting,
        "weights that reached the training step": weights.arrived,
        "lowest of them on labelled pixels": weights.low,
        "highest": weights.high,
    }
    title = None if loss.weighting == "class_weight" else "The class weights reach other pixels than they are meant for"
    if loss.name == "weighted_bce_dice":  # it multiplies by the class weight itself
        title = "The class weights act twice, or on other pixels than they are meant for"
        return Noticed(
            evidence, {"loss.weighting": "in_loss"}, "model.fit(x, y)  # no weights beside the loss's own", title=title
        )
    return Noticed(evidence, {"loss.weighting": "pixel"}, _MAP, title=title)


@rule(
    "L23",
    stage="loss",
    severity="error",
    title="Weights that fit refuses",
    matters="Training does not start. Keras turns class_weight into sample weights by the labels, which it can do for "
    "few shapes of segmentation labels, and every class needs a weight of its own.",
    example="fit(x, y of shape (N, H, W, K), class_weight={...}) on NumPy arrays.",
    instead="A sample_weight map with the weight of each pixel's class.",
    silent="Weights that fit takes.",
    references=(_CLASS_WEIGHT,),
    explained_by=_MISLABELLED,
)
def refused_weights(known: Known) -> Noticed | None:
    """Whether fit, or the lookup inside the loss, refuses the weights."""
    weights, scene, loss = known.weights, known.scene, known.experiment.loss
    if weights is None or weights.error is None:
        return None
    evidence = {"said": weights.error}
    needed = 0 if scene is None else max(len(scene.names), known.channels)
    if scene is not None and loss.class_weights is not None and len(loss.class_weights) != needed:
        return Noticed(evidence | {"weights needed": needed}, **_by_pixel(known, scene))
    changes = {"loss.weighting": "pixel"} if loss.weighting != "pixel" else {}
    return Noticed(evidence, changes, _MAP)


@rule(
    "L24",
    stage="loss",
    severity="warning",
    title="Class weights cannot reach single pixels in this loss",
    matters="Dice, Tversky, Jaccard and Lovász are one number for the whole picture. A weight map multiplies that "
    "number by its mean, so all classes gain alike: only the step size changes.",
    example="Dice with sample weights of 1 / frequency.",
    instead="A cross entropy beside the region loss, whose pixels the weights do reach.",
    silent="Sums with a cross entropy, and weights that are the same everywhere.",
    references=("keras/src/losses/losses.py: dice, tversky",),
    explained_by=("L23", "L22"),
)
def only_rescaled(known: Known) -> Noticed | None:
    """Whether class weights meet a loss that is one number for the whole picture."""
    weights, experiment = known.weights, known.experiment
    if weights is None or not weights.given or weights.error or weights.low == weights.high:
        return None
    if experiment.loss.name not in BARE_REGIONS:
        return None
    evidence = {
        "lowest weight on labelled pixels": weights.low,
        "highest weight": weights.high,
        "mean weight, by which the loss is multiplied": weights.mean,
    }
    activation = experiment.head.activation
    region = "jaccard" if experiment.loss.name == "jaccard" else "dice"
    with_pixels = {"softmax": f"cce_{region}", "sigmoid": f"bce_{region}"}.get(activation)
    if with_pixels is None:
        return Noticed(evidence, {"loss.class_weights": None}, "model.fit(x, y)  # without weights")
    changes: dict[str, Any] = {"loss.name": with_pixels}
    changes |= {f"loss.{name}": None for name in ("alpha", "beta", "axis") if experiment[f"loss.{name}"] is not None}
    entropy = "binary" if activation == "sigmoid" else "categorical"
    code = f"keras.losses.{entropy}_crossentropy(y, p) + region_loss(y, p)  # the weights reach the first part"
    return Noticed(evidence, changes, code)


@rule(
    "L25",
    stage="loss",
    severity="note",
    title="The weights change the step size",
    matters="Keras divides the weighted sum by the number of pixels, not by the sum of the weights. The gradient "
    "therefore grows with the mean weight, and the learning rate no longer means what it did without weights.",
    example="Weights of 1 / frequency without scaling: a mean of K.",
    instead="Divide the weights by their mean over the pixels, or use the reduction mean_with_sample_weight.",
    silent="A mean between 0.2 and 5, and a reduction that divides by the weights.",
    explained_by=("L20", "L24", "L23", "L22", "L21"),
)
def mean_weight(known: Known) -> Noticed | None:
    """How far the mean weight of the labelled pixels is from 1."""
    scene, weights, loss = known.scene, known.weights, known.experiment.loss
    if scene is None or weights is None or not weights.given or not weights.arrived or weights.error:
        return None
    if loss.reduction == "mean_with_sample_weight" or 0.2 <= weights.mean <= 5:
        return None
    evidence = {
        "mean weight of the labelled pixels": weights.mean,
        "learning rate": known.experiment.training.learning_rate,
    }
    if weights.mean == 0:
        return Noticed(evidence)
    scaled = [float(f"{weight / weights.mean:.4g}") for weight in loss.class_weights or ()]
    return Noticed(evidence, {"loss.class_weights": scaled}, f"class_weights = np.array({scaled})")
