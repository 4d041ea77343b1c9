"""Sound configurations on every sample: pairings that the losses' own documentation gives, decided before any run.

Each is written as what it changes from the picture's recommended configuration. None has a rare-class setting, an
unusual activation, or a contradiction; where the picture has unlabelled pixels they weigh nothing.
"""

from __future__ import annotations

from typing import Any

from segdebug import Experiment, load_sample
from segdebug.scene import Scene, sample_info, sample_names

__all__ = ["pairs"]

Changes = dict[str, Any]


def _loss(name: str, activation: str, **more: Any) -> Changes:
    return {"loss.name": name, "head.activation": activation, **{key.replace("__", "."): v for key, v in more.items()}}


_SPARSE: Changes = {"target.encoding": "sparse", "target.dtype": "int32"}
_ONE_HOT: Changes = {"target.encoding": "one_hot", "target.dtype": "float32"}
_PLANES: Changes = {"target.encoding": "raw", "target.dtype": "float32"}
_ONE: Changes = {"target.encoding": "single_channel", "target.dtype": "float32"}

_EXCLUSIVE: dict[str, Changes] = {
    "softmax, categorical": _loss("categorical_crossentropy", "softmax"),
    "softmax layer, categorical": _loss("categorical_crossentropy", "softmax", head__attachment="activation_layer"),
    "Softmax class, categorical": _loss("categorical_crossentropy", "softmax", head__attachment="layer_class"),
    "ops.softmax, categorical": _loss("categorical_crossentropy", "softmax", head__attachment="ops"),
    "softmax after Reshape": _loss(
        "categorical_crossentropy", "softmax", head__attachment="after_reshape", target__layout="flat"
    ),
    "softmax by axis 3": _loss("categorical_crossentropy", "softmax", head__axis=3),
    "logits, categorical": _loss("categorical_crossentropy", "linear", loss__from_logits=True),
    "logits after Reshape": _loss(
        "categorical_crossentropy",
        "linear",
        loss__from_logits=True,
        head__attachment="after_reshape",
        target__layout="flat",
    ),
    "smoothed": _loss("categorical_crossentropy", "softmax", loss__label_smoothing=0.1),
    "log_softmax told logits": _loss("categorical_crossentropy", "log_softmax", loss__from_logits=True),
    "softmax, focal": _loss("categorical_focal_crossentropy", "softmax"),
    "logits, focal": _loss("categorical_focal_crossentropy", "linear", loss__from_logits=True),
    "softmax, dice": _loss("dice", "softmax"),
    "softmax, tversky": _loss("tversky", "softmax"),
    "softmax, jaccard": _loss("jaccard", "softmax"),
    "softmax, lovasz": _loss("lovasz", "softmax"),
    "softmax, cross entropy and dice": _loss("cce_dice", "softmax"),
    "logits, cross entropy and dice": _loss("cce_dice", "linear", loss__from_logits=True),
    "softmax, cross entropy and jaccard": _loss("cce_jaccard", "softmax"),
    "sigmoids, binary": _loss("binary_crossentropy", "sigmoid"),
    "logits, binary": _loss("binary_crossentropy", "linear", loss__from_logits=True),
    "sigmoids, binary focal": _loss("binary_focal_crossentropy", "sigmoid"),
    "sigmoids, binary and dice": _loss("bce_dice", "sigmoid"),
    "tf.nn sigmoid": _loss("sigmoid_cross_entropy_with_logits", "linear"),
    "tf.nn softmax": _loss("softmax_cross_entropy_with_logits", "linear"),
    "softmax, squared error": _loss("mean_squared_error", "softmax"),
    "scores, hinge": _loss("categorical_hinge", "linear"),
    "eager": _loss("categorical_crossentropy", "softmax", training__execution="eager"),
    "Dataset": _loss("categorical_crossentropy", "softmax", training__container="tf_data"),
    "half precision, float32 softmax": _loss(
        "categorical_crossentropy", "softmax", head__attachment="float32_layer", training__precision="mixed_float16"
    ),
    "uint8 labels": _loss("categorical_crossentropy", "softmax", target__dtype="uint8"),
    "int64 labels": _loss("categorical_crossentropy", "softmax", target__dtype="int64"),
    "-1..1 input": _loss("categorical_crossentropy", "softmax", training__input_range="-1..1"),
}
_INTEGERS: dict[str, Changes] = {
    "softmax, sparse": _SPARSE | _loss("sparse_categorical_crossentropy", "softmax"),
    "logits, sparse": _SPARSE | _loss("sparse_categorical_crossentropy", "linear", loss__from_logits=True),
    "sparse, trailing axis": _SPARSE
    | _loss("sparse_categorical_crossentropy", "linear", loss__from_logits=True, target__layout="trailing_axis"),
    "tf.nn sparse": _SPARSE | _loss("sparse_softmax_cross_entropy_with_logits", "linear"),
}
_IGNORING: Changes = _SPARSE | _loss(
    "sparse_categorical_crossentropy", "linear", loss__from_logits=True, loss__ignore_class=255, loss__void="as_fed"
)
_BINARY: dict[str, Changes] = {
    "one sigmoid": _ONE | _loss("binary_crossentropy", "sigmoid"),
    "one logit": _ONE | _loss("binary_crossentropy", "linear", loss__from_logits=True),
    "one sigmoid, focal": _ONE | _loss("binary_focal_crossentropy", "sigmoid"),
    "one sigmoid, dice": _ONE | _loss("dice", "sigmoid"),
    "one sigmoid, both": _ONE | _loss("bce_dice", "sigmoid"),
    "one sigmoid, jaccard": _ONE | _loss("jaccard", "sigmoid"),
}
_OVERLAPPING: dict[str, Changes] = {
    "planes, sigmoids": _PLANES | _loss("binary_crossentropy", "sigmoid"),
    "planes, logits": _PLANES | _loss("binary_crossentropy", "linear", loss__from_logits=True),
    "planes, focal": _PLANES | _loss("binary_focal_crossentropy", "sigmoid"),
    "planes, dice": _PLANES | _loss("dice", "sigmoid"),
    "planes, both": _PLANES | _loss("bce_dice", "sigmoid"),
    "planes added up": _loss("binary_crossentropy", "sigmoid", target__encoding="summed_planes"),
}
_POOLED = ("dice", "tversky", "jaccard", "lovasz", "cce_dice", "cce_jaccard", "bce_dice")


def pairs() -> list[tuple[str, str, Scene, Experiment]]:
    """(sample, name, scene, Experiment). A class of its own reads no unlabelled pixel as another, so region losses of
    sigmoids, which no weight can keep from them, are left out where there are unlabelled pixels."""
    made = []
    for sample in sample_names():
        scene, recommended = load_sample(sample), Experiment().changed(sample_info(sample).experiment)
        for name, changes in _fitting(scene).items():
            experiment = recommended.changed(_cleared() | {"loss.void": "zero_weight"} | changes)
            made.append((sample, name, scene, experiment))
        made.append((sample, "recommended", scene, recommended))
    return made


def _cleared() -> Changes:
    return {"loss.from_logits": False, "loss.ignore_class": None, "head.channels": None, **_ONE_HOT}


def _fitting(scene: Scene) -> dict[str, Changes]:
    if scene.overlapping:
        return _OVERLAPPING
    fitting = dict(_EXCLUSIVE)
    if scene.ignored_pixels:
        fitting["ignoring 255"] = _IGNORING
        pools = [name for name, changes in fitting.items() if changes["loss.name"] in _POOLED]
        for name in pools:
            if fitting[name]["head.activation"] == "sigmoid":
                del fitting[name]
    else:
        fitting |= _INTEGERS
    if scene.n_classes == 2:
        fitting |= {
            name: changes
            for name, changes in _BINARY.items()
            if not (scene.ignored_pixels and changes["loss.name"] in _POOLED)
        }
    return fitting
