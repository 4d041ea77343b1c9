"""What a run can be asked for by name: numbers for a lesson's claims and for the gaps in its text."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from difflib import get_close_matches

from segdebug.figures import number
from segdebug.finding import COMPUTES
from segdebug.run import Run

__all__ = ["QUANTITIES", "WORDS", "Quantity", "filled", "gaps"]


class Quantity:
    """One number of a run. words: what it is called; read: from the run, NaN where it has none."""

    def __init__(self, words: str, read: Callable[[Run, str], float]) -> None:
        self.words = words
        self.read = read

    def of(self, run: Run, which: str = "") -> float:
        """Its value; which: the class's name, where the quantity is of one class. NaN where there is none."""
        return float(self.read(run, which)) if run.trace.steps else math.nan


def _iou(run: Run, which: str) -> float:
    names = run.class_names()
    return float(run.trace.iou()[-1, names.index(which)]) if which in names else math.nan


def _metric(run: Run, n: int) -> float:
    printed = [shot.metric for shot in run.trace.snapshots if shot.metric]
    return printed[n][0] if printed else math.nan


def _wrong(run: Run) -> float:
    right, _, true = run.trace.parts[-1].counts[-1]
    return float(1 - right.sum() / max(1, true.sum()))


def _of_diagnosis(name: str) -> Callable[[Run, str], float]:
    def read(run: Run, which: str) -> float:  # noqa: ARG001
        value = None if run.diagnosis is None else getattr(run.diagnosis, name)
        return math.nan if value is None else float(value)

    return read


def _of_probe(name: str) -> Callable[[Run, str], float]:
    return lambda run, _: math.nan if run.diagnosis is None else float(getattr(run.diagnosis.semantics, name))


def _last(name: str, at: int = -1) -> Callable[[Run, str], float]:
    return lambda run, _: float(run.trace.scalar(name)[at])


QUANTITIES: dict[str, Quantity] = {
    "first_loss": Quantity("first loss", _last("loss", 0)),
    "last_loss": Quantity("last loss", _last("loss")),
    "mean_iou": Quantity("final mean IoU", lambda run, _: run.trace.mean_iou()[-1]),
    "mean_iou_at_half": Quantity(
        "final mean IoU, each channel cut at one half", lambda run, _: run.trace.mean_iou(by_threshold=True)[-1]
    ),
    "iou": Quantity("final IoU of", _iou),
    "metric": Quantity("last value of the metric", lambda run, _: _metric(run, -1)),
    "first_metric": Quantity("first value of the metric", lambda run, _: _metric(run, 0)),
    "wrong": Quantity("share of wrong pixels at the end", lambda run, _: _wrong(run)),
    "dead_wrong": Quantity("share of the wrong pixels that have no gradient, at the end", _last("dead_wrong")),
    "dead_wrong_first": Quantity("share of the wrong pixels that have no gradient, at first", _last("dead_wrong", 0)),
    "gradient": Quantity("largest gradient of a pixel, at the end", _last("gradient_max")),
    "pixel_loss": Quantity("largest loss of a pixel, at the end", _last("pixel_loss_max")),
    "largest_logit": Quantity("largest logit at the end", _last("logit_max")),
    "lowest_logit": Quantity("lowest logit at the end", _last("logit_min")),
    "steps": Quantity("steps done", lambda run, _: run.trace.steps),
    "classes": Quantity("number of classes", lambda run, _: len(run.scene.classes)),
    "initial": Quantity("loss to expect of an untrained network", _of_diagnosis("initial")),
    "floor": Quantity("lowest loss that can be reached", _of_diagnosis("floor")),
    "plateau": Quantity("loss to expect of a network that is stuck", _of_diagnosis("plateau")),
    "evaluate": Quantity("loss that evaluate prints on the probe", _of_probe("evaluate")),
    "of_predict": Quantity("loss(y, model.predict(x)) on the probe", _of_probe("of_predict")),
    "cosine": Quantity("cosine of the gradient with the one that was meant", _of_probe("cosine")),
}
"""Numbers of a run. `iou` takes a class: iou[cup]."""

WORDS: dict[str, Callable[[Run], str]] = {
    "verdict": lambda run: run.diagnosis.verdict.replace("_", " ") if run.diagnosis else "unknown",
    "computes": lambda run: COMPUTES[run.diagnosis.computes] if run.diagnosis else "unknown",
    "sentence": lambda run: run.diagnosis.sentence if run.diagnosis else "unknown",
    "warning": lambda run: run.keras_warnings[0] if run.keras_warnings else "nothing",
    "outcome": lambda run: run.trace.outcome or "unknown",
}
"""What else a gap in a lesson's text may hold, as words."""

_GAP = re.compile(r"\{([A-Z])\.([a-z_]+)(?:\[([^\]]+)\])?\}")


def gaps(text: str, sides: tuple[str, ...]) -> str | None:
    """What is wrong with the gaps of a text, in words; None where each can be filled."""
    for gap in _GAP.finditer(text):
        side, name, which = gap.groups()
        if side not in sides:
            return f"{gap[0]} asks for run {side}, and there are {', '.join(sides)}"
        if wrong := unknown(name, which, words=True):
            return f"{gap[0]}: {wrong}"
    return None


def unknown(name: str, which: str | None, *, words: bool = False) -> str | None:
    """Why there is no such quantity, in words; None where there is. words: whether words will do as well."""
    known = [*QUANTITIES, *(WORDS if words else ())]
    if name not in known:
        close = get_close_matches(name, known, n=1)
        return f"there is no {name}; {f'did you mean {close[0]}?' if close else 'there are ' + ', '.join(known)}"
    if (name == "iou") != (which is not None):
        return "iou is of one class: iou[name]" if name == "iou" else f"{name} is not of one class"
    return None


def filled(text: str, runs: Mapping[str, Run], quote: Callable[[str], str] = str) -> str:
    """The text with its gaps filled in from the runs; quote: what makes a value fit to stand in the text."""

    def value(gap: re.Match[str]) -> str:
        side, name, which = gap.groups()
        run = runs.get(side)
        if run is None:
            return "…"
        return quote(WORDS[name](run) if name in WORDS else number(QUANTITIES[name].of(run, which or "")))

    return _GAP.sub(value, text)
