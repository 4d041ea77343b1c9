"""The float64 formulas: their gradients against numerical differentiation, their values against sums written out."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from segdebug.reference import losses, regions
from segdebug.reference.activations import ACTIVATIONS

Array = NDArray[np.float64]
P, K = 6, 3

_seeds = st.integers(0, 2**32 - 1)


def _numerical(function: Callable[[Array], float], at: Array, step: float = 1e-6) -> Array:
    """Central differences, one entry at a time."""
    gradient = np.zeros_like(at)
    for index in np.ndindex(at.shape):
        moved = at.copy()
        moved[index] += step
        above = function(moved)
        moved[index] -= 2 * step
        gradient[index] = (above - function(moved)) / (2 * step)
    return gradient


def _one_hot(rng: np.random.Generator) -> Array:
    return np.eye(K)[rng.integers(0, K, P)]


_OF_LOGITS: dict[str, Callable[..., Any]] = {
    "categorical": losses.categorical_from_logits,
    "binary": losses.binary_from_logits,
    "squared": losses.mean_squared_error,
    "hinge": losses.categorical_hinge,
}
_OF_PROBABILITIES: dict[str, Callable[..., Any]] = {
    "categorical": losses.categorical_from_probabilities,
    "sparse": losses.sparse_from_probabilities,
    "binary": losses.binary_from_probabilities,
    "focal": losses.categorical_focal,
    "focal of other parameters": partial(losses.categorical_focal, alpha=0.7, gamma=1.0),
    "divergence": losses.kl_divergence,
    "absolute": losses.mean_absolute_error,
}


@pytest.mark.parametrize("name", _OF_LOGITS)
@given(seed=_seeds)
@settings(max_examples=25, deadline=None)
def test_gradients_at_logits(name: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    u, y = rng.normal(0, 2, (P, K)), _one_hot(rng)
    _, gradient = _OF_LOGITS[name](u, y)
    numerical = _numerical(lambda v: float(_OF_LOGITS[name](v, y)[0].sum()), u)
    assert gradient == pytest.approx(numerical, abs=1e-5)


@pytest.mark.parametrize("name", _OF_PROBABILITIES)
@given(seed=_seeds)
@settings(max_examples=25, deadline=None)
def test_gradients_at_probabilities_that_need_not_sum_to_1(name: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    u, y = rng.uniform(0.05, 0.95, (P, K)), _one_hot(rng)
    _, gradient = _OF_PROBABILITIES[name](u, y)
    numerical = _numerical(lambda v: float(_OF_PROBABILITIES[name](v, y)[0].sum()), u, 1e-7)
    assert gradient == pytest.approx(numerical, rel=1e-4, abs=1e-4)


@given(seed=_seeds)
@settings(max_examples=25, deadline=None)
def test_gradients_of_binary_focal_loss(seed: int) -> None:
    rng = np.random.default_rng(seed)
    u, z, y = rng.uniform(0.05, 0.95, (P, K)), rng.normal(0, 2, (P, K)), _one_hot(rng)
    _, at_u, _ = losses.binary_focal(u, y, alpha=0.3)
    numerical = _numerical(lambda v: float(losses.binary_focal(v, y, alpha=0.3)[0].sum()), u)
    assert at_u == pytest.approx(numerical, rel=1e-4, abs=1e-5)
    _, at_u, at_z = losses.binary_focal(u, y, entropy_logits=z)
    by_u = _numerical(lambda v: float(losses.binary_focal(v, y, entropy_logits=z)[0].sum()), u)
    by_z = _numerical(lambda v: float(losses.binary_focal(u, y, entropy_logits=v)[0].sum()), z)
    assert at_u == pytest.approx(by_u, rel=1e-4, abs=1e-5)
    assert at_z == pytest.approx(by_z, rel=1e-4, abs=1e-5)


_REGIONS: dict[str, Callable[..., Any]] = {
    "dice": regions.dice,
    "dice over classes": partial(regions.dice, axis=-1),
    "coefficient": regions.dice_coefficient,
    "tversky": partial(regions.tversky, of_false_positives=0.9, of_false_negatives=0.2),
    "jaccard": regions.jaccard,
    "lovasz": regions.lovasz,
}


@pytest.mark.parametrize("name", _REGIONS)
@given(seed=_seeds)
@settings(max_examples=25, deadline=None)
def test_gradients_of_regions(name: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    u, y = rng.uniform(0.05, 0.95, (P, K)), _one_hot(rng)
    _, gradient = _REGIONS[name](u, y)
    numerical = _numerical(lambda v: float(np.sum(_REGIONS[name](v, y)[0])), u, 1e-7)
    assert gradient == pytest.approx(numerical, rel=1e-4, abs=1e-6)


@pytest.mark.parametrize("name", ACTIVATIONS)
@given(seed=_seeds)
@settings(max_examples=25, deadline=None)
def test_activations_take_gradients_back(name: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    z, weights = rng.normal(0, 2, (P, K)), rng.normal(size=(P, K))
    function = ACTIVATIONS[name]
    back = function.backward(z, function.forward(z, -1), weights, -1)
    numerical = _numerical(lambda v: float((weights * function.forward(v, -1)).sum()), z)
    assert back == pytest.approx(numerical, abs=1e-6)


@given(seed=_seeds, total=st.sampled_from([0.0, 1.0, 2.0, 255.0]))
@settings(max_examples=50, deadline=None)
def test_fused_gradient_is_that_of_another_objective_unless_rows_sum_to_1(seed: int, total: float) -> None:
    rng = np.random.default_rng(seed)
    u, y = rng.normal(0, 2, (P, K)), total * _one_hot(rng)
    values, gradient = losses.categorical_fused(u, y)
    assert values == pytest.approx(losses.categorical_from_logits(u, y)[0])

    def followed(v: Array) -> float:  # log sum exp z - y z, whatever y sums to
        return float(
            sum(math.log(sum(math.exp(x) for x in row)) - labels @ row for row, labels in zip(v, y, strict=True))
        )

    assert gradient == pytest.approx(_numerical(followed, u), abs=1e-4)
    assert gradient.sum(axis=-1) == pytest.approx(1 - total, abs=1e-9)


def test_clips_are_those_of_float32() -> None:
    wrong = np.array([[1.0, 0.0]])
    y = np.array([[0.0, 1.0]])
    value, gradient = losses.categorical_from_probabilities(wrong, y)
    assert value[0] == pytest.approx(-math.log(1e-7))
    assert not gradient.any()
    # 1 - (1 - 1e-7) is 2^-23 in float32, so a wrong "no" costs less than a wrong "yes".
    assert losses.binary_from_probabilities(np.array([[1.0]]), np.array([[0.0]]))[0] == pytest.approx(23 * math.log(2))
    assert losses.binary_from_probabilities(np.array([[0.0]]), np.array([[1.0]]))[0] == pytest.approx(16.118, abs=1e-3)


def test_lovasz_of_a_hard_prediction_is_the_jaccard_loss() -> None:
    rng = np.random.default_rng(0)
    truth, guess = (np.eye(2)[rng.integers(0, 2, 40)] for _ in range(2))
    expected = np.mean([1 - (truth * guess)[:, k].sum() / np.maximum(truth, guess)[:, k].sum() for k in range(2)])
    assert float(regions.lovasz(guess, truth)[0]) == pytest.approx(expected)
