"""Runs that nobody trained, with everything in them that a run can have."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from segdebug.diagnosis import Diagnosis
from segdebug.experiment import Experiment
from segdebug.finding import Finding, Fix
from segdebug.rules import Semantics
from segdebug.run import Run, SceneSummary, versions
from segdebug.scene import Scene
from segdebug.trace import SCALARS, Progress, Snapshot, Trace

__all__ = ["same", "whole_run"]


def whole_run(scene: Scene, experiment: Experiment, *, pixel_loss: bool = True) -> Run:
    """Two reports, three maps, NaN wherever there may be one, and a diagnosis with every kind of evidence."""
    random = np.random.default_rng(3)
    size, k = experiment.training.size, scene.n_classes
    scalars = random.normal(size=(5, len(SCALARS))).astype(np.float32)
    scalars[4, 0], scalars[:, 8] = np.nan, np.inf
    counts = random.integers(0, size * size, (5, 3, k)).astype(np.int32)

    def maps(step: int) -> Snapshot:
        shape = (size, size, k) if scene.overlapping else (size, size)
        prediction: Any = random.integers(0, 2, shape).astype(bool if scene.overlapping else np.int16)
        values = random.random((2, size, size)).astype(np.float32)
        values[1, 0, 0] = np.nan
        losses = values[1] if pixel_loss else None
        return Snapshot(step, prediction, losses, values[0], values[0] < 0.2, (0.5, math.nan) if step else None)

    trace = Trace(outcome="not_finite", no_pixel_loss=None if pixel_loss else "why", metric_error="Keras's *reason*")
    trace.append(Progress(0, scalars[:2], counts[:2], counts[:2] // 2, (maps(0), maps(1))))
    trace.append(Progress(2, scalars[2:], counts[2:], counts[2:] // 2, (maps(4),)))
    warned = ("first <b>", "second\nline")
    return Run(experiment, SceneSummary.of(scene), trace, 1.25, versions("1+1"), warned, _diagnosis(experiment))


def _diagnosis(experiment: Experiment) -> Diagnosis:
    evidence = {
        "number": 0.1, "not one": math.nan, "whole": 3, "list": [1.0, 2.0, -math.inf], "pair": (1, 2), "flag": True,
        "text": "ß ⟂ <i>", "NumPy's": np.float64(0.25), "inner": {"a": [1]}, "keys": {0.5: 2},
    }  # fmt: skip
    later = Finding("L02", "loss", "warning", "Later", "Because.", {}, None, ("one",))
    fix = Fix({"loss.class_weights": (1.0, 2.0), "loss.from_logits": False}, "loss = ...")
    found = Finding("H01", "head", "error", "Twice", "Why.", evidence, fix, ("a", "b"), (later,))
    semantics = Semantics("double_activation", "activated", match=1e-7, rivals={"logits": 0.5}, label_shape=(1, 8, 8))
    mended = experiment.changed({"loss.class_weights": [1, 2, 3, 4]})
    return Diagnosis("broken", "double_activation", "It is.", (found,), mended, semantics, 1.5, math.nan, None)


def same(one: Any, other: Any) -> bool:
    """Whether two values are the same, types, dtypes and NaN included."""
    if type(one) is not type(other) and not (isinstance(one, float) and isinstance(other, float)):
        return False
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and np.array_equal(one, other, equal_nan=one.dtype.kind == "f")
    if isinstance(one, float):
        return one == other or (math.isnan(one) and math.isnan(other))
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    if isinstance(one, Experiment) or not hasattr(one, "__dict__"):
        return bool(one == other)
    return same(vars(one), vars(other))
