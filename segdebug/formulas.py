"""What each part of a loss prints when undecided, when right and when wrong, by what the probe found it to read."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from segdebug.reference import closed_forms as forms
from segdebug.rules.known import Known

__all__ = ["BINARY", "REGIONS", "Expected", "part", "region"]


def _unknown(w: float) -> float | None:  # noqa: ARG001 - of the shape of a plateau
    return None


@dataclass(frozen=True)
class Expected:
    """Losses as fit prints them: weights, void pixels, rows that do not sum to 1 and the reduction included.

    initial: of a network that knows nothing; floor: of one that is right and sure; None where it is not known.
    formula: the plateau in words, "" where there is none; at_rate: see `plateau`.
    """

    initial: float | None = None
    floor: float | None = None
    formula: str = ""
    at_rate: Callable[[float], float | None] = _unknown

    def plateau(self, w: float) -> float | None:
        """What is printed when a fraction w (0..1) of the labelled pixels is confidently wrong and the others
        confidently right; None where it has no bound or is not known."""
        return self.at_rate(w)


@dataclass(frozen=True)
class _Levels:
    """The probability that a formula sees in a channel: of an undecided pixel, of a sure yes, of a sure no."""

    undecided: float
    yes: float
    no: float


_OUTPUTS = {
    "linear": (0.0, math.inf, -math.inf),
    "softmax": (math.nan, 1.0, 0.0),  # undecided: 1 / K
    "sigmoid": (0.5, 1.0, 0.0),
    "tanh": (0.0, 1.0, -1.0),
    "relu": (0.0, math.inf, 0.0),
    "log_softmax": (0.0, 0.0, -math.inf),  # undecided: -log K in every channel, which softmax takes for 0
}
"""What the activation puts out when undecided, for a sure yes and for a sure no."""

_CATEGORICAL = {
    "categorical_crossentropy",
    "sparse_categorical_crossentropy",
    "categorical_focal_crossentropy",
    "kl_divergence",
    "softmax_cross_entropy_with_logits",
    "sparse_softmax_cross_entropy_with_logits",
}
BINARY = {"binary_crossentropy", "binary_focal_crossentropy", "sigmoid_cross_entropy_with_logits"}
REGIONS = {"dice", "jaccard", "tversky", "negative_dice", "lovasz"}


def part(known: Known, name: str, reads: str) -> Expected:
    if reads == "mixed":
        return _mixed(known)
    if name in _CATEGORICAL:
        return _categorical(known, name, reads)
    if name in BINARY:
        return _binary(known, name, reads)
    if name in REGIONS:
        return region(known, name, reads, "softmax")
    if name == "weighted_bce_dice":
        return _bce_dice_of_the_thread(known, reads)
    return _entrywise(known, name)


def _levels(known: Known, reads: str, link: str) -> _Levels | None:
    """What reaches the formula, through the link that the loss applies itself; None where it is no probability."""
    activation, k = known.experiment.head.activation, known.channels
    source = "linear" if reads == "logits" else activation
    undecided, yes, no = _OUTPUTS[source]
    if source == "softmax":
        undecided = 1 / k
    if reads == "probabilities":
        return _Levels(undecided, yes, no) if source in ("softmax", "sigmoid") else None
    if reads not in ("logits", "output_logits", "activated"):
        return None
    if link == "sigmoid":
        return _Levels(_sigmoid(undecided), _sigmoid(yes), _sigmoid(no))
    gap = math.exp(min(yes - no, 700.0))
    return _Levels(1 / k, gap / (gap + k - 1), 1 / (gap + k - 1) if gap < 1e300 else 0.0)


def _sigmoid(x: float) -> float:
    if math.isinf(x):
        return float(x > 0)
    return math.exp(-forms.softplus(-x))


def _positive(known: Known) -> float | None:
    """The fraction of label entries that are 1: 1 / K for one-hot rows; None where it is not known."""
    if known.channels > 1 and (known.scene is None or not known.scene.overlapping):
        return 1 / known.channels
    if known.scene is None:
        return None
    frequencies = known.scene.frequencies
    if known.scene.overlapping:
        return float(frequencies.sum()) / known.channels
    return float(frequencies[1]) if len(frequencies) == 2 else None


def _rows(known: Known) -> tuple[float, float]:
    """The mean sum of a label row over the pixels that count, and the least loss that such rows allow.

    Rows above 1 whose entries stay within 1 are several classes on a pixel: S log S at best.
    """
    labels = known.labels
    if labels is None or labels.kind != "rows" or not labels.row_sums:
        return 1.0, 0.0
    share = sum(labels.row_sums.values()) or 1.0
    mean = sum(total * part for total, part in labels.row_sums.items()) / share
    least = 0.0
    if labels.high <= 1:
        least = sum(part * total * math.log(total) for total, part in labels.row_sums.items() if total > 1) / share
    if labels.void_fed and "zero" in labels.void_as:
        mean, least = mean * (1 - labels.void_fed), least * (1 - labels.void_fed)
    return mean, least


def _categorical(known: Known, name: str, reads: str) -> Expected:
    loss, k = known.experiment.loss, known.channels
    if k == 1:
        return Expected(0.0, 0.0)  # softmax over one channel is always 1
    levels = _levels(known, reads, "softmax")
    clips = known.semantics.clips or name == "categorical_focal_crossentropy"
    if levels is None:  # logits as probabilities: no start and no floor, but the clip bounds what it can print
        return Expected(None, None, "16.118 w", lambda w: forms.clipped_plateau(w)) if clips else Expected()
    undecided = levels.undecided if name == "kl_divergence" else 1 / k  # the others divide by the row's sum
    if name == "categorical_focal_crossentropy":
        alpha = 0.25 if loss.alpha is None else loss.alpha
        gamma = 2.0 if loss.gamma is None else loss.gamma
        cost: Callable[[float], float] = lambda p: forms.focal(p, alpha, gamma, clips)  # noqa: E731
    else:
        cost = lambda p: forms.cross_entropy(p, clips)  # noqa: E731
    rows, least = _rows(known)
    right, wrong = cost(levels.yes), cost(levels.no)
    floor = forms.smoothed_floor(k, loss.label_smoothing) if loss.label_smoothing else rows * right + least
    if loss.label_smoothing or math.isinf(wrong):
        return Expected(rows * cost(undecided), floor)
    return Expected(rows * cost(undecided), floor, _words(right, wrong), _line(rows * right, rows * wrong))


def _binary(known: Known, name: str, reads: str) -> Expected:
    loss, k, positive = known.experiment.loss, known.channels, _positive(known)
    levels = _levels(known, reads, "sigmoid")
    if levels is None:
        return Expected()
    clips = known.semantics.clips
    gamma = 0.0
    balance = (1.0, 1.0)
    if name == "binary_focal_crossentropy":
        gamma = 2.0 if loss.gamma is None else loss.gamma
        alpha = 0.25 if loss.alpha is None else loss.alpha
        balance = (alpha, 1 - alpha) if loss.apply_class_balancing else balance

    def on(p: float) -> float:
        return balance[0] * forms.binary_focal(p, gamma, clips)

    def off(p: float) -> float:
        least = forms.CLIPPED_ZERO if clips and p >= 1 else math.inf
        return balance[1] * min(forms.binary_focal(1 - p, gamma, clips), least)

    start = _start(positive, levels.undecided, on, off)
    labels = known.labels
    if labels is not None and (labels.high > 1 or labels.low < 0):
        # At p = 0.5 any label costs the same; elsewhere the loss has no floor.
        return Expected(start if levels.undecided == 0.5 and not gamma else None)
    if positive is None:
        same = on(levels.yes) == off(levels.no)
        return Expected(start, on(levels.yes) if same else None)
    if loss.label_smoothing:
        return Expected(start, forms.smoothed_bce_floor(loss.label_smoothing) if not gamma else None)
    floor = positive * on(levels.yes) + (1 - positive) * off(levels.no)
    missed, claimed = on(levels.no) - on(levels.yes), off(levels.yes) - off(levels.no)
    if math.isinf(missed) or math.isinf(claimed) or (known.scene is not None and known.scene.overlapping):
        return Expected(start, floor)
    if k > 1:
        return Expected(
            start, floor, _words(floor, floor + (missed + claimed) / k), _line(floor, floor + (missed + claimed) / k)
        )

    def one_channel(w: float) -> float:
        """The foreground is missed first, as when everything is called background."""
        misses = min(w, positive)
        return floor + misses * missed + (w - misses) * claimed

    return Expected(start, floor, f"{floor:.4g} + {missed:.4g} for each missed pixel", one_channel)


def _start(
    positive: float | None, p: float, on: Callable[[float], float], off: Callable[[float], float]
) -> float | None:
    if positive is None:
        return on(p) if on(p) == off(p) else None
    return positive * on(p) + (1 - positive) * off(p)


def region(known: Known, name: str, reads: str, link: str) -> Expected:
    loss, k, positive = known.experiment.loss, known.channels, _positive(known)
    levels = _levels(known, reads, link)
    pooled = loss.axis is None  # class by class is another mean
    if levels is None or positive is None or not pooled:
        return Expected()
    scaled = known.labels is not None and (known.labels.high > 1 or known.labels.low < 0)

    def value(on: float, off: float) -> float:
        if name == "jaccard":
            return forms.jaccard(positive, on, off)
        if name == "negative_dice":
            return forms.negative_dice(positive, on, off)
        if name == "tversky":
            alpha = 0.5 if loss.alpha is None else loss.alpha
            beta = 0.5 if loss.beta is None else loss.beta
            of_false_positives = beta if known.semantics.swapped else alpha
            return forms.tversky(positive, on, off, of_false_positives, alpha + beta - of_false_positives)
        return forms.dice(positive, on, off)

    if scaled:
        return Expected()
    if name == "lovasz":
        start = forms.lovasz_uniform(levels.undecided) if k > 1 else None
        return Expected(start, 0.0 if levels.yes == 1 and levels.no == 0 else None)
    start, floor = value(levels.undecided, levels.undecided), value(levels.yes, levels.no)
    if k == 1 or (known.scene is not None and known.scene.overlapping):
        return Expected(start, floor)

    def confident(w: float) -> float:
        spread = w * (levels.yes - levels.no)
        return value(levels.yes - spread, levels.no + spread / (k - 1))

    words = {"dice": "1 - 2 I / (A + B)", "jaccard": "1 - I / U"}.get(name, name)
    return Expected(start, floor, f"{words} with w of the pixels wrong", confident)


def _bce_dice_of_the_thread(known: Known, reads: str) -> Expected:
    """w (BCE - (1 + Dice coefficient)); the weights come in with `_factor`."""
    bce, positive = _binary(known, "binary_crossentropy", reads), _positive(known)
    levels = _levels(known, reads, "sigmoid")
    region = known.semantics.region_reads
    # Its Dice reads the output as it is, so only an output of probabilities can be worked out.
    output = _levels(known, region if region else "probabilities", "sigmoid")
    if levels is None or output is None or positive is None or bce.initial is None or bce.floor is None:
        return Expected()
    coefficient = -forms.negative_dice(positive, output.undecided, output.undecided)
    return Expected(
        bce.initial - (1 + coefficient), bce.floor - (1 - forms.negative_dice(positive, output.yes, output.no))
    )


def _entrywise(known: Known, name: str) -> Expected:
    positive, k = _positive(known), known.channels
    levels = _levels(known, known.semantics.reads, "softmax")
    if levels is None or positive is None or known.semantics.reads != "probabilities":
        return Expected()
    if known.labels is not None and (known.labels.high > 1 or known.labels.low < 0):
        return Expected()
    if name == "categorical_hinge":
        return Expected(1.0, 0.0, "2 w", lambda w: 2 * w) if k > 1 else Expected()
    formula = {"mean_squared_error": forms.mean_squared_error, "mean_absolute_error": forms.mean_absolute_error}[name]
    start = formula(positive, levels.undecided, levels.undecided)
    if k == 1:
        return Expected(start, 0.0, "w", lambda w: w)
    if known.scene is not None and known.scene.overlapping:
        return Expected(start, 0.0)
    return Expected(start, 0.0, "2 w / K", lambda w: 2 * w / k)


def _mixed(known: Known) -> Expected:
    """Binary focal loss whose factor reads the output and whose cross entropy reads the logits."""
    loss, positive = known.experiment.loss, _positive(known)
    output = _levels(known, "probabilities", "sigmoid")
    if loss.name != "binary_focal_crossentropy" or output is None or positive is None or loss.apply_class_balancing:
        return Expected()
    gamma = 2.0 if loss.gamma is None else loss.gamma
    p = output.undecided
    return Expected(math.log(2) * (positive * (1 - p) ** gamma + (1 - positive) * p**gamma), 0.0)


def _words(right: float, wrong: float) -> str:
    price = "w" if abs(wrong - right - 1) < 1e-9 else f"{wrong - right:.5g} w"
    return price if right < 1e-6 else f"{right:.4g} + {price}"


def _line(right: float, wrong: float) -> Callable[[float], float]:
    return lambda w: (1 - w) * right + w * wrong
