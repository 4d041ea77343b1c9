"""The stages of a configuration: every field, declared once with its `Option`. No TensorFlow here."""

from __future__ import annotations

import json
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, ValidationInfo, field_validator, model_validator

from segdebug import vocabulary as words
from segdebug.options import Option

__all__ = ["Head", "Loss", "Metric", "Model", "Stage", "Target", "Training"]


class Stage(BaseModel):
    """Fields of one stage. Each is checked by its own Option; what spans fields, by the group."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @field_validator("*", mode="before")
    @classmethod
    def _fits_its_option(cls, value: Any, info: ValidationInfo) -> Any:
        return cls.option(str(info.field_name)).check(value)

    @classmethod
    def option(cls, name: str) -> Option:
        return next(row for row in cls.model_fields[name].metadata if isinstance(row, Option))


class Model(Stage):
    """The U-Net of `segdebug.parts.unet`."""

    filters: Annotated[
        int,
        Option("Filters", "filters of the first level, doubled at each level down", "integer", low=1, high=64),
    ] = 8
    depth: Annotated[
        int,
        Option("Depth", "levels of the U-Net; 0 is a single 3 × 3 convolution", "integer", low=0, high=6),
    ] = 4


class Head(Stage):
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


class Target(Stage):
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


class Loss(Stage):
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


class Metric(Stage):
    """What the person's own code would report, and how it decodes."""

    name: Annotated[str, Option("Metric", "what your own code reports", "choice", words.METRICS, param="metric")] = (
        "mean_iou"
    )
    decode: Annotated[
        str, Option("Decoding", "what becomes of the output before the metric", "choice", words.DECODES)
    ] = "auto"


class Training(Stage):
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
