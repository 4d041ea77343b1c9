"""What the person chose, as data: frozen, validated, and able to travel as JSON and as an address.

`OPTIONS` is the table of all fields by dotted name, as `stages` declares them: from it the widgets, the address,
the messages and the documentation are made. Nothing here knows TensorFlow.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from segdebug.errors import ExperimentError
from segdebug.options import Option
from segdebug.stages import Head, Loss, Metric, Model, Stage, Target, Training
from segdebug.vocabulary import LOSSES

__all__ = ["OPTIONS", "Experiment", "Head", "Loss", "Metric", "Model", "Target", "Training"]


class Experiment(BaseModel):
    """One configuration: model, head, target, loss, metric and training.

    `Experiment(head={"activation": "linear"}, loss={"from_logits": True})` takes nested words; anything left
    out has its default. Raises ExperimentError naming the field for an unknown field or impossible value.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: Model = Model()
    head: Head = Head()
    target: Target = Target()
    loss: Loss = Loss()
    metric: Metric = Metric()
    training: Training = Training()

    def __init__(self, **groups: Any) -> None:
        try:
            super().__init__(**groups)
        except ValidationError as error:
            raise _explained(error) from None

    @model_validator(mode="after")
    def _size_can_be_halved(self) -> Self:
        deepest = max(self.model.depth, 1 if self.head.attachment == "then_upsampling" else 0)
        if self.training.size % 2**deepest:
            raise ValueError(
                f"training.size: {self.training.size} cannot be halved {deepest} times (model.depth); "
                f"use a multiple of {2**deepest}"
            )
        return self

    @classmethod
    def preset(cls, name: str) -> Experiment:
        """A named configuration of `segdebug.presets`; ExperimentError lists the names."""
        from segdebug.presets import preset

        return preset(name)

    @classmethod
    def from_json(cls, text: str | bytes) -> Experiment:
        """The configuration in a JSON text; ExperimentError for anything that is not one."""
        try:
            groups = json.loads(text)
        except ValueError as error:
            raise ExperimentError(f"The configuration is not JSON: {error}.") from None
        if not isinstance(groups, dict):
            raise ExperimentError('The configuration must be a JSON object such as {"head": {...}, "loss": {...}}.')
        return cls(**groups)

    @classmethod
    def load(cls, path: str | Path) -> Experiment:
        """The configuration in a JSON file."""
        try:
            text = Path(path).read_bytes()
        except OSError as error:
            raise ExperimentError(f"{path}: the configuration cannot be read: {error.strerror}.") from None
        return cls.from_json(text)

    def to_json(self, indent: int | None = None) -> str:
        """Every field, defaults included, as JSON."""
        return self.model_dump_json(indent=indent)

    @classmethod
    def from_query(cls, query: Mapping[str, str]) -> Experiment:
        """The configuration in an address; parameters of other names are not ours and are left alone."""
        return cls().changed(cls.changes_in(query))

    @staticmethod
    def changes_in(query: Mapping[str, str]) -> dict[str, Any]:
        """The fields that an address names, with their values; ExperimentError for a value that cannot be read."""
        changes: dict[str, Any] = {}
        for field, option in OPTIONS.items():
            if option.param in query:
                try:
                    changes[field] = option.read(query[option.param])
                except ValueError as error:
                    raise ExperimentError(f"{field} in the address: {error}.", field) from None
        return changes

    def to_query(self) -> dict[str, str]:
        """What differs from the default, as parameters of an address."""
        plain = type(self)()
        return {
            option.param: option.write(self[field]) for field, option in OPTIONS.items() if self[field] != plain[field]
        }

    def __getitem__(self, field: str) -> Any:
        """The value of a dotted field: `experiment["loss.from_logits"]`."""
        group, _, name = field.partition(".")
        return getattr(getattr(self, group), name)

    def changed(self, changes: Mapping[str, Any]) -> Experiment:
        """A copy with some dotted fields changed: `{"loss.from_logits": True}`; validated as a whole."""
        groups = self.model_dump()
        for field, value in changes.items():
            if field not in OPTIONS:
                raise ExperimentError(_unknown(field), field)
            group, _, name = field.partition(".")
            groups[group][name] = value
        return type(self)(**groups)

    def difference(self, other: Experiment) -> dict[str, tuple[Any, Any]]:
        """The dotted fields in which two configurations differ, with both values, in the table's order."""
        return {field: (self[field], other[field]) for field in OPTIONS if self[field] != other[field]}

    def in_words(self) -> str:
        """The configuration in one line."""
        head, loss, training = self.head, self.loss, self.training
        told = f"(from_logits={loss.from_logits})" if "from_logits" in LOSSES[loss.name].accepts else ""
        return (
            f"{head.activation} [{head.attachment}] → {loss.name}{told} on {self.target.encoding} labels, "
            f"{training.steps} steps at {training.size} px, seed {training.seed}"
        )

    def __hash__(self) -> int:
        return hash(self.to_json())


def _table() -> dict[str, Option]:
    """Every field's Option by dotted name, in the order of the stages, each with its name in the address."""
    table = {}
    for group, info in Experiment.model_fields.items():
        kind = info.annotation
        assert isinstance(kind, type)
        assert issubclass(kind, Stage)
        for name in kind.model_fields:
            option = kind.option(name)
            table[f"{group}.{name}"] = option if option.param else _named(option, name)
    params = [option.param for option in table.values()]
    assert len(params) == len(set(params)), "two fields share a name in the address"
    return table


def _named(option: Option, name: str) -> Option:
    from dataclasses import replace

    return replace(option, param=name)


OPTIONS: dict[str, Option] = _table()
"""The table of options, by dotted field name, in the order of the pipeline."""


def _unknown(field: str) -> str:
    close = get_close_matches(field, OPTIONS, n=1, cutoff=0.5)
    hint = f" Did you mean {close[0]}?" if close else f" Fields: {', '.join(OPTIONS)}."
    return f"{field} is not a field of a configuration.{hint}"


def _explained(error: ValidationError) -> ExperimentError:
    """The first thing wrong, in one sentence with the dotted field first."""
    first = error.errors(include_url=False)[0]
    field = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        return ExperimentError(_unknown(field), field)
    said = (str(first["ctx"]["error"]) if "error" in first.get("ctx", {}) else first["msg"]).rstrip(".?")
    name, separator, rest = said.partition(": ")
    if separator and (inner := f"{field}.{name}" if field else name) in OPTIONS:  # a group's own validator
        return ExperimentError(f"{inner}: {rest}.", inner)
    return ExperimentError(f"{field}: {said}.", field)
