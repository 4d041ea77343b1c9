"""Rules on how a run begins and moves: its input, first loss, step size, and where its numbers are lost.

What it ends with is in `outcome`.
"""

from __future__ import annotations

import math

import numpy as np

from segdebug.expectations import expected
from segdebug.rules import outcome  # noqa: F401 - the rest of this stage registers itself
from segdebug.rules.catalogue import Noticed, rule
from segdebug.rules.known import Known
from segdebug.rules.ran import Ran, a_tenth, ended, slower

__all__: list[str] = []

_LABELS = ("T04", "T01", "T02", "T03", "T05", "T09", "T10")
_NUMBERS = ("H03", "H05", "H04", "H02", "H08", "H09", "H13")
_FAR = 5.0  # an untrained network of any usual initializer starts within this factor of the uniform prediction
_NEXT_TO_NOTHING = 0.01  # of a weight's way: those of an untrained network are about ten times that
_HUGE = 1e4  # logits: a probability has been 0 or 1 in float32 for a long way


def _x(value: float) -> float:
    """Four significant digits, as evidence shows it."""
    return float(f"{value:.4g}")


@rule(
    "G01",
    stage="training",
    severity="note",
    title="The image goes in unscaled, as 0..255",
    matters="The first logits grow with the input, so an untrained network starts out very sure and mostly wrong. "
    "Where the loss clips probabilities, such pixels have no gradient from the first step on. "
    "Many such runs recover, which is why this is an error only where the run shows that it did not.",
    example="training.input_range 0..255 with he_normal and a softmax before a Reshape",
    instead="image / 255, or a Rescaling layer",
    silent="It is only a note while no run, or a run that learnt its image, speaks for it.",
    references=("https://keras.io/api/layers/preprocessing_layers/image_preprocessing/rescaling/",),
)
def unscaled_input(known: Known) -> Noticed | None:
    """Whether the image is fed as 0..255 and, where there is a run, what its first step shows."""
    if known.experiment.training.input_range != "0..255":
        return None
    evidence: dict[str, object] = {"values of the image as fed": "0..255"}
    severity, ran = None, ended(known)
    if ran is not None:
        start, dead = expected(known).initial, float(ran.trace.scalar("dead_wrong")[0])
        evidence["largest logit at the first step"] = _x(ran.largest[0])
        far = start is not None and start > 1e-3 and ran.loss[0] > _FAR * start
        if far and start is not None:
            evidence |= {"first loss": _x(ran.loss[0]), "loss of an untrained network": _x(start)}
        if dead > 0.5:
            evidence["wrong pixels without gradient at the first step"] = _x(dead)
        if not ran.learnt and (far or dead > 0.5):
            severity = "error" if dead > 0.5 else "warning"
            evidence["mean IoU at the end"] = _x(ran.mean_iou[-1])
    return Noticed(evidence, {"training.input_range": "0..1"}, "x = x.astype('float32') / 255", severity)


@rule(
    "G02",
    stage="training",
    severity="warning",
    title="The first loss is not what an untrained network prints",
    matters="Before any learning all classes are about equally likely, so the first loss can be worked out: log K for "
    "categorical cross entropy, log 2 for binary. A first loss far from it says that the labels, the input or the "
    "scale of the outputs are not what was thought.",
    example="a first loss of 353 for 4 classes, where log 4 = 1.39: the labels are 255 instead of 1",
    instead="look at the labels and the image as fed",
    silent="Where the loss at a uniform prediction is not known, within a factor of 5, or once the run learnt its "
    "image.",
    references=("http://karpathy.github.io/2019/04/25/recipe/",),
    explained_by=("T01", "T04", "T02", "T03", "T09", "G01", "H02", "H03", "H05", "L01", "L05", "L08", "L20", "T08"),
)
def strange_first_loss(known: Known) -> Noticed | None:
    """The first loss against that of a uniform prediction, which the probe's formula gives."""
    ran, start = ended(known, outcomes=("finished", "diverged", "not_finite")), expected(known).initial
    if ran is None or ran.learnt or start is None or start < 1e-3 or not np.isfinite(ran.loss[0]):
        return None
    ratio = ran.loss[0] / start
    if 1 / _FAR <= ratio <= _FAR:
        return None
    return Noticed({"first loss": _x(ran.loss[0]), "loss of an untrained network": _x(start), "ratio": _x(ratio)})


@rule(
    "G03",
    stage="training",
    severity="error",
    title="The numbers are lost: NaN or infinity",
    matters="Once the loss or a logit is NaN, every weight becomes NaN with the next update, and nothing can be learnt "
    "any more. The step before shows whether the loss itself cannot take its input, or the logits had grown too large.",
    example="a relu head read as probabilities: 0 / 0 on a pixel where every channel is 0",
    instead="mend what makes the loss infinite; where nothing is wrong with it, a smaller learning rate",
    silent="Where every step printed a number.",
    explained_by=(*_LABELS, *_NUMBERS, "L01", "L05", "L20", "H12", "H11", "G01"),
)
def not_finite(known: Known) -> Noticed | None:
    """At which step the loss or a logit stopped being a number, and which of the two was first."""
    ran = ended(known, outcomes=("not_finite",), short=True)
    if ran is None:
        return None
    lost_loss, lost_logits = not np.isfinite(ran.loss[-1]), not np.isfinite(ran.largest[-1])
    began = "the logits" if lost_logits else "the loss, of finite logits" if lost_loss else "a logit"
    before = ran.largest[:-1] if lost_logits else ran.largest
    evidence: dict[str, object] = {"step": ran.trace.steps - 1, "where it began": began}
    if len(before):
        evidence["largest logit before"] = _x(before[-1])
    return Noticed(evidence, *slower(known))


@rule(
    "G04",
    stage="training",
    severity="error",
    title="The logits grow without bound",
    matters="The steps do not go towards a minimum but away, ever faster. The printed loss may look fine for a while: "
    "TensorFlow's fused cross entropy follows p - y even where the labels of a pixel do not sum to 1, and then what "
    "is printed is not what is minimised.",
    example="masks of 0 and 255 as one-hot labels on logits: |logits| 0.3, 6e3 at step 25, 5e16 at step 100",
    instead="labels that sum to 1 on each pixel; otherwise a smaller learning rate",
    silent="Where the largest logit stays below 10,000, or no longer grows.",
    references=("https://www.tensorflow.org/api_docs/python/tf/nn/softmax_cross_entropy_with_logits",),
    explained_by=("T01", "T02", "T03", "T09", "T04", *_NUMBERS, "L01", "L11", "L20", "G10", "G01"),
)
def diverged(known: Known) -> Noticed | None:
    """Whether the largest logit ran away: it passed 1e12, or 10,000 and still grows tenfold in half of the run."""
    ran = ended(known, short=True)
    if ran is None:
        return None
    half = ran.largest[len(ran.largest) // 2]
    grows = ran.largest[-1] > _HUGE and ran.largest[-1] > 10 * max(half, ran.largest[0])
    if ran.trace.outcome != "diverged" and not grows:
        return None
    evidence = {
        "largest logit at the first step": _x(ran.largest[0]),
        "largest logit at the last step": _x(ran.largest[-1]),
        "last step": ran.trace.steps - 1,
        "loss printed there": _x(ran.loss[-1]),
    }
    return Noticed(evidence, *slower(known))


@rule(
    "G10",
    stage="training",
    severity="warning",
    title="The loss jumps up again and again",
    matters="Each step overshoots: the gradient is followed further than it is true. The loss then wanders or jumps "
    "instead of settling.",
    example="SGD with learning rate 1 on an unscaled image",
    instead="a tenth of the learning rate",
    silent="On one or two small spikes, as Adam shows them on sound runs, and whenever the image was learnt.",
    explained_by=("T01", "T02", "T03", "H02", "H03", "H05", "L20"),
)
def oscillates(known: Known) -> Noticed | None:
    """How often the loss rose above twice its lowest value of the five steps before, in the last half of the run, and
    whether it ever rose above five times its first value."""
    ran = ended(known)
    if ran is None or ran.learnt or known.experiment.training.learning_rate == 0:
        return None
    floor = min(0.0, float(ran.loss.min()))  # a loss that is negative by construction, from its lowest point
    if floor < 0 and known.experiment.loss.name not in ("negative_dice", "weighted_bce_dice"):
        return None
    rises, largest = _jumps(ran, floor)
    peak = float(ran.loss.max()) if floor == 0 else 0.0
    blown_up = ran.loss[0] > 0 and peak > _FAR * ran.loss[0]
    if rises < 3 and not blown_up:
        return None
    evidence: dict[str, object] = {"rises above twofold in the last half": rises}
    if rises:
        evidence["largest of them"] = f"{largest:.3g}-fold"
    if blown_up:
        evidence["highest loss"] = [_x(peak), f"at step {int(ran.loss.argmax())}"]
        evidence["first loss"] = _x(ran.loss[0])
    evidence |= {
        "learning rate": known.experiment.training.learning_rate,
        "mean IoU at the end": _x(ran.mean_iou[-1]),
    }
    title = "The loss shot up: the steps are too large" if rises < 3 else None
    return Noticed(evidence, *a_tenth(known), title=title)


def _jumps(ran: Ran, floor: float) -> tuple[int, float]:
    """How many separate rises there are, and the largest ratio. Rises within 2 % of the first loss are jitter."""
    loss = ran.loss - floor
    count, largest, high = 0, 1.0, False
    for step in range(max(5, len(loss) // 2), len(loss)):
        low = float(loss[step - 5 : step].min())
        rise = loss[step] > 2 * low and loss[step] - low > 0.02 * abs(float(loss[0]))
        if rise:
            largest = max(largest, float(loss[step]) / max(low, 1e-12))
            count += not high
        high = rise
    return count, largest


@rule(
    "G12",
    stage="training",
    severity="warning",
    title="The weights hardly move",
    matters="The optimizer's steps are too small to change what the network says in the steps that it has. Nothing is "
    "wrong with the loss; it is just not being followed.",
    example="training.learning_rate 1e-8",
    instead="Adam with its default 0.001",
    silent="Where the loss moves by more than 1 %, where the logits do and the learning rate is large enough for it to "
    "matter, or where pixels have no gradient to follow.",
    explained_by=("G13", "H08", "H09", "H05", "H01", "H11", "L21", "L01", "G15"),
)
def hardly_moves(known: Known) -> Noticed | None:
    """A learning rate of 0, or a run whose loss stays within 1 % of where it began, and whose logits do too or whose
    weights cannot have gone further than 0.01."""
    training = known.experiment.training
    fix = {"training.learning_rate": 0.001} | ({"training.optimizer": "adam"} if training.optimizer == "sgd" else {})
    code = "model.compile(optimizer=keras.optimizers.Adam(1e-3), ...)"
    if training.learning_rate == 0:
        return Noticed({"learning rate": 0.0}, fix, code, "error", "The learning rate is 0")
    ran = ended(known, outcomes=("finished",))
    if ran is None or ran.learnt or ran.last("dead") > 0.5:
        return None
    low, high = ran.trace.scalar("logit_min"), ran.trace.scalar("logit_max")
    moved = (
        float(np.ptp(ran.loss)) / max(abs(float(ran.loss[0])), 1e-12),
        float(max(np.ptp(low), np.ptp(high))) / max(float(high[0] - low[0]), 1e-12),
    )
    # An adaptive optimizer divides the gradient by its size: a step is about the learning rate, whatever the loss.
    reach = training.learning_rate * ran.trace.steps if training.optimizer != "sgd" else math.inf
    if moved[0] >= 0.01 or (moved[1] >= 0.01 and reach >= _NEXT_TO_NOTHING):
        return None
    evidence: dict[str, object] = {
        "learning rate": training.learning_rate,
        "change of the loss over the run": f"{100 * moved[0]:.2g} %",
        "change of the logits, of their range": f"{100 * moved[1]:.2g} %",
        "steps": ran.trace.steps,
    }
    if math.isfinite(reach):
        evidence["learning rate times steps, about as far as a weight can go"] = _x(reach)
    return Noticed(evidence, fix, code)


@rule(
    "G13",
    stage="training",
    severity="error",
    title="All weights start at 0",
    matters="With every kernel at 0 each filter puts out 0, and so no gradient reaches any kernel. Only the last bias "
    "can learn: the same answer for every pixel.",
    example="training.initializer zeros",
    instead="glorot_uniform, Keras's default",
    silent="For every other initializer.",
)
def zeros(known: Known) -> Noticed | None:
    """Whether the kernels are initialised with zeros."""
    if known.experiment.training.initializer != "zeros":
        return None
    evidence: dict[str, object] = {"initializer": "zeros"}
    ran = ended(known)
    if ran is not None:
        evidence["classes predicted at the end"] = int((ran.predicted > 0).sum())
    return Noticed(
        evidence, {"training.initializer": "glorot_uniform"}, "Conv2D(..., kernel_initializer='glorot_uniform')"
    )


@rule(
    "G14",
    stage="training",
    severity="warning",
    title="The loss is negative",
    matters="A cross entropy, Dice or squared error cannot fall below 0 while labels lie between 0 and 1. A negative "
    "value says that they do not, or that the loss is written so; then 0 means nothing, and only its own floor does.",
    example="binary cross entropy on 0/255 masks: the loss falls for ever and every class is painted everywhere",
    instead="labels between 0 and 1",
    silent="Where the loss stays at 0 or above.",
    explained_by=("T01", "T03", "T05", "T08", "L11", "H02", "H03", "H05", "L01"),
)
def negative(known: Known) -> Noticed | None:
    """Whether the loss printed a negative number, and whether it is made so."""
    ran = ended(known, outcomes=("finished", "diverged", "not_finite"))
    if ran is None:
        return None
    finite = ran.loss[np.isfinite(ran.loss)]
    if not len(finite) or finite.min() > -1e-5:
        return None
    evidence: dict[str, object] = {"lowest loss": _x(float(finite.min()))}
    if known.experiment.loss.name not in ("weighted_bce_dice", "negative_dice"):
        if known.labels is not None:
            evidence["labels as fed"] = f"{known.labels.low:g} to {known.labels.high:g}"
        return Noticed(evidence)
    floor = expected(known).floor
    if floor is not None and math.isfinite(floor):
        evidence["its floor"] = _x(floor)
    return Noticed(evidence, severity="note", title="The loss is negative, as it is written")


@rule(
    "G15",
    stage="training",
    severity="note",
    title="float16 skipped the first steps",
    matters="The loss is scaled up so that small gradients survive in float16. Where the scaled gradient overflows, "
    "Keras skips the step and halves the scale, and the loss stays exactly the same. One or two such steps are usual; "
    "many say that the loss is steep where float16 is coarse.",
    example="mixed_float16 with the softmax in float16: 7 steps skipped for a pixel wrong by 8 nats",
    instead="the last activation in float32: Activation('softmax', dtype='float32')",
    silent="In float32 and bfloat16, and where the second step already prints another loss.",
    explained_by=("G01", "H13", "G12"),
)
def skipped_steps(known: Known) -> Noticed | None:
    """How many of the first steps of a float16 run printed exactly the first loss again."""
    ran = ended(known)
    if ran is None or known.experiment.training.precision != "mixed_float16":
        return None
    if known.experiment.training.learning_rate == 0:
        return None
    skipped = int(np.argmax(ran.loss != ran.loss[0])) - 1 if (ran.loss != ran.loss[0]).any() else 0
    if skipped < 1:
        return None
    severe = skipped > 2 and not ran.learnt
    evidence = {"steps skipped": skipped, "loss printed by each": _x(ran.loss[0])}
    changes = {} if known.experiment.head.attachment == "float32_layer" else {"head.attachment": "float32_layer"}
    code = f"outputs = Activation('{known.experiment.head.activation}', dtype='float32')(logits)" if changes else ""
    return Noticed(evidence, changes, code, "warning" if severe else None)
