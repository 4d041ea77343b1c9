"""Rules on what the labels cover: unlabelled pixels, lost classes, and shapes that do not meet the output."""

from __future__ import annotations

from typing import Any

from segdebug.experiment import Experiment
from segdebug.families import BARE_REGIONS, FUSABLE, SPARSE, has_region_part, suited_encoding, zero_rows_pull_no_region
from segdebug.rules.catalogue import Noticed, rule
from segdebug.rules.known import Known, LabelFacts
from segdebug.rules.loading import loading_code

__all__: list[str] = []


@rule(
    "T09",
    stage="target",
    severity="warning",
    title="Unlabelled pixels are learnt",
    matters="Nobody said what these pixels are, and the loss learns them all the same: as a class, or as none of the "
    "classes. They pull the network away from what the labelled pixels say.",
    example="A mask with 255 for unlabelled, one-hot encoded, with no sample weights.",
    instead="Weigh them 0, or leave them out with ignore_class.",
    silent="Unlabelled pixels that weigh 0, that ignore_class leaves out, or whose row of zeros has no gradient here.",
    explained_by=("T04", "T02", "L24"),
)
def void_learnt(known: Known) -> Noticed | None:
    """Which fraction of the picture is unlabelled and yet takes part in the loss, and as what."""
    scene, labels, loss = known.scene, known.labels, known.experiment.loss
    if scene is None or labels is None or not labels.void_fed or _left_alone(known, labels):
        return None
    weighed_out = loss.void == "zero_weight"
    evidence = {"unlabelled pixels that take part, of all pixels": labels.void_fed, "they count as": labels.void_as}
    if weighed_out:
        evidence["why sample_weight 0 does not help"] = "a loss that pools all pixels has no weight for a single one"
        part = None if loss.name in BARE_REGIONS else "note"  # in a sum, the part with pixels does leave them out
        code = "y, p = y * labelled[..., None], p * labelled[..., None]  # inside the loss, before it pools"
        return Noticed(evidence, code=code, severity=part)
    changes: dict[str, Any] = {}
    if loss.name not in BARE_REGIONS:
        changes["loss.void"] = "zero_weight"
        if loss.class_weights is not None and loss.weighting == "class_weight":  # fit does not take both
            changes["loss.weighting"] = "pixel"
    code = loading_code(changes, known.experiment, scene)
    return Noticed(evidence, changes, code, severity="error" if labels.void_fed > 0.2 else None)


def _left_alone(known: Known, labels: LabelFacts) -> bool:
    """Rows of zeros under a cross entropy that clips: 0 · log p, with no gradient."""
    experiment = known.experiment
    if labels.void_as != "a row of zeros" or not known.semantics.clips or experiment.loss.label_smoothing:
        return False
    region = has_region_part(experiment.loss.name) and not zero_rows_pull_no_region(experiment)
    return experiment.loss.name in FUSABLE and not region


@rule(
    "T10",
    stage="target",
    severity="error",
    title="Labels that do not fit the output",
    matters="The loss compares labels and output pixel by pixel and, but for sparse losses, class by class. Their "
    "shapes must say the same: the same pixels in the same layout, and one value a class or one id a pixel.",
    example="(H, W) ids with categorical cross entropy, or (H*W, K) labels with an output of (H, W, K).",
    instead="Ids for a sparse loss, one-hot rows for the others, in the layout that the head puts out.",
    silent="Labels that the loss takes, whatever they say.",
    references=("keras/src/ops/nn.py: categorical_crossentropy, sparse_categorical_crossentropy",),
)
def does_not_fit(known: Known) -> Noticed | None:
    """Whether the labels can be made, and whether Keras compares them with the output."""
    labels, semantics = known.labels, known.semantics
    made = labels is None or labels.error is None
    at_fault = semantics.error is not None and (semantics.error_field or "").startswith("target.")
    if made and not at_fault:
        return None
    evidence: dict[str, Any] = {"said": semantics.error if made or labels is None else labels.error}
    shape = semantics.label_shape or (labels.shape if labels is not None else ())
    if shape:
        evidence["shape of the labels"] = str(tuple(shape))
    if semantics.output_shape:
        evidence["shape of the output"] = str(tuple(semantics.output_shape))
    if labels is not None and labels.error is not None:
        changes = dict(labels.remedy or {}) or {"target.reader": "scene"}
        changes = changes if known.experiment.changed(changes) != known.experiment else {}
    else:
        changes = _fitting(known)
    code = "" if known.scene is None else loading_code(changes, known.experiment, known.scene)
    return Noticed(evidence, changes, code)


def _fitting(known: Known) -> dict[str, Any]:
    """The encoding and layout that loss and head take, as far as they are not those already."""
    experiment = known.experiment
    overlapping = known.scene is not None and known.scene.overlapping
    flat = experiment.head.attachment in ("after_reshape", "then_reshape")
    wanted = {**_encoding(experiment, known, overlapping), "target.layout": "flat" if flat else "spatial"}
    return {field: value for field, value in wanted.items() if experiment[field] != value}


def _encoding(experiment: Experiment, known: Known, overlapping: bool) -> dict[str, Any]:
    kinds = {"sparse": ("sparse", "sparse_one_based", "raw"), "one_hot": ("one_hot", "summed_planes")}
    suited = suited_encoding(experiment, known.channels, overlapping)
    fits = experiment.target.encoding in kinds.get(suited, (suited,))
    if fits and (known.labels is None or known.labels.kind != "mismatch" or not known.labels.remedy):
        return {}
    if known.labels is not None and known.labels.remedy:
        return dict(known.labels.remedy)
    return {"target.encoding": suited}


@rule(
    "T11",
    stage="target",
    severity="warning",
    title="A class is lost at the training size",
    matters="The class has pixels in the file and none in the labels that are trained. The network cannot learn it, "
    "and its IoU stays at 0 or is not counted.",
    example="An object of a few pixels in a large picture that is trained at 128 × 128.",
    instead="A larger training size, or a crop around the object.",
    silent="Classes that have no pixel in the file either.",
    explained_by=("T12", "T06", "T05", "T04", "T08", "T07", "T03", "T02", "T01"),
)
def lost_class(known: Known) -> Noticed | None:
    """Whether a class with pixels in the file has none in the labels at the training size."""
    scene, labels = known.scene, known.labels
    if scene is None or labels is None or labels.error is not None:
        return None
    lost = [
        c
        for c in range(len(scene.names))
        if scene.pixels_in_file[c] > 0 and (scene.pixels[c] == 0 or c in labels.absent)
    ]
    if not lost:
        return None
    evidence = {
        "classes without a label": [scene.names[c] for c in lost],
        "their pixels in the file": [int(scene.pixels_in_file[c]) for c in lost],
        "their pixels at the training size": [int(scene.pixels[c]) for c in lost],
        "training size": known.experiment.training.size,
    }
    code = "" if scene.pixels[lost].any() else "# train at a larger size, or on a crop that keeps the object's pixels"
    return Noticed(evidence, code=code)


@rule(
    "T12",
    stage="target",
    severity="error",
    title="The head has fewer channels than the scene has classes",
    matters="Each class needs a channel of its own. Labels of the classes beyond the last channel cannot be "
    "expressed: one-hot rows become zeros, and ids have nothing to be looked up in.",
    example="Conv2D(3, 1) for masks with four classes.",
    instead="One channel a class; one channel with a sigmoid for two classes.",
    silent="One channel for two classes.",
)
def too_few_channels(known: Known) -> Noticed | None:
    """Whether the head has a channel for each class of the scene."""
    scene, experiment = known.scene, known.experiment
    if scene is None or known.channels >= len(scene.names):
        return None
    sparse = experiment.loss.name in SPARSE
    if len(scene.names) == 2 and known.channels == 1 and not sparse:
        return None
    changes: dict[str, Any] = {"head.channels": None} if experiment.head.channels is not None else {}
    if not changes and experiment.target.encoding == "single_channel":
        changes = {"target.encoding": "sparse" if sparse else "one_hot"}
    evidence = {"classes of the scene": len(scene.names), "channels of the head": known.channels}
    return Noticed(evidence, changes, loading_code(changes, experiment, scene))


@rule(
    "T13",
    stage="target",
    severity="note",
    title="The head has more channels than the scene has classes",
    matters="The channels without a class in this picture are only taught that they are absent. That is as it should "
    "be where the data set has more classes than this one picture.",
    example="A head for 21 classes, and a picture that shows five of them.",
    instead="Nothing, if those classes are in other pictures; else one channel a class.",
    silent="Labels that do not agree with the scene: then something else is said.",
)
def spare_channels(known: Known) -> Noticed | None:
    """Whether the head has channels that no class of this scene belongs to, while the labels are right."""
    scene, labels = known.scene, known.labels
    if scene is None or labels is None or labels.wrong != 0 or labels.out_of_range:
        return None
    spare = known.channels - len(scene.names)
    if spare <= 0:
        return None
    evidence = {"classes of the scene": len(scene.names), "channels of the head": known.channels}
    return Noticed(evidence)
