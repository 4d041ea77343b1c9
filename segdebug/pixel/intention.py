"""The same pixel as it was meant: the right label, the activation that suits the loss, exact mathematics."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from segdebug.experiment import Head
from segdebug.pixel import formulas
from segdebug.pixel.moment import Moment
from segdebug.pixel.reading import right_row
from segdebug.pixel.whole import MOST, clean_labels, region_of
from segdebug.reference.activations import ACTIVATIONS, Array
from segdebug.reference.hypotheses import Hypothesis, Passage
from segdebug.reference.intended import meant

__all__ = ["Intended", "intended"]


class Intended(NamedTuple):
    """What should have become of a pixel with these logits.

    z, u: (K,), u with `activation`. logarithm: with its formula, or None. loss: the pixel's, NaN for a region loss.
    weight: as the configuration means it; divisor: what the reduction divides by. gradient: (K,), dL/dz; note: what
    it leaves out.
    """

    activation: str
    z: Array
    u: Array
    logarithm: formulas.Line | None
    loss: float
    weight: float
    divisor: float
    gradient: Array
    note: str


def intended(moment: Moment, row: int, column: int) -> Intended:
    """The pixel's logits, through the loss that was meant."""
    loss = moment.experiment.loss
    z = moment.logits[moment.coarse(row, column)].astype(np.float64)
    head, hypothesis = meant(loss, moment.experiment.head, moment.channels)
    u = ACTIVATIONS[head.activation].forward(z, -1)
    y = right_row(moment, row, column)
    weight, divisor = _weight(moment)
    here = float(weight[row, column])
    of = formulas.kind(loss, head, moment.channels)
    value, gradient, line = np.nan, np.zeros_like(z), None
    if hypothesis.reads:
        computed = replace(hypothesis, region_reads="").compute(Passage(head, z[None], u[None], u[None]), y[None])
        assert computed is not None
        value, gradient = computed[0].item(), computed[1][0] * here
        given = {"logits": z} if hypothesis.reads in ("logits", "mixed") else {"q": u}
        line = formulas.logarithm(of, loss, y, **given)
        gradient = gradient / (1.0 if loss.reduction == "none" else divisor)
    note = ""
    if hypothesis.region_reads:
        pooled = _region(moment, head, hypothesis)
        # Weights multiply each pixel's sum of both parts; a bare region loss has no pixels to weigh.
        unit = float(weight.sum()) / divisor if hypothesis.reads else 1.0
        nothing = np.full_like(z, np.nan)
        value += np.nan if pooled is None else pooled[0]
        gradient = gradient + (nothing if pooled is None else unit * pooled[1][moment.coarse(row, column)])
        note = "with the region part, of the whole picture" if hypothesis.reads else "of the whole picture together"
    return Intended(head.activation, z, u, line, value, here, divisor, gradient, note)


def _region(moment: Moment, head: Head, hypothesis: Hypothesis) -> tuple[float, Array] | None:
    """The region part as it was meant, and its (S, S, K) gradient; None where it is too large to work out."""
    y, z = clean_labels(moment), moment.logits.astype(np.float64)
    if z.shape != y.shape or y.size > MOST:
        return None
    u = ACTIVATIONS[head.activation].forward(z, -1)
    return region_of(hypothesis, Passage(head, z, u, u), y)


def _weight(moment: Moment) -> tuple[Array, float]:
    """(S, S) the weights that the configuration means, and what its reduction then divides by. Unlabelled pixels are
    meant to count for nothing."""
    loss = moment.experiment.loss
    weights = moment.valid.astype(np.float64)
    if loss.class_weights is not None and len(loss.class_weights) >= len(moment.classes):
        classes = moment.truth if moment.planes is None else moment.planes.argmax(axis=-1)
        weights = weights * np.asarray(loss.class_weights, np.float64)[np.clip(classes, 0, None)]
    if loss.reduction == "sum":
        return weights, 1.0
    if loss.reduction == "mean_with_sample_weight":
        return weights, float(weights.sum()) or 1.0
    if loss.ignore_class is not None:
        return weights, float(moment.valid.sum()) or 1.0
    return weights, float(weights.size)
