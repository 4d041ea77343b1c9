"""Each closed form against the loss itself, evaluated in float64 at the point that the formula is about."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segdebug.reference import closed_forms as forms

Array = np.ndarray[Any, Any]

classes = st.integers(2, 40)
wrongs = st.integers(0, 20)
PIXELS = 20


def softmax(z: Array) -> Array:
    return np.exp(z) / np.exp(z).sum(-1, keepdims=True)


def sigmoid(z: Array) -> Array:
    return 1 / (1 + np.exp(-z))


def cce(y: Array, p: Array) -> float:
    return float(-(y * np.log(p)).sum(-1).mean())


def bce(y: Array, p: Array) -> float:
    return float(-(y * np.log(p) + (1 - y) * np.log(1 - p)).mean())


def categorical_focal(y: Array, p: Array, alpha: float = 0.25, gamma: float = 2.0) -> float:
    return float((alpha * (1 - p) ** gamma * -y * np.log(p)).sum(-1).mean())


def one_hot(k: int) -> Array:
    return np.eye(k)[np.arange(PIXELS) % k]


def sure(k: int, wrong: int = 0) -> Array:
    """Exactly 0 and 1, with the first `wrong` pixels given the next class."""
    shift = (np.arange(PIXELS) < wrong).astype(int)
    return np.eye(k)[(np.arange(PIXELS) + shift) % k]


def clipped(p: Array) -> Array:
    """As Keras does, with its float32 bounds, in float64."""
    low, high = np.float32(1e-7), np.float32(1) - np.float32(1e-7)
    return np.clip(p, float(low), float(high))


@given(classes)
def test_undecided(k: int) -> None:
    y = one_hot(k)
    p = np.full(y.shape, 1 / k)
    half = np.full(y.shape, 0.5)
    assert forms.cross_entropy_uniform(k) == pytest.approx(cce(y, p))
    assert forms.cross_entropy_uniform(k) == pytest.approx(cce(y, softmax(p)))
    assert forms.focal_uniform(k) == pytest.approx(categorical_focal(y, p))
    assert forms.bce_uniform() == pytest.approx(bce(y, half)) == pytest.approx(bce(255 * y, half))
    assert forms.double_sigmoid_uniform(1 / k) == pytest.approx(bce(y, sigmoid(half)))
    assert forms.softmax_sigmoid_uniform(k) == pytest.approx(bce(y, sigmoid(p)))
    assert forms.literal_bce_uniform(k) == pytest.approx(bce(y, p))
    focal = -((1 - np.where(y, half, 1 - half)) ** 3) * np.log(0.5)
    assert forms.binary_focal_uniform(3) == pytest.approx(focal.mean())


probabilities = st.floats(0.01, 0.99)


@given(classes, probabilities, probabilities)
def test_losses_of_sums(k: int, on: float, off: float) -> None:
    y = one_hot(k)
    p = np.where(y == 1, on, off)
    inside, total = (y * p).sum(), y.sum() + p.sum()
    fp, fn = ((1 - y) * p).sum(), (y * (1 - p)).sum()
    assert forms.dice(1 / k, on, off) == pytest.approx(1 - 2 * inside / total)
    assert forms.jaccard(1 / k, on, off) == pytest.approx(1 - inside / (total - inside))
    assert forms.tversky(1 / k, on, off, 0.3, 0.8) == pytest.approx(1 - inside / (inside + 0.3 * fp + 0.8 * fn))
    assert forms.negative_dice(1 / k, on, off, y.size) == pytest.approx(-(2 * inside + 1) / (total + 1))
    assert forms.mean_squared_error(1 / k, on, off) == pytest.approx(((y - p) ** 2).mean())
    assert forms.mean_absolute_error(1 / k, on, off) == pytest.approx(np.abs(y - p).mean())


@given(st.integers(1, 20), st.integers(1, 20), st.floats(0, 0.5))
def test_lovasz_of_a_constant(positive: int, negative: int, p: float) -> None:
    value, before = 0.0, 0.0
    for missed, error in enumerate([1 - p] * positive + [p] * negative, 1):  # sorted: p <= 0.5
        wrong_on, wrong_off = min(missed, positive), max(0, missed - positive)
        now = 1 - (positive - wrong_on) / (positive + wrong_off)
        value, before = value + error * (now - before), now
    assert forms.lovasz_uniform(p) == pytest.approx(value)


@given(classes, wrongs)
def test_double_activations_when_sure(k: int, wrong: int) -> None:
    y, p, w = one_hot(k), sure(k, wrong), wrong / PIXELS
    assert forms.double_softmax_plateau(k, w) == pytest.approx(cce(y, softmax(p)))
    assert forms.double_focal_plateau(k, w) == pytest.approx(categorical_focal(y, softmax(p)))
    assert forms.double_sigmoid_plateau(k, w) == pytest.approx(bce(y, sigmoid(p)))
    right = sure(k)
    assert forms.double_softmax_floor(k) == pytest.approx(cce(y, softmax(right)))
    assert forms.double_softmax_confidence(k) == pytest.approx((softmax(right).max(), softmax(right).min()))
    assert forms.double_focal_floor(k) == pytest.approx(categorical_focal(y, softmax(right)))
    assert forms.double_sigmoid_floor(k) == pytest.approx(bce(y, sigmoid(right)))
    of_true = np.where(y == 1, sigmoid(right), 1 - sigmoid(right))
    assert forms.double_binary_focal_floor(k) == pytest.approx((-((1 - of_true) ** 2) * np.log(of_true)).mean())


@given(st.integers(0, 50))
def test_a_double_sigmoid_of_one_channel(positive: int) -> None:
    y = (np.arange(50) < positive).astype(float)
    assert forms.double_sigmoid_binary_floor(positive / 50) == pytest.approx(bce(y, sigmoid(y)))


@given(classes)
def test_bounded_logits(k: int) -> None:
    y = one_hot(k)
    within = 2 * y - 1
    assert forms.tanh_floor(k) == pytest.approx(cce(y, softmax(within)))
    assert forms.tanh_bce_floor() == pytest.approx(bce(y, sigmoid(within)))
    assert forms.relu_bce_floor(k) == pytest.approx(bce(y, sigmoid(30.0 * y)), abs=1e-6)


@given(classes, wrongs)
def test_clipped(k: int, wrong: int) -> None:
    y, p, w = one_hot(k), clipped(sure(k, wrong)), wrong / PIXELS
    assert forms.clipped_plateau(w) == pytest.approx(cce(y, p), rel=1e-6)
    assert forms.clipped_focal_plateau(w) == pytest.approx(categorical_focal(y, p), rel=1e-5, abs=1e-12)
    assert forms.clipped_bce_plateau(k, w) == pytest.approx(bce(y, p), abs=1e-6)
    mixed = [forms.cross_entropy(x, clips=True) for x in (0.0, 1.0, 0.3)]
    assert mixed == pytest.approx(-np.log(clipped(np.array([0.0, 1.0, 0.3]))), rel=1e-6)


@given(st.integers(2, 12), st.floats(0.01, 0.9), st.integers(0, 10_000))
def test_smoothing_and_several_ones_have_no_lower_point(k: int, s: float, seed: int) -> None:
    y = one_hot(k)
    categorical, binary = y * (1 - s) + s / k, y * (1 - s) + s / 2
    assert forms.smoothed_floor(k, s) == pytest.approx(cce(categorical, categorical))
    assert forms.smoothed_bce_floor(s) == pytest.approx(bce(binary, binary))
    other = softmax(np.random.default_rng(seed).normal(size=(1, k)))
    assert cce(categorical, other) >= forms.smoothed_floor(k, s)
    many = np.ones((1, k))
    assert forms.multi_hot_floor(k) == pytest.approx(cce(many, many / k))
    assert cce(many, other) >= forms.multi_hot_floor(k) - 1e-12


@given(st.floats(1.5, 255), st.integers(1, 5))
def test_region_floors(scale: float, absent: int) -> None:
    y = scale * one_hot(4)
    p = y / scale
    assert forms.scaled_dice_floor(scale) == pytest.approx(1 - 2 * (y * p).sum() / (y.sum() + p.sum()))
    per_class = [1.0] * absent + [0.0] * 3  # an absent class has I = 0
    assert forms.absent_dice_floor(absent, absent + 3) == pytest.approx(np.mean(per_class))
    weights = np.linspace(1, 7, PIXELS)
    assert forms.weighted_bce_dice_floor(weights.mean()) == pytest.approx((weights * (0 - (1 + 1))).mean())


@given(st.floats(0.0005, 0.5), st.integers(1, 10))
def test_the_price_of_ignoring_a_class_is_the_least_that_it_can_cost(f: float, k: int) -> None:
    constants = np.linspace(1e-5, 1 - 1e-5, 20_001)  # one probability for every pixel
    costs = -(f * np.log(constants) + (1 - f) * np.log(1 - constants)) / k
    assert forms.price_of_ignoring(f, k) == pytest.approx(costs.min(), rel=1e-3)


@given(classes, st.floats(0.01, 0.99))
def test_attenuation_of_a_double_softmax(k: int, t: float) -> None:
    z = np.log(np.array([t, *[(1 - t) / (k - 1)] * (k - 1)]))
    y, step = np.eye(k)[0], 1e-5
    up, down = z + step * y, z - step * y
    twice = (cce(y[None], softmax(softmax(up))[None]) - cce(y[None], softmax(softmax(down))[None])) / (2 * step)
    once = (cce(y[None], softmax(up)[None]) - cce(y[None], softmax(down)[None])) / (2 * step)
    assert forms.double_softmax_attenuation(k, t) == pytest.approx(twice / once, rel=1e-4)


@given(st.floats(0.02, 0.98), st.sampled_from([0, 1]))
def test_attenuation_of_a_double_sigmoid(p: float, label: int) -> None:
    z, y, step = np.log(p / (1 - p)), np.array([float(label)]), 1e-5

    def slope(link: Any) -> float:
        return (bce(y, link(np.array([z + step]))) - bce(y, link(np.array([z - step])))) / (2 * step)

    ratio = slope(lambda v: sigmoid(sigmoid(v))) / slope(sigmoid)
    assert forms.double_sigmoid_attenuation(p, label) == pytest.approx(ratio, rel=1e-4)


def test_dead_gaps_are_where_probabilities_meet_the_clip() -> None:
    gap = forms.clipped_dead_gap()
    assert softmax(np.array([0.0, gap]))[0] == pytest.approx(forms.EPSILON)
    # y = 0: float32 has no number between 1 - 2^-23 and 1 - 2^-24; from halfway on, p rounds above the clip.
    halfway = 1 - 1.5 * 2.0**-24
    assert sigmoid(np.array(forms.clipped_bce_dead_gap(0))) == pytest.approx(halfway, abs=1e-12)
    assert forms.clipped_bce_dead_gap(1) == gap


@pytest.mark.parametrize(
    ("formula", "by_k"),
    [
        (forms.cross_entropy_uniform, {2: 0.6931, 4: 1.3863, 21: 3.0445, 33: 3.4965}),
        (forms.focal_uniform, {2: 0.0433, 4: 0.1949, 21: 0.6904, 33: 0.8220}),
        (forms.literal_bce_uniform, {2: 0.6931, 4: 0.5623, 21: 0.1914, 33: 0.1358}),
        (lambda k: forms.dice(1 / k, 1 / k, 1 / k), {2: 0.5, 4: 0.75, 21: 0.9524, 33: 0.9697}),
        (lambda k: forms.dice(1 / k, 0.5, 0.5), {2: 0.5, 4: 0.6667, 21: 0.9130, 33: 0.9429}),
        (forms.double_softmax_floor, {2: 0.3133, 3: 0.5514, 4: 0.7437, 5: 0.9048, 10: 1.4612, 21: 2.1232, 33: 2.5473}),
        (forms.double_focal_floor, {2: 0.0057, 4: 0.0512, 10: 0.2155, 33: 0.5410}),
        (forms.double_sigmoid_floor, {2: 0.5032, 4: 0.5982, 21: 0.6751, 33: 0.6816}),
        (forms.double_binary_focal_floor, {2: 0.0980, 4: 0.1356, 33: 0.1687}),
        (forms.tanh_floor, {2: 0.1269, 4: 0.3408, 33: 1.6735}),
        (forms.relu_bce_floor, {2: 0.3466, 4: 0.5199, 33: 0.6721}),
        (lambda k: forms.double_softmax_confidence(k)[0], {2: 0.7311, 4: 0.4754, 21: 0.1196, 33: 0.0783}),
        (lambda k: forms.double_softmax_attenuation(k, 1 / k), {2: 0.5, 4: 0.25, 33: 1 / 33}),
    ],
)
def test_known_numbers_by_classes(formula: Any, by_k: dict[int, float]) -> None:
    assert [formula(k) for k in by_k] == pytest.approx(list(by_k.values()), abs=6e-5)


@pytest.mark.parametrize(
    ("value", "known"),
    [
        (forms.CLIPPED, 16.1181),
        (forms.CLIPPED_ZERO, 15.9424),
        (forms.clipped_focal_plateau(1), 4.0295),
        (forms.double_sigmoid_uniform(1), 0.4741),
        (forms.double_sigmoid_uniform(0), 0.9741),
        (forms.double_sigmoid_binary_floor(0.01), 0.6893),
        (forms.double_softmax_plateau(4, 0.29981), 1.0435),
        (forms.clipped_plateau(0.29981), 4.8323),
        (forms.double_sigmoid_plateau(4, 0.29981), 0.6731),
        (forms.double_focal_plateau(4, 0.29981), 0.1248),
        (255 * forms.clipped_plateau(0.29981), 1232.25),
        (forms.smoothed_floor(4, 0.1), 0.3488),
        (forms.smoothed_bce_floor(0.1), 0.1985),
        (forms.multi_hot_floor(2), 1.3863),
        (forms.scaled_dice_floor(255), -0.9922),
        (forms.price_of_ignoring(0.0082, 5), 0.0095),
        (forms.price_of_ignoring(0.0082), 0.0476),
        (forms.double_sigmoid_attenuation(0.5, 1), 0.1888),
        (forms.double_sigmoid_attenuation(0.5, 0), 0.3112),
        (forms.double_softmax_attenuation(4, 0.01), 0.0107),
        (forms.clipped_bce_dead_gap(0), 16.23),
        (forms.weighted_bce_dice_floor(9.23), -18.46),
    ],
)
def test_known_numbers(value: float, known: float) -> None:
    assert value == pytest.approx(known, rel=1e-4, abs=6e-5)
