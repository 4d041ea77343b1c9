"""The loss: what it is compared with, how it is reduced, and what its formula cannot say. Mostly from the probe."""

from __future__ import annotations

from typing import Any

import numpy as np

from segdebug.rules.catalogue import Noticed, rule
from segdebug.rules.known import Known
from segdebug.rules.ran import ended
from segdebug.rules.reading import head_code, linear_logits, measured, own_activation
from segdebug.vocabulary import LOSSES

_POOLED = ("dice", "tversky", "jaccard", "negative_dice")
_RARE = 0.02  # of the labelled pixels
_LOSSES_SOURCE = "keras/src/losses/losses.py"


@rule(
    "L01",
    stage="loss",
    severity="error",
    title="Labels and output have different shapes, and were stretched to fit",
    matters="Neither Keras nor TensorFlow refused the shapes: one value a pixel was compared with every channel of "
    "the output, as if it were the label of all of them. The number looks like a loss, often a very good one, and "
    "teaches nothing about classes.",
    example="integer masks (H, W, 1) with Dice on K softmax channels",
    instead="One-hot labels for this loss, or a sparse loss for integer labels.",
    silent="For sparse losses, and for one channel.",
    references=(f"{_LOSSES_SOURCE}, dice: inputs * targets",),
)
def broadcast(known: Known) -> Noticed | None:
    """Whether labels were broadcast against the output instead of being refused."""
    s = known.semantics
    if s.computes != "broadcast":
        return None
    evidence = {
        "labels, without the batch": list(s.label_shape[1:]),
        "output": list(s.output_shape[1:]),
        "loss that fit prints on the probe": s.fit,
        "loss with a label for each channel": s.intended,
    }
    if known.channels == 1:
        return Noticed(evidence, {"target.encoding": "single_channel"}, "y = mask[..., None].astype('float32')")
    changes: dict[str, Any] = {"target.encoding": "one_hot"}
    flat = known.experiment.head.attachment in ("after_reshape", "then_reshape")
    if known.experiment.target.layout == "trailing_axis":
        changes["target.layout"] = "flat" if flat else "spatial"
    return Noticed(evidence, changes, "y = tf.one_hot(mask, K)")


@rule(
    "L02",
    stage="loss",
    severity="error",
    title="Keras refuses this combination",
    matters="Keras or TensorFlow raises an error before the first step. That is the honest case: nothing is trained "
    "that was not meant.",
    example="SparseCategoricalCrossentropy(axis=1)",
    instead="What the message asks for.",
    silent="When the labels' shape is at fault: that is T10.",
    explained_by=("T10", "T12", "T04", "L23", "H09"),
)
def refused(known: Known) -> Noticed | None:
    """Whether building or calling head and loss raised an error that is not about the labels."""
    s = known.semantics
    if s.computes != "error":
        return None
    evidence = {"Keras says": s.error or "", "field at fault": s.error_field or "unknown"}
    changes: dict[str, Any] = {}
    if s.error_field == "loss.axis":
        changes = {"loss.axis": None}
    return Noticed(evidence, changes)


@rule(
    "L03",
    stage="loss",
    severity="note",
    title="This loss clips in every wiring",
    matters="Whatever the head, this loss takes the logarithm of a clipped probability. A pixel that is wrong with a "
    "confidence beyond 1e-7 has no gradient. Sound training stays far from that.",
    example="CategoricalFocalCrossentropy",
    instead="Nothing, unless wrong pixels are seen to be dead: then plain cross entropy to begin with.",
    silent="When another wiring of the same loss would not clip (H11).",
    references=(f"{_LOSSES_SOURCE}, categorical_focal_crossentropy: clip",),
)
def always_clips(known: Known) -> Noticed | None:
    """Whether the right formula clips, and was measured to clip in the other wirings too."""
    s = known.semantics
    if s.computes != "intended_clipped" or not s.always_clips:
        return None
    return Noticed({"confidently wrong pixels without any gradient": s.dead_wrong})


@rule(
    "L04",
    stage="loss",
    severity="warning",
    title="ignore_class hides the logits from the loss",
    matters="To leave a class out, Keras rebuilds the output tensor, and the new one no longer carries the logits of "
    "its activation. A loss that read the logits before now reads the output: clipped where it was told "
    "probabilities, and through a second softmax where it was told logits, without the warning that it gave before.",
    example="softmax with SparseCategoricalCrossentropy(from_logits=True, ignore_class=255)",
    instead="A linear head with from_logits=True and ignore_class.",
    silent="For a linear head.",
    references=(f"{_LOSSES_SOURCE}, sparse_categorical_crossentropy: ops.where",),
    explained_by=(),
)
def ignore_class_hides(known: Known) -> Noticed | None:
    """Whether a softmax head meets ignore_class, and its logits were measured not to be recovered."""
    s, head = known.semantics, known.experiment.head
    if (
        known.experiment.loss.ignore_class is None
        or head.activation != "softmax"
        or s.recovered
        or s.computes == "error"
    ):
        return None
    severity = "error" if s.computes == "double_activation" else None
    evidence = measured(s) | {"confidently wrong pixels without any gradient": s.dead_wrong}
    changes = linear_logits(known)
    return Noticed(evidence, changes, head_code({"head.activation": "linear"}), severity)


@rule(
    "L05",
    stage="loss",
    severity="warning",
    title="Two parts of the loss read different tensors",
    matters="The loss is a product or a sum whose parts should see the same probabilities. Keras puts the logits in "
    "place of the output for one part only, or one part applies an activation more than the other. Their gradients "
    "then pull towards different outputs.",
    example="softmax with BinaryFocalCrossentropy()",
    instead="The activation that belongs to the loss.",
    silent="When both parts see the same probabilities, such as a sigmoid under binary focal loss.",
    references=(f"{_LOSSES_SOURCE}, binary_focal_crossentropy",),
    explained_by=("H06", "H01"),
)
def hybrid(known: Known) -> Noticed | None:
    """Whether the parts of the loss were measured to read different tensors."""
    s = known.semantics
    parts_differ = s.region_reads and (s.region_reads == "activated") != (
        s.reads in ("output_logits", "activated", "mixed_activated")
    )
    if s.computes == "error" or s.computes in ("intended", "rescued", "broadcast"):
        return None
    if s.reads != "mixed" and not (parts_differ and s.computes in ("hybrid", "double_activation")):
        return None
    evidence = measured(s) | {"pixel part reads": s.reads, "region part reads": s.region_reads or "none"}
    changes: dict[str, Any] = {"head.activation": own_activation(known)}
    if known.experiment.loss.from_logits:
        changes["loss.from_logits"] = False
    return Noticed(evidence, changes, head_code(changes))


@rule(
    "L08",
    stage="loss",
    severity="warning",
    title="The loss is a sum over pixels, and the learning rate is for a mean",
    matters="Without the division by the number of pixels the gradient is that many times larger. Optimizers that "
    "scale it away, such as Adam, hardly notice; plain SGD takes steps that many times too long. With reduction "
    "'none', fit even prints the mean while it follows the sum.",
    example="reduction='none' in compile, with SGD",
    instead="reduction='sum_over_batch_size', the default.",
    silent="With Adam, AdamW and RMSprop, which do not depend on the gradient's scale.",
    references=("keras/src/losses/loss.py, reduce_values",),
)
def reduction(known: Known) -> Noticed | None:
    """Whether an optimizer that depends on the gradient's scale gets the gradient of a sum over pixels."""
    loss, training = known.experiment.loss, known.experiment.training
    sums = loss.reduction in ("sum", "none") and LOSSES[loss.name].per_pixel
    if not sums:
        return None
    severity = None if training.optimizer == "sgd" else "note"
    evidence = {"reduction": loss.reduction, "pixels": training.size**2, "optimizer": training.optimizer}
    return Noticed(evidence, {"loss.reduction": "sum_over_batch_size"}, "reduction='sum_over_batch_size'", severity)


@rule(
    "L09",
    stage="loss",
    severity="warning",
    title="alpha and beta of this Keras's Tversky are in each other's place",
    matters="Keras documents alpha as the weight of false positives and beta as that of false negatives. The Keras "
    "that is installed here weighs them the other way round, so the setting punishes what it should forgive.",
    example="Tversky(alpha=0.9, beta=0.1) in Keras 3.15",
    instead="The two numbers exchanged, as long as this version is used.",
    silent="When both are equal, and on a Keras that follows its documentation.",
    references=("https://github.com/keras-team/keras/pull/23333", f"{_LOSSES_SOURCE}, tversky"),
)
def tversky_swapped(known: Known) -> Noticed | None:
    """Whether the probe matches Tversky only with alpha and beta exchanged."""
    loss, s = known.experiment.loss, known.semantics
    alpha, beta = (0.5 if weight is None else weight for weight in (loss.alpha, loss.beta))
    if loss.name != "tversky" or alpha == beta or not s.swapped:
        return None
    evidence = {
        "alpha, documented for false positives": alpha,
        "beta, documented for false negatives": beta,
        "difference from the documented formula": s.rivals.get("probabilities", np.nan),
        "difference with the two exchanged": s.match,
    }
    return Noticed(
        evidence, {"loss.alpha": beta, "loss.beta": alpha}, f"keras.losses.Tversky(alpha={beta:g}, beta={alpha:g})"
    )


@rule(
    "L10",
    stage="loss",
    severity="warning",
    title="A pooled region loss hardly feels the rarest class",
    matters="Keras's Dice and Tversky add all classes and pixels before they divide, so a class counts by its area. "
    "Leaving out a class of one pixel in a hundred costs about one part in a hundred.",
    example="Dice on a scene whose rarest class has half a per cent of the pixels",
    instead="Cross entropy, or cross entropy + Dice.",
    silent="When every class has a fair share of the pixels, and once a run has learnt all of them.",
    references=(f"{_LOSSES_SOURCE}, dice: axis=None",),
)
def pooled_region(known: Known) -> Noticed | None:
    """Whether a pooled region loss meets a class that has less than two per cent of the pixels."""
    loss, scene = known.experiment.loss, known.scene
    if loss.name not in _POOLED or scene is None or loss.axis is not None:
        return None
    frequencies = np.asarray(scene.frequencies)
    present = np.flatnonzero((frequencies > 0) & (frequencies < _RARE))
    if known.channels == 1:
        present = present[present == 1]
    if not present.size:
        return None
    rarest = int(present[np.argmin(frequencies[present])])
    evidence: dict[str, Any] = {
        "rarest class": scene.names[rarest],
        "its share of the pixels": float(frequencies[rarest]),
        "loss when it is never predicted, all else perfect": float(_price(frequencies, rarest, loss.name)),
    }
    severity: str | None = "note"
    if (ran := ended(known)) is not None and rarest < len(ran.iou):
        iou = float(ran.iou[rarest])
        evidence["its IoU at the last step"] = iou
        severity = None if iou < 0.5 else "note"
    both = {"loss.name": "bce_dice" if known.experiment.head.activation == "sigmoid" else "cce_dice"}
    return Noticed(evidence, both, "loss = categorical_crossentropy + dice", severity)


def _price(frequencies: Any, rarest: int, name: str) -> float:
    """Of giving the rarest class's pixels to another class, all others right: I = 1 - f, A + B = 2."""
    f = float(frequencies[rarest])
    return 1 - (1 - f) / (1 + f) if name == "jaccard" else f


@rule(
    "L11",
    stage="loss",
    severity="note",
    title="This loss is negative by construction",
    matters="Its best value is below zero, so a negative number is no sign of a fault, and a falling one none of "
    "success: only its distance from the floor counts.",
    example="-dice, or binary cross entropy - (1 + dice)",
    instead="1 - dice, which has the same gradient and a floor of 0.",
    silent="For losses that cannot be negative on labels between 0 and 1.",
)
def negative_by_construction(known: Known) -> Noticed | None:
    """Whether the formula's floor is below zero."""
    loss = known.experiment.loss
    if loss.name not in ("negative_dice", "weighted_bce_dice"):
        return None
    mean = 1.0 if known.weights is None else known.weights.mean
    floor = -1.0 if loss.name == "negative_dice" else -2.0 * mean
    return Noticed({"floor": floor, "mean weight": mean})
