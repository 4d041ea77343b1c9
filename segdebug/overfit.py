"""Overfitting one image: the Experiment's real Keras objects, step by step, every record kept."""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from segdebug.decoding import threshold
from segdebug.diagnosis import diagnose
from segdebug.experiment import Experiment
from segdebug.run import Run, SceneSummary, versions
from segdebug.scene import GridScene, Scene
from segdebug.trace import Progress, Snapshot, Trace, snapshot_steps

__all__ = ["overfit"]

_REPORT_EVERY = 0.05  # seconds: twenty reports a second look live and cost nothing
_DIVERGED = 1e12  # a float32 logit this large has lost every digit below 2^16: no class can be told apart


def overfit(
    scene: Scene,
    experiment: Experiment,
    *,
    on_progress: Callable[[Progress], None] | None = None,
    cancel: Callable[[], bool] | None = None,
    diagnosed: bool = True,
) -> Run:
    """Train the Experiment on this one image as `model.fit` would, and record every step.

    on_progress gets consecutive steps as they are done; cancel is asked before each step. A loss that becomes
    NaN, or logits that grow without bound, end the run with its history kept (`Run.trace.outcome`). diagnosed: whether
    the run gets its diagnosis, which takes a few tenths of a second.
    Raises ExperimentError or SceneError where the two do not fit together, KerasRefusal where Keras refuses.
    Same seed and thread count: the same bits.
    """
    started = time.perf_counter()
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        trainer = _Trainer(scene, experiment)
        trainer.train(on_progress or (lambda _: None), cancel or (lambda: False))
    seconds = time.perf_counter() - started
    return Run(
        experiment,
        SceneSummary.of(scene),
        trainer.trace,
        seconds,
        versions(_threads()),
        tuple(dict.fromkeys(str(w.message) for w in heard if issubclass(w.category, UserWarning))),
        diagnose(experiment, scene, trainer.trace) if diagnosed else None,
    )


class _Trainer:
    """The run under way: builds the step, walks it, and hands out what it recorded."""

    def __init__(self, scene: Scene, experiment: Experiment) -> None:
        from segdebug.parts.build import build
        from segdebug.step import build_step

        self.experiment = experiment
        self.grid: GridScene = scene.at(experiment.training.size)
        self.trace = Trace()
        self.parts = build(scene, self.grid, experiment)
        self.threshold = threshold(experiment)
        self.step = build_step(self.parts, self.grid, scene.n_classes, self.threshold, experiment.training)
        self._metric: Callable[[Any, Any], Any] | None = None

    def train(self, on_progress: Callable[[Progress], None], cancel: Callable[[], bool]) -> None:
        shown = set(snapshot_steps(self.experiment.training.steps, self.experiment.training.size))
        pending: list[dict[str, Any]] = []
        snapshots: list[Snapshot] = []
        reported = 0.0
        for number, record in self._records(cancel):
            pending.append({key: record[key].numpy() for key in ("scalars", "counts", "threshold_counts")})
            ends = self.trace.outcome is not None
            if number in shown or ends:
                snapshots.append(self._snapshot(number, record))
            if number == 0 or ends or time.perf_counter() - reported > _REPORT_EVERY:
                self._report(on_progress, pending, snapshots)
                pending, snapshots, reported = [], [], time.perf_counter()
        if pending:
            self._report(on_progress, pending, snapshots)
        self.trace.outcome = self.trace.outcome or "cancelled"

    def _records(self, cancel: Callable[[], bool]) -> Iterator[tuple[int, dict[str, Any]]]:
        """Each step's record, until the steps are done, the run is cancelled or its numbers are lost."""
        from segdebug.parts.build import keras_reasons

        steps = self.experiment.training.steps
        for number in range(steps):
            if cancel():
                return
            with keras_reasons(f"Labels are {tuple(self.parts.y.shape[1:])}."):
                record = self.step()
                finite = bool(record["finite"].numpy())
            if number == 0:
                self._note_pixel_loss()
            largest = float(np.abs(record["scalars"].numpy()[1:3]).max())
            if not finite:
                self.trace.outcome = "not_finite"
            elif largest > _DIVERGED:
                self.trace.outcome = "diverged"
            elif number == steps - 1:
                self.trace.outcome = "finished"
            yield number, record
            if self.trace.outcome is not None:
                return

    def _note_pixel_loss(self) -> None:
        from segdebug.step import pixel_loss_reason

        shape = tuple(self.parts.pixel_values.tensor.shape)
        self.trace.no_pixel_loss = pixel_loss_reason(shape, self.experiment.training.size)

    def _report(
        self, on_progress: Callable[[Progress], None], records: list[dict[str, Any]], maps: list[Snapshot]
    ) -> None:
        progress = Progress(
            self.trace.steps,
            np.stack([record["scalars"] for record in records]),
            np.stack([record["counts"] for record in records]),
            np.stack([record["threshold_counts"] for record in records]),
            tuple(maps),
        )
        self.trace.append(progress)
        on_progress(progress)

    def _snapshot(self, number: int, record: dict[str, Any]) -> Snapshot:
        prediction = record["prediction"].numpy()
        pixel_loss = record["pixel_loss"].numpy()
        return Snapshot(
            number,
            prediction if prediction.dtype == bool else prediction.astype(np.int16),
            pixel_loss if pixel_loss.ndim == 2 else None,
            record["gradient"].numpy(),
            record["dead"].numpy(),
            self._metric_value(record["output"]),
        )

    def _metric_value(self, output: Any) -> tuple[float, ...] | None:
        """What the person's own metric prints for this output, or None, with Keras's reason in the trace."""
        from segdebug.parts.metrics import build_metric
        from segdebug.parts.refusals import refused

        if self.trace.metric_error is not None:
            return None
        try:
            if self._metric is None:
                self._metric = build_metric(self.experiment, self.parts.channels, self.threshold)
            return tuple(float(value) for value in self._metric(self.parts.y, output).numpy())
        except Exception as error:  # in their code this ends fit; here the loss is still worth seeing
            self.trace.metric_error = str(refused(error))
            return None


def _threads() -> str:
    """How many threads TensorFlow uses inside and between operations: "1+1"."""
    import tensorflow as tf

    cores = str(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count())
    configured = tf.config.threading
    inside = configured.get_intra_op_parallelism_threads() or os.environ.get("TF_NUM_INTRAOP_THREADS", cores)
    between = configured.get_inter_op_parallelism_threads() or os.environ.get("TF_NUM_INTEROP_THREADS", cores)
    return f"{inside}+{between}"
