"""Rules on the figures that the person's own metric prints, and on how a prediction is shown."""

from __future__ import annotations

import numpy as np

from segdebug.decoding import takes_logits
from segdebug.reference.closed_forms import price_of_ignoring
from segdebug.rules.catalogue import Noticed, rule
from segdebug.rules.known import Known
from segdebug.rules.ran import LEARNT, ended

__all__: list[str] = []

_IOU = ("mean_iou", "one_hot_mean_iou", "binary_iou", "iou_per_class")
_CUT = ("mean_iou", "iou_per_class")  # these turn the output into whole numbers unless told otherwise
_OTHER_LOSS = ("substituted", "hybrid", "literal")


def _x(value: float) -> float:
    return float(f"{value:.4g}")


def _right_call(known: Known) -> str:
    """The metric that reads this head and these labels as they are meant."""
    k = known.channels
    if k == 1 or (known.scene is not None and known.scene.overlapping):
        at = 0.0 if known.experiment.head.activation == "linear" and takes_logits(known.experiment) else 0.5
        return f"keras.metrics.BinaryIoU(target_class_ids=[0, 1], threshold={at})"
    if known.experiment.target.encoding in ("sparse", "sparse_one_based"):
        return f"keras.metrics.MeanIoU(num_classes={k}, sparse_y_true=True, sparse_y_pred=False)"
    return f"keras.metrics.OneHotMeanIoU(num_classes={k})"


@rule(
    "E01",
    stage="training",
    severity="warning",
    title="The metric cannot move",
    matters="MeanIoU takes class ids by default and cuts whatever it gets to a whole number. Probabilities below 1 all "
    "become 0, so every pixel counts as class 0 whatever the network says, and the metric prints a constant.",
    example="MeanIoU(num_classes=3) on one-hot labels and softmax outputs: 0.3333 at every epoch, true mean IoU 0.935",
    instead="OneHotMeanIoU, or MeanIoU with sparse_y_pred=False",
    silent="Where the metric printed different numbers, or the IoU did not change either.",
    references=("https://keras.io/api/metrics/segmentation_metrics/",),
    explained_by=("E05",),
)
def constant_metric(known: Known) -> Noticed | None:
    """Whether the metric printed one value while mean IoU changed or, without a run, whether it must."""
    fix = {"metric.decode": "auto"}
    printed = _printed(known)
    if printed:
        ran = ended(known)
        if ran is None or len(printed) < 3:
            return None
        steps = [s.step for s in ran.trace.snapshots]
        moved = float(np.ptp(ran.mean_iou[steps]))
        if moved < 0.05 or np.ptp(np.array(printed), axis=0).max() > 1e-6:
            return None
        evidence = {
            "printed at every step looked at": _x(float(np.mean(printed[0]))),
            "steps looked at": len(printed),
            "change of the mean IoU": _x(moved),
        }
        return Noticed(evidence, fix if known.experiment.metric.decode != "auto" else {}, _right_call(known))
    constant = _constant(known)
    if known.trace is not None or constant is None:
        return None
    return Noticed({"what it will print": _x(constant), "decoding": "raw"}, fix, _right_call(known))


def _printed(known: Known) -> list[tuple[float, ...]]:
    trace = known.trace
    return [] if trace is None else [s.metric for s in trace.snapshots if s.metric is not None]


def _constant(known: Known) -> float | None:
    """What MeanIoU prints where every prediction counts as class 0 and labels as 0 and 1; None where it does not.

    Class 0 has the entries that are 0, their fraction as IoU; class 1 has IoU 0; the others are nowhere.
    """
    experiment = known.experiment
    probabilities = experiment.head.activation in ("softmax", "sigmoid")
    if experiment.metric.name != "mean_iou" or experiment.metric.decode != "raw" or not probabilities:
        return None
    if known.channels > 1 and experiment.target.encoding == "one_hot":
        return (1 - 1 / known.channels) / 2
    if known.channels == 1 and known.scene is not None and len(known.scene.names) == 2:
        return (1 - float(known.scene.frequencies[1])) / 2
    return None


@rule(
    "E02",
    stage="training",
    severity="warning",
    title="The metric prints another figure than the real mean IoU",
    matters="The metric decodes or counts in another way than the class that each pixel is given: other thresholds, "
    "unlabelled pixels counted, or channels instead of classes. Trust the IoU per class shown here.",
    example="BinaryIoU with its threshold of 0.5 on logits: 0.36 where the true IoU is 0.87",
    instead="OneHotMeanIoU or MeanIoU with sparse_y_pred=False, and a weight of 0 on unlabelled pixels",
    silent="For metrics that are no IoU, and within 0.1.",
    explained_by=("E05", "E01", "E06", "T01", "T05", "T07", "T11", "T08", "T09", "T02", "T03", "E04"),
)
def other_figure(known: Known) -> Noticed | None:
    """The metric's last value against mean IoU over the classes that occur, in the same step."""
    ran, printed = ended(known), _printed(known)
    if ran is None or not printed or known.experiment.metric.name not in _IOU:
        return None
    value = np.array(printed[-1])
    if known.experiment.metric.name == "iou_per_class":
        occurs = ~np.isnan(ran.iou)
        if len(value) != len(occurs):
            return None
        value = value[occurs]
    figure, real = float(np.mean(value)), float(ran.mean_iou[ran.trace.snapshots[-1].step])
    if not abs(figure - real) > 0.1:
        return None
    changes = {} if known.experiment.metric.decode == "auto" else {"metric.decode": "auto"}
    # Keras has no metric for the mean over overlapping classes: no other choice would have done.
    overlapping = known.scene is not None and known.scene.overlapping
    evidence = {"the metric": _x(figure), "mean IoU": _x(real)}
    return Noticed(evidence, changes, _right_call(known), "note" if overlapping else None)


@rule(
    "E03",
    stage="training",
    severity="warning",
    title="The accuracy hides a class that is lost",
    matters="Accuracy counts pixels, and a rare class has few. A class of frequency f can be missed altogether for an "
    "accuracy of 1 - f, and for about H(f) of the loss.",
    example="binary accuracy of an all-background answer on 33 channels: 0.970",
    instead="IoU per class",
    silent="For other metrics than accuracy, or where every class has an IoU of 0.1 or more.",
    explained_by=("G06", "G07", "L20", "L10"),
)
def accuracy_hides(known: Known) -> Noticed | None:
    """An accuracy of 0.9 or more beside a true class whose IoU is below 0.1."""
    ran, printed = ended(known), _printed(known)
    if ran is None or not printed or known.experiment.metric.name not in ("accuracy", "binary_accuracy"):
        return None
    accuracy, names = float(printed[-1][0]), known.scene.names if known.scene is not None else ()
    lost = [c for c in np.flatnonzero(ran.true) if ran.iou[c] < 0.1]
    if accuracy < 0.9 or not lost:
        return None
    shares = ran.shares()
    evidence = {
        "accuracy": _x(accuracy),
        "classes lost": [names[c] if c < len(names) else f"class {c}" for c in lost],
        "their IoU": [_x(float(ran.iou[c])) for c in lost],
        "H(f)": [_x(price_of_ignoring(float(shares[c]))) for c in lost],
    }
    return Noticed(evidence, {"metric.name": "iou_per_class", "metric.decode": "auto"}, _right_call(known))


@rule(
    "E04",
    stage="training",
    severity="note",
    title="Argmax and threshold tell two stories",
    matters="The largest channel is right more often than a channel is above one half. The outputs are then not the "
    "probabilities that they look like: who cuts them at 0.5 gets another picture than who takes the largest.",
    example="sigmoid and categorical cross entropy: mean IoU 0.96 by argmax, 0.18 at 0.5",
    instead="argmax for exclusive classes; a loss that belongs to the activation",
    silent="Where classes overlap, heads of one channel, and within 0.1.",
    explained_by=("H06", "H07", "L05", "H01"),
)
def argmax_or_threshold(known: Known) -> Noticed | None:
    """Mean IoU by argmax against mean IoU with every channel cut at 0.5, for a head of one probability a class."""
    ran, experiment = ended(known), known.experiment
    if ran is None or known.channels == 1 or (known.scene is not None and known.scene.overlapping):
        return None
    mismatched = known.semantics.computes in _OTHER_LOSS
    binary = experiment.loss.name.startswith(("binary", "bce", "sigmoid"))
    one_each = experiment.head.activation == "sigmoid" or (experiment.head.activation == "linear" and binary)
    if not one_each and not (mismatched and experiment.head.activation == "softmax"):
        return None
    by_threshold = float(ran.trace.mean_iou(by_threshold=True)[-1])
    by_argmax = float(ran.mean_iou[-1])
    if not abs(by_argmax - by_threshold) > 0.1:
        return None
    evidence = {"mean IoU by argmax": _x(by_argmax), "mean IoU at 0.5": _x(by_threshold)}
    return Noticed(evidence, severity="warning" if mismatched else None)


@rule(
    "E05",
    stage="training",
    severity="warning",
    title="Keras refuses the metric",
    matters="The metric and the labels or outputs have shapes that do not belong together. In fit this ends the "
    "training; the loss itself is not at fault.",
    example="MeanIoU with its defaults on integer labels and softmax outputs: incompatible shapes",
    instead="the metric that belongs to these labels and this head",
    silent="Where the metric printed a number.",
)
def refused_metric(known: Known) -> Noticed | None:
    """Whether Keras could compute the metric, and its words where not."""
    if known.trace is None or known.trace.metric_error is None:
        return None
    metric = known.experiment.metric
    changes = {"metric.decode": "auto"} if metric.decode != "auto" else {"metric.name": "mean_iou"}
    same = metric.decode == "auto" and metric.name == "mean_iou"
    words = known.trace.metric_error.rpartition("Keras says: ")[2]
    return Noticed({"Keras says": words}, {} if same else changes, _right_call(known))


@rule(
    "E06",
    stage="training",
    severity="warning",
    title="The metric's threshold is for another output",
    matters="A probability of one half is a logit of 0. At 0.5 on logits a pixel needs p = 0.62 to count, and at 0 on "
    "probabilities every pixel counts.",
    example="BinaryIoU() after a linear head: its threshold of 0.5 is meant for probabilities",
    instead="threshold 0 for logits, 0.5 for probabilities",
    silent="For argmax, and where the threshold belongs to the head.",
)
def wrong_threshold(known: Known) -> Noticed | None:
    """The threshold that the metric uses against what the head puts out."""
    experiment = known.experiment
    activation, at = experiment.head.activation, _threshold(known)
    on_logits = activation == "linear" and takes_logits(experiment) and at == 0.5
    on_probabilities = activation in ("softmax", "sigmoid") and at == 0.0
    if not on_logits and not on_probabilities:
        return None
    evidence = {"threshold": at, "output of the head": "logits" if on_logits else "probabilities, all above 0"}
    changes: dict[str, object] = {"metric.decode": "threshold_0" if on_logits else "threshold_0.5"}
    return Noticed(evidence, changes, _right_call(known))


def _threshold(known: Known) -> float | None:
    """Where the metric cuts the output; None where it does not. BinaryIoU and BinaryAccuracy cut at 0.5 by default,
    and so does metrics=['accuracy'] on one channel."""
    metric = known.experiment.metric
    if metric.decode in ("threshold_0", "threshold_0.5"):
        return 0.0 if metric.decode == "threshold_0" else 0.5
    by_default = metric.decode == "raw" and metric.name in ("binary_iou", "binary_accuracy")
    plain = metric.name == "accuracy" and known.channels == 1 and metric.decode in ("raw", "auto")
    return 0.5 if by_default or plain else None


@rule(
    "D01",
    stage="training",
    severity="note",
    title="Saved as it is, the prediction looks black",
    matters="Class ids 0, 1, 2 … are grey levels next to black in an 8-bit picture. The file is right and only looks "
    "empty.",
    example="Image.fromarray(prediction.astype('uint8')) with 4 classes: grey levels 0 to 3 of 255",
    instead="spread the ids over 0..255, or give each class a colour",
    silent="Where the run did not learn its image, where classes overlap, or with more than 31 classes.",
)
def looks_black(known: Known) -> Noticed | None:
    """The largest class id that a well learnt run predicts, as a grey level of 255."""
    ran = ended(known, outcomes=("finished",))
    if ran is None or ran.mean_iou[-1] < LEARNT or (known.scene is not None and known.scene.overlapping):
        return None
    largest = int(np.flatnonzero(ran.predicted).max())
    if not 1 <= largest <= 30:
        return None
    code = f"Image.fromarray((prediction * {255 // largest}).astype('uint8')).save('prediction.png')"
    return Noticed({"largest class id": largest, "white": 255}, code=code)
