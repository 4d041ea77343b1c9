"""The head: what its output is read as, and over which channels. All from the probe."""

from __future__ import annotations

from typing import Any

from segdebug.rules import pairing  # noqa: F401 - its rules register themselves
from segdebug.rules.catalogue import Noticed, rule
from segdebug.rules.known import Known
from segdebug.rules.reading import (
    DISTRIBUTION,
    GET_LOGITS,
    THREAD_000,
    head_code,
    linear_logits,
    measured,
    own_activation,
)


@rule(
    "H01",
    stage="head",
    severity="error",
    title="The activation is applied twice",
    matters="The head already puts out probabilities, and the loss turns them into probabilities once more. Numbers "
    "between 0 and 1 are nearly equal as logits, so the result can never be sure of anything: the loss has a floor "
    "that it cannot pass, and a pixel that is confidently wrong has almost no gradient.",
    example="softmax, then Reshape, then CategoricalCrossentropy(from_logits=True)",
    instead="A linear head with from_logits=True, or the activation with from_logits=False.",
    silent="When Keras recovers the logits behind the activation: then the loss is the one that was meant (H10).",
    references=(THREAD_000, GET_LOGITS),
)
def double_activation(known: Known) -> Noticed | None:
    """Whether the probe's values and gradients are those of the head's activation followed by the loss's own."""
    if known.semantics.computes != "double_activation":
        return None
    k = known.channels
    evidence = measured(known.semantics)
    if k > 1 and known.experiment.head.activation == "softmax":
        evidence["most that it can be sure of, e / (e + K - 1)"] = 2.718281828 / (2.718281828 + k - 1)
    changes: dict[str, Any] = {"loss.from_logits": False}
    if not known.experiment.loss.from_logits:  # a loss that takes logits only
        changes = {"head.activation": "linear"}
        return Noticed(evidence, changes, head_code(changes))
    if known.experiment.loss.name == "binary_focal_crossentropy" or known.experiment.head.activation == own_activation(
        known
    ):
        linear = {"head.activation": "linear"}
        return Noticed(evidence, linear, head_code(linear))
    own = {"head.activation": own_activation(known)}
    return Noticed(evidence, changes | own, head_code(own))


@rule(
    "H02",
    stage="head",
    severity="error",
    title="Logits are taken for probabilities",
    matters="The head has no activation, and the loss takes what it puts out for probabilities. Keras divides the "
    "logits by their sum and clips them; the logarithm of that has little to do with any class. Nothing is raised, "
    "and the gradient points somewhere else.",
    example="a linear head with CategoricalCrossentropy()",
    instead="from_logits=True, or a softmax (sigmoid for binary losses) in the head.",
    silent="When the loss is told from_logits=True, or takes logits by its name.",
    references=("keras/src/backend/tensorflow/nn.py, categorical_crossentropy",),
)
def logits_as_probabilities(known: Known) -> Noticed | None:
    """Whether a linear head's output goes through the formula for probabilities."""
    if known.semantics.computes != "logits_as_probabilities":
        return None
    evidence = measured(known.semantics)
    evidence["outputs on the probe"] = [known.semantics.output_min, known.semantics.output_max]
    return Noticed(evidence, {"loss.from_logits": True}, "loss = keras.losses....(from_logits=True)")


@rule(
    "H03",
    stage="head",
    severity="error",
    title="The loss needs probabilities, and the head puts out none",
    matters="This loss multiplies and adds what it is given as if each value were between 0 and 1. With other values "
    "its number has no meaning: a Dice can leave the range from 0 to 1, and the gradient rewards values that are "
    "merely large.",
    example="a linear or relu head with Dice",
    instead="A softmax or a sigmoid in the head.",
    silent="For losses of scores, such as categorical hinge or a squared error.",
    references=("keras/src/losses/losses.py, dice and tversky: no from_logits",),
)
def not_probabilities(known: Known) -> Noticed | None:
    """Whether a loss of probabilities was measured to read an output that is none."""
    if known.semantics.computes != "not_probabilities":
        return None
    evidence = measured(known.semantics)
    evidence["outputs on the probe"] = [known.semantics.output_min, known.semantics.output_max]
    changes: dict[str, Any] = {"head.activation": own_activation(known)}
    if known.experiment.loss.from_logits:
        changes["loss.from_logits"] = False
    return Noticed(evidence, changes, head_code(changes))


@rule(
    "H04",
    stage="head",
    severity="error",
    title="The logits cannot go where they must",
    matters="A relu never puts out less than 0 and a tanh nothing beyond -1 and 1. As logits that means: no class can "
    "be ruled out, or no pixel can be surely anything. A pixel whose relu is 0 in every channel has no gradient and "
    "stays as it is.",
    example="relu in the last layer, with from_logits=True",
    instead="No activation on the last layer when the loss takes logits.",
    silent="For relu and tanh in the layers before the last.",
    references=("keras/src/backend/tensorflow/nn.py, binary_crossentropy",),
)
def bounded_logits(known: Known) -> Noticed | None:
    """Whether a relu's or tanh's output is read as logits."""
    if known.semantics.computes != "bounded_logits":
        return None
    evidence = measured(known.semantics)
    evidence["outputs on the probe, for logits of ±200"] = [known.semantics.output_min, known.semantics.output_max]
    evidence["confidently wrong pixels without any gradient"] = known.semantics.dead_wrong
    changes = {"head.activation": "linear"}
    return Noticed(evidence, changes, head_code(changes))


@rule(
    "H05",
    stage="head",
    severity="error",
    title="Log-probabilities are taken for something else",
    matters="log_softmax puts out logarithms, all below 0. Read as probabilities they turn the objective round: the "
    "loss falls to nothing while the classes get worse. Read by a sigmoid they can never say yes.",
    example="log_softmax with CategoricalCrossentropy()",
    instead="A linear head with from_logits=True.",
    silent="With categorical cross entropy and from_logits=True: a softmax of log-probabilities gives them back.",
    references=("keras/src/activations/activations.py, log_softmax",),
)
def log_probabilities(known: Known) -> Noticed | None:
    """Whether log_softmax meets a loss that does not take its output for logits of a softmax."""
    if known.semantics.computes != "log_probabilities_misused":
        return None
    changes = linear_logits(known)
    return Noticed(measured(known.semantics), changes, head_code({"head.activation": changes["head.activation"]}))


@rule(
    "H08",
    stage="head",
    severity="error",
    title="Softmax or loss runs over another axis than the classes",
    matters="With channels last the classes are the last axis. Over any other axis a softmax makes the pixels of a "
    "row compete with each other, and a loss compares places instead of classes.",
    example="Softmax(axis=1) on (batch, H, W, K), or a loss with axis=1",
    instead="axis=-1 in both.",
    silent="When the axis given is the last one, by whichever number.",
    references=("keras/src/activations/activations.py, softmax",),
)
def wrong_axis(known: Known) -> Noticed | None:
    """Whether the head's axis or the loss's axis is another one than the classes'."""
    head, loss = known.experiment.head, known.experiment.loss
    if known.semantics.computes != "wrong_axis":
        return None
    evidence = measured(known.semantics) | {
        "head.axis": head.axis,
        "loss.axis": "default" if loss.axis is None else loss.axis,
        "sum of an output row over the classes": [known.semantics.row_sum_min, known.semantics.row_sum_max],
    }
    changes: dict[str, Any] = {}
    if head.axis != -1:
        changes["head.axis"] = -1
    if loss.axis is not None:
        changes["loss.axis"] = None
    return Noticed(evidence, changes, "layers.Softmax(axis=-1)")


@rule(
    "H09",
    stage="head",
    severity="error",
    title="A softmax, or a loss of several classes, over one channel",
    matters="Over one channel a softmax is 1 everywhere, whatever the network does. A categorical loss then prints "
    "exactly 0, and its gradient still pushes the bias away without end; a binary loss trains logits that predict "
    "never shows.",
    example="Conv2D(1, 1, activation='softmax'), or one channel with CategoricalCrossentropy()",
    instead="One sigmoid channel with binary cross entropy, or two softmax channels.",
    silent="For one sigmoid channel under a binary or region loss.",
    references=("keras/src/ops/nn.py, softmax: warns of a single unit",),
)
def one_channel(known: Known) -> Noticed | None:
    """Whether a one-channel head ends in a softmax or meets a categorical loss."""
    head, loss = known.experiment.head, known.experiment.loss
    categorical = loss.name in DISTRIBUTION or loss.name in (
        "softmax_cross_entropy_with_logits",
        "sparse_softmax_cross_entropy_with_logits",
        "categorical_hinge",
    )
    if known.channels != 1 or not (head.activation in ("softmax", "log_softmax") or categorical):
        return None
    s = known.semantics
    evidence: dict[str, Any] = {"channels": 1}
    if s.computes != "error":
        evidence |= {"loss that fit prints on the probe": s.fit, "outputs": [s.output_min, s.output_max]}
    if s.warnings:
        evidence["Keras warns"] = list(s.warnings)
    changes = {
        "head.activation": "sigmoid",
        "head.attachment": "after_reshape" if head.attachment in ("after_reshape", "then_reshape") else "layer",
        "head.channels": None,
        "loss.name": "binary_crossentropy",
        "loss.from_logits": False,
        "loss.ignore_class": None,
        "loss.axis": None,
        "target.encoding": "single_channel",
        "target.dtype": "float32",
    }
    changes = {field: value for field, value in changes.items() if known.experiment[field] != value}
    return Noticed(
        evidence, changes, 'outputs = layers.Conv2D(1, 1, activation="sigmoid")(x)\nloss = "binary_crossentropy"'
    )


@rule(
    "H14",
    stage="head",
    severity="error",
    title="A softmax for classes that overlap",
    matters="A softmax shares 1 among the classes of a pixel. Where masks overlap, a pixel has two classes or none, "
    "and no output of a softmax can say so: the best that it can do is to halve them.",
    example="softmax with categorical cross entropy on overlapping planes",
    instead="A sigmoid in each channel with binary cross entropy.",
    silent="For sigmoid heads, and where each pixel has one class.",
)
def softmax_on_overlap(known: Known) -> Noticed | None:
    """Whether the scene has pixels of several classes, or of none, and the head or the loss has room for one each."""
    scene, head, loss = known.scene, known.experiment.head, known.experiment.loss
    if scene is None or not scene.overlapping or known.channels == 1:
        return None
    categorical = loss.name in DISTRIBUTION or loss.name.startswith(("softmax_cross", "sparse_"))
    if head.activation not in ("softmax", "log_softmax") and not categorical:
        return None
    changes: dict[str, Any] = {
        "head.activation": "sigmoid",
        "loss.name": "binary_crossentropy",
        "loss.from_logits": False,
        "loss.ignore_class": None,
        "loss.axis": None,
        "target.encoding": "raw" if known.experiment.target.reader == "scene" else "summed_planes",
        "target.dtype": "float32",
    }
    if head.attachment == "layer_class":
        changes["head.attachment"] = "layer"
    changes = {field: value for field, value in changes.items() if known.experiment[field] != value}
    evidence = {"classes that may overlap": list(scene.names), "head": head.activation, "loss": loss.name}
    return Noticed(
        evidence, changes, 'outputs = layers.Conv2D(K, 1, activation="sigmoid")(x)\nloss = "binary_crossentropy"'
    )
