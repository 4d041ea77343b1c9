"""Losses by formula, against NumPy in float64; Keras's own are held by the fidelity tests."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segdebug.experiment import Head, Loss

Array = np.ndarray[Any, Any]


def ours(name: str, y: Array, p: Array, head: Head | None = None, **parameters: Any) -> Array:
    import tensorflow as tf

    from segdebug.parts.losses import build_loss

    built = build_loss(Loss(name=name, **parameters), head or Head(), p.shape[-1])
    return np.asarray(built(tf.constant(y, tf.float32), tf.constant(p, tf.float32)).numpy(), np.float64)


def random_case(seed: int, channels: int) -> tuple[Array, Array]:
    """(1, 4, 5, channels) one-hot labels (0/1 for one channel) and probabilities."""
    rng = np.random.default_rng(seed)
    if channels == 1:
        return rng.integers(0, 2, (1, 4, 5, 1)).astype(float), rng.uniform(0.01, 0.99, (1, 4, 5, 1))
    p = rng.uniform(0.05, 1, (1, 4, 5, channels))
    return np.eye(channels)[rng.integers(0, channels, (1, 4, 5))], p / p.sum(-1, keepdims=True)


def bce(y: Array, p: Array) -> Array:
    return -(y * np.log(p) + (1 - y) * np.log(1 - p)).mean(-1)


def cce(y: Array, p: Array) -> Array:
    return -(y * np.log(p)).sum(-1)


def dice(y: Array, p: Array) -> float:
    return float(1 - 2 * (y * p).sum() / (y.sum() + p.sum()))


def jaccard(y: Array, p: Array) -> float:
    overlap = (y * p).sum()
    return float(1 - (overlap + 1e-7) / (y.sum() + p.sum() - overlap + 1e-7))


cases = {"seed": st.integers(0, 10_000), "channels": st.integers(1, 5)}


@settings(max_examples=25, deadline=None)
@given(**cases)
def test_region_losses(seed: int, channels: int) -> None:
    y, p = random_case(seed, channels)
    np.testing.assert_allclose(ours("jaccard", y, p), jaccard(y, p), rtol=1e-5, atol=1e-6)
    overlap, total = (y * p).sum(), y.sum() + p.sum()
    np.testing.assert_allclose(ours("negative_dice", y, p), -(2 * overlap + 1) / (total + 1), rtol=1e-5)


def lovasz_by_sets(y: Array, p: Array) -> float:
    """The Lovász extension by its definition: sum over sorted errors of error × gain of the set function."""
    losses = []
    for k in range(y.shape[-1]):
        truth, errors = y[..., k].ravel(), np.abs(y - p)[..., k].ravel()
        if not truth.any():
            continue
        order = np.argsort(-errors)
        total, previous, wrong = 0.0, 0.0, np.zeros(len(truth), bool)
        for i in order:
            wrong[i] = True
            foreground = truth > 0
            missed, added = (wrong & foreground).sum(), (wrong & ~foreground).sum()
            now = 1 - (foreground.sum() - missed) / (foreground.sum() + added)
            total += errors[i] * (now - previous)
            previous = now
        losses.append(total)
    return float(np.mean(losses)) if losses else 0.0


@settings(max_examples=25, deadline=None)
@given(**cases)
def test_lovasz(seed: int, channels: int) -> None:
    y, p = random_case(seed, channels)
    np.testing.assert_allclose(ours("lovasz", y, p), lovasz_by_sets(y, p), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("from_logits", [False, True])
@pytest.mark.parametrize(
    ("name", "pixels", "region", "binary"),
    [
        ("bce_dice", bce, dice, True),
        ("bce_jaccard", bce, jaccard, True),
        ("cce_dice", cce, dice, False),
        ("cce_jaccard", cce, jaccard, False),
    ],
)
def test_sums_of_losses(name: str, pixels: Any, region: Any, binary: bool, from_logits: bool) -> None:
    y, p = random_case(3, 4)
    fed = (np.log(p / (1 - p)) if binary else np.log(p)) if from_logits else p
    expected = pixels(y, p).mean() + region(y, p)
    np.testing.assert_allclose(ours(name, y, fed, from_logits=from_logits), expected, rtol=1e-5)


def test_focal_dice_is_binary_after_a_sigmoid_and_categorical_otherwise() -> None:
    y, p = random_case(4, 3)
    pt = np.where(y == 1, p, 1 - p)
    binary = (-((1 - pt) ** 2) * np.log(pt)).mean() + dice(y, p)
    categorical = (0.25 * (1 - p) ** 2 * -(y * np.log(p))).sum(-1).mean() + dice(y, p)
    np.testing.assert_allclose(ours("focal_dice", y, p, Head(activation="sigmoid")), binary, rtol=1e-5)
    np.testing.assert_allclose(ours("focal_dice", y, p), categorical, rtol=1e-5)


def test_the_class_selector_of_the_thread() -> None:
    y, p = random_case(5, 3)
    weights = np.array([1.0, 1.0, 1000.0])
    coefficient = (2 * (y * p).sum() + 1) / (y.sum() + p.sum() + 1)
    expected = (weights[y.argmax(-1)] * (bce(y, p) - (1 + coefficient))).mean()
    ours_is = ours("weighted_bce_dice", y, p, class_weights=weights.tolist(), weighting="in_loss")
    np.testing.assert_allclose(ours_is, expected, rtol=1e-5)
    unweighted = (bce(y, p) - (1 + coefficient)).mean()
    np.testing.assert_allclose(ours("weighted_bce_dice", y, p), unweighted, rtol=1e-5)


def test_weights_inside_the_loss() -> None:
    y, p = random_case(6, 3)
    weights = np.array([1.0, 5.0, 0.5])
    expected = (weights[y.argmax(-1)] * cce(y, p)).mean()
    told = {"class_weights": weights.tolist(), "weighting": "in_loss"}
    np.testing.assert_allclose(ours("categorical_crossentropy", y, p, **told), expected, rtol=1e-5)
    sparse = ours("sparse_categorical_crossentropy", y.argmax(-1).astype(float), p, **told)
    np.testing.assert_allclose(sparse, expected, rtol=1e-5)


def test_the_numbers_of_the_sigmoid_thread() -> None:
    z, y = np.array([[0.0, 1], [1, 1], [2, -4]]), np.array([[1.0, 1], [1, 0], [1, 0]])
    np.testing.assert_allclose(ours("sigmoid_cross_entropy_with_logits", y, z), 0.46300173, rtol=1e-6)


def test_the_numbers_of_the_softmax_thread() -> None:
    z, y = np.array([[3.2, 1.3, 0.2, 0.8]]), np.array([[1.0, 0, 0, 0]])
    logits = ours("categorical_crossentropy", y, z, Head(activation="linear"), from_logits=True)
    np.testing.assert_allclose(logits, 0.2546993027, rtol=1e-6)
    p = np.exp(z) / np.exp(z).sum()
    np.testing.assert_allclose(ours("categorical_crossentropy", y, p), 0.2546993027, rtol=1e-6)
