"""Both sides of one case: segdebug's own run, the reference's fit, and whether they agree."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

import numpy as np

from segdebug.errors import KerasRefusal, SegdebugError
from segdebug.experiment import Experiment
from segdebug.overfit import overfit
from segdebug.scene import Scene, SceneClass, SourceFile
from tests.fidelity.reference import STEPS, Picture, fit_losses

RTOL = 1e-5
"""Fixed: how far a loss may be from fit's, relative to it, at any of the first 20 steps."""


@dataclass
class Side:
    """What one side came to: the losses of its steps, or what it refused with."""

    losses: list[float] | None
    refusal: str = ""
    outcome: str = ""


@dataclass
class Verdict:
    """agree, refused (by both), or differ; what: the first difference, in words."""

    word: str
    what: str = ""
    same_reason: bool = True


def scene_of(picture: Picture) -> Scene:
    """The same image, truth and files as segdebug takes them."""
    classes = tuple(
        SceneClass(c, f"class {c}", "#000000", c if c in picture.stated else None, 1) for c in range(picture.n_classes)
    )
    files = tuple(
        SourceFile(f"mask{n}.png", data, c)
        for n, (data, c) in enumerate(zip(picture.files, picture.file_class, strict=True))
    )
    ids = picture.ids.astype(np.int32)
    return Scene(
        "picture", picture.image, classes, ids, picture.planes, picture.valid, "index", 1.0, (), mask_files=files
    )


def ours(experiment: Experiment, scene: Scene) -> Side:
    """segdebug's run of the first steps."""
    try:
        run = overfit(scene, experiment, diagnosed=False)
    except KerasRefusal as error:
        return Side(None, error.original)
    except SegdebugError as error:
        return Side(None, str(error))
    return Side([float(loss) for loss in run.trace.loss], outcome=str(run.trace.outcome))


def reference(experiment: Experiment, picture: Picture, **short: bool) -> Side:
    """The real fit of the same words; short: the short ways of `fit_losses`."""
    words = experiment.model_dump(mode="json")
    try:
        return Side(fit_losses(words, picture, experiment.training.steps, **short))
    except Exception as error:  # Keras and TensorFlow raise many kinds
        return Side(None, str(error) or type(error).__name__)


def compared(mine: Side, theirs: Side) -> Verdict:
    """Whether our losses are fit's, up to where our run stopped as not finite or diverged."""
    if mine.losses is None or theirs.losses is None:
        if mine.losses is None and theirs.losses is None:
            alike = reason(mine.refusal) == reason(theirs.refusal)
            return Verdict("refused", reason(theirs.refusal), alike)
        if mine.losses is None:
            return Verdict("differ", f"only segdebug refuses: {reason(mine.refusal)}")
        return Verdict("differ", f"only fit refuses: {reason(theirs.refusal)}")
    if mine.outcome == "finished" and len(mine.losses) != len(theirs.losses):
        return Verdict("differ", f"{len(mine.losses)} steps against {len(theirs.losses)}")
    for step, (a, b) in enumerate(zip(mine.losses, theirs.losses, strict=False)):
        if not same(a, b):
            off = abs(a - b) / abs(b) if b else math.inf
            return Verdict("differ", f"step {step}: {a!r} against {b!r}, off by {off:.2g}")
    if mine.outcome == "not_finite":
        rest = theirs.losses[len(mine.losses) - 1 :]
        if all(math.isfinite(loss) for loss in rest):
            return Verdict("differ", f"segdebug stopped as not finite at step {len(mine.losses) - 1}, fit went on")
    return Verdict("agree")


def same(a: float, b: float) -> bool:
    """Equal to RTOL; NaN equals NaN, infinity itself."""
    if math.isfinite(a) and math.isfinite(b):
        return abs(a - b) <= RTOL * abs(b)
    return (math.isnan(a) and math.isnan(b)) or a == b


def reason(message: str) -> str:
    """The telling line of an error, without names of nodes and layers and without the batch dimension."""
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    noise = r"(Detected at node|in user code|File |Traceback|Exception encountered|\[\[|Original|\d+ (successful|root))"
    told = [line for line in lines if not re.match(noise, line)] or lines or [""]
    line = re.sub(r"\{\{.*?\}\}\s*|\[Op:.*?\]|\(?node \S+\)?", "", told[0])
    line = re.sub(r"\b(None|\?)(?=[,)\]])", "1", line)
    line = re.sub(r"(\w+?)_\d+\b", r"\1", line)
    return re.sub(r"\s+", " ", line).strip()


__all__ = ["RTOL", "STEPS", "Side", "Verdict", "compared", "ours", "reason", "reference", "same", "scene_of"]
