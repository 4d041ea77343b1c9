"""One reported fault as data: what was configured, on which picture, and where the cause is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from segdebug import Experiment
from segdebug.scene import Scene
from tests.faults.pictures import scene

__all__ = [
    "BCE",
    "CCE",
    "FAMILY_STAGES",
    "ONE_CHANNEL",
    "ONE_HOT_FILE",
    "SCCE",
    "SPARSE",
    "SPARSE_FILE",
    "Case",
    "changes",
    "head",
    "loss",
    "target",
]

FAMILY_STAGES: dict[str, frozenset[str]] = {
    "A": frozenset({"head", "loss"}),
    "B": frozenset({"masks", "target"}),
    "C": frozenset({"target"}),
    "D": frozenset({"loss"}),
    "E": frozenset({"training"}),
    "F": frozenset({"loss"}),
    "G": frozenset({"training"}),
    "H": frozenset({"training"}),
    "Z": frozenset(),
}
"""Where the cause of a family is, by its letter. It was written before any case was run. A: what the head's
activation and the loss make of each other; B: label values; C: label shapes and dtypes; D: weights; E: the metric
and what it hides; F: the loss's definition; G: optimisation; H: display; Z: nothing is wrong."""

_TINY = {"training.size": 32, "model.depth": 2}


@dataclass(frozen=True)
class Case:
    """A report that was answered, as far as a configuration can say it.

    id: the report's key; url: where it stands, "" for a question that has no page of its own.
    family: a letter of `FAMILY_STAGES` and a number; codes: the rules that would name the true cause.
    picture: a key of `pictures.SCENES`; changes: from `Experiment()` by dotted field, on a 32 × 32 grid.
    says: what the person did, in a sentence. runs: whether only training can tell.
    states_all: the report states activation, loss, from_logits (or leaves it at its default) and labels.
    """

    id: str
    url: str
    family: str
    says: str
    codes: frozenset[str]
    picture: str
    changes: Mapping[str, Any] = field(default_factory=dict)
    runs: bool = False
    states_all: bool = False

    @property
    def stages(self) -> frozenset[str]:
        """The stages that may hold the cause; empty where there is none."""
        return FAMILY_STAGES[self.family[0]]

    @property
    def experiment(self) -> Experiment:
        return Experiment().changed({**_TINY, **self.changes})

    @property
    def scene(self) -> Scene:
        return scene(self.picture)


def changes(*parts: Mapping[str, Any], **fields: Any) -> dict[str, Any]:
    """Parts of a configuration put together (a later one wins); `training__steps` is training.steps."""
    together: dict[str, Any] = {}
    for part in parts:
        together.update(part)
    together.update({name.replace("__", "."): value for name, value in fields.items()})
    return together


def head(activation: str, attachment: str = "layer", **fields: Any) -> dict[str, Any]:
    rest = {f"head.{name}": value for name, value in fields.items()}
    flat = {"target.layout": "flat"} if attachment in ("after_reshape", "then_reshape") else {}
    return {"head.activation": activation, "head.attachment": attachment, **rest, **flat}


def loss(name: str, **fields: Any) -> dict[str, Any]:
    return {"loss.name": name, **{f"loss.{key}": value for key, value in fields.items()}}


def target(**fields: Any) -> dict[str, Any]:
    return {f"target.{name}": value for name, value in fields.items()}


CCE, SCCE, BCE = "categorical_crossentropy", "sparse_categorical_crossentropy", "binary_crossentropy"

ONE_CHANNEL = target(encoding="single_channel")
SPARSE = target(encoding="sparse", dtype="int32")
SPARSE_FILE = target(reader="pillow", encoding="sparse", dtype="int32")
ONE_HOT_FILE = target(reader="pillow", encoding="one_hot")
