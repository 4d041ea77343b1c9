"""The smallest change that gives the labels the scene's own classes, found by making those labels."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from segdebug.experiment import Experiment
from segdebug.families import suited_encoding

__all__ = ["remedy"]

Changes = dict[str, Any]


def remedy(
    experiment: Experiment, channels: int, overlapping: bool, is_exact: Callable[[Experiment], bool]
) -> Mapping[str, Any] | None:
    """The first of the changes below that `is_exact` holds for, the small ones first; None if none does."""
    for changes in _candidates(experiment, channels, overlapping):
        if is_exact(experiment.changed(changes)):
            return changes
    return None


def _candidates(experiment: Experiment, channels: int, overlapping: bool) -> Iterator[Changes]:
    scales: list[Changes] = [{"target.scale": how} for how in ("divide_255", "threshold", "divide_max", "none")]
    nearest = {"target.resize": "nearest"}
    recoded = {"target.encoding": suited_encoding(experiment, channels, overlapping)}
    clean = {"target.reader": "scene", **nearest, "target.scale": "none"}
    every: list[Changes] = [
        *scales,
        nearest,
        *({**nearest, **scale} for scale in scales),
        recoded,
        *({**recoded, **scale} for scale in scales),
        {**recoded, **nearest},
        clean,
        {**clean, **recoded},
    ]
    flat = experiment.head.attachment in ("after_reshape", "then_reshape")
    laid_out = {**recoded, "target.layout": "flat" if flat else "spatial"}
    every += [laid_out, {**clean, **laid_out}]
    if experiment.head.channels is not None:
        own = {"head.channels": None}
        every += [own, {**own, **recoded}, {**own, **clean, **recoded}]
    seen: list[Changes] = [{}]
    for changes in every:
        real = {field: value for field, value in changes.items() if experiment[field] != value}
        if real not in seen:
            seen.append(real)
            yield real
