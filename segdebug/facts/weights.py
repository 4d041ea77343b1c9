"""The weights of the pixels as fit's training step receives them."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segdebug.errors import ExperimentError, SegdebugError
from segdebug.experiment import Experiment
from segdebug.rules.known import WeightFacts
from segdebug.scene import GridScene, Scene

__all__ = ["weight_facts"]

Weights = NDArray[Any]


def weight_facts(scene: Scene, grid: GridScene, experiment: Experiment, channels: int) -> WeightFacts:
    """What weighs each pixel; `grid` is `scene.at(experiment.training.size)`, channels those of the head.

    A refusal of fit is told in `error`; nothing is raised. Labels that cannot be made have no weights to speak of:
    `LabelFacts.error` says why.
    """
    loss = experiment.loss
    given = loss.class_weights is not None
    if not given and (loss.void == "as_fed" or grid.valid.all()):
        return WeightFacts()
    try:
        return _measured(scene, grid, experiment, channels)
    except SegdebugError as error:
        return WeightFacts(given=given, error=str(error))


def _measured(scene: Scene, grid: GridScene, experiment: Experiment, channels: int) -> WeightFacts:
    from segdebug.parts.feed import check_class_weights, weight_map

    loss = experiment.loss
    given = loss.class_weights is not None
    check_class_weights(loss, max(scene.n_classes, channels))
    flat = experiment.head.attachment in ("after_reshape", "then_reshape")
    mapped = weight_map(grid, loss, flat)
    selects_itself = given and loss.name == "weighted_bce_dice"  # whatever `weighting` says
    if not given or (loss.weighting == "pixel" and not selects_itself):
        return _facts(None if mapped is None else mapped.ravel(), None, grid, given)
    labels = _labels(scene, experiment, channels)
    if labels is None:
        return WeightFacts(given=given)
    acting: Weights | None = None
    if loss.weighting == "class_weight":
        acting = _through_fit(labels, mapped, experiment)
    elif loss.weighting == "pixel" and mapped is not None:
        acting = mapped.ravel()
    if loss.weighting == "in_loss" or selects_itself:
        inside = _looked_up(labels, loss.class_weights or (), flat)
        acting = inside if acting is None or acting.size not in (1, inside.size) else inside * acting
    return _facts(acting, _meant(grid, loss.class_weights or ()), grid, given)


def _labels(scene: Scene, experiment: Experiment, channels: int) -> Weights | None:
    from segdebug.facts.labels import made

    try:
        return made(scene, experiment, channels)
    except SegdebugError:
        return None


def _through_fit(labels: Weights, mapped: Weights | None, experiment: Experiment) -> Weights | None:
    """What fit makes of its class_weight, from its own training step; the image plays no part in it."""
    from segdebug.parts.build import keras_reasons
    from segdebug.parts.feed import as_fit_feeds

    with keras_reasons(f"Labels are {labels.shape}."), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # fit's remarks on the Dataset are not about weights
        weights = as_fit_feeds(np.zeros((1, 1), np.float32), labels[None], mapped, experiment)[2]
    return None if weights is None else np.asarray(weights, np.float64).ravel()


def _looked_up(labels: Weights, table: tuple[float, ...], flat: bool) -> Weights:
    """The weight that `losses.selected_weights` picks for each pixel."""
    n_axes = 2 if flat else 3
    if labels.ndim == n_axes and labels.shape[-1] != 1:
        ids = labels.argmax(axis=-1)
    else:
        with np.errstate(invalid="ignore"):
            ids = labels.astype(np.float32).astype(np.int32)
    beyond = (ids < 0) | (ids >= len(table))
    if beyond.any():
        raise ExperimentError(
            f"loss.weighting: the weight of each pixel is looked up by its label, and label {ids[beyond][0]} has none "
            f"among {len(table)} weights: an error on a CPU, a weight of 0 on a GPU. Use weighting pixel.",
            "loss.weighting",
        )
    return np.asarray(table, np.float64)[ids].ravel()


def _meant(grid: GridScene, table: tuple[float, ...]) -> Weights:
    """The class weight of each pixel's class in the scene, chosen as `feed.weight_map` chooses it."""
    classes = grid.labels if grid.planes is None else grid.planes.argmax(axis=-1)
    return np.asarray(table, np.float64)[np.maximum(classes, 0)].ravel()


def _facts(acting: Weights | None, meant: Weights | None, grid: GridScene, given: bool) -> WeightFacts:
    """acting: (P,) or (1,) weights that arrived, None if none did; meant: (P,), None where they are so by make."""
    valid = grid.valid.ravel()
    arrived = acting is not None
    weights = np.ones(valid.shape) if acting is None else acting
    if weights.size == 1:
        weights = np.full(valid.shape, weights[0])
    as_meant = meant is None or (
        weights.shape == meant.shape and np.allclose(weights[valid], meant[valid], rtol=1e-5, atol=1e-8)
    )
    used = weights[valid] if weights.shape == valid.shape and valid.any() else weights
    return WeightFacts(given, arrived, bool(as_meant), float(used.min()), float(used.max()), float(used.mean()))
