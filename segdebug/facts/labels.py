"""The labels as fed, measured: their values, and where they say another class than the scene."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segdebug.errors import ExperimentError, SegdebugError
from segdebug.experiment import Experiment
from segdebug.facts.remedies import remedy
from segdebug.facts.view import NONE, LabelView, Truth, kind_of
from segdebug.families import (
    has_pixel_part,
    has_region_part,
    zero_rows_cost_nothing,
    zero_rows_pull_no_region,
)
from segdebug.rules.known import LabelFacts
from segdebug.scene import GridScene, Scene

__all__ = ["label_facts", "made", "measured"]

Labels = NDArray[Any]


def label_facts(scene: Scene, grid: GridScene, experiment: Experiment, channels: int) -> LabelFacts:
    """What the labels of one image are as they reach fit; `grid` is `scene.at(experiment.training.size)`.

    channels: of the head. Labels that cannot be made are told in `error`; nothing is raised.
    """
    try:
        labels = made(scene, experiment, channels)
    except SegdebugError as error:
        facts = LabelFacts(error=str(error), error_field=getattr(error, "field", None) or "target.reader")
    else:
        facts, exact = measured(labels, scene, grid, experiment, channels)
        if exact:
            return facts
    found = remedy(experiment, channels, scene.overlapping, lambda other: _is_exact(scene, grid, other))
    return replace(facts, remedy=found)


def measured(
    labels: Labels, scene: Scene, grid: GridScene, experiment: Experiment, channels: int
) -> tuple[LabelFacts, bool]:
    """All facts of labels that are there already but the remedy, and whether they need none."""
    truth = Truth.of(grid, scene.n_classes)
    kind = kind_of(labels.shape, truth.valid.size, channels, experiment)
    facts = replace(_values(labels), shape=labels.shape, dtype=str(labels.dtype), kind=kind)
    if kind == "mismatch":
        return facts, False
    view = LabelView(labels, kind, truth, channels, experiment.loss.ignore_class)
    facts = _against_nearest(_compared(facts, view), view, scene, experiment, channels)
    return _void(facts, view, experiment, channels), view.exact()


def made(scene: Scene, experiment: Experiment, channels: int) -> Labels:
    """The labels as fed. Raises SegdebugError, with the reason of whoever refuses, where they cannot be made."""
    from segdebug.parts.targets import label_tensor

    try:
        with np.errstate(invalid="ignore"):  # what a cast makes of NaN is what the loss gets
            return label_tensor(scene, experiment.target, channels, experiment.training.size)
    except SegdebugError:
        raise
    except Exception as error:  # NumPy's or TensorFlow's own reason, as the person's loader would end with it
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise ExperimentError(f"target.encoding: the labels cannot be made: {reason}", "target.encoding") from error


def _is_exact(scene: Scene, grid: GridScene, experiment: Experiment) -> bool:
    from segdebug.decoding import channels_of

    channels = channels_of(experiment, scene.n_classes)
    try:
        labels = made(scene, experiment, channels)
    except SegdebugError:
        return False
    truth = Truth.of(grid, scene.n_classes)
    kind = kind_of(labels.shape, truth.valid.size, channels, experiment)
    return kind != "mismatch" and LabelView(labels, kind, truth, channels, experiment.loss.ignore_class).exact()


def _values(labels: Labels) -> LabelFacts:
    """The range and the distinct values, of all pixels."""
    if not labels.size:
        return LabelFacts()
    finite, low, high = labels, labels.min(), labels.max()
    if not np.isfinite([low, high]).all():
        finite = labels[np.isfinite(labels)]
        if not finite.size:
            return LabelFacts(integers=False)
        low, high = finite.min(), finite.max()
    counts = {float(value): int(np.count_nonzero(finite == value)) for value in (low, high)}
    if sum(counts.values()) < finite.size:  # sorting millions of labels is slow, and most are at the two ends
        middle = finite[(finite != low) & (finite != high)]
        counts |= {float(v): int(n) for v, n in zip(*np.unique(middle, return_counts=True), strict=True)}
    commonest = sorted(counts, key=lambda value: -counts[value])
    return LabelFacts(
        low=float(low),
        high=float(high),
        distinct=tuple(commonest[:16]),
        n_distinct=len(counts),
        integers=finite.size == labels.size and all(value == int(value) for value in counts),
    )


def _compared(facts: LabelFacts, view: LabelView) -> LabelFacts:
    """What the labelled pixels say, beside what they are."""
    valid = view.truth.valid
    if not valid.any():
        return facts
    outside = view.outside & valid
    confused, share = view.confused()
    return replace(
        facts,
        row_sums={} if view.sums is None else _fractions(view.sums[valid], 8),
        out_of_range=float(outside.sum() / valid.sum()),
        outside=tuple(_fractions(_offending(view, outside), 8)),
        wrong=np.nan if view.wrong is None else float((view.wrong & valid).sum() / valid.sum()),
        absent=view.absent(),
        confused=confused,
        confused_share=share,
        shift=view.shift(),
        one_label=view.one_label(),
        between=float((view.between() & valid).sum() / valid.sum()) if facts.n_distinct > 2 else 0.0,
    )


def _offending(view: LabelView, outside: NDArray[np.bool_]) -> Labels:
    """The ids, or the values of rows, that are out of range."""
    if view.kind == "ids":
        assert view.said is not None
        return view.said[outside]
    values = view.values[outside]
    return values[~((values >= 0) & (values <= 1))]


def _fractions(values: Labels, most: int) -> dict[float, float]:
    """Each distinct value → its fraction, the commonest first."""
    found, counts = np.unique(np.round(values, 4), return_counts=True)
    order = np.argsort(-counts, kind="stable")[:most]
    return {float(found[n]): float(counts[n] / len(values)) for n in order}


def _against_nearest(
    facts: LabelFacts, view: LabelView, scene: Scene, experiment: Experiment, channels: int
) -> LabelFacts:
    """The same labels resized by the nearest pixel, where they are not: what the resize alone does."""
    facts = replace(facts, nearest_wrong=facts.wrong)
    valid = view.truth.valid
    if experiment.target.resize == "nearest" or not valid.any():
        return facts
    nearest = made(scene, experiment.changed({"target.resize": "nearest"}), channels).reshape(view.values.shape)
    other = LabelView(nearest, view.kind, view.truth, channels, experiment.loss.ignore_class)
    slack = 1e-3 * float(np.abs(view.values).max(initial=0))
    differs = (np.abs(other.values.astype(np.float64) - view.values) > slack).any(axis=-1)
    wrong = np.nan if other.wrong is None else float((other.wrong & valid).sum() / valid.sum())
    return replace(facts, nearest_differs=float((differs & valid).sum() / valid.sum()), nearest_wrong=wrong)


def _void(facts: LabelFacts, view: LabelView, experiment: Experiment, channels: int) -> LabelFacts:
    """The unlabelled pixels that act on the loss all the same, and what they say."""
    void = ~view.truth.valid
    if not void.any():
        return facts
    zero = np.zeros(void.shape, bool) if view.sums is None else ~view.values.any(axis=-1)
    by_pixel, by_region = np.zeros_like(void), np.zeros_like(void)
    loss = experiment.loss
    if has_pixel_part(loss.name) and loss.void == "as_fed":
        by_pixel = void & ~(zero & zero_rows_cost_nothing(experiment, channels))
    if has_region_part(loss.name):
        by_region = void & ~(zero & zero_rows_pull_no_region(experiment))
    acts = by_pixel | by_region
    if view.kind == "ids":
        acts &= ~view.ignored
    outside = void & view.outside if view.kind == "ids" else np.zeros_like(void)
    value = np.nan if view.kind == "rows" else next(iter(_fractions(view.values[void, 0], 1)))
    return replace(
        facts,
        void_fed=float(acts.sum() / void.size),
        void_as=_in_words(view, acts),
        void_value=value,
        void_outside=float(outside.sum() / void.size),
    )


def _in_words(view: LabelView, acts: NDArray[np.bool_]) -> str:
    if not acts.any():
        return ""
    if view.kind == "ids":
        assert view.said is not None
        commonest = next(iter(_fractions(view.said[acts], 1)))
        return f"id {commonest:g}" if view.outside[acts].any() else f"class {commonest:g}"
    if view.kind == "single":
        commonest = next(iter(_fractions(view.values[acts, 0], 1)))
        return f"class {commonest:g}" if commonest in (0, 1) else f"the value {commonest:g}"
    values = view.values[acts]
    said = np.where(values.max(axis=-1) > 0, values.argmax(axis=-1), NONE)
    commonest = next(iter(_fractions(said, 1)))
    return "a row of zeros" if commonest == NONE else f"class {commonest:g}"
