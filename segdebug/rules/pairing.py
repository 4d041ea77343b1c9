"""The head: whether Keras sees the logits behind its activation, and what follows. All from the probe."""

from __future__ import annotations

from typing import Any

from segdebug.rules.catalogue import Noticed, rule
from segdebug.rules.known import Known
from segdebug.rules.ran import ended
from segdebug.rules.reading import GET_LOGITS, THREAD_000, head_code, measured, own_activation

_SOFTMAX_SOURCE = "keras/src/backend/tensorflow/nn.py, softmax and sigmoid: output._keras_logits = x"


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
    references=(GET_LOGITS, _SOFTMAX_SOURCE),
)
def substituted(known: Known) -> Noticed | None:
    """Whether the loss was measured to read the logits of an activation that is not its own."""
    s = known.semantics
    if known.semantics.computes not in ("substituted", "hybrid"):
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
    if known.semantics.computes != "literal":
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
    references=(GET_LOGITS, THREAD_000),
)
def rescued(known: Known) -> Noticed | None:
    """Whether the intended loss is computed only because Keras recovered the logits."""
    s = known.semantics
    if known.semantics.computes != "rescued":
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
    references=("keras/src/backend/tensorflow/nn.py, categorical_crossentropy: clip", THREAD_000),
)
def clipped(known: Known) -> Noticed | None:
    """Whether the right formula runs on clipped probabilities although another wiring would not clip."""
    s = known.semantics
    if known.semantics.computes != "intended_clipped" or s.always_clips:
        return None
    evidence = measured(s) | {"confidently wrong pixels without any gradient": s.dead_wrong}
    severity, title = None, None
    if (ran := ended(known)) is not None:
        dead = ran.trace.scalar("dead_wrong")
        evidence |= {"wrong pixels without gradient at the first step": float(dead[0]), "at the last": float(dead[-1])}
        if dead[-1] > 0.5 and not ran.learnt:
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
    "H15",
    stage="head",
    severity="note",
    title="Keras's warning names another activation than yours",
    matters="The text is written for the loss, not for the head: after a sigmoid, categorical cross entropy says that "
    "its input came from a softmax. It is also printed once for a whole process, so a second model gets none.",
    example="sigmoid with CategoricalCrossentropy(from_logits=True)",
    instead="Look at the head itself, not at the warning.",
    silent="When the warning names the head's own activation, and when there is none.",
    references=(GET_LOGITS,),
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
    references=(GET_LOGITS,),
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
