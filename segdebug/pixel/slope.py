"""Loss and gradient of one pixel as one of its logits varies, the others staying as they are.

By the formula that the probe matched to the installed Keras, in float64 with float32's clipping: `PixelPath.checked`
says how near it comes to Keras at the pixel itself.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from segdebug.errors import ExperimentError
from segdebug.pixel.moment import Moment
from segdebug.pixel.reading import alone, label_row, matched, passage
from segdebug.reference.activations import Array

__all__ = ["LogitCurve", "along_logit", "formula_at"]

_POINTS = 401
_REACH = 20.0  # logits: beyond the clip, which holds from about 16


@dataclass(frozen=True)
class LogitCurve:
    """logit, loss, gradient: (N,) float64: what the pixel adds to the printed loss, and dL/dz of that logit, for each
    value of it. here: the pixel's own logit; its loss and gradient as Keras gave them, in the same units. dead:
    stretches of the logit, ends included, on which the gradient is exactly 0 while the loss is not at its least.
    """

    logit: NDArray[np.float64]
    loss: NDArray[np.float64]
    gradient: NDArray[np.float64]
    here: float
    loss_here: float
    gradient_here: float
    dead: tuple[tuple[float, float], ...]


def along_logit(moment: Moment, row: int, column: int, channel: int) -> LogitCurve:
    """The curve for one channel's logit. Raises ExperimentError, with the reason, where one pixel's loss cannot be
    worked out from its own numbers, as for region losses."""
    why = alone(moment)
    if why or moment.semantics.region_reads:
        raise ExperimentError(f"loss.name: {why or 'part of it pools the whole picture'}.", "loss.name")
    own = moment.logits[moment.coarse(row, column)].astype(np.float64)
    here = float(own[channel])
    rival = max(np.delete(own, channel), default=0.0)  # where this logit overtakes the others, it matters most
    x = np.linspace(min(0.0, here, rival) - _REACH, max(0.0, here, rival) + _REACH, _POINTS)
    z = np.repeat(own[None], _POINTS, axis=0)
    z[:, channel] = x
    computed = _computed(moment, row, column, z)
    if computed is None or moment.coefficients is None or moment.values is None:
        raise ExperimentError("loss.name: label and output have different numbers of entries.", "loss.name")
    unit = float(moment.coefficients[row, column].sum())
    inside = 1.0 if moment.inside is None else float(moment.inside[row, column])
    # Under reduction "none" fit prints the mean and follows the gradient of the sum.
    pulls = moment.size**2 if moment.experiment.loss.reduction == "none" else 1
    loss, gradient = computed[0] * unit * inside, computed[1][:, channel] * unit * inside * pulls
    return LogitCurve(
        x,
        loss,
        gradient,
        here,
        float(moment.values[row, column].astype(np.float64).mean()) * unit,
        float(moment.gradient[moment.coarse(row, column)][channel]),
        _dead(x, loss, gradient),
    )


def formula_at(moment: Moment, row: int, column: int) -> float | None:
    """The pixel's loss by the matched formula, before weights; None where the label does not fit the output."""
    computed = _computed(moment, row, column, moment.logits[moment.coarse(row, column)].astype(np.float64)[None])
    return None if computed is None else float(computed[0][0])


def _computed(moment: Moment, row: int, column: int, z: Array) -> tuple[Array, Array] | None:
    """(N,) losses and (N, K) gradients of each for (N, K) logits."""
    y = label_row(moment, row, column)
    if y is None:
        return None
    ignored = moment.experiment.loss.ignore_class
    if ignored is not None and moment.label is not None and np.all(moment.label[row, column] == ignored):
        return np.zeros(len(z)), np.zeros_like(z)
    hypothesis = replace(matched(moment), region_reads="")
    with np.errstate(all="ignore"):
        found = hypothesis.compute(passage(moment, row, column, z), np.repeat(y[None], len(z), axis=0))
    return None if found is None or found[0].size != len(z) else (found[0].ravel(), found[1] * len(z))


def _dead(x: Array, loss: Array, gradient: Array) -> tuple[tuple[float, float], ...]:
    """Where nothing pulls although the loss is not as low as it can be."""
    least = float(np.nanmin(loss)) if np.isfinite(loss).any() else 0.0
    spread = float(np.nanmax(loss)) - least if np.isfinite(loss).any() else 0.0
    still = (gradient == 0) & (loss > least + 1e-3 * spread)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], still, [False]]).astype(int)))
    return tuple((float(x[a]), float(x[b - 1])) for a, b in zip(edges[::2], edges[1::2], strict=True))
