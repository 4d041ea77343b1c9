"""A run as a TensorBoard log: every scalar of every step, and the maps of the steps that have them.

Written by tensorboardX, so that no TensorFlow is needed where the log is made.
"""

from __future__ import annotations

import io
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segdebug.export import file_stem
from segdebug.pictures import map_pictures, scene_pictures
from segdebug.run import Run
from segdebug.scene import Scene
from segdebug.trace import SCALARS

__all__ = ["tensorboard_zip", "write_tensorboard"]


def write_tensorboard(run: Run, folder: str | Path, scene: Scene | None = None) -> None:
    """Write the log into a folder, for `tensorboard --logdir FOLDER`; scene: the run's own, for picture and truth.

    Scalars are called as in `trace.SCALARS`, with "iou/mean" and "iou/CLASS"; what is not a number is left out.
    """
    from tensorboardX import SummaryWriter

    trace = run.trace
    with SummaryWriter(logdir=str(folder), write_to_disk=True) as writer:
        writer.add_text("configuration", f"    {run.experiment.to_json(indent=1)}".replace("\n", "\n    "))
        for name in SCALARS:
            _scalars(writer, name, trace.scalar(name))
        _scalars(writer, "iou/mean", trace.mean_iou())
        for k, name in enumerate(run.class_names() if trace.steps else ()):
            _scalars(writer, f"iou/{k} {name}", trace.iou()[:, k])
        if scene is not None:
            for name, picture in scene_pictures(scene, run.experiment.training.size).items():
                writer.add_image(name, picture, 0, dataformats="HWC", walltime=0.0)
        for made in map_pictures(run):
            for shot, picture in zip(trace.snapshots, made.pictures, strict=True):
                writer.add_image(made.name, picture, shot.step, dataformats="HWC", walltime=float(shot.step))


def tensorboard_zip(run: Run, scene: Scene) -> bytes:
    """The log's folder, named after scene and configuration, as a ZIP archive."""
    stem = file_stem(scene.name, run.experiment)
    buffer = io.BytesIO()
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        write_tensorboard(run, folder, scene)
        for path in Path(folder).iterdir():
            archive.write(path, f"{stem}/{path.name}")
    return buffer.getvalue()


def _scalars(writer: Any, name: str, values: NDArray[np.floating]) -> None:
    for step, value in enumerate(values):
        if np.isfinite(value):
            writer.add_scalar(name, float(value), step, walltime=float(step))
