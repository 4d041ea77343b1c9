"""What is timed: a drawn picture, the configurations, and how many floating-point operations a step of them has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from segdebug import Experiment, Scene, read_scene

__all__ = ["Case", "experiments", "flop_a_step", "scene"]

_PRESETS = (
    *("softmax_cce", "linear_cce_logits", "softmax_reshape_cce", "sigmoid_bce", "softmax_dice", "linear_cce"),
    *("softmax_scce", "linear_scce_logits", "softmax_cce_logits", "sigmoid_dice", "sigmoid_bce_logits"),
    "linear_bce_logits",
)
_REGIONS_A_CLASS = 3


@dataclass(frozen=True)
class Case:
    """configurations: how many at once; size: pixels on a side; classes; steps."""

    configurations: int
    size: int
    classes: int
    steps: int

    @property
    def name(self) -> str:
        return f"{self.configurations} × {self.size} px, {self.classes} classes"


def scene(size: int, classes: int) -> Scene:
    """Regions around random centres, each class in its own colour with some noise."""
    rng = np.random.default_rng(0)
    centres = rng.random((_REGIONS_A_CLASS * classes, 2)) * size
    rows, columns = np.mgrid[:size, :size]
    distances = [(rows - y) ** 2 + (columns - x) ** 2 for y, x in centres]
    mask = (np.argmin(distances, axis=0) % classes).astype(np.uint8)
    image = rng.integers(30, 226, (classes, 3))[mask] + rng.normal(0, 8, (size, size, 3))
    names = [f"class {k}" for k in range(classes)]
    return read_scene(np.clip(image, 0, 255).astype(np.uint8), mask, classes=names, encoding="index")


def experiments(case: Case, seed: int = 0) -> list[Experiment]:
    """So many different configurations of the default U-Net; no two share a graph."""
    changes = {"training.size": case.size, "training.steps": case.steps, "training.seed": seed}
    return [Experiment.preset(name).changed(changes) for name in _PRESETS[: case.configurations]]


def flop_a_step(model: Any) -> float:
    """Of the convolutions, forward and backward: 2 for each product and sum, three times for all but the first
    layer, whose input needs no gradient."""
    total, first = 0.0, True
    for layer in model.layers:
        kind = type(layer).__name__
        if kind in ("Conv2D", "Conv2DTranspose"):
            height, width = (layer.output if kind == "Conv2D" else layer.input).shape[1:3]
            total += (2 if first else 3) * 2.0 * np.prod(layer.kernel.shape) * height * width
            first = False
    return total
