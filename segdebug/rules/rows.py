"""Rules on label rows and values: what a loss over probabilities is given in their place."""

from __future__ import annotations

import math
from typing import Any

from segdebug.experiment import Experiment
from segdebug.families import FUSABLE, has_region_part, is_categorical
from segdebug.rules.catalogue import Noticed, rule
from segdebug.rules.known import Known, LabelFacts
from segdebug.rules.loading import loading_code, mended

__all__ = ["is_fused"]

_KERAS_LOSSES = "keras/src/backend/tensorflow/nn.py"
_TF_CE = "tensorflow/python/ops/nn_ops.py: softmax_cross_entropy_with_logits_v2"

_INDEPENDENT = {
    "categorical_crossentropy": "binary_crossentropy",
    "softmax_cross_entropy_with_logits": "sigmoid_cross_entropy_with_logits",
    "categorical_focal_crossentropy": "binary_focal_crossentropy",
    "kl_divergence": "binary_crossentropy",
    "cce_dice": "bce_dice",
    "cce_jaccard": "bce_jaccard",
    "focal_dice": "focal_dice",
}
"""Losses over the classes together, and the same with every class on its own."""


def is_fused(known: Known) -> bool:
    """Whether the cross entropy is TensorFlow's fused one, whose gradient is p - y whatever y sums to."""
    reads = known.semantics.reads in ("logits", "output_logits", "activated")
    return known.experiment.loss.name in FUSABLE and reads and not known.semantics.clips


@rule(
    "T01",
    stage="target",
    severity="error",
    title="Label values outside 0 to 1",
    matters="The loss takes labels for probabilities, from 0 to 1. With a 0/255 mask, cross entropy on logits follows "
    "p - y, which no longer sums to 0, so the logits run away while the loss prints something else. Binary cross "
    "entropy falls below 0 without end, and Dice leaves its range.",
    example="A 0/255 mask read with OpenCV and fed to binary cross entropy as it is.",
    instead="Divide the mask by 255, or compare it with a threshold, before it becomes y.",
    silent="Ids for a sparse loss: they are no probabilities. Values outside 0 to 1 on unlabelled pixels alone.",
    references=(_TF_CE, _KERAS_LOSSES),
    explained_by=("T12",),
)
def values_outside(known: Known) -> Noticed | None:
    """Whether labelled pixels hold a value below 0 or above 1, for a loss that takes rows or single values."""
    scene, labels = known.scene, known.labels
    if scene is None or labels is None or labels.kind not in ("rows", "single") or not labels.out_of_range:
        return None
    evidence: dict[str, Any] = {
        "lowest value": labels.low,
        "highest value": labels.high,
        "commonest values": list(labels.distinct[:8]),
        "labelled pixels with such a value": labels.out_of_range,
        **_consequences(known, labels),
    }
    return Noticed(evidence, **mended(known, scene, labels))


def _consequences(known: Known, labels: LabelFacts) -> dict[str, Any]:
    """What the values do to this loss, in closed form."""
    name, worst = known.experiment.loss.name, labels.outside[0] if labels.outside else labels.high
    told: dict[str, Any] = {}
    total = next((s for s in labels.row_sums if s > 1.01 or s < 0), None)
    if is_categorical(known.experiment, known.channels) and total is not None:
        told["sum of a pixel's labels, S"] = total
        if name in FUSABLE:
            told["cross entropy at a uniform start, S ln K"] = total * math.log(known.channels)
        if is_fused(known):
            told["sum over the classes of dL/dz at such a pixel, 1 - S (right: 0)"] = 1 - total
    elif "binary_crossentropy" in name or name.startswith(("bce", "sigmoid")) or name == "weighted_bce_dice":
        told[f"binary cross entropy of a pixel labelled {worst:g} at logit 10"] = math.log1p(math.exp(10)) - worst * 10
    if has_region_part(name) and worst > 1:
        told[f"Dice loss of a perfect prediction of pixels labelled {worst:g}"] = 1 - 2 * worst / (worst + 1)
    return told


@rule(
    "T02",
    stage="target",
    severity="warning",
    title="Pixels whose label row does not sum to 1",
    matters="One-hot labels of exclusive classes sum to 1 at every pixel. A row of zeros costs nothing, so the "
    "printed loss looks fine. TensorFlow's fused cross entropy still follows p - y there: it pushes all logits down "
    "without end. Any other loss never learns what belongs there.",
    example="Planes for each object and none for the background, fed to categorical cross entropy.",
    instead="Give the background a plane of its own, or weigh unlabelled pixels 0.",
    silent="Unlabelled pixels that weigh 0 or that this loss leaves alone; overlapping classes with one sigmoid each, "
    "where a row of zeros says none of them.",
    references=(_TF_CE,),
    explained_by=("T12", "T06", "T08", "T01"),
)
def rows_without_class(known: Known) -> Noticed | None:
    """Whether label rows sum to less than 1 where the loss takes part, on classes that exclude each other."""
    scene, labels = known.scene, known.labels
    if scene is None or labels is None or labels.kind != "rows":
        return None
    categorical, fused = is_categorical(known.experiment, known.channels), is_fused(known)
    if scene.overlapping and (not categorical or max(labels.row_sums, default=0) > 1.01):
        return None
    least = 0.99 if categorical else 0.5
    short = {s: f for s, f in labels.row_sums.items() if s < least}
    void = labels.void_fed if fused and labels.void_as == "a row of zeros" else 0.0
    if sum(short.values()) <= (0 if fused else 0.005) and not void:
        return None
    evidence: dict[str, Any] = {
        "labelled pixels whose row sums to less than 1": sum(short.values()),
        "row sums of labelled pixels": {f"{s:g}": f for s, f in labels.row_sums.items()},
        "unlabelled pixels that take part with a row of zeros, of all pixels": void,
    }
    if fused:
        evidence["sum over the classes of dL/dz at a row of zeros (right: 0)"] = 1.0
    if scene.overlapping:
        changes = _independent(known.experiment)
    else:
        changes = {**(labels.remedy or {} if short else {}), **({"loss.void": "zero_weight"} if void else {})}
    code = loading_code(changes, known.experiment, scene)
    return Noticed(evidence, changes, code, severity="error" if fused else None)


def _independent(experiment: Experiment) -> dict[str, Any]:
    """Every class on its own: sigmoid and binary cross entropy, on logits where the loss reads them now."""
    on_logits = experiment.head.activation == "linear" and (
        experiment.loss.from_logits or experiment.loss.name.endswith("_with_logits")
    )
    wanted: dict[str, Any] = {"loss.name": _INDEPENDENT[experiment.loss.name]}
    if not on_logits:
        wanted |= {"head.activation": "sigmoid", "head.axis": -1, "loss.from_logits": False}
        if experiment.head.attachment == "layer_class":
            wanted["head.attachment"] = "activation_layer"
        if wanted["loss.name"] == "sigmoid_cross_entropy_with_logits":
            wanted["loss.name"] = "binary_crossentropy"
    return {field: value for field, value in wanted.items() if experiment[field] != value}


@rule(
    "T03",
    stage="target",
    severity="error",
    title="Label rows with more than one class under a loss over exclusive classes",
    matters="Categorical cross entropy takes a label row for one distribution over the classes, which sums to 1. "
    "Where two masks overlap the row sums to 2, and a softmax can never give both classes a probability of 1. On "
    "logits the gradient then also belongs to another function than the printed loss.",
    example="Overlapping object masks, softmax and categorical cross entropy.",
    instead="One sigmoid a class and binary cross entropy; one-hot labels where classes exclude each other.",
    silent="A loss with one sigmoid for each class; rows that sum to more than 1 only because masks are 0/255.",
    references=(_TF_CE,),
    explained_by=("H14",),
)
def rows_with_several(known: Known) -> Noticed | None:
    """Whether label rows hold more than one class while the loss takes them for one distribution."""
    scene, labels = known.scene, known.labels
    if scene is None or labels is None or labels.kind != "rows":
        return None
    if not is_categorical(known.experiment, known.channels):
        return None
    one_class = max(1.0, labels.high)
    many = {s: f for s, f in labels.row_sums.items() if s > 1.01 * one_class}
    if not many:
        return None
    total = next(iter(many))
    evidence: dict[str, Any] = {
        "labelled pixels with more than one class": sum(many.values()),
        "labelled pixels with none": labels.row_sums.get(0.0, 0.0),
        "sum of such a row, S": total,
    }
    if is_fused(known):
        evidence["sum over the classes of dL/dz at such a pixel, 1 - S (right: 0)"] = 1 - total
    if not scene.overlapping:
        return Noticed(evidence, **mended(known, scene, labels))
    changes = _independent(known.experiment)
    mended_experiment = known.experiment.changed(changes)
    code = f"# one independent probability a class\n{_in_keras(mended_experiment)}"
    return Noticed(evidence, changes, code)


def _in_keras(experiment: Experiment) -> str:
    name, flag = experiment.loss.name, f"from_logits={experiment.loss.from_logits}"
    written = {
        "binary_crossentropy": f"loss = keras.losses.BinaryCrossentropy({flag})",
        "binary_focal_crossentropy": f"loss = keras.losses.BinaryFocalCrossentropy({flag})",
        "sigmoid_cross_entropy_with_logits": "loss = tf.nn.sigmoid_cross_entropy_with_logits(labels=y, logits=z)",
    }
    return written.get(name, f"loss = keras.losses.binary_crossentropy(y, p, {flag}) + region_loss(y, p)")
