"""What a head and a loss may compute, in float64: every way in which a loss can read what it is given.

A loss of the vocabulary has up to two parts, one of pixels (a cross entropy, a focal loss, …) and one of regions
(Dice, Jaccard, …). Each part reads one of these:

    logits          the tensor before the activation, which Keras may put in place of the output
    output_logits   the output, taken for logits
    probabilities   the output, taken for probabilities
    activated       the output after another softmax or sigmoid of the loss's own, taken for probabilities
    mixed           binary focal only: the factor reads probabilities, the cross entropy reads logits
    mixed_activated the same, with the factor after a sigmoid of the loss's own

A hypothesis is one reading for each part; it has a value and a gradient at the logits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from segdebug.experiment import Head, Loss
from segdebug.reference import losses, regions
from segdebug.reference.activations import ACTIVATIONS, Array

__all__ = ["Hypothesis", "Passage", "Read", "along", "family", "hypotheses"]

Read = tuple[Array, Array]
"""Values, and the gradient of their mean at what was read, in its shape."""

_Formula = Callable[[Array, Array], Read]


@dataclass(frozen=True)
class Family:
    """The formulas of a loss. own: the activation that it is meant for, "" where it takes any scores.

    from_logits, from_probabilities: of the pixel part; region: of the region part; None where it has none. focal:
    the pixel part is binary focal, whose two factors may read different tensors. clips: from_probabilities clips.
    axis: that the loss's own activation sums over. squeezes, region_squeezes: Keras first drops a last axis of one
    where labels and output differ in rank.
    """

    own: str
    from_logits: _Formula | None = None
    from_probabilities: _Formula | None = None
    region: _Formula | None = None
    focal: Callable[..., tuple[Array, Array, Array]] | None = None
    clips: bool = True
    axis: int = -1
    squeezes: bool = True
    region_squeezes: bool = False


@dataclass(frozen=True)
class Passage:
    """The way from the logits to what the loss is given.

    z: logits before the activation, in the shape that it is applied in; u: what the loss is given, as measured;
    activated: the activation's own output at z; linear: the matrix (pixels out, pixels in) of what comes after the
    activation, or an array in the shape of z that it multiplies by, or None.
    """

    head: Head
    z: Array
    u: Array
    activated: Array
    linear: Array | None = None

    def back(self, at_output: Array) -> Array:
        """dL/dz from dL/du."""
        at = at_output
        if self.linear is not None and self.linear.shape == self.z.shape:
            at = at.reshape(self.z.shape) * self.linear
        elif self.linear is not None:
            # What is NaN stays near its own pixel in Keras; a product of matrices would spread it to all.
            at = self.linear.T @ np.nan_to_num(at.reshape(-1, self.z.shape[-1]), posinf=0.0, neginf=0.0)
        function = ACTIVATIONS[self.head.activation]
        return function.backward(self.z, self.activated, at.reshape(self.z.shape), self.head.axis)


@dataclass(frozen=True)
class Hypothesis:
    """One reading for each part ("" for a part that the loss does not have).

    swapped: Tversky with alpha and beta in each other's place. fused: the gradient of a categorical loss on logits is
    p - y whatever a label row sums to.
    """

    reads: str
    region_reads: str
    family: Family
    swapped: bool = False
    fused: bool = False

    @property
    def clips(self) -> bool:
        """Whether saturated pixels lose their gradient in it."""
        return self.family.clips and self.reads in ("probabilities", "activated")

    def compute(self, passage: Passage, y: Array) -> Read | None:
        """Values, and dL/dz of their mean; None where what it reads does not fit the labels' shape."""
        value, at_z = np.zeros(()), np.zeros_like(passage.z)
        for part, reading in ((self._pixels, self.reads), (self._region, self.region_reads)):
            if reading:
                read = part(reading, passage, y)
                if read is None:
                    return None
                value, at_z = value + read[0], at_z + read[1]
        return value, at_z

    def _pixels(self, reading: str, passage: Passage, y: Array) -> Read | None:
        if reading in ("mixed", "mixed_activated"):
            return self._mixed(reading, passage, y)
        of_logits = reading in ("logits", "output_logits")
        formula = self.family.from_logits if of_logits else self.family.from_probabilities
        return self._at(formula, reading, *_same_rank(passage, y, self.family.squeezes))

    def _region(self, reading: str, passage: Passage, y: Array) -> Read | None:
        return self._at(self.family.region, reading, *_same_rank(passage, y, self.family.region_squeezes))

    def _at(self, formula: _Formula | None, reading: str, passage: Passage, y: Array) -> Read | None:
        """A formula of what a reading gives it, with its gradient taken back to the logits."""
        if formula is None or (reading == "logits" and passage.z.size != passage.u.size):
            return None
        u, back = _read(reading, passage, self.family)
        try:
            shape = np.broadcast_shapes(u.shape, y.shape)
        except ValueError:
            return None
        values, at_rows = formula(_stretched(u, shape), _stretched(y, shape))
        return values, back(_gathered(at_rows / max(1, values.size), u.shape))

    def _mixed(self, reading: str, passage: Passage, y: Array) -> Read | None:
        """Binary focal: its factor reads the output, its cross entropy the logits that Keras put in its place."""
        assert self.family.focal is not None
        passage, y = _same_rank(passage, y, squeezes=True)
        u, back = _read(reading, passage, self.family)
        logits = passage.z.reshape(u.shape) if passage.z.size == u.size else None
        if reading == "mixed_activated":  # Keras's own sigmoid inside the loss: its logits are the output
            logits = passage.u
        if logits is None or not _fits(u, y):
            return None
        rows, shape = _rows(u), u.shape
        values, at_u, at_logits = self.family.focal(rows, _rows(_stretched(y, shape)), entropy_logits=_rows(logits))
        at_u, at_logits = at_u.reshape(shape) / values.size, at_logits.reshape(shape) / values.size
        entropy = passage.back(at_logits) if reading == "mixed_activated" else at_logits.reshape(passage.z.shape)
        return values, back(at_u) + entropy


def _read(reading: str, passage: Passage, of: Family) -> tuple[Array, Callable[[Array], Array]]:
    """What a reading reads, and how a gradient at it goes back to the logits."""
    if reading == "logits":
        return passage.z.reshape(passage.u.shape), lambda g: g.reshape(passage.z.shape)
    if reading in ("activated", "mixed_activated"):
        function = ACTIVATIONS[of.own]
        again = function.forward(passage.u, of.axis)
        return again, lambda g: passage.back(function.backward(passage.u, again, g, of.axis))
    return passage.u, passage.back


def _same_rank(passage: Passage, y: Array, squeezes: bool) -> tuple[Passage, Array]:
    """keras.src.losses.loss.squeeze_or_expand_to_same_rank, where it applies."""
    if squeezes and passage.u.ndim == y.ndim + 1 and passage.u.shape[-1] == 1:
        return replace(passage, u=passage.u[..., 0]), y
    if squeezes and y.ndim == passage.u.ndim + 1 and y.shape[-1] == 1:
        return passage, y[..., 0]
    return passage, y


def _fits(u: Array, y: Array) -> bool:
    try:
        return np.broadcast_shapes(u.shape, y.shape) == u.shape
    except ValueError:
        return False


def _stretched(values: Array, shape: tuple[int, ...]) -> Array:
    return np.broadcast_to(values, shape)


def _gathered(gradient: Array, shape: tuple[int, ...]) -> Array:
    """The gradient at an array that had been broadcast."""
    extra = gradient.ndim - len(shape)
    gradient = gradient.sum(axis=tuple(range(extra)))
    ones = tuple(n for n, length in enumerate(shape) if length == 1 and gradient.shape[n] != 1)
    return gradient.sum(axis=ones, keepdims=True) if ones else gradient


def _rows(values: Array) -> Array:
    return values.reshape(-1, values.shape[-1])


def along(axis: int | None, formula: _Formula) -> _Formula:
    """The formula of rows (P, K) for arrays of any shape, with the classes on that axis."""

    def of_arrays(u: Array, y: Array) -> Read:
        moved_u, moved_y = (np.moveaxis(array, -1 if axis is None else axis, -1) for array in (u, y))
        values, gradient = formula(_rows(moved_u), _rows(moved_y))
        return values, np.moveaxis(gradient.reshape(moved_u.shape), -1, -1 if axis is None else axis)

    return of_arrays


def _smoothing(loss: Loss, formula: _Formula, *, binary: bool) -> _Formula:
    if not loss.label_smoothing:
        return formula
    return lambda u, y: formula(u, losses.smoothed(y, loss.label_smoothing, binary=binary))


def family(loss: Loss, head: Head, channels: int, *, swapped: bool = False, fused: bool = False) -> Family:
    """The formulas that the loss's name stands for, with its parameters. swapped, fused: see `Hypothesis`."""
    name, axis = loss.name, loss.axis
    given = {key: getattr(loss, key) for key in ("alpha", "gamma") if getattr(loss, key) is not None}

    def smooth(formula: _Formula, *, binary: bool = False) -> _Formula:
        return _smoothing(loss, along(axis, formula), binary=binary)

    on_logits = losses.categorical_fused if fused else losses.categorical_from_logits
    cce = Family("softmax", smooth(on_logits), smooth(losses.categorical_from_probabilities))
    bce = Family(
        "sigmoid",
        smooth(losses.binary_from_logits, binary=True),
        smooth(losses.binary_from_probabilities, binary=True),
    )
    focal = Family("softmax", None, smooth(partial(losses.categorical_focal, **given)), axis=axis or -1)
    two_faced = _binary_focal(loss, smooth)
    plain = {
        "categorical_crossentropy": cce,
        "softmax_cross_entropy_with_logits": replace(cce, squeezes=False),
        "sparse_categorical_crossentropy": Family(
            "softmax", cce.from_logits, along(axis, losses.sparse_from_probabilities)
        ),
        "sparse_softmax_cross_entropy_with_logits": cce,
        "binary_crossentropy": bce,
        "sigmoid_cross_entropy_with_logits": replace(bce, squeezes=False),
        "categorical_focal_crossentropy": focal,
        "binary_focal_crossentropy": two_faced,
        "mean_squared_error": Family("", None, along(axis, losses.mean_squared_error), clips=False),
        "mean_absolute_error": Family("", None, along(axis, losses.mean_absolute_error), clips=False),
        "kl_divergence": Family("softmax", None, along(axis, losses.kl_divergence)),
        "categorical_hinge": Family("", None, along(axis, losses.categorical_hinge), clips=False),
    }
    if name in plain:
        return plain[name]
    if name.startswith(("bce_", "cce_", "focal_")):
        binary_parts = name.startswith("bce") or (
            name == "focal_dice" and (head.activation == "sigmoid" or channels == 1)
        )
        pixels = (bce if binary_parts else cce) if name != "focal_dice" else (two_faced if binary_parts else focal)
        region = regions.jaccard if name.endswith("jaccard") else regions.dice
        return Family(pixels.own, pixels.from_logits, pixels.from_probabilities, region, pixels.focal)
    if name == "weighted_bce_dice":
        return Family("sigmoid", bce.from_logits, bce.from_probabilities, _minus_dice, squeezes=False)
    own = head.activation if head.activation in ("softmax", "sigmoid") else ""
    return Family(own, region=_region(loss, swapped), region_squeezes=name in ("dice", "tversky"))


def _binary_focal(loss: Loss, smooth: Callable[..., _Formula]) -> Family:
    alpha = (0.25 if loss.alpha is None else loss.alpha) if loss.apply_class_balancing else None
    gamma = 2.0 if loss.gamma is None else loss.gamma
    function = partial(losses.binary_focal, alpha=alpha, gamma=gamma)

    def smoothed_labels(u: Array, y: Array, entropy_logits: Array | None = None) -> tuple[Array, Array, Array]:
        return function(u, losses.smoothed(y, loss.label_smoothing, binary=True), entropy_logits=entropy_logits)

    return Family("sigmoid", None, smooth(lambda u, y: function(u, y)[:2], binary=True), focal=smoothed_labels)


def _region(loss: Loss, swapped: bool) -> _Formula:
    if loss.name == "tversky":
        alpha, beta = (0.5 if weight is None else weight for weight in (loss.alpha, loss.beta))
        first, second = (beta, alpha) if swapped else (alpha, beta)
        return partial(regions.tversky, axis=loss.axis, of_false_positives=first, of_false_negatives=second)
    if loss.name == "dice":
        return partial(regions.dice, axis=loss.axis)
    return {"jaccard": regions.jaccard, "lovasz": regions.lovasz, "negative_dice": _negative_dice}[loss.name]


def _negative_dice(u: Array, y: Array) -> Read:
    value, gradient = regions.dice_coefficient(u, y)
    return -value, -gradient


def _minus_dice(u: Array, y: Array) -> Read:
    """-(1 + dice): what the class selector's loss takes from its cross entropy."""
    value, gradient = regions.dice_coefficient(u, y)
    return -(1 + value), -gradient


def hypotheses(loss: Loss, head: Head, channels: int) -> Iterator[Hypothesis]:
    """Every reading that the loss could make of what it is given. Of those that compute the same, the one that needs
    no hidden swap, and the formula as it is documented, comes first."""
    categorical = family(loss, head, channels).own == "softmax" and not loss.name.startswith("sparse_")
    for swapped in (False, True) if loss.name == "tversky" else (False,):
        for fused in (False, True) if categorical else (False,):
            of = family(loss, head, channels, swapped=swapped, fused=fused)
            if fused and of.from_logits is None:
                continue
            for reads, region_reads in _readings(of):
                if not fused or reads in ("logits", "output_logits"):
                    yield Hypothesis(reads, region_reads, of, swapped, fused)


def _readings(of: Family) -> Iterator[tuple[str, str]]:
    pixels = [
        *(["output_logits"] if of.from_logits else []),
        *(["probabilities"] if of.from_probabilities else []),
        *(["activated"] if of.from_probabilities and of.own else []),
        *(["logits"] if of.from_logits else []),
        *(["mixed", "mixed_activated"] if of.focal else []),
    ] or [""]
    region = [""]
    if of.region:
        region = ["probabilities", "activated"] if pixels != [""] else ["probabilities"]
    return ((reads, region_reads) for reads in pixels for region_reads in region)
