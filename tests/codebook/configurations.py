"""Configurations whose scripts are run: each with a scene, right and wrong ones, and every part of the vocabulary that
is written in a way of its own."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import numpy as np
from PIL import Image

from segdebug import Experiment
from segdebug.scene import Scene, read_scene
from tests.scenes import blocks, blocks_mask, discs, png_bytes, striped

__all__ = ["CONFIGURATIONS"]

SMALL: dict[str, Any] = {"model.filters": 4, "model.depth": 0, "training.size": 16, "training.steps": 20}


def _palette() -> Scene:
    """A palette file, whose indices other readers turn into colours or brightness."""
    mask = Image.fromarray(blocks_mask(3, 32))
    mask.putpalette([0, 0, 0, 128, 0, 0, 0, 128, 0])
    buffer = io.BytesIO()
    mask.save(buffer, "PNG")
    image = np.stack([blocks_mask(3, 32) * 90] * 3, axis=-1)
    return read_scene(("photo.png", png_bytes(image)), [("m a'sk\".PNG", buffer.getvalue())])


def _odd() -> Scene:
    """A picture of 16 bits and another shape, names that would break code, as many classes as a byte has numbers."""
    random = np.random.default_rng(1)
    image = random.integers(0, 65536, (40, 24, 3)).astype(np.uint16)
    ids = np.minimum(np.arange(40 * 24).reshape(40, 24) // 3, 255).astype(np.uint16)
    scene = read_scene(image, ids, encoding="index")
    names = {0: "back\"slash\\\n'''", 1: "${x} {y} %s"}
    return replace(scene.with_classes(names), name='quote""" \\ \n import os')


def _case(preset: str = "softmax_cce", **changes: Any) -> Experiment:
    given = {name.replace("__", "."): value for name, value in changes.items()}
    return Experiment.preset(preset).changed({**SMALL, **given})


_BLOCKS, _VOID, _BINARY, _PLANES = blocks(4), blocks(4, void=True), striped(), discs()

CONFIGURATIONS: dict[str, tuple[Experiment, Scene]] = {
    "double softmax, eager": (_case("softmax_reshape_cce_logits", training__execution="eager"), _VOID),
    "rescued, xla": (_case("softmax_cce_logits", training__execution="xla"), _BLOCKS),
    "float16": (
        _case(model__depth=1, training__precision="mixed_float16", head__attachment="float32_layer"),
        _BLOCKS,
    ),
    "weights in the loss": (_case(loss__class_weights=[1, 2, 3, 1000], loss__weighting="in_loss"), _BLOCKS),
    "weights by pixel, tf.data": (
        _case(loss__class_weights=[1, 2, 3, 10], training__container="tf_data", loss__reduction="sum"),
        _VOID,
    ),
    "class_weight, tf.data": (
        _case(loss__class_weights=[1, 2, 3, 10], loss__weighting="class_weight", training__container="tf_data"),
        _BLOCKS,
    ),
    "thread 0": (_case("thread_000"), _BLOCKS),
    "thread 1": (_case("thread_001", head__attachment="activation_layer"), _VOID),
    "thread 2": (_case("thread_002", loss__class_weights=[1, 1, 1, 1000]), _BLOCKS),
    "thread 4": (_case("thread_004", target__reader="pillow_l", target__scale="divide_255"), _BINARY),
    "labels 0 and 255": (
        _case(
            "thread_004",
            target__reader="opencv_gray",
            target__encoding="raw",
            target__layout="trailing_axis",
            head__channels=1,
        ),
        _BINARY,
    ),
    "palette as colours": (
        _case(loss__name="dice", target__reader="opencv_color", target__encoding="raw", target__scale="divide_max"),
        _palette(),
    ),
    "palette as brightness, softmax over rows": (
        _case(target__reader="tensorflow", head__attachment="layer_class", head__axis=1),
        _palette(),
    ),
    "matplotlib's floats": (
        _case(
            "linear_bce_logits",
            loss__name="bce_dice",
            target__reader="matplotlib",
            target__scale="threshold",
            target__encoding="summed_planes",
        ),
        _PLANES,
    ),
    "bilinear labels, upsampled": (
        _case(
            model__depth=1,
            target__reader="keras_load_img",
            target__resize="bilinear",
            head__attachment="then_upsampling",
        ),
        _BLOCKS,
    ),
    "ids from one, upsampled": (
        _case(
            "softmax_scce",
            target__encoding="sparse_one_based",
            head__channels=5,
            head__attachment="then_upsampling",
        ),
        _BLOCKS,
    ),
    "focal and dice": (_case(loss__name="focal_dice", loss__gamma=1.5, head__attachment="ops"), _VOID),
    "softmax": (_case(model__depth=2), _VOID),
    "sparse, ignore_class": (_case("linear_scce_logits", head__attachment="lambda_tf"), _VOID),
    "bfloat16, dropout": (
        _case(training__precision="mixed_bfloat16", head__attachment="then_dropout", training__input_range="-1..1"),
        _BLOCKS,
    ),
    "weights in the loss, ids": (
        _case("softmax_scce", loss__class_weights=[1, 2, 3, 1000], loss__weighting="in_loss"),
        _BLOCKS,
    ),
    "weights by pixel, planes": (
        _case("sigmoid_bce_planes", loss__class_weights=[1, 7], training__optimizer="adamw"),
        _PLANES,
    ),
    "thread 3": (_case("thread_003", training__optimizer="sgd"), _BLOCKS),
    "several files": (
        _case("sigmoid_dice", loss__name="negative_dice", target__reader="pillow", target__encoding="raw"),
        _PLANES,
    ),
    "binary focal": (
        _case("sigmoid_bce", loss__name="binary_focal_crossentropy", loss__apply_class_balancing=True),
        _BLOCKS,
    ),
    "cross entropy and jaccard": (_case("linear_cce_logits", loss__name="cce_jaccard"), _BLOCKS),
    "lovász": (_case(loss__name="lovasz", training__optimizer="rmsprop"), _BLOCKS),
    "smoothed, along an axis": (
        _case(loss__label_smoothing=0.1, loss__axis=1, head__attachment="after_reshape", target__layout="flat"),
        _BLOCKS,
    ),
    "256 classes": (_case("softmax_scce", loss__class_weights=[1 + k % 3 for k in range(256)]), _odd()),
}
