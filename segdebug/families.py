"""Losses by what they take their labels for. Facts of their formulas, by the names of the vocabulary."""

from __future__ import annotations

from segdebug.experiment import Experiment

__all__ = [
    "BARE_REGIONS",
    "FUSABLE",
    "SPARSE",
    "has_pixel_part",
    "has_region_part",
    "is_categorical",
    "suited_encoding",
    "zero_rows_cost_nothing",
    "zero_rows_pull_no_region",
]

SPARSE = ("sparse_categorical_crossentropy", "sparse_softmax_cross_entropy_with_logits")
"""Losses that take one id a pixel."""

FUSABLE = ("categorical_crossentropy", "softmax_cross_entropy_with_logits", "cce_dice", "cce_jaccard")
"""Losses whose cross entropy is TensorFlow's fused one where it reads logits: its gradient is p - y for any y."""

BARE_REGIONS = ("dice", "tversky", "jaccard", "lovasz", "negative_dice")
"""One number for the whole picture, with no part that a pixel has of its own."""

_MIXED = ("bce_dice", "cce_dice", "bce_jaccard", "cce_jaccard", "focal_dice", "weighted_bce_dice")
_POOLED = ("dice", "tversky", "jaccard", "negative_dice", "cce_dice", "cce_jaccard", "focal_dice")


def has_pixel_part(name: str) -> bool:
    """Whether a sample_weight reaches single pixels in some part of the loss."""
    return name not in BARE_REGIONS


def has_region_part(name: str) -> bool:
    """Whether some part pools all pixels, which no sample_weight can leave out."""
    return name in BARE_REGIONS or name in _MIXED


def suited_encoding(experiment: Experiment, channels: int, overlapping: bool) -> str:
    """The encoding that this loss and head take."""
    if experiment.loss.name in SPARSE:
        return "sparse"
    if overlapping:
        return "raw"
    return "single_channel" if channels == 1 else "one_hot"


def is_categorical(experiment: Experiment, channels: int) -> bool:
    """Whether the loss takes a row of labels for one distribution over the classes."""
    name = experiment.loss.name
    if name == "focal_dice":  # as segdebug.parts.losses chooses its focal part
        return experiment.head.activation != "sigmoid" and channels > 1
    return name in (*FUSABLE, "categorical_focal_crossentropy", "kl_divergence")


def zero_rows_cost_nothing(experiment: Experiment, channels: int) -> bool:
    """Whether the pixel part multiplies everything by the label, so that a row of zeros adds nothing and pulls
    nothing. The cross entropies of `FUSABLE` do so only where they clip, which the probe has to say."""
    name = experiment.loss.name
    if experiment.loss.label_smoothing:
        return False  # smoothing fills the row: y (1 - s) + s/K
    categorical_focal = name == "focal_dice" and is_categorical(experiment, channels)
    return name in ("categorical_focal_crossentropy", "kl_divergence") or categorical_focal


def zero_rows_pull_no_region(experiment: Experiment) -> bool:
    """Whether a row of zeros has no gradient in the region part.

    Pooled over the classes, I does not depend on such a pixel and the sum of p does so with the same slope for
    every class; through a softmax, whose outputs sum to 1, equal slopes cancel.
    """
    loss, head = experiment.loss, experiment.head
    softmaxed = loss.from_logits and loss.name.startswith("cce")
    on_simplex = (head.activation == "softmax" and head.axis == -1) or softmaxed
    return on_simplex and loss.name in _POOLED and loss.axis is None
