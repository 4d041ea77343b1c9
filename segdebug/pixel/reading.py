"""What the loss read at one pixel, and the formula that the probe matched, in float64 for that pixel alone."""

from __future__ import annotations

import numpy as np

from segdebug.families import SPARSE
from segdebug.pixel.moment import Moment
from segdebug.reference.activations import ACTIVATIONS, Array
from segdebug.reference.hypotheses import Hypothesis, Passage, family

__all__ = ["FITS", "alone", "kept_by_dropout", "label_row", "matched", "passage", "right_row"]

FITS = 0.2
"""Of the probe's relative difference: beyond it no formula was found, whatever the precision."""


def matched(moment: Moment) -> Hypothesis:
    """The reading that the probe found the loss to make, with its formulas."""
    s, e = moment.semantics, moment.experiment
    of = family(e.loss, e.head, moment.channels, swapped=s.swapped, fused=s.ignores_row_sums)
    return Hypothesis(s.reads, s.region_reads, of, s.swapped, s.ignores_row_sums)


def alone(moment: Moment) -> str:
    """Why one pixel's loss cannot be worked out from its own numbers; "" where it can."""
    s, e = moment.semantics, moment.experiment
    if s.computes == "wrong_axis":
        return "it sums over another axis than the classes, so that each pixel's loss holds other pixels"
    if s.computes == "broadcast":
        return "labels and output have different shapes and were stretched, so that no pixel meets its own label"
    if not s.match <= FITS:
        return "no formula was found that gives what Keras computes"
    if e.head.attachment == "then_upsampling":
        return "the output was enlarged after the activation, so that it mixes neighbouring pixels"
    if moment.values is None:
        return moment.no_values
    return ""


def label_row(moment: Moment, row: int, column: int) -> Array | None:
    """(K,) float64: the label as fed, as the row that the loss compares with the output; None where it has another
    number of entries. An id becomes a row with a 1 in its channel, or without one where there is no such channel."""
    if moment.label is None:
        return None
    given = np.asarray(moment.label[row, column], np.float64).ravel()
    k = moment.channels
    if moment.experiment.loss.name not in SPARSE:
        return given if given.size == k else None
    return np.asarray(np.arange(k) == given[0], np.float64) if given.size == 1 else None


def right_row(moment: Moment, row: int, column: int) -> Array:
    """(K,) float64: the label that says the pixel's class; zeros where it has none."""
    k = moment.channels
    if moment.planes is not None:
        present = moment.planes[row, column].astype(np.float64)
        return np.pad(present, (0, max(0, k - present.size)))[:k]
    true = int(moment.truth[row, column])
    if k == 1:
        return np.array([float(true == 1)])
    return np.asarray(np.arange(k) == true, np.float64)


def kept_by_dropout(moment: Moment, row: int, column: int, z: Array) -> Array | None:
    """(K,): what Dropout multiplied this pixel's activations by in this step; None for a head without one."""
    if moment.experiment.head.attachment != "then_dropout":
        return None
    u = moment.output[row, column].astype(np.float64)
    exact = ACTIVATIONS[moment.experiment.head.activation].forward(z, -1)
    return np.divide(u, exact, out=np.zeros_like(u), where=exact != 0)


def passage(moment: Moment, row: int, column: int, z: Array) -> Passage:
    """From (N, K) logits that this pixel might have to what the loss would be given."""
    head = moment.experiment.head.model_copy(update={"axis": -1})
    activated = ACTIVATIONS[head.activation].forward(z, -1)
    kept = kept_by_dropout(moment, row, column, moment.logits[moment.coarse(row, column)].astype(np.float64))
    if kept is None:
        return Passage(head, z, activated, activated)
    factor = np.broadcast_to(kept, z.shape)
    return Passage(head, z, activated * factor, activated, factor)
