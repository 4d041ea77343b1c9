"""Loss and gradient as one logit of one pixel varies, all others staying as they are.

By the formula that the probe matched to the installed Keras, in float64 with float32's clipping: `PixelPath.checked`
says how near it comes to Keras at the pixel itself.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from segdebug.errors import ExperimentError
from segdebug.pixel.moment import Moment
from segdebug.pixel.reading import FITS, alone, label_row, matched, passage
from segdebug.pixel.whole import regions_as_fed
from segdebug.reference.activations import Array

__all__ = ["LogitCurve", "along_logit", "formula_at"]

_POINTS = 401
_FEWER = 81  # each goes through the whole picture
_REACH = 20.0  # logits: beyond the clip, which holds from about 16


@dataclass(frozen=True)
class LogitCurve:
    """logit, loss, gradient: (N,) float64: what the pixel adds to the printed loss, or the printed loss itself where
    part of it pools the whole picture, and dL/dz of that logit, for each value of it. of: which of the two.

    here: the pixel's own logit; loss_here, gradient_here: as Keras gave them, in the same units. dead: stretches of
    the logit, ends included, on which the gradient is exactly 0 while the loss is not at its least.
    """

    logit: NDArray[np.float64]
    loss: NDArray[np.float64]
    gradient: NDArray[np.float64]
    here: float
    loss_here: float
    gradient_here: float
    dead: tuple[tuple[float, float], ...]
    of: str = "share of the loss"


def along_logit(moment: Moment, row: int, column: int, channel: int) -> LogitCurve:
    """The curve for one channel's logit. Raises ExperimentError, with the reason, where one pixel's part in the loss
    cannot be worked out."""
    region = bool(moment.semantics.region_reads)
    why = alone(moment) if moment.semantics.reads or not region else _no_region(moment)
    if why:
        raise ExperimentError(f"loss.name: {why}.", "loss.name")
    own = moment.logits[moment.coarse(row, column)].astype(np.float64)
    here = float(own[channel])
    rival = max(np.delete(own, channel), default=0.0)  # where this logit overtakes the others, it matters most
    x = _logits(here, rival, _FEWER if region else _POINTS)
    z = np.repeat(own[None], len(x) + 1, axis=0)  # the last one is the pixel's own
    z[:-1, channel] = x
    loss, gradient = np.zeros(len(z)), np.zeros(len(z))
    if moment.semantics.reads:
        pixels = _pixel_part(moment, row, column, z)
        loss, gradient = pixels[0], pixels[1][:, channel]
    if region:
        pooled = _region_part(moment, row, column, z)
        loss, gradient = loss + pooled[0], gradient + pooled[1][:, channel]
        loss = loss - loss[-1] + moment.loss
    return LogitCurve(
        x,
        loss[:-1],
        gradient[:-1],
        here,
        moment.loss if region else _share(moment, row, column),
        float(moment.gradient[moment.coarse(row, column)][channel]),
        _dead(x, loss[:-1], gradient[:-1]),
        "printed loss" if region else "share of the loss",
    )


def _logits(here: float, rival: float, n: int) -> Array:
    """Values to go through: all that matters, and densely where it happens."""
    whole = np.linspace(min(0.0, here, rival) - _REACH, max(0.0, here, rival) + _REACH, n)
    near = [np.linspace(at - _REACH, at + _REACH, n // 2) for at in (here, rival)]
    return np.asarray(np.unique(np.concatenate([whole, *near])))


def _no_region(moment: Moment) -> str:
    if moment.experiment.head.attachment == "then_upsampling":
        return "the output was enlarged after the activation, so that it mixes neighbouring pixels"
    return "" if moment.semantics.match <= FITS else "no formula was found that gives what Keras computes"


def _share(moment: Moment, row: int, column: int) -> float:
    assert moment.coefficients is not None
    assert moment.values is not None
    return float((moment.coefficients[row, column] * moment.values[row, column].astype(np.float64)).sum())


def _pixel_part(moment: Moment, row: int, column: int, z: Array) -> tuple[Array, Array]:
    """What the pixel adds, and its gradients, in the units of the printed loss."""
    computed = _computed(moment, row, column, z)
    if computed is None or moment.coefficients is None:
        raise ExperimentError("loss.name: label and output have different numbers of entries.", "loss.name")
    unit = float(moment.coefficients[row, column].sum())
    unit *= 1.0 if moment.inside is None else float(moment.inside[row, column])
    return computed[0] * unit, computed[1] * unit * _pulls(moment)


def _region_part(moment: Moment, row: int, column: int, z: Array) -> tuple[Array, Array]:
    pooled = regions_as_fed(moment, row, column, z)
    if pooled is None:
        raise ExperimentError(
            "loss.name: its region part pools along an axis, or the picture is too large to go through for each value "
            "of a logit.",
            "loss.name",
        )
    return pooled[0] * moment.whole, pooled[1] * moment.whole * _pulls(moment)


def _pulls(moment: Moment) -> int:
    """Under reduction "none" fit prints the mean and follows the gradient of the sum."""
    mapped = moment.values is not None and moment.experiment.loss.reduction == "none"
    return moment.size**2 if mapped else 1


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
