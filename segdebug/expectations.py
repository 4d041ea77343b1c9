"""What a configuration should print: untrained, perfect, and with some of its pixels confidently wrong.

Worked out from what the probe found the loss to compute, never from names alone. Pure mathematics: no TensorFlow.
"""

from __future__ import annotations

from segdebug.formulas import BINARY, REGIONS, Expected, part, region
from segdebug.rules.known import Known

__all__ = ["Expected", "expected"]

_SUMS: dict[str, tuple[str, ...]] = {
    "bce_dice": ("binary_crossentropy", "dice"),
    "cce_dice": ("categorical_crossentropy", "dice"),
    "bce_jaccard": ("binary_crossentropy", "jaccard"),
    "cce_jaccard": ("categorical_crossentropy", "jaccard"),
}
_NOTHING_KNOWN = ("error", "broadcast", "wrong_axis", "log_probabilities_misused")


def expected(known: Known) -> Expected:
    """What the loss should print, for what the probe found the configuration to compute."""
    if known.semantics.computes in _NOTHING_KNOWN:
        return Expected()
    name = known.experiment.loss.name
    parts: tuple[str, ...]
    if name == "focal_dice":
        binary = known.experiment.head.activation == "sigmoid" or known.channels == 1
        parts = ("binary_focal_crossentropy" if binary else "categorical_focal_crossentropy", "dice")
    else:
        parts = _SUMS.get(name, (name,))
    s = known.semantics
    unweighted = part(known, parts[0], s.reads or s.region_reads)  # a bare region loss has no other part
    if len(parts) == 2:
        link = "sigmoid" if parts[0] in BINARY else "softmax"
        unweighted = _added(unweighted, region(known, parts[1], s.region_reads, link))
    return _scaled(unweighted, _factor(known, bare_region=len(parts) == 1 and name in REGIONS))


def _factor(known: Known, *, bare_region: bool) -> float:
    """What weights, void pixels and the reduction multiply the mean over pixels by."""
    loss, scene = known.experiment.loss, known.scene
    void = 0.0 if scene is None or loss.void != "zero_weight" else scene.void
    factor = 1.0
    if loss.reduction != "mean_with_sample_weight":
        factor = (1 - void) * _mean_weight(known)
    if loss.reduction == "sum" and not bare_region:
        factor *= known.experiment.training.size**2
        if loss.name == "sigmoid_cross_entropy_with_logits":  # one value a channel, not one a pixel
            factor *= known.channels
    return factor


def _mean_weight(known: Known) -> float:
    """The mean class weight over the labelled pixels, of the weights that act."""
    loss, scene = known.experiment.loss, known.scene
    weights = loss.class_weights
    if known.weights is not None and loss.name != "weighted_bce_dice":
        return known.weights.mean
    if weights is None or scene is None or len(weights) != len(scene.names) or scene.overlapping:
        return 1.0
    inside = loss.weighting == "in_loss" or loss.name == "weighted_bce_dice"
    outside = loss.weighting != "in_loss" and (known.weights is None or known.weights.as_meant)
    power = int(inside) + int(outside)
    return float(sum(f * w**power for f, w in zip(scene.frequencies, weights, strict=True)))


def _scaled(plain: Expected, factor: float) -> Expected:
    if factor == 1.0:
        return plain

    def at_rate(w: float) -> float | None:
        value = plain.at_rate(w)
        return None if value is None else factor * value

    return Expected(
        None if plain.initial is None else factor * plain.initial,
        None if plain.floor is None else factor * plain.floor,
        plain.formula and f"{factor:.4g} × ({plain.formula})",
        at_rate,
    )


def _added(one: Expected, other: Expected) -> Expected:
    def at_rate(w: float) -> float | None:
        a, b = one.at_rate(w), other.at_rate(w)
        return None if a is None or b is None else a + b

    return Expected(
        None if one.initial is None or other.initial is None else one.initial + other.initial,
        None if one.floor is None or other.floor is None else one.floor + other.floor,
        f"{one.formula} + {other.formula}" if one.formula and other.formula else "",
        at_rate,
    )
