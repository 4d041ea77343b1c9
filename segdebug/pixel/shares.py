"""How single pixels, and the classes that they belong to, make up the one number that fit prints.

The printed loss is linear in the values before the reduction: L = sum c v, where c holds the sample weight, the mask of
`ignore_class` and what the reduction divides by. c is measured, by differentiating Keras's own reduction, so that
nothing is assumed of how it combines them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segdebug.errors import ExperimentError
from segdebug.pixel.moment import Moment

__all__ = ["ClassShare", "class_shares", "shares"]


@dataclass(frozen=True)
class ClassShare:
    """What the pixels of one class add to the printed loss.

    name: the class, or "unlabelled". pixels: of it at the training grid. share: the sum of its pixels' shares, in the
    units of the loss; fraction: of the printed loss, NaN where that is 0. mean: its mean pixel loss, before weights.
    """

    name: str
    colour: str
    pixels: int
    share: float
    fraction: float
    mean: float


def shares(moment: Moment) -> NDArray[np.float64]:
    """(S, S): what each pixel adds to the printed loss; their sum is the loss to float32 rounding.

    Raises ExperimentError, with the reason, for a loss whose pixels have no value of their own.
    """
    if moment.values is None or moment.coefficients is None:
        raise ExperimentError(f"loss.name: {moment.no_values}, so no pixel has a share of it.", "loss.name")
    # A pixel that counts for nothing adds nothing, whatever its value is, NaN too: as where Keras masks it.
    products = np.where(moment.coefficients == 0, 0.0, moment.coefficients * moment.values.astype(np.float64))
    summed: NDArray[np.float64] = products.sum(axis=-1)
    return summed


def class_shares(moment: Moment) -> list[ClassShare]:
    """What each class adds, the one with most of the loss first, and what the unlabelled pixels do.

    Where classes overlap a pixel counts for the last class that covers it. Raises as `shares`.
    """
    share = shares(moment)
    assert moment.values is not None
    value = moment.values.astype(np.float64).mean(axis=-1)
    if moment.inside is not None:
        value = np.divide(value, moment.inside, out=np.full_like(value, np.nan), where=moment.inside != 0)
    groups = [(c.name, c.colour, (moment.truth == c.id) & moment.valid) for c in moment.classes]
    groups.append(("unlabelled" if moment.planes is None else "none or unlabelled", "#b0b0b0", ~_any(groups)))
    found = []
    for name, colour, mask in groups:
        pixels = int(mask.sum())
        if not pixels:
            continue
        total = float(share[mask].sum())
        fraction = total / moment.loss if moment.loss else np.nan
        found.append(ClassShare(name, colour, pixels, total, fraction, float(value[mask].mean())))
    return sorted(found, key=lambda one: -np.nan_to_num(one.fraction))


def _any(groups: list[tuple[str, str, NDArray[np.bool_]]]) -> NDArray[np.bool_]:
    return np.logical_or.reduce([mask for _, _, mask in groups])
