"""Runs made up number by number, and what is known of them: what the rules on training look at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from segdebug.experiment import Experiment
from segdebug.rules.known import Known, SceneFacts, Semantics
from segdebug.trace import SCALARS, Progress, Snapshot, Trace

__all__ = ["FOUR", "known", "run"]

FOUR = (7000, 1500, 1380, 120)
"""Pixels of four classes."""


def run(
    loss: Sequence[float] | np.ndarray[Any, Any],
    *,
    end: Sequence[Sequence[int]] | None = None,
    start: Sequence[Sequence[int]] | None = None,
    outcome: str = "finished",
    metric: Sequence[float] | None = None,
    metric_error: str | None = None,
    threshold_end: Sequence[Sequence[int]] | None = None,
    changes_until: float = 0.5,
    **scalars: Sequence[float] | float,
) -> Trace:
    """A run of these losses. start, end: (C, C) pixels, a row for each true class and a column for each predicted,
    at the first step and from the fraction `changes_until` of the run on; between the two it goes steadily.
    metric: what the person's metric printed, spread over the run. scalars: one value, or one a step."""
    n = len(loss)
    last = np.diag(FOUR) if end is None else np.asarray(end)
    first = np.full_like(last, 0) if start is None else np.asarray(start)
    if start is None:
        first[:, 0] = last.sum(axis=1)  # everything is class 0
    share = np.minimum(1.0, np.arange(n) / max(1.0, changes_until * (n - 1)))[:, None, None]
    confusion = np.rint(first + (last - first) * share).astype(np.int32)
    counts = np.stack([np.diagonal(confusion, axis1=1, axis2=2), confusion.sum(axis=1), confusion.sum(axis=2)], axis=1)
    cut = counts if threshold_end is None else np.repeat(np.asarray(threshold_end)[None], n, axis=0)
    values = np.zeros((n, len(SCALARS)), np.float32)
    given = {"loss": loss, "logit_min": -5.0, "logit_max": 5.0, "dead_wrong": np.nan, **scalars}
    for name, value in given.items():
        values[:, SCALARS.index(name)] = value
    flat = np.zeros((2, 2), np.float32)
    steps = [] if metric is None else np.linspace(0, n - 1, len(metric)).astype(int)
    shots = tuple(
        Snapshot(int(step), flat.astype(np.int16), flat, flat, flat > 0, (float(value),))
        for step, value in zip(steps, metric or (), strict=True)
    )
    parts = [Progress(0, values, counts.astype(np.int32), cut.astype(np.int32), shots)]
    return Trace(parts, outcome, None, metric_error)


def known(
    trace: Trace | None = None,
    changes: Mapping[str, Any] | None = None,
    *,
    pixels: Sequence[int] = FOUR,
    channels: int | None = None,
    void: float = 0.0,
    overlapping: bool = False,
    labels: Any = None,
    weights: Any = None,
    **semantics: Any,
) -> Known:
    """A sound softmax and categorical cross entropy on a scene of these pixels, but for what is said."""
    total = np.array(pixels, np.int64)
    scene = SceneFacts(
        tuple(f"class {k}" for k in range(len(pixels))),
        total,
        total,
        void,
        overlapping,
        "index",
        1.0,
        labelled=int(total.sum()) if not overlapping else 10_000,
    )
    told = Semantics(**{"computes": "intended", "reads": "logits", **semantics})
    experiment = Experiment.preset("softmax_cce").changed(changes or {})
    return Known(experiment, channels or len(pixels), told, scene, labels, weights, trace)
