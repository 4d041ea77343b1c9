"""A run's numbers to take away: curves as CSV, maps as .npz, all of it named after scene and configuration."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from segdebug.comparisons import differing, label
from segdebug.experiment import Experiment
from segdebug.run import Run
from segdebug.trace import SCALARS

__all__ = ["comparison_stem", "curves_csv", "file_name", "file_stem", "maps_npz", "numbers_json"]


def file_stem(scene_name: str, experiment: Experiment) -> str:
    """A file name, without its ending, that says which scene and configuration: "coffee-softmax-…"."""
    parts = [scene_name, experiment.head.activation, experiment.loss.name]
    if experiment.loss.from_logits:
        parts.append("from_logits")
    parts.append(f"seed{experiment.training.seed}")
    return file_name(*parts)


def comparison_stem(scene_name: str, experiments: Sequence[Experiment]) -> str:
    """The same of several: the scene, and what sets each of them apart."""
    fields = differing(experiments)
    return file_name(scene_name, *(label(one, fields) for one in experiments))


def file_name(*parts: str) -> str:
    """What any system takes as a file name, without its ending: the parts, cut to 120 characters."""
    return re.sub(r"[^A-Za-z0-9_-]+", "_", "-".join(parts)).strip("_")[:120]


def curves_csv(run: Run) -> str:
    """One row a step: every scalar of the trace, mean IoU and IoU of each class; nothing where undefined."""
    trace, names = run.trace, run.class_names()
    scalars = np.stack([trace.scalar(name) for name in SCALARS], axis=1)
    iou, mean = trace.iou(), trace.mean_iou()
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["step", *SCALARS, "mean_iou", *(f"iou: {name}" for name in names)])
    for step in range(trace.steps):
        row = [*scalars[step], mean[step], *iou[step]]
        writer.writerow([step, *("" if np.isnan(value) else str(value) for value in row)])
    return text.getvalue()


def maps_npz(run: Run) -> bytes:
    """The kept maps, stacked over their steps: steps, prediction, pixel_loss (where there is one), gradient,
    dead. Opens with numpy.load, without pickle."""
    shots = run.trace.snapshots
    arrays: dict[str, Any] = {
        "steps": np.array([s.step for s in shots], np.int32),
        "prediction": np.stack([s.prediction for s in shots]),
        "gradient": np.stack([s.gradient for s in shots]),
        "dead": np.stack([s.dead for s in shots]),
    }
    pixel_loss = [s.pixel_loss for s in shots if s.pixel_loss is not None]
    if len(pixel_loss) == len(shots):
        arrays["pixel_loss"] = np.stack(pixel_loss)
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()


def numbers_json(run: Run) -> str:
    """The configuration, the scene's classes and the numbers of every step."""
    scene = {
        "name": run.scene.name,
        "sha256": run.scene.digest,
        "width": run.scene.width,
        "height": run.scene.height,
        "classes": [{"id": c.id, "name": c.name, "pixels": c.pixels} for c in run.scene.classes],
    }
    whole = {"experiment": json.loads(run.experiment.to_json()), "scene": scene, **run.to_json()}
    return json.dumps({**whole, "keras_warnings": run.keras_warnings}, allow_nan=False, indent=1)
