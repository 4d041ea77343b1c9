"""One pixel's way from the bytes in the mask to the gradient, as Keras went it and as it was meant."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from segdebug.pixel import formulas
from segdebug.pixel.intention import intended
from segdebug.pixel.moment import FileValues, Moment
from segdebug.pixel.reading import alone, label_row, matched, right_row
from segdebug.pixel.shares import shares
from segdebug.reference.activations import Array

__all__ = ["Cell", "PixelPath", "Stage", "path_of"]


@dataclass(frozen=True)
class Cell:
    """What stands at one stage in one column.

    formula: LaTeX, or "". numbers: one a channel, or one, or none. text: words beside or in place of them. measured:
    taken from the tensors of the run; else worked out in float64 from them.
    """

    formula: str = ""
    numbers: tuple[float, ...] = ()
    text: str = ""
    measured: bool = False


@dataclass(frozen=True)
class Stage:
    """One stage. key: its name in code; title: on the page; done: as Keras did it; meant: as intended, or None."""

    key: str
    title: str
    done: Cell
    meant: Cell | None = None


@dataclass(frozen=True)
class PixelPath:
    """A pixel's way through its run.

    row, column: on the training grid; file_row, file_column: in the files. channels: a name for each; label: the
    true class, or "unlabelled". checked: the relative difference between the pixel's loss in Keras and by the formula
    that the probe matched, NaN where no formula gives one pixel's loss alone.
    """

    row: int
    column: int
    file_row: int
    file_column: int
    true_class: str
    channels: tuple[str, ...]
    stages: tuple[Stage, ...]
    checked: float

    def stage(self, key: str) -> Stage | None:
        return next((stage for stage in self.stages if stage.key == key), None)


def path_of(moment: Moment, row: int, column: int) -> PixelPath:
    """The way of the pixel in that row and column of the training grid. Raises IndexError outside of it."""
    if not (0 <= row < moment.size and 0 <= column < moment.size):
        raise IndexError(f"row {row}, column {column}: the grid is {moment.size} × {moment.size}")
    stages = tuple(_stages(moment, row, column))
    return PixelPath(
        row,
        column,
        int((row + 0.5) * moment.height / moment.size),
        int((column + 0.5) * moment.width / moment.size),
        _true_class(moment, row, column),
        tuple(moment.channel_names()),
        stages,
        _checked(moment, row, column),
    )


def _true_class(moment: Moment, row: int, column: int) -> str:
    if not moment.valid[row, column]:
        return "unlabelled"
    if moment.planes is not None:
        present = [moment.classes[k].name for k in np.flatnonzero(moment.planes[row, column])]
        return " and ".join(present) or "none"
    true = int(moment.truth[row, column])
    return moment.classes[true].name if true >= 0 else "unlabelled"


def _stages(moment: Moment, row: int, column: int) -> Iterator[Stage]:
    meant = intended(moment, row, column)
    yield from _labels(moment, row, column)
    z = moment.logits[moment.coarse(row, column)]
    u = moment.output[row, column]
    activation = moment.experiment.head.activation
    yield Stage("logits", "logits", _cell("z", z, measured=True), Cell("z", tuple(meant.z), "the same"))
    done = _cell(formulas.ACTIVATION[activation], u, measured=True, text=_attached(moment))
    yield Stage("activation", "output of the head", done, _cell(formulas.ACTIVATION[meant.activation], meant.u))
    yield from _inside_the_loss(moment, row, column, meant.logarithm)
    yield from _number(moment, row, column, meant.loss, meant.weight, meant.divisor)
    gradient = moment.gradient[moment.coarse(row, column)]
    # Of a share of the mean: what is meant to be next to nothing is no death.
    at_rest = not np.any(np.abs(meant.gradient) > 1e-6 / meant.divisor)
    still = "it is right already, with nothing left to learn" if at_rest else "this pixel is dead"
    dead = "" if np.any(gradient) else f"exactly 0: {still}"
    yield Stage(
        "gradient",
        "gradient",
        _cell(r"\frac{\partial L}{\partial z_k}", gradient, measured=True, text=dead),
        _cell(r"\frac{\partial L}{\partial z_k}", meant.gradient, text=meant.note),
    )


def _labels(moment: Moment, row: int, column: int) -> Iterator[Stage]:
    target = moment.experiment.target
    stored = Cell(text="\n".join(_in_file(f, f.stored, f.no_stored, row, column) for f in moment.files), measured=True)
    true = _true_class(moment, row, column)
    if moment.files:
        yield Stage("file", "bytes in the mask", stored, Cell(text=true))
    if target.reader != "scene":
        read = "\n".join(_in_file(f, f.delivered, f.no_delivered, row, column) for f in moment.files)
        yield Stage("reader", "what the reader delivers", Cell(text=read, measured=True), Cell(text=true))
    right = right_row(moment, row, column)
    steps = " → ".join([target.reader, target.resize, target.scale, target.encoding, target.layout, target.dtype])
    if moment.label is None:
        fed = Cell(text=f"{steps}: the labels have no place for each pixel", measured=True)
    else:
        fed = _cell("y", np.asarray(moment.label[row, column]).ravel(), measured=True, text=steps)
    yield Stage("label", "label as fed", fed, _cell("y", right))


def _in_file(file: FileValues, array: Array | None, reason: str, row: int, column: int) -> str:
    if array is None:
        return reason
    value = array[row, column]
    shown = f"{value:g}" if np.ndim(value) == 0 else ", ".join(f"{part:g}" for part in np.ravel(value))
    return f"{file.name}: {shown} ({array.dtype})"


def _attached(moment: Moment) -> str:
    """What stands between the activation and the loss, where something does."""
    after = {
        "then_reshape": "then Reshape",
        "then_dropout": "then Dropout",
        "then_upsampling": "then UpSampling2D: a mix of neighbouring pixels",
        "then_lambda": "then tf.identity",
    }
    return after.get(moment.experiment.head.attachment, "")


def _inside_the_loss(moment: Moment, row: int, column: int, meant: formulas.Line | None) -> Iterator[Stage]:
    """What the loss reads, clips and takes the logarithm of; the intended column has the logarithm alone."""
    e, s = moment.experiment, moment.semantics
    of = formulas.kind(e.loss, e.head, moment.channels)
    y = label_row(moment, row, column)
    if not of or not s.reads or y is None or s.computes in ("wrong_axis", "broadcast"):
        why = alone(moment) or "label and output have different numbers of entries"
        yield Stage("read", "what the loss reads", Cell(text=f"Not pixel by pixel: {why}."))
        return
    z, u = (a.astype(np.float64) for a in (moment.logits[moment.coarse(row, column)], moment.output[row, column]))
    own = matched(moment).family.own
    taken = formulas.read(of, s.reads, own, e.head.activation, z, u)
    yield Stage("read", "what the loss reads", _line(taken), None)
    if s.reads in ("probabilities", "activated"):
        clipped = formulas.clipped(of, taken.numbers)
        if clipped is not None:
            moved = "clipped here" if np.any(clipped.numbers != taken.numbers) else "nothing to clip here"
            yield Stage("clip", "clipped", _line(clipped, moved), None)
        line = formulas.logarithm(of, e.loss, y, q=taken.numbers if clipped is None else clipped.numbers)
    else:
        line = formulas.logarithm(of, e.loss, y, logits=z if s.reads.startswith("mixed") else taken.numbers)
    if line is not None:
        yield Stage("log", "logarithm", _line(line), _line(meant) if meant else None)


def _number(
    moment: Moment, row: int, column: int, meant_loss: float, meant_weight: float, divisor: float
) -> Iterator[Stage]:
    """The pixel's loss, its weight, and its share of the printed number."""
    if moment.values is None or moment.coefficients is None:
        yield Stage("loss", "loss of this pixel", Cell(text=f"None: {moment.no_values}."), None)
        return
    of = formulas.kind(moment.experiment.loss, moment.experiment.head, moment.channels)
    inside, sample = _weights(moment, row, column)
    value = float(moment.values[row, column].astype(np.float64).mean())
    value = value / inside if inside else value
    formula = formulas.loss_formula(of) if of else r"\ell"
    region = " + the whole picture's region part, the same for each pixel" if moment.semantics.region_reads else ""
    yield Stage(
        "loss",
        "loss of this pixel",
        Cell(formula, (value,), region, measured=True),
        Cell(formula, (meant_loss,)),
    )
    words = [f"{inside:g} inside the loss"] if moment.inside is not None else []
    words += [f"{sample:g} as sample_weight"] if moment.weights is not None else []
    weight = Cell("w", (inside * sample,), " × ".join(words) or "no weights", measured=True)
    yield Stage("weight", "weight", weight, Cell("w", (meant_weight,)))
    share = float(shares(moment)[row, column])
    total = float(moment.coefficients[row, column].sum())
    percent = f"{100 * share / moment.loss:.3g} % of the printed loss {moment.loss:.6g}" if moment.loss else ""
    n = sample / total if total else np.inf
    over = f"N = {n:,.6g}; {percent}" if np.isfinite(n) else f"counts for nothing; {percent}"
    done = Cell(r"s = \frac{w\,\ell}{N}", (share,), over, measured=True)
    meant = Cell(r"s = \frac{w\,\ell}{N}", (meant_weight * meant_loss / divisor,), f"N = {divisor:,.6g}")
    yield Stage("share", "share of the printed number", done, meant)


def _weights(moment: Moment, row: int, column: int) -> tuple[float, float]:
    """The class weight inside the loss, and the sample weight; 1 where there is none."""
    inside = 1.0 if moment.inside is None else float(moment.inside[row, column])
    sample = 1.0 if moment.weights is None else float(moment.weights[row, column])
    return inside, sample


def _checked(moment: Moment, row: int, column: int) -> float:
    from segdebug.pixel.slope import formula_at

    if alone(moment) or moment.semantics.region_reads or moment.values is None:
        return np.nan
    computed = formula_at(moment, row, column)
    if computed is None:
        return np.nan
    inside, _ = _weights(moment, row, column)
    measured = float(moment.values[row, column].astype(np.float64).mean())
    return abs(inside * computed - measured) / max(abs(measured), 1e-6)


def _line(line: formulas.Line, text: str = "") -> Cell:
    return Cell(line.formula, tuple(float(x) for x in line.numbers), text or line.words)


def _cell(formula: str, numbers: Array, *, measured: bool = False, text: str = "") -> Cell:
    return Cell(formula, tuple(float(x) for x in np.ravel(numbers)), text, measured)
