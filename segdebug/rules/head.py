"""The head: what its activation, where it sits, and the loss make of each other. All from the probe."""

from __future__ import annotations

from typing import Any

from segdebug.rules.catalogue import Noticed, rule
from segdebug.rules.known import Known, Semantics

_SOFTMAX_SOURCE = "keras/src/backend/tensorflow/nn.py, softmax and sigmoid: output._keras_logits = x"
_GET_LOGITS = "keras/src/backend/tensorflow/nn.py, _get_logits"
_THREAD_000 = "https://stackoverflow.com/questions/57253841"

_DISTRIBUTION = (
    "categorical_crossentropy",
    "sparse_categorical_crossentropy",
    "categorical_focal_crossentropy",
    "cce_dice",
    "cce_jaccard",
    "kl_divergence",
)
"""Losses of one distribution over the classes."""


def proper(known: Known) -> dict[str, Any]:
    """The head that belongs to this loss as it is called: linear for logits, else the loss's own activation."""
    loss = known.experiment.loss
    if loss.from_logits or loss.name.endswith("_with_logits") or loss.name == "categorical_hinge":
        activation = "linear"
    else:
        activation = own_activation(known)
    changes: dict[str, Any] = {"head.activation": activation}
    if known.experiment.head.attachment not in ("layer", "activation_layer", "after_reshape"):
        flat = known.experiment.head.attachment == "then_reshape"
        changes["head.attachment"] = "after_reshape" if flat else "layer"
    return changes


def own_activation(known: Known) -> str:
    """softmax for one distribution over several channels, else sigmoid; region losses keep theirs if it is one."""
    loss, head = known.experiment.loss, known.experiment.head
    overlapping = known.scene is not None and known.scene.overlapping
    if known.channels == 1 or loss.name.startswith("b") or overlapping or loss.name == "weighted_bce_dice":
        return "sigmoid"
    if loss.name in _DISTRIBUTION:
        return "softmax"
    return head.activation if head.activation in ("softmax", "sigmoid") else "softmax"


def head_code(changes: dict[str, Any]) -> str:
    """The last layer as Keras code."""
    activation, flat = changes["head.activation"], changes.get("head.attachment") == "after_reshape"
    if flat:
        return (
            f'x = layers.Reshape((H * W, K))(logits)\noutputs = layers.Activation("{activation}", dtype="float32")(x)'
        )
    return f'outputs = layers.Conv2D(K, 1, activation="{activation}", dtype="float32")(x)'


def measured(semantics: Semantics) -> dict[str, Any]:
    """How it is known which formula is computed."""
    return {
        "the loss reads": _READS[semantics.reads],
        "largest difference from that formula in float64": semantics.match,
        "loss that fit prints on the probe": semantics.fit,
        "loss that was meant there": semantics.intended,
        "cosine of the gradient with the one that was meant": semantics.cosine,
        "norm of the gradient against it": semantics.norm_ratio,
    }


_READS = {
    "logits": "the logits before the activation, in place of the output",
    "output_logits": "the output, as logits",
    "probabilities": "the output, as probabilities",
    "activated": "the output after another activation of its own",
    "mixed": "output and logits, in different parts",
    "mixed_activated": "the output as logits",
    "": "the output",
    "error": "nothing",
}


def _computes(known: Known, *which: str) -> bool:
    return known.semantics.computes in which


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
    references=(_THREAD_000, _GET_LOGITS),
)
def double_activation(known: Known) -> Noticed | None:
    """Whether the probe's values and gradients are those of the head's activation followed by the loss's own."""
    if not _computes(known, "double_activation"):
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
    return Noticed(evidence, changes | proper_for_probabilities(known), head_code(proper_for_probabilities(known)))


def proper_for_probabilities(known: Known) -> dict[str, Any]:
    """The head for the same loss with from_logits=False."""
    return {"head.activation": own_activation(known)}


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
    if not _computes(known, "logits_as_probabilities"):
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
    if not _computes(known, "not_probabilities"):
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
    if not _computes(known, "bounded_logits"):
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
    if not _computes(known, "log_probabilities_misused"):
        return None
    changes = linear_logits(known)
    return Noticed(measured(known.semantics), changes, head_code({"head.activation": changes["head.activation"]}))


def linear_logits(known: Known) -> dict[str, Any]:
    """The head and from_logits that suit the loss whatever the head was."""
    from segdebug.vocabulary import LOSSES

    if "from_logits" in LOSSES[known.experiment.loss.name].accepts:
        return {"head.activation": "linear", "loss.from_logits": True}
    if known.experiment.loss.name.endswith("_with_logits"):
        return {"head.activation": "linear"}
    return {"head.activation": own_activation(known)}


@rule(
    "H06",
    stage="head",
    severity="warning",
    title="Keras trains another function than the head puts out",
    matters="Keras keeps the logits behind every softmax and sigmoid, and its cross entropies take those in place of "
    "the output, without asking which activation it was. So a sigmoid head with categorical cross entropy trains a "
    "softmax, and a softmax head with binary cross entropy trains separate sigmoids. What predict returns was never "
    "trained, and evaluate disagrees with the loss of predict.",
    example="Conv2D(K, 1, activation='sigmoid') with CategoricalCrossentropy()",
    instead="The activation that belongs to the loss: softmax for categorical, sigmoid for binary.",
    silent="When the activation belongs to the loss, and when something between them hides the logits (H07).",
    references=(_GET_LOGITS, _SOFTMAX_SOURCE),
)
def substituted(known: Known) -> Noticed | None:
    """Whether the loss was measured to read the logits of an activation that is not its own."""
    s = known.semantics
    if not _computes(known, "substituted", "hybrid"):
        return None
    evidence = measured(s) | {
        "evaluate prints": s.evaluate,
        "loss(y, model.predict(x)) is": s.of_predict,
        "sum of an output row": [s.row_sum_min, s.row_sum_max],
    }
    changes: dict[str, Any] = {"head.activation": own_activation(known)}
    if known.experiment.loss.from_logits:
        changes["loss.from_logits"] = False
    return Noticed(evidence, changes, head_code(changes))


@rule(
    "H07",
    stage="head",
    severity="warning",
    title="An activation that does not belong to the loss",
    matters="The loss computes what is written, and what is written is unusual: a softmax under a binary loss lets "
    "one channel's gain be another's loss twice over, and sigmoids under a categorical loss are renormalised, so "
    "that only their ratios count. The classes can still be learnt, at another pace, and a threshold at 0.5 means "
    "nothing.",
    example="sigmoid, then Reshape, then CategoricalCrossentropy()",
    instead="softmax for categorical losses, sigmoid for binary ones.",
    silent="For losses that take any output between 0 and 1, such as Dice.",
    references=("keras/src/backend/tensorflow/nn.py, categorical_crossentropy: output / sum(output)",),
)
def literal_pairing(known: Known) -> Noticed | None:
    """Whether a foreign activation's output is read as it is."""
    if not _computes(known, "literal"):
        return None
    evidence = measured(known.semantics) | {
        "sum of an output row": [known.semantics.row_sum_min, known.semantics.row_sum_max],
        "confidently wrong pixels without any gradient": known.semantics.dead_wrong,
    }
    if known.experiment.loss.name == "categorical_hinge":
        changes: dict[str, Any] = {"head.activation": "linear"}
    else:
        changes = {"head.activation": own_activation(known)}
    return Noticed(evidence, changes, head_code(changes))


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
    if not _computes(known, "wrong_axis"):
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
    categorical = loss.name in _DISTRIBUTION or loss.name in (
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
    "H10",
    stage="head",
    severity="warning",
    title="It contradicts itself, and Keras puts it right",
    matters="The head puts out probabilities and the loss is told that it gets logits. That would be the activation "
    "twice over; Keras notices, takes the logits from behind the activation and computes the right loss. One more "
    "layer between them (a Reshape, a cast to half precision), or ignore_class, and it no longer can.",
    example="Conv2D(K, 1, activation='softmax') with CategoricalCrossentropy(from_logits=True)",
    instead="from_logits=False, or a linear head.",
    silent="When head and from_logits agree.",
    references=(_GET_LOGITS, _THREAD_000),
)
def rescued(known: Known) -> Noticed | None:
    """Whether the intended loss is computed only because Keras recovered the logits."""
    s = known.semantics
    if not _computes(known, "rescued"):
        return None
    evidence = measured(s) | {
        "evaluate prints": s.evaluate,
        "loss(y, model.predict(x)) is": s.of_predict,
        "Keras warns": list(s.warnings) or "nothing",
    }
    return Noticed(evidence, {"loss.from_logits": False}, "loss = keras.losses....()  # from_logits=False")


@rule(
    "H11",
    stage="head",
    severity="warning",
    title="Probabilities are clipped, so a confidently wrong pixel gets no gradient",
    matters="Keras could not see the logits behind the activation, so it takes the logarithm of a clipped "
    "probability. Below 1e-7 the clip holds: the pixel costs 16.118 and its gradient is exactly zero. As long as no "
    "pixel is that wrong it trains well; a start with saturated outputs never recovers.",
    example="softmax, then Reshape, then CategoricalCrossentropy()",
    instead="Reshape before the activation, or a linear head with from_logits=True.",
    silent="When Keras recovers the logits, and for losses that clip in every wiring (L03).",
    references=("keras/src/backend/tensorflow/nn.py, categorical_crossentropy: clip", _THREAD_000),
)
def clipped(known: Known) -> Noticed | None:
    """Whether the right formula runs on clipped probabilities although another wiring would not clip."""
    s = known.semantics
    if not _computes(known, "intended_clipped") or s.always_clips:
        return None
    evidence = measured(s) | {"confidently wrong pixels without any gradient": s.dead_wrong}
    severity, title = None, None
    if known.trace is not None and known.trace.steps:
        dead = known.trace.scalar("dead_wrong")
        evidence |= {"wrong pixels without gradient at the first step": float(dead[0]), "at the last": float(dead[-1])}
        if dead[-1] > 0.5 and known.trace.mean_iou()[-1] < 0.9:
            severity, title = "error", "Most wrong pixels have no gradient left: their probabilities are clipped"
    changes, code = _unclipped(known)
    return Noticed(evidence, changes, code, severity, title)


def _unclipped(known: Known) -> tuple[dict[str, Any], str]:
    """A wiring that lets the loss see the logits."""
    experiment = known.experiment
    if experiment.training.precision != "float32" and experiment.head.attachment not in ("then_reshape",):
        changes: dict[str, Any] = {"head.attachment": "float32_layer"}
        return changes, f'outputs = layers.Activation("{experiment.head.activation}", dtype="float32")(logits)'
    if experiment.loss.ignore_class is not None and experiment.head.attachment in ("layer", "activation_layer"):
        changes = {"head.activation": "linear", "loss.from_logits": True}
        return changes, head_code(changes)
    attachment = "after_reshape" if experiment.head.attachment == "then_reshape" else "layer"
    changes = {"head.attachment": attachment}
    return changes, head_code({"head.activation": experiment.head.activation, **changes})


@rule(
    "H12",
    stage="head",
    severity="warning",
    title="Dropout after the activation",
    matters="Dropout behind the last activation sets whole class probabilities to zero and enlarges the others, and "
    "it hides the logits from the loss in training, but not in evaluate. The two print losses of different "
    "functions for the same weights.",
    example="Activation('softmax'), then Dropout(0.1)",
    instead="Dropout before the last convolution.",
    silent="For dropout anywhere before the logits.",
    references=("keras/src/layers/regularization/dropout.py",),
    explained_by=(),
)
def dropout_after(known: Known) -> Noticed | None:
    """Whether what the loss is given passes through dropout."""
    s = known.semantics
    if known.experiment.head.attachment != "then_dropout" or s.computes == "error":
        return None
    evidence = {"loss in training": s.fit, "evaluate prints, with the same weights": s.evaluate}
    return Noticed(
        evidence, {"head.attachment": "layer"}, head_code({"head.activation": known.experiment.head.activation})
    )


@rule(
    "H13",
    stage="head",
    severity="warning",
    title="The last activation runs in half precision",
    matters="In 16 bits a probability near 1 is 1, and Keras does not recover logits that it would have to cast. "
    "Confidently wrong pixels lose their gradient much earlier than in float32, and the gradient of the clipped "
    "logarithm overflows, so that the optimizer skips steps.",
    example="mixed_float16 with a softmax in the last convolution",
    instead="The activation as a layer of its own with dtype='float32', or a linear head.",
    silent="When the last layer is float32, or the head is linear.",
    references=("https://www.tensorflow.org/guide/mixed_precision",),
    explained_by=("H11", "H01", "H07"),
)
def half_precision(known: Known) -> Noticed | None:
    """Whether a softmax or sigmoid computes in float16 or bfloat16 under a loss that takes its logarithm."""
    head, precision = known.experiment.head, known.experiment.training.precision
    s = known.semantics
    exact = (
        precision == "float32" or head.attachment == "float32_layer" or head.activation not in ("softmax", "sigmoid")
    )
    if exact or s.computes == "error" or not s.clips:
        return None
    evidence = {"precision": precision, "confidently wrong pixels without any gradient": s.dead_wrong, "clips": s.clips}
    changes = {"head.attachment": "float32_layer"}
    if head.attachment in ("then_reshape", "after_reshape"):
        changes["target.layout"] = "spatial"
    return Noticed(evidence, changes, f'outputs = layers.Activation("{head.activation}", dtype="float32")(logits)')


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
    categorical = loss.name in _DISTRIBUTION or loss.name.startswith(("softmax_cross", "sparse_"))
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


@rule(
    "H15",
    stage="head",
    severity="note",
    title="Keras's warning names another activation than yours",
    matters="The text is written for the loss, not for the head: after a sigmoid, categorical cross entropy says that "
    "its input came from a softmax. It is also printed once for a whole process, so a second model gets none.",
    example="sigmoid with CategoricalCrossentropy(from_logits=True)",
    instead="Look at the head itself, not at the warning.",
    silent="When the warning names the head's own activation, and when there is none.",
    references=(_GET_LOGITS,),
    explained_by=("H06", "H10", "H01"),
)
def misnaming_warning(known: Known) -> Noticed | None:
    """Whether Keras warned of an activation that the head does not have."""
    named = known.semantics.names_activation
    if not named or named == known.experiment.head.activation:
        return None
    return Noticed({"Keras says": named, "the head has": known.experiment.head.activation})


@rule(
    "H16",
    stage="head",
    severity="note",
    title="TensorFlow's own activation: recovered in a graph, not in eager execution",
    matters="tf.nn.softmax carries no logits of Keras's. In a graph Keras finds them by looking at the operation that "
    "made the output; run eagerly there is no such operation, and the same script computes another loss.",
    example="Lambda(tf.nn.softmax) with run_eagerly=True",
    instead="keras.activations or a Keras layer.",
    silent="For Keras's own activations.",
    references=(_GET_LOGITS,),
    explained_by=("H01", "H10", "H11", "H06"),
)
def raw_activation(known: Known) -> Noticed | None:
    """Whether a raw TensorFlow activation meets a loss that looks for logits."""
    head, s = known.experiment.head, known.semantics
    if head.attachment != "lambda_tf" or head.activation not in ("softmax", "sigmoid") or s.computes == "error":
        return None
    if not s.recovered and not s.clips:
        return None
    evidence = {"execution": known.experiment.training.execution, "logits recovered": s.recovered}
    return Noticed(evidence, {"head.attachment": "layer"}, head_code({"head.activation": head.activation}))
