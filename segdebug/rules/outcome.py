"""Rules on what a run ended with: plateaus, classes that are missing, pixels without gradient."""

from __future__ import annotations

import numpy as np

from segdebug.expectations import expected
from segdebug.reference.closed_forms import price_of_ignoring
from segdebug.rules.catalogue import Noticed, rule
from segdebug.rules.known import Known
from segdebug.rules.ran import LEARNT, Ran, class_weights, ended, slower, steps_more

__all__: list[str] = []

_SURE = (
    *("T04", "T01", "T02", "T03", "T05", "T06", "T07", "T11", "T12", "T09", "T08"),
    *("H01", "H02", "H03", "H04", "H05", "H08", "H09", "L01", "H06", "H07", "L05", "L04"),
    *("L21", "L22", "L24", "L20", "G13"),
)
"""Causes that keep a network from learning, the surest first."""

_POSSIBLE = ("H11", "H12", "H13", "H14", "L03", "L08", "L09", "L10", "G01", "G10", "G12")
"""Causes that only sometimes do."""

_REGION = ("dice", "tversky", "jaccard", "lovasz", "negative_dice")


def _x(value: float) -> float:
    return float(f"{value:.4g}")


def _percent(value: float) -> str:
    return f"{100 * value:.3g} %"


def _name(known: Known, c: int) -> str:
    names = known.scene.names if known.scene is not None else ()
    return names[c] if c < len(names) else f"class {c}"


@rule(
    "G05",
    stage="training",
    severity="error",
    title="The loss stopped at a value that has a formula",
    matters="The wrong pixels are as wrong as the loss can express, and there its slope is 0: they cannot come back. "
    "The printed number is then nothing but the fraction of wrong pixels times a constant, plus the floor.",
    example="softmax, Reshape, categorical cross entropy: 4.8323 = 16.118 × 0.2998 wrong pixels",
    instead="a linear head and from_logits=True, whose wrong pixels always have a gradient",
    silent="While the loss still moves by 1 %, where the fit is good, or the formula misses by more than 2 %.",
    explained_by=(*_SURE, "H11", "L03", "H12", "H13", "L10", "G08", "G01"),
)
def plateau(known: Known) -> Noticed | None:
    """Whether the loss is flat at the value that a closed form gives for the measured fraction of wrong pixels."""
    ran, known_form = ended(known, outcomes=("finished",)), expected(known)
    if ran is None or ran.learnt or not ran.flat or np.isnan(ran.wrong) or ran.wrong < 0.005:
        return None
    value, last = known_form.plateau(ran.wrong), float(ran.loss[-1])
    if value is None or abs(last - value) > 0.02 * abs(value):
        return None
    evidence = {
        "wrong pixels (w)": _percent(ran.wrong),
        "formula": known_form.formula,
        "its value": _x(value),
        "loss at the end": _x(last),
    }
    return Noticed(evidence, severity=None if known.semantics.computes != "intended" else "warning")


@rule(
    "G06",
    stage="training",
    severity="error",
    title="Every pixel is given the same class",
    matters="One answer for the whole picture, usually the commonest class, is the cheapest thing that a network can "
    "say without looking at the image. A network that stays there does not use its input.",
    example="a double softmax on 4 classes of 70, 16, 13 and 1 %: everything background",
    instead="mend what takes the gradient away; otherwise more steps",
    silent="Where the truth has one class only, and where a run was cancelled or very short.",
    explained_by=(*_SURE, "G08", "G03", "G04", "G10", "G05", *_POSSIBLE, "G11"),
)
def one_class(known: Known) -> Noticed | None:
    """How many classes are predicted at the end, against how many are true."""
    ran = ended(known)
    if ran is None or (ran.true > 0).sum() < 2:
        return None
    predicted = np.flatnonzero(ran.predicted)
    overlapping = known.scene is not None and known.scene.overlapping
    if len(predicted) > (0 if overlapping else 1):
        return None
    said = _name(known, int(predicted[0])) if len(predicted) else "none"
    evidence: dict[str, object] = {
        "predicted everywhere": said,
        "classes in the truth": int((ran.true > 0).sum()),
        "loss at the end": _x(ran.loss[-1]),
        "fall of the loss over the last eighth": _percent(ran.fall),
    }
    if ran.still_learns:
        return Noticed(evidence, steps_more(known), severity="warning")
    changes, code = slower(known)
    if changes:
        evidence["learning rate"] = known.experiment.training.learning_rate
    return Noticed(evidence, changes, code)


@rule(
    "G07",
    stage="training",
    severity="warning",
    title="A class is never predicted",
    matters="To leave out a class of frequency f costs about H(f) = -f log f - (1 - f) log(1 - f) of the loss, shared "
    "by K channels under binary cross entropy. For a rare class that is next to nothing: the loss looks finished "
    "while the class has an IoU of 0.",
    example="a class of 0.8 % in 5 channels: the whole price is 0.0095, the loss 0.0137, its IoU 0",
    instead="class weights of 1 / frequency as a sample_weight map, or more steps while the loss still falls",
    silent="Where every true class is predicted somewhere, or only one class is predicted at all.",
    references=("https://stackoverflow.com/questions/50294566",),
    explained_by=(*_SURE, "G06", "G08", "G05", "G03", "G04", "L10", "H14", "H11", "H12", "H13", "L03", "L08", "G12"),
)
def missing_class(known: Known) -> Noticed | None:
    """Which true classes have no pixel predicted at the end, and what that costs by the closed form."""
    ran = ended(known)
    if ran is None or (ran.predicted > 0).sum() < 2:
        return None
    missing = np.flatnonzero((ran.true > 0) & (ran.predicted == 0))
    low = ran.loss[-1] < 0.5 * ran.loss[0]
    if not len(missing) or not low:
        return None
    labelled = known.scene.labelled if known.scene is not None and known.scene.overlapping else ran.true.sum()
    shares = ran.true / max(1.0, float(labelled))
    binary = known.experiment.loss.name.startswith(("binary", "bce", "sigmoid", "weighted_bce"))
    channels = known.channels if binary else 1
    evidence: dict[str, object] = {
        "IoU 0": [_name(known, int(c)) for c in missing],
        "their share of the pixels": [_percent(float(shares[c])) for c in missing],
    }
    if known.experiment.loss.name not in _REGION:
        evidence["price of ignoring them"] = [_x(price_of_ignoring(float(shares[c]), channels)) for c in missing]
    evidence["loss at the end"] = _x(ran.loss[-1])
    changes, code = _weighted(known, ran)
    lost = shares[missing].max() > 0.05 and not ran.still_learns
    return Noticed(evidence, changes, code, "error" if lost else None)


def _weighted(known: Known, ran: Ran) -> tuple[dict[str, object], str]:
    """1 / frequency on each pixel; more steps as well while the loss still falls; only steps where weights do not
    act by class or are there already."""
    more: dict[str, object] = dict(steps_more(known)) if ran.still_learns else {}
    weights = class_weights(known)
    if weights is None or known.experiment.loss.name in _REGION or known.experiment.loss.class_weights is not None:
        return more, ""
    changes = {"loss.class_weights": weights, "loss.weighting": "pixel"} | more
    return changes, f"sample_weight = np.array({weights})[labels]\nmodel.fit(x, y, sample_weight=sample_weight)"


@rule(
    "G08",
    stage="training",
    severity="error",
    title="Wrong pixels have no gradient at all",
    matters="The gradient of these pixels is exactly 0 in every channel, so no number of steps will change them. "
    "That happens where a probability was clipped, or where an activation is saturated, before the loss sees it.",
    example="softmax, Reshape, categorical cross entropy from an unscaled image: 100 % of the wrong pixels are dead",
    instead="a loss that reads logits",
    silent="Where fewer than 0.5 % of the pixels are wrong, or most of the wrong ones have a gradient.",
    explained_by=(*_SURE, "H11", "L03", "H12", "H13", "L09", "G03", "G04", "G10", "G01"),
)
def dead_and_wrong(known: Known) -> Noticed | None:
    """The fraction of the wrong pixels whose gradient is exactly 0 at the last step."""
    ran = ended(known)
    if ran is None or np.isnan(ran.wrong) or ran.wrong < 0.005:
        return None
    dead = ran.last("dead_wrong")
    if not dead > 0.5:
        return None
    evidence = {
        "wrong pixels": _percent(ran.wrong),
        "of these without any gradient": _percent(dead),
        "largest logit": _x(ran.largest[-1]),
    }
    return Noticed(evidence, severity="warning" if ran.learnt or ran.still_learns else None)


@rule(
    "G09",
    stage="training",
    severity="warning",
    title="The loss falls, the IoU does not",
    matters="What is minimised and what is wanted are two things here. Either the loss is not that of the shown "
    "prediction, or it can be lowered without telling the classes apart.",
    example="log_softmax with from_logits=False: a loss of 0.035 and an IoU of 0 for every class",
    instead="look at what the loss reads, and at the labels as fed",
    silent="Where mean IoU is 0.5 or more, or rises.",
    explained_by=(*_SURE, "G04", "G16", "G08", "G06", "G07", *_POSSIBLE),
)
def loss_without_iou(known: Known) -> Noticed | None:
    """The fall of the loss over the run against mean IoU at its end."""
    ran = ended(known)
    if ran is None or ran.mean_iou[-1] >= 0.5 or ran.rise_of_iou > 0.02:
        return None
    first, last = float(ran.loss[0]), float(ran.loss[-1])
    if not (last < 0 or last < 0.5 * first):
        return None
    evidence = {
        "loss": [_x(first), _x(last)],
        "mean IoU": [_x(ran.mean_iou[0]), _x(ran.mean_iou[-1])],
        "rise of mean IoU over the last quarter": _x(ran.rise_of_iou),
    }
    return Noticed(evidence)


def _unfinished(ran: Ran) -> bool:
    """Whether both the loss and the IoU still improve clearly, and there is room left."""
    return ran.mean_iou[-1] < 0.95 and ran.fall > 0.05 and ran.rise_of_iou > 0.01


@rule(
    "G11",
    stage="training",
    severity="note",
    title="It was still learning",
    matters="The loss was falling and the IoU rising when the steps ran out. What looks unfinished is only that.",
    example="60 steps on a picture that takes 200",
    instead="twice the steps",
    silent="Where the loss fell by less than 5 % over the last eighth of the run, or mean IoU did not rise.",
)
def too_few_steps(known: Known) -> Noticed | None:
    """Whether loss and mean IoU still improve over the last quarter of the run."""
    ran = ended(known, outcomes=("finished",))
    if ran is None or not _unfinished(ran):
        return None
    evidence = {
        "steps": ran.trace.steps,
        "fall of the loss over the last eighth": _percent(ran.fall),
        "rise of mean IoU over the last quarter": _x(ran.rise_of_iou),
        "mean IoU at the end": _x(ran.mean_iou[-1]),
    }
    changes = steps_more(known)
    return Noticed(evidence, changes, f"model.fit(x, y, epochs={changes['training.steps']})" if changes else "")


@rule(
    "G16",
    stage="training",
    severity="warning",
    title="A class of large weight is painted over its neighbours",
    matters="A large weight makes a missed pixel of the class far dearer than a false one. The cheapest answer is to "
    "call everything near it that class: nothing is missed, and its IoU is worse than before.",
    example="weight 1000 on 135 pixels: none missed, 1986 false ones, IoU 0.064",
    instead="weights of 1 / frequency with a mean of 1, or less",
    silent="Where false pixels are fewer than three times the class's own, or no class weighs ten times the others.",
    explained_by=("L20",),
)
def painted_over(known: Known) -> Noticed | None:
    """Whether a class of large weight has few missed pixels and many times its own in false ones."""
    ran, weights = ended(known), known.experiment.loss.class_weights
    if ran is None or weights is None or len(weights) > len(ran.true):
        return None
    for c, weight in enumerate(weights):
        others = [w for other, w in enumerate(weights) if other != c and w > 0]
        false, missed, true = ran.predicted[c] - ran.right[c], ran.true[c] - ran.right[c], ran.true[c]
        large = others and weight >= 10 * float(np.median(others))
        if large and true and false >= 3 * true and missed <= 0.1 * true:
            evidence = {
                "class": _name(known, c),
                "its weight": weight,
                "its pixels": int(true),
                "missed": int(missed),
                "false": int(false),
                "IoU": _x(float(ran.iou[c])),
            }
            better = class_weights(known)
            gentler = better is not None and better[c] / max(min(better), 1e-12) < weight / min(others)
            return Noticed(evidence, {"loss.class_weights": better} if gentler else {})
    return None


@rule(
    "G17",
    stage="training",
    severity="warning",
    title="It did not fit this one image",
    matters="A network that computes what it should can learn one picture by heart. This one did not within its steps, "
    "and nothing else that was looked at says why. Try more steps, another seed, or a larger network.",
    example="a U-Net of depth 0 on a scene that a single 3 × 3 convolution cannot tell apart",
    instead="more steps, more filters, or a learning rate of 0.001 with Adam",
    silent="From a mean IoU of 0.9, on cancelled runs, and while the run still improves.",
    explained_by=(
        *_SURE,
        *("G03", "G04", "G08", "G10", "G05", "G16", "G06", "G07", "G09"),
        *_POSSIBLE,
        *("G02", "G14", "G15", "L11", "H10"),
    ),
)
def not_fitted(known: Known) -> Noticed | None:
    """Whether mean IoU stayed below 0.9 in a run that had stopped improving."""
    ran = ended(known)
    if ran is None or ran.learnt or np.isnan(ran.mean_iou[-1]) or _unfinished(ran):
        return None
    evidence = {
        "mean IoU at the end": _x(ran.mean_iou[-1]),
        "needed": LEARNT,
        "IoU by class": {_name(known, c): _x(float(v)) for c, v in enumerate(ran.iou) if not np.isnan(v)},
        "steps": ran.trace.steps,
    }
    return Noticed(evidence, steps_more(known))
