"""The region part of a loss, of the whole picture at once, as one pixel's logits would change it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from segdebug.pixel.moment import Moment
from segdebug.pixel.reading import matched
from segdebug.reference.activations import ACTIVATIONS, Array
from segdebug.reference.hypotheses import Hypothesis, Passage

__all__ = ["MOST", "clean_labels", "fed_labels", "region_of", "regions_as_fed"]

MOST = 30_000_000
"""Numbers that are gone through at most: a second or two."""


def fed_labels(moment: Moment) -> Array | None:
    """(S, S, K) float64: the labels as fed; None where they are no rows of K."""
    shape = (moment.size, moment.size, moment.channels)
    if moment.label is None or moment.label.size != np.prod(shape):
        return None
    return moment.label.astype(np.float64).reshape(shape)


def clean_labels(moment: Moment) -> Array:
    """(S, S, K) float64: rows that say each pixel's class; zeros where it has none."""
    k = moment.channels
    if moment.planes is not None:
        present = moment.planes.astype(np.float64)
        return np.pad(present, ((0, 0), (0, 0), (0, max(0, k - present.shape[-1]))))[..., :k]
    if k == 1:
        return np.asarray(moment.truth == 1, np.float64)[..., None]
    return np.asarray(moment.truth[..., None] == np.arange(k), np.float64)


def region_of(hypothesis: Hypothesis, passage: Passage, y: Array) -> tuple[float, Array] | None:
    """The region part's value, and its gradient at the logits; None where it is not one number for all pixels."""
    with np.errstate(all="ignore"):
        found = replace(hypothesis, reads="").compute(passage, y)
    return None if found is None or found[0].size != 1 else (float(found[0].ravel()[0]), found[1])


def regions_as_fed(moment: Moment, row: int, column: int, z: Array) -> tuple[Array, Array] | None:
    """(N,) values and (N, K) gradients at this pixel, for (N, K) logits that it might have; None where that cannot be
    said: other axes, labels of another shape, an enlarged output, or too large a picture."""
    head, y = moment.experiment.head, fed_labels(moment)
    if y is None or moment.experiment.loss.axis is not None or moment.logits.shape != y.shape or len(z) * y.size > MOST:
        return None
    values, gradients = np.empty(len(z)), np.empty_like(z)
    everywhere = moment.logits.astype(np.float64)
    function = ACTIVATIONS[head.activation]
    kept = _kept(moment, everywhere)
    for n, own in enumerate(z):
        everywhere[row, column] = own
        u = function.forward(everywhere, -1)
        passage = Passage(head.model_copy(update={"axis": -1}), everywhere, u if kept is None else u * kept, u, kept)
        found = region_of(matched(moment), passage, y)
        if found is None:
            return None
        values[n], gradients[n] = found[0], found[1][row, column]
    return values, gradients


def _kept(moment: Moment, z: Array) -> Array | None:
    """What Dropout multiplied all activations by in this step."""
    if moment.experiment.head.attachment != "then_dropout":
        return None
    exact = ACTIVATIONS[moment.experiment.head.activation].forward(z, -1)
    return np.divide(moment.output, exact, out=np.zeros_like(exact), where=exact != 0)
