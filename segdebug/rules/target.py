"""Rules on the classes that the labels say. Rows and values are in `rows`, what the labels lack in `coverage`."""

from __future__ import annotations

from typing import Any

from segdebug.experiment import Experiment
from segdebug.families import SPARSE
from segdebug.rules import coverage, rows  # noqa: F401 - their rules stand beside these
from segdebug.rules.catalogue import Noticed, rule
from segdebug.rules.known import Known, LabelFacts, SceneFacts
from segdebug.rules.loading import loading_code, mended

__all__: list[str] = []

_UNLABELLED = 255
_KERAS_LOSSES = "keras/src/backend/tensorflow/nn.py"


@rule(
    "T04",
    stage="target",
    severity="error",
    title="Ids that the head has no channel for",
    matters="A sparse loss looks up p[id], and ids run from 0 to K - 1. An id outside that range stops training with "
    "an error on a CPU. Compiled by XLA, or on a GPU, it makes the loss NaN without a word. A sample weight of 0 does "
    "not help: the lookup comes first.",
    example="Unlabelled pixels stored as 255, or ids that run from 1 to K.",
    instead="ignore_class=255 on a linear head with from_logits=True; ids that start at 0.",
    silent="Ids that ignore_class leaves out. tf.one_hot turns such an id into a row of zeros, which is T02.",
    references=("https://github.com/tensorflow/tensorflow/issues/8484", _KERAS_LOSSES),
    explained_by=("T12", "T08"),
)
def ids_outside(known: Known) -> Noticed | None:
    """Whether a label, or the value that stands for unlabelled, is no id between 0 and K - 1."""
    scene, labels, experiment = known.scene, known.labels, known.experiment
    if scene is None or labels is None or labels.kind != "ids":
        return None
    if not labels.out_of_range and not labels.void_outside:
        return None
    evidence: dict[str, Any] = {
        "ids that the head knows": f"0 to {known.channels - 1}",
        "labelled pixels with an id outside": labels.out_of_range,
        "their ids": [int(value) for value in labels.outside],
        "unlabelled pixels with an id outside, of all pixels": labels.void_outside,
        "here, by how it is executed": "NaN" if experiment.training.execution == "xla" else "an error from TensorFlow",
    }
    if labels.shift:
        evidence["every id is the class plus"] = labels.shift
    if labels.void_outside:
        evidence["unlabelled pixels hold"] = labels.void_value
    changes = dict(labels.remedy or {}) if labels.out_of_range else {}
    code = loading_code(changes, experiment, scene)
    if labels.void_outside or (scene.void and "target.encoding" in changes):
        changes |= _leaving_out(experiment, labels, "target.encoding" in changes)
        ignored = changes.get("loss.ignore_class", experiment.loss.ignore_class)
        keras_code = f"keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class={ignored})"
        code = "\n".join(line for line in (code, keras_code) if line)
    return Noticed(evidence, changes, code)


def _leaving_out(experiment: Experiment, labels: LabelFacts, recoded: bool) -> dict[str, Any]:
    """A linear head and ignore_class: after a softmax, ignore_class hides the logits from Keras."""
    wanted: dict[str, Any] = {
        "head.activation": "linear",
        "head.axis": -1,
        "loss.name": SPARSE[0],
        "loss.from_logits": True,
        "loss.ignore_class": _UNLABELLED if recoded else int(labels.void_value),
    }
    if experiment.head.attachment == "layer_class":
        wanted["head.attachment"] = "layer"
    return {field: value for field, value in wanted.items() if experiment[field] != value}


@rule(
    "T05",
    stage="target",
    severity="warning",
    title="Ids that start at 1",
    matters="Every class is one channel further than it should be, and channel 0 is never used. The network learns "
    "it all the same, but class names, class weights and metrics by class are all off by one.",
    example="Ids 1 to K on a head with K + 1 channels.",
    instead="Subtract 1 from the ids, and give the head K channels.",
    silent="Ids that start at 0, however many channels the head has.",
)
def ids_from_one(known: Known) -> Noticed | None:
    """Whether every id is the scene's class plus one, on a head that has a channel for the highest."""
    scene, labels = known.scene, known.labels
    if scene is None or labels is None or labels.shift != 1 or labels.out_of_range or scene.labelled == 0:
        return None
    if known.channels <= len(scene.names):
        return None
    changes: dict[str, Any] = {}
    if known.experiment.target.encoding == "sparse_one_based":
        changes = {"target.encoding": "sparse", "head.channels": None}
    elif labels.remedy:
        changes = {**labels.remedy, "head.channels": None}
    evidence = {
        "classes of the scene": len(scene.names),
        "channels of the head": known.channels,
        "labelled pixels whose id is the class plus 1": 1.0,
    }
    return Noticed(evidence, changes, "y = mask.astype('int32') - 1")


@rule(
    "T06",
    stage="target",
    severity="error",
    title="All labels say the same",
    matters="The picture has several classes and the labels have one. The loss falls to its floor within a few steps, "
    "because there is nothing to tell apart, and every pixel is predicted alike.",
    example="A 0/1 mask divided by 255 and cast to integers.",
    instead="Look at np.unique(y) before training: divide by 255 only what goes up to 255.",
    silent="A picture that really has one class at the training size.",
    explained_by=("T12",),
)
def one_label(known: Known) -> Noticed | None:
    """Whether all labelled pixels say one class, or none, although the scene has more there."""
    scene, labels = known.scene, known.labels
    if scene is None or labels is None or not labels.one_label:
        return None
    evidence: dict[str, Any] = {
        "classes of the scene with labelled pixels": int((scene.pixels > 0).sum()),
        "classes that no label says": [scene.names[c] for c in labels.absent],
        "highest label value": labels.high,
        "commonest values": list(labels.distinct[:8]),
    }
    return Noticed(evidence, **mended(known, scene, labels))


@rule(
    "T07",
    stage="target",
    severity="error",
    title="Labels say another class than the mask",
    matters="The network is taught other classes than the picture has. It may learn them well, and every score "
    "against the real masks stays low. The usual reason is the reader: palette indices turned into brightness, "
    "colours taken for channels, or a mask that is inverted.",
    example="A palette PNG read with convert('L').",
    instead="Read the mask as its format means it, and compare a few pixels by eye.",
    silent="Labels that agree with the mask on all but half a per cent of the labelled pixels.",
    explained_by=("T12", "T06", "T05", "T04"),
)
def another_class(known: Known) -> Noticed | None:
    """At which fraction of the labelled pixels the label says another class than the scene, resizing aside."""
    scene, labels = known.scene, known.labels
    if scene is None or labels is None or not labels.nearest_wrong > 0.005:
        return None
    evidence: dict[str, Any] = {"labelled pixels that say another class": labels.wrong}
    if labels.confused is not None:
        true, said = labels.confused
        evidence["most often"] = f"{scene.names[true]} became {_named(said, scene)}"
        evidence["that is, of the labelled pixels"] = labels.confused_share
    severity = None if labels.nearest_wrong > 0.05 else "warning"
    return Noticed(evidence, **mended(known, scene, labels), severity=severity)


def _named(said: int, scene: SceneFacts) -> str:
    if said < 0:
        return "no class"
    return scene.names[said] if said < len(scene.names) else f"id {said}, which is no class"


@rule(
    "T08",
    stage="target",
    severity="warning",
    title="Label values between the classes",
    matters="Bilinear resizing, antialiasing and JPEG mix the labels of neighbouring pixels. Half of class 2 and half "
    "of class 0 is then read as class 1, which is not there, or as a class that only half applies. It happens along "
    "every border. A change of brightness meant for the image moves every value.",
    example="tf.image.resize(mask, size), whose default is bilinear; a shift of the image's colours that also moved a "
    "mask's 0 to 20 before the division by 255.",
    instead="method='nearest' for masks, PNG without smoothing, and no change of brightness or contrast for masks.",
    silent="Bilinear resizing that changed no label; a reader whose values are wrong everywhere, which is T07.",
    references=("https://www.tensorflow.org/api_docs/python/tf/image/resize",),
    explained_by=("T12",),
)
def between_classes(known: Known) -> Noticed | None:
    """Whether labelled pixels hold values that no class has, or other labels than the nearest pixel would give."""
    scene, labels = known.scene, known.labels
    if scene is None or labels is None:
        return None
    if _shifted(labels):
        return Noticed(
            {"values of the labels": sorted(labels.distinct), "values that say a class": [0, 1]},
            **mended(known, scene, labels),
            title="Label values that are neither 0 nor 1",
        )
    from_file = labels.between if not labels.nearest_wrong > 0.05 else 0.0
    share = max(labels.nearest_differs, from_file)
    if share <= (0 if labels.nearest_differs else 0.001):
        return None
    evidence: dict[str, Any] = {
        "labelled pixels with another label than nearest gives": labels.nearest_differs,
        "labelled pixels with a value between the classes": labels.between,
        "distinct values": labels.n_distinct,
        "commonest values": list(labels.distinct[:8]),
        "labelled pixels that then say another class": labels.wrong,
    }
    changes = {"target.resize": "nearest"} if labels.nearest_differs else dict(labels.remedy or {})
    code = loading_code(changes, known.experiment, scene)
    no_class = labels.out_of_range > 0 or any(s < 0.5 for s in labels.row_sums)  # what T04 and T02 would say
    return Noticed(evidence, changes, code, severity="error" if share > 0.05 or no_class else None)


def _shifted(labels: LabelFacts) -> bool:
    """Whether there are two values as in a 0/1 mask, and one of them lies between 0 and 1, on labelled pixels too."""
    two = labels.kind in ("rows", "single") and labels.n_distinct == 2 and labels.low >= 0 and labels.high <= 1
    exact = labels.remedy is None or labels.nearest_wrong > 0.05  # the second is T07's, or T06's
    return two and not exact and any(0.02 < value < 0.98 for value in labels.distinct)
