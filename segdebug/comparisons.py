"""Ready-made comparisons: two to six configurations that differ in one thing, each set with the question it answers.

Each is written as changes from a base configuration, by dotted field, so that it can be tried on any picture.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from segdebug.compare import differences
from segdebug.errors import ExperimentError
from segdebug.experiment import OPTIONS, Experiment
from segdebug.scene import Scene

__all__ = ["COMPARISONS", "MOST", "Comparison", "common", "configurations", "differing", "label"]

MOST = 6
"""Configurations side by side, at most: more lines and maps than that nobody can tell apart."""

Changes = dict[str, Any]


@dataclass(frozen=True)
class Comparison:
    """title, question: as on the page. variants: changes from the base, for a scene. exclusive: makes sense only where
    each pixel has one class; black_white: only for mask files of 0 and 255, one for the foreground or one a class."""

    title: str
    question: str
    variants: Callable[[Scene], tuple[Changes, ...]] = field(repr=False)
    exclusive: bool = True
    black_white: bool = False


def configurations(name: str, base: Experiment, scene: Scene) -> list[Experiment]:
    """The configurations of a comparison, all else as in the base. Raises ExperimentError where it does not fit."""
    comparison = COMPARISONS[name]
    if comparison.exclusive and scene.overlapping:
        raise ExperimentError(
            f"{comparison.title}: needs classes that do not overlap. Choose another comparison or picture.", "loss.name"
        )
    if comparison.black_white and not _black_white(scene):
        raise ExperimentError(
            f"{comparison.title}: needs mask files of 0 and 255, one for the foreground or one a class; these are "
            f"read as {scene.encoding}. Choose another comparison or picture.",
            "target.reader",
        )
    return [base.changed(changes) for changes in comparison.variants(scene)]


def _black_white(scene: Scene) -> bool:
    """Whether each mask file is black and white, as far as its values say."""
    files = bool(scene.mask_files) and scene.encoding in ("binary", "planes")
    return files and all(set(report.distinct) <= {0, 255} for report in scene.report)


def differing(experiments: Iterable[Experiment]) -> list[str]:
    """The dotted fields in which they are not all the same, in the pipeline's order."""
    return list(differences(list(experiments)))


def common(experiments: Iterable[Experiment]) -> dict[str, Any]:
    """What is the same in all of them and not the default, by dotted field."""
    all_of = list(experiments)
    standard = Experiment()
    return {
        name: all_of[0][name]
        for name in OPTIONS
        if all(one[name] == all_of[0][name] for one in all_of) and all_of[0][name] != standard[name]
    }


def label(experiment: Experiment, fields: Iterable[str]) -> str:
    """A configuration by the fields in which it differs from the others: "softmax, from_logits true"."""
    told = []
    for name in fields:
        value = OPTIONS[name].write(experiment[name]) or "default"
        told.append(value if OPTIONS[name].kind == "choice" else f"{name.partition('.')[2]} {value}")
    return ", ".join(told) or "the same"


_CCE, _BCE = "categorical_crossentropy", "binary_crossentropy"
_ONE_HOT: Changes = {"target.encoding": "one_hot", "target.layout": "spatial", "target.dtype": "float32"}
_SPARSE: Changes = {"target.encoding": "sparse", "target.layout": "spatial", "target.dtype": "int32"}
_PLAIN: Changes = {
    "head.axis": -1,
    "head.channels": None,
    "loss.label_smoothing": 0.0,
    "loss.alpha": None,
    "loss.gamma": None,
    "loss.beta": None,
    "loss.apply_class_balancing": False,
    "loss.ignore_class": None,
    "loss.axis": None,
    "loss.from_logits": False,
}
"""What only some losses take, as it has to be for any of them."""


def _with(activation: str, loss: str, *, attachment: str = "layer", fed: Changes = _ONE_HOT, **more: Any) -> Changes:
    head = {"head.activation": activation, "head.attachment": attachment}
    return {**_PLAIN, **fed, **head, "loss.name": loss, **{k.replace("__", "."): v for k, v in more.items()}}


def _softmax_and_from_logits(scene: Scene) -> tuple[Changes, ...]:  # noqa: ARG001
    return tuple(
        _with(activation, _CCE, loss__from_logits=told)
        for activation in ("softmax", "linear")
        for told in (False, True)
    )


def _attachment(scene: Scene) -> tuple[Changes, ...]:  # noqa: ARG001
    flat = {**_ONE_HOT, "target.layout": "flat"}
    told: Changes = {"loss__from_logits": True}
    return (
        _with("softmax", _CCE, **told),
        _with("softmax", _CCE, attachment="activation_layer", **told),
        _with("softmax", _CCE, attachment="then_reshape", fed=flat, **told),
        _with("softmax", _CCE, attachment="after_reshape", fed=flat, **told),
        _with("softmax", _CCE, attachment="then_lambda", **told),
        _with("softmax", _CCE, attachment="then_upsampling", **told),
    )


def _exclusive(scene: Scene) -> tuple[Changes, ...]:
    # An id of 255 is an error on a CPU: where pixels are unlabelled it has to be left out.
    void = 255 if scene.ignored_pixels else None
    sparse = "sparse_categorical_crossentropy"
    return (
        _with("softmax", _CCE),
        _with("softmax", sparse, fed=_SPARSE, loss__ignore_class=void),
        _with("softmax", "categorical_focal_crossentropy"),
        _with("softmax", "dice"),
        _with("softmax", "lovasz"),
        _with("sigmoid", _BCE),
    )


def _rare(scene: Scene) -> tuple[Changes, ...]:
    loss = [
        _with("softmax", _CCE),
        _with("softmax", _CCE, loss__class_weights=_inverse(scene), loss__weighting="pixel"),
        _with("softmax", "categorical_focal_crossentropy"),
        _with("softmax", "dice"),
        _with("softmax", "tversky", loss__alpha=0.3, loss__beta=0.7),
        _with("softmax", "cce_dice"),
    ]
    return tuple({**_UNWEIGHTED, **one} for one in loss)


_UNWEIGHTED: Changes = {"loss.class_weights": None, "loss.weighting": "pixel"}


def _weights(scene: Scene) -> tuple[Changes, ...]:
    rarest = min(scene.classes, key=lambda c: (c.pixels == 0, c.pixels)).id
    thousand = [1000.0 if c.id == rarest else 1.0 for c in scene.classes]
    return (
        {"loss.class_weights": None},
        {"loss.class_weights": _inverse(scene), "loss.weighting": "pixel"},
        {"loss.class_weights": thousand, "loss.weighting": "pixel"},
    )


def _inverse(scene: Scene) -> list[float]:
    """1 / frequency, scaled so that the mean weight of a labelled pixel is 1."""
    total, n = sum(c.pixels for c in scene.classes), sum(c.pixels > 0 for c in scene.classes)
    return [float(f"{total / (n * c.pixels):.4g}") if c.pixels else 1.0 for c in scene.classes]


def _label_scale(scene: Scene) -> tuple[Changes, ...]:
    read: Changes = {"target.reader": "pillow_l", "target.dtype": "float32", "target.layout": "spatial"}
    if scene.encoding == "binary":
        one = _with("sigmoid", _BCE, fed={**read, "target.encoding": "single_channel"})
    else:  # one file a class
        one = {**read, "target.encoding": "summed_planes"}
    return tuple({**one, "target.scale": scale} for scale in ("divide_255", "none"))


COMPARISONS: dict[str, Comparison] = {
    "softmax_from_logits": Comparison(
        "Softmax and from_logits",
        "Which of the four combinations of softmax and from_logits compute the same, and which only look as if?",
        _softmax_and_from_logits,
    ),
    "attachment": Comparison(
        "Where the softmax sits",
        "With from_logits=True after a softmax, Keras may go back to the logits. Behind which layers can it not?",
        _attachment,
    ),
    "exclusive_losses": Comparison(
        "Losses for exclusive classes",
        "Each pixel has one class: which losses learn it, and how fast? Their numbers are no measure of that.",
        _exclusive,
    ),
    "rare_class": Comparison(
        "Losses for a rare class",
        "Which losses find the class with the fewest pixels?",
        _rare,
    ),
    "weights": Comparison(
        "Class weights: none, 1 / frequency, × 1000",
        "What do class weights buy the rare class, and what do they cost the others?",
        _weights,
        exclusive=False,
    ),
    "label_scale": Comparison(
        "Labels 0/1 against 0/255",
        "What happens to the loss when mask planes are fed as they are read, from 0 to 255?",
        _label_scale,
        exclusive=False,
        black_white=True,
    ),
    "input_range": Comparison(
        "Input 0..1 against 0..255",
        "What does it do to training when nobody divides the picture by 255?",
        lambda _: ({"training.input_range": "0..1"}, {"training.input_range": "0..255"}),
        exclusive=False,
    ),
    "execution": Comparison(
        "Graph, eager, XLA",
        "Does it matter how Keras runs the step?",
        lambda _: tuple({"training.execution": way} for way in ("graph", "eager", "xla")),
        exclusive=False,
    ),
    "fix": Comparison(
        "As it is, and with the fix",
        "What changes when the smallest fix that was found is applied?",
        lambda _: ({},),
        exclusive=False,
    ),
}
"""By their names in the address. The fix itself is known only once the configuration has been checked."""
