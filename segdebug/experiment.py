"""What the person chose, as data: frozen, validated, and able to travel as JSON and as an address.

Each field is declared once, with its `Option`; `OPTIONS` is the table of them all by dotted name, from which
the widgets, the address, the messages and the documentation are made. Nothing here knows TensorFlow.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError, ValidationInfo, field_validator, model_validator

from segdebug import vocabulary as words
from segdebug.errors import ExperimentError
from segdebug.options import Option

__all__ = ["OPTIONS", "Experiment", "Head", "Loss", "Metric", "Model", "Target", "Training"]


class _Group(BaseModel):
    """Fields of one stage. Each is checked by its own Option; what spans fields, by the group."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @field_validator("*", mode="before")
    @classmethod
    def _fits_its_option(cls, value: Any, info: ValidationInfo) -> Any:
        return cls.option(str(info.field_name)).check(value)

    @classmethod
    def option(cls, name: str) -> Option:
        return next(row for row in cls.model_fields[name].metadata if isinstance(row, Option))


class Model(_Group):
    """The U-Net of `segdebug.parts.unet`."""

    filters: Annotated[
        int,
        Option("Filters", "filters of the first level, doubled at each level down", "integer", low=1, high=64),
    ] = 8
    depth: Annotated[
        int,
        Option("Depth", "levels of the U-Net; 0 is a single 3 × 3 convolution", "integer", low=0, high=6),
    ] = 4


class Head(_Group):
    """The last layer: a 1 × 1 convolution to the logits, and the activation wherever it is attached."""

    activation: Annotated[str, Option("Activation", "the last layer's activation", "choice", words.ACTIVATIONS)] = (
        "softmax"
    )
    attachment: Annotated[
        str,
        Option("Where it sits", "how the activation is attached to the logits", "choice", words.ATTACHMENTS),
    ] = "layer"
    channels: Annotated[
        int | None,
        Option(
            "Channels",
            "output channels",
            "integer",
            low=1,
            high=512,
            none="as many as the scene has classes; 1 for a binary scene with single_channel labels",
        ),
    ] = None
    axis: Annotated[
        int,
        Option("Softmax axis", "the axis that softmax sums over", "integer", low=-4, high=3, param="head_axis"),
    ] = -1

    @model_validator(mode="after")
    def _exists_in_keras(self) -> Self:
        if self.attachment == "layer_class" and self.activation not in words.LAYER_CLASSES:
            has = ", ".join(words.LAYER_CLASSES)
            raise ValueError(
                f"attachment: Keras has no layer class for {self.activation}, only for {has}; use activation_layer"
            )
        if self.axis != -1 and self.activation not in words.AXIS_ACTIVATIONS:
            raise ValueError(f"axis: {self.activation} has no axis; leave it at -1")
        return self


class Target(_Group):
    """Labels as fed: reader → resize → scale → encoding → layout → dtype, carried out literally."""

    reader: Annotated[str, Option("Reader", "what reads the mask files", "choice", words.READERS)] = "scene"
    resize: Annotated[
        str, Option("Resize", "how labels are stretched to the training size", "choice", words.RESIZES)
    ] = "nearest"
    scale: Annotated[str, Option("Scale", "what the values are divided by", "choice", words.SCALES)] = "none"
    encoding: Annotated[str, Option("Encoding", "how values become labels", "choice", words.ENCODINGS)] = "one_hot"
    layout: Annotated[str, Option("Layout", "the shape of the label tensor", "choice", words.LAYOUTS)] = "spatial"
    dtype: Annotated[str, Option("Label dtype", "the type of the label tensor", "choice", words.TARGET_DTYPES)] = (
        "float32"
    )


class Loss(_Group):
    """The loss with the parameters that its Keras signature has, and what weighs its pixels."""

    name: Annotated[
        str,
        Option(
            "Loss",
            "what is minimised",
            "choice",
            {k: v.meaning for k, v in words.LOSSES.items()},
            param="loss",
        ),
    ] = "categorical_crossentropy"
    from_logits: Annotated[bool, Option("from_logits", "whether the loss is told that it gets logits", "flag")] = False
    label_smoothing: Annotated[
        float, Option("Label smoothing", "moves labels towards uniform", "number", low=0, high=1)
    ] = 0.0
    alpha: Annotated[
        float | None,
        Option(
            "alpha",
            "balance of focal loss, or weight of false positives in Tversky",
            "number",
            low=0,
            high=1e6,
            none="Keras's default",
        ),
    ] = None
    gamma: Annotated[
        float | None,
        Option("gamma", "focusing power of focal loss", "number", low=0, high=100, none="Keras's default"),
    ] = None
    beta: Annotated[
        float | None,
        Option("beta", "weight of false negatives in Tversky", "number", low=0, high=1e6, none="Keras's default"),
    ] = None
    apply_class_balancing: Annotated[
        bool, Option("Class balancing", "whether binary focal loss uses alpha", "flag")
    ] = False
    class_weights: Annotated[
        tuple[float, ...] | None,
        Option(
            "Class weights",
            "one number a class, in class order",
            "numbers",
            none="all classes weigh the same",
        ),
    ] = None
    weighting: Annotated[
        str, Option("How weights act", "where class weights are applied", "choice", words.WEIGHTINGS)
    ] = "pixel"
    void: Annotated[str, Option("Unlabelled pixels", "what they weigh", "choice", words.VOIDS)] = "as_fed"
    ignore_class: Annotated[
        int | None,
        Option(
            "ignore_class",
            "label value that the loss leaves out",
            "integer",
            low=-(2**31),
            high=2**31 - 1,
            none="none",
        ),
    ] = None
    axis: Annotated[
        int | None,
        Option(
            "Loss axis",
            "the axis of the classes",
            "integer",
            low=-4,
            high=3,
            none="the loss's own default",
            param="loss_axis",
        ),
    ] = None
    reduction: Annotated[str, Option("Reduction", "how pixels become one number", "choice", words.REDUCTIONS)] = (
        "sum_over_batch_size"
    )

    @model_validator(mode="after")
    def _takes_its_parameters(self) -> Self:
        accepts = words.LOSSES[self.name].accepts
        for parameter in words.LOSS_PARAMETERS:
            default = type(self).model_fields[parameter].default
            if parameter not in accepts and getattr(self, parameter) != default:
                taken = ", ".join(accepts) if accepts else "none of these parameters"
                raise ValueError(
                    f"{parameter}: {self.name} has no such parameter (it takes {taken}); "
                    f"leave it at {json.dumps(default)}"
                )
        return self


class Metric(_Group):
    """What the person's own code would report, and how it decodes."""

    name: Annotated[str, Option("Metric", "what your own code reports", "choice", words.METRICS, param="metric")] = (
        "mean_iou"
    )
    decode: Annotated[
        str, Option("Decoding", "what becomes of the output before the metric", "choice", words.DECODES)
    ] = "auto"


class Training(_Group):
    """How the one image is overfit."""

    size: Annotated[
        int,
        Option("Image size", "pixels on a side, image and labels stretched to it", "integer", low=8, high=1024),
    ] = 128
    steps: Annotated[int, Option("Steps", "optimizer steps on this image", "integer", low=1, high=5000)] = 200
    optimizer: Annotated[str, Option("Optimizer", "what applies the gradient", "choice", words.OPTIMIZERS)] = "adam"
    learning_rate: Annotated[
        float, Option("Learning rate", "the optimizer's step size", "number", low=0, high=1000)
    ] = 0.001
    seed: Annotated[int, Option("Seed", "of the initial weights and of dropout", "integer", low=0, high=2**31 - 1)] = 0
    input_range: Annotated[str, Option("Input range", "what the image is scaled to", "choice", words.INPUT_RANGES)] = (
        "0..1"
    )
    initializer: Annotated[
        str, Option("Initializer", "of every convolution's kernel", "choice", words.INITIALIZERS)
    ] = "glorot_uniform"
    execution: Annotated[
        str, Option("Execution", "the kind of function that fit would build", "choice", words.EXECUTIONS)
    ] = "graph"
    precision: Annotated[str, Option("Precision", "Keras's dtype policy", "choice", words.PRECISIONS)] = "float32"
    container: Annotated[str, Option("Data container", "what fit is given", "choice", words.CONTAINERS)] = "numpy"


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
        changes: dict[str, Any] = {}
        for field, option in OPTIONS.items():
            if option.param in query:
                try:
                    changes[field] = option.read(query[option.param])
                except ValueError as error:
                    raise ExperimentError(f"{field} in the address: {error}.", field) from None
        return cls().changed(changes)

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

    def __hash__(self) -> int:
        return hash(self.to_json())


def _table() -> dict[str, Option]:
    """Every field's Option by dotted name, in the order of the stages, each with its name in the address."""
    table = {}
    for group, info in Experiment.model_fields.items():
        kind = info.annotation
        assert isinstance(kind, type)
        assert issubclass(kind, _Group)
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
