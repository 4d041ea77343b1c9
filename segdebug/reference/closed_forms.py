"""What a loss prints at points that can be worked out by hand: undecided, sure and right, sure and wrong.

k: classes, or channels of the head. w: fraction of the labelled pixels that are confidently wrong, 0..1.
positive: fraction of all label entries that are 1; 1 / k for one-hot labels. Losses are in nats, float64, as the
default reduction prints them. Every formula is derived from the definition of its loss; the numbers of clipping
come from Keras's epsilon of 1e-7 in float32.
"""

from __future__ import annotations

import math

__all__ = [
    "CLIPPED",
    "CLIPPED_SURE",
    "CLIPPED_ZERO",
    "EPSILON",
    "absent_dice_floor",
    "bce_uniform",
    "binary_entropy",
    "binary_focal",
    "binary_focal_uniform",
    "clipped_bce_dead_gap",
    "clipped_bce_plateau",
    "clipped_dead_gap",
    "clipped_focal_plateau",
    "clipped_plateau",
    "cross_entropy",
    "cross_entropy_uniform",
    "dice",
    "double_binary_focal_floor",
    "double_focal_floor",
    "double_focal_plateau",
    "double_sigmoid_attenuation",
    "double_sigmoid_binary_floor",
    "double_sigmoid_floor",
    "double_sigmoid_plateau",
    "double_sigmoid_uniform",
    "double_softmax_attenuation",
    "double_softmax_confidence",
    "double_softmax_floor",
    "double_softmax_plateau",
    "focal",
    "focal_uniform",
    "jaccard",
    "literal_bce_uniform",
    "lovasz_uniform",
    "mean_absolute_error",
    "mean_squared_error",
    "multi_hot_floor",
    "negative_dice",
    "price_of_ignoring",
    "relu_bce_floor",
    "scaled_dice_floor",
    "smoothed_bce_floor",
    "smoothed_floor",
    "softmax_sigmoid_uniform",
    "softplus",
    "tanh_bce_floor",
    "tanh_floor",
    "tversky",
    "weighted_bce_dice_floor",
]

EPSILON = 1e-7
"""Keras clips probabilities to [EPSILON, 1 - EPSILON] before it takes a logarithm."""

CLIPPED = -math.log(EPSILON)
"""16.118: the most that one clipped pixel can cost, y = 1 at p = 0."""

CLIPPED_ZERO = 23 * math.log(2)
"""15.942: the same for y = 0 at p = 1, where float32 rounds 1 - (1 - 1e-7) to 2^-23."""

CLIPPED_SURE = 2.0**-23
"""1.19e-7: what a right and saturated pixel still costs: float32 rounds 1 - 1e-7 to 1 - 2^-23."""


def softplus(x: float) -> float:
    """log(1 + e^x), without overflow."""
    return max(x, 0.0) + math.log1p(math.exp(-abs(x)))


def _sigmoid(x: float) -> float:
    return math.exp(-softplus(-x))


# One pixel or entry, by the probability of what is true


def cross_entropy(p: float, clips: bool = False) -> float:
    """-log p, infinite at 0; clipped, from CLIPPED_SURE to CLIPPED."""
    if clips:
        return min(max(-math.log(p) if p > 0 else CLIPPED, CLIPPED_SURE), CLIPPED)
    return -math.log(p) if p > 0 else math.inf


def focal(p: float, alpha: float = 0.25, gamma: float = 2.0, clips: bool = True) -> float:
    """alpha (1 - p)^gamma (-log p) of the true class; Keras's categorical focal loss always clips."""
    return float(alpha * (1.0 - p) ** gamma * cross_entropy(p, clips)) if p < 1 else 0.0


def binary_focal(p: float, gamma: float = 2.0, clips: bool = False) -> float:
    """(1 - p)^gamma (-log p) of one entry, p the probability of what it is."""
    return focal(p, 1.0, gamma, clips)


# Undecided: an untrained network, nearly


def cross_entropy_uniform(k: int) -> float:
    """log K. A double softmax has the same: softmax of equal numbers is uniform, however often it is taken."""
    return math.log(k)


def focal_uniform(k: int, alpha: float = 0.25, gamma: float = 2.0) -> float:
    """alpha (1 - 1/K)^gamma log K."""
    return float(alpha * (1 - 1 / k) ** gamma * math.log(k))


def bce_uniform() -> float:
    """log 2 at p = 0.5, whatever the label, even one outside [0, 1]."""
    return math.log(2)


def binary_focal_uniform(gamma: float = 2.0) -> float:
    """0.5^gamma log 2 at p = 0.5."""
    return float(0.5**gamma * math.log(2))


def double_sigmoid_uniform(positive: float) -> float:
    """sigmoid(0.5) taken for the probability: softplus(-0.5) = 0.4741 where y = 1, softplus(0.5) = 0.9741 elsewhere."""
    return positive * softplus(-0.5) + (1 - positive) * softplus(0.5)


def softmax_sigmoid_uniform(k: int) -> float:
    """Softmax, then sigmoid: each channel has sigmoid(1/K), one-hot labels."""
    return (softplus(-1 / k) + (k - 1) * softplus(1 / k)) / k


def literal_bce_uniform(k: int) -> float:
    """Binary cross entropy of softmax probabilities: [log K - (K - 1) log(1 - 1/K)] / K, one-hot labels."""
    return (math.log(k) - (k - 1) * math.log(1 - 1 / k)) / k


def lovasz_uniform(p: float) -> float:
    """1 - p for p <= 0.5 everywhere: the missed pixels come first, and with all of them wrong the Jaccard loss is
    already 1."""
    return 1.0 - p


# Losses that see p only through sums or entry by entry: `on` is the mean p where y = 1, `off` where y = 0


def dice(positive: float, on: float, off: float) -> float:
    """1 - 2 I / (A + B), pooled: 1 - 1/K for a uniform softmax, K / (K + 2) for sigmoids at 0.5."""
    return 1 - 2 * positive * on / (positive + positive * on + (1 - positive) * off)


def jaccard(positive: float, on: float, off: float) -> float:
    """1 - I / U, pooled."""
    return 1 - positive * on / (positive + (1 - positive) * off)


def tversky(
    positive: float, on: float, off: float, false_positives: float = 0.5, false_negatives: float = 0.5
) -> float:
    """1 - I / (I + a FP + b FN), pooled, with the weights by what they weigh: Keras 3.15 swaps its two names."""
    overlap = positive * on
    return 1 - overlap / (overlap + false_positives * (1 - positive) * off + false_negatives * positive * (1 - on))


def negative_dice(positive: float, on: float, off: float, entries: float = math.inf) -> float:
    """-(2 I + 1) / (A + B + 1) over `entries` label entries: -1 where all is right."""
    smooth = 1 / entries
    return -(2 * positive * on + smooth) / (positive + positive * on + (1 - positive) * off + smooth)


def mean_squared_error(positive: float, on: float, off: float) -> float:
    """Of a p that is `on` at every 1 and `off` at every 0."""
    return positive * (1 - on) ** 2 + (1 - positive) * off**2


def mean_absolute_error(positive: float, on: float, off: float) -> float:
    """Mean |y - p|; `on` and `off` may be means."""
    return positive * (1 - on) + (1 - positive) * off


# Floors and plateaus: what a sure model prints, all right or with a fraction w wrong


def double_softmax_confidence(k: int) -> tuple[float, float]:
    """(q1, q0): the highest and lowest probability that a softmax of a softmax can say, e / (e + K - 1) and
    1 / (e + K - 1)."""
    return math.e / (math.e + k - 1), 1 / (math.e + k - 1)


def double_softmax_floor(k: int) -> float:
    """log(e + K - 1) - 1: 0.7437 for 4 classes."""
    return math.log(math.e + k - 1) - 1


def double_softmax_plateau(k: int, w: float) -> float:
    """floor + w: a sure wrong pixel costs exactly 1 nat more than a sure right one."""
    return double_softmax_floor(k) + w


def double_focal_floor(k: int, alpha: float = 0.25, gamma: float = 2.0) -> float:
    """alpha (1 - q1)^gamma (-log q1): categorical focal loss of a double softmax."""
    return focal(double_softmax_confidence(k)[0], alpha, gamma)


def double_focal_plateau(k: int, w: float, alpha: float = 0.25, gamma: float = 2.0) -> float:
    """(1 - w) f(q1) + w f(q0)."""
    q1, q0 = double_softmax_confidence(k)
    return (1 - w) * focal(q1, alpha, gamma) + w * focal(q0, alpha, gamma)


def double_sigmoid_binary_floor(positive: float) -> float:
    """0.3133 where y = 1, log 2 elsewhere: sigmoid of a probability lies between 0.5 and 0.731."""
    return positive * softplus(-1) + (1 - positive) * math.log(2)


def double_sigmoid_floor(k: int) -> float:
    """[softplus(-1) + (K - 1) log 2] / K on one-hot labels, also for softmax and then sigmoid."""
    return double_sigmoid_binary_floor(1 / k)


def double_sigmoid_plateau(k: int, w: float) -> float:
    """floor + w / K: a sure wrong pixel misses one channel (+0.380) and claims another (+0.620)."""
    return double_sigmoid_floor(k) + w / k


def double_binary_focal_floor(k: int, gamma: float = 2.0) -> float:
    """[(1 - s(1))^gamma softplus(-1) + (K - 1) 0.5^gamma log 2] / K on one-hot labels."""
    return (binary_focal(_sigmoid(1), gamma) + (k - 1) * binary_focal_uniform(gamma)) / k


def tanh_floor(k: int) -> float:
    """log(1 + (K - 1) e^-2): cross entropy of logits that tanh keeps within -1..1."""
    return math.log1p((k - 1) * math.exp(-2))


def tanh_bce_floor() -> float:
    """softplus(-1) = 0.3133: binary cross entropy of the same."""
    return softplus(-1)


def relu_bce_floor(k: int) -> float:
    """(K - 1) / K log 2: a rectified logit cannot say no; one-hot labels."""
    return (k - 1) / k * math.log(2)


def clipped_plateau(w: float) -> float:
    """16.118 w: cross entropy of clipped probabilities."""
    return CLIPPED * w + CLIPPED_SURE * (1 - w)


def clipped_focal_plateau(w: float, alpha: float = 0.25) -> float:
    """16.118 alpha w: 4.0295 w with Keras's default alpha."""
    return alpha * CLIPPED * w


def clipped_bce_plateau(k: int, w: float) -> float:
    """(16.118 + 15.942) w / K: each wrong pixel misses one channel and claims another, one-hot labels."""
    return (CLIPPED + CLIPPED_ZERO) * w / k


def smoothed_floor(k: int, smoothing: float) -> float:
    """The entropy of a smoothed one-hot row: with label smoothing, cross entropy cannot go lower."""
    rest = smoothing / k
    return _entropy(1 - smoothing + rest) + (k - 1) * _entropy(rest)


def smoothed_bce_floor(smoothing: float) -> float:
    """H(s / 2): labels become 1 - s/2 and s/2."""
    return binary_entropy(smoothing / 2)


def multi_hot_floor(s: int) -> float:
    """S log S: cross entropy of a row with S ones, best met by 1/S on each."""
    return s * math.log(s)


def absent_dice_floor(absent: int, k: int) -> float:
    """A / K: Dice class by class, with A of K classes nowhere in the labels."""
    return absent / k


def scaled_dice_floor(scale: float) -> float:
    """1 - 2 S / (S + 1): pooled Dice of a right prediction where labels are S instead of 1; -0.992 for 255."""
    return 1 - 2 * scale / (scale + 1)


def weighted_bce_dice_floor(mean_weight: float) -> float:
    """-2 mean(w): BCE is 0 and the Dice coefficient 1, so w (0 - (1 + 1)) is left."""
    return -2.0 * mean_weight


# Ignoring a class, weak gradients, dead zones


def binary_entropy(f: float) -> float:
    """H(f) = -f log f - (1 - f) log(1 - f)."""
    return _entropy(f) + _entropy(1 - f)


def price_of_ignoring(f: float, k: int = 1) -> float:
    """H(f) / K: what a class of frequency f costs when its pixels are never told apart. k: channels of a binary
    cross entropy; 1 for categorical cross entropy, where it is about right."""
    return binary_entropy(f) / k


def double_softmax_attenuation(k: int, t: float) -> float:
    """t (1 - q_y + q_o), with t the first softmax's probability of the true class and the others equal: the gradient
    at the true logit over that of one softmax. 1/K when undecided, and it goes to 0 with t."""
    true, other = math.exp(t), math.exp((1 - t) / (k - 1))
    total = true + (k - 1) * other
    return t * (1 - true / total + other / total)


def double_sigmoid_attenuation(p: float, label: int) -> float:
    """|dL/dz| of a double sigmoid at p = sigmoid(z): p (1 - p) (1 - s(p)) for y = 1, p (1 - p) s(p) for y = 0, over
    that of one sigmoid: p (1 - s(p)) and (1 - p) s(p)."""
    return p * _sigmoid(-p) if label else (1 - p) * _sigmoid(p)


def clipped_dead_gap() -> float:
    """log(1e7 - 1) = 16.118: a wrong pixel whose true logit lies further behind has no gradient at all."""
    return math.log(1 / EPSILON - 1)


def clipped_bce_dead_gap(label: int) -> float:
    """|z| from which a wrong entry has no gradient: 16.118 where y = 1, log(2^24 / 1.5) = 16.23 where y = 0."""
    return clipped_dead_gap() if label else math.log(2**24 / 1.5)


def _entropy(p: float) -> float:
    return -p * math.log(p) if p > 0 else 0.0
