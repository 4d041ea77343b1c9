"""The same pixel as it was meant: the right label, the activation that suits the loss, exact mathematics."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from segdebug.pixel import formulas
from segdebug.pixel.moment import Moment
from segdebug.pixel.reading import right_row
from segdebug.reference.activations import ACTIVATIONS, Array
from segdebug.reference.hypotheses import Passage
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
    """The pixel's logits, through the loss that was meant. Of a sum with a region part, the pixel part."""
    loss = moment.experiment.loss
    z = moment.logits[moment.coarse(row, column)].astype(np.float64)
    head, hypothesis = meant(loss, moment.experiment.head, moment.channels)
    u = ACTIVATIONS[head.activation].forward(z, -1)
    y = right_row(moment, row, column)
    weight, divisor = _weight(moment)
    here = float(weight[row, column])
    of = formulas.kind(loss, head, moment.channels)
    if not hypothesis.reads:
        nothing = np.full_like(z, np.nan)
        return Intended(head.activation, z, u, None, np.nan, here, divisor, nothing, "of the whole picture together")
    computed = replace(hypothesis, region_reads="").compute(Passage(head, z[None], u[None], u[None]), y[None])
    value, gradient = (np.nan, np.full_like(z, np.nan)) if computed is None else (computed[0].item(), computed[1][0])
    from_logits = hypothesis.reads in ("logits", "mixed")
    line = formulas.logarithm(of, loss, y, logits=z) if from_logits else formulas.logarithm(of, loss, y, q=u)
    pulled = gradient * here / (1.0 if loss.reduction == "none" else divisor)
    note = "of the pixel part alone" if hypothesis.region_reads else ""
    return Intended(head.activation, z, u, line, value, here, divisor, pulled, note)


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
