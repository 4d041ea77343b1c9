"""Overfitting one image: the Experiment's real Keras objects, step by step, every record kept."""

from __future__ import annotations

import os
import time
import warnings
from bisect import bisect_left
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from segdebug.decoding import threshold
from segdebug.diagnosis import diagnose
from segdebug.experiment import Experiment
from segdebug.run import Run, SceneSummary, versions
from segdebug.scene import Scene, read_scene
from segdebug.trace import Progress, Snapshot, Trace, snapshot_steps

if TYPE_CHECKING:
    from segdebug.kept import Ready
    from segdebug.parts.build import Batch
    from segdebug.records import StepRecord
    from segdebug.step import Stretch

__all__ = ["overfit", "prepare", "warm_up"]

_REPORT_EVERY = 0.05  # seconds: twenty reports a second look live and cost nothing
_AT_ONCE = 0.1  # seconds of steps in one call: a call costs about a millisecond, and cannot be cancelled meanwhile


def overfit(
    scene: Scene,
    experiment: Experiment,
    *,
    on_progress: Callable[[Progress], None] | None = None,
    cancel: Callable[[], bool] | None = None,
    diagnosed: bool = True,
) -> Run:
    """Train the Experiment on this one image as `model.fit` would, and record every step.

    on_progress gets consecutive steps as they are done; cancel is asked ten times a second, or before each step where
    one takes longer. A loss that becomes NaN, or logits that grow without bound, end the run with its history kept
    (`Run.trace.outcome`). diagnosed: whether the run gets its diagnosis, which takes a few tenths of a second.
    Raises ExperimentError or SceneError where the two do not fit together, KerasRefusal where Keras refuses.
    Same seed and thread count: the same bits.
    """
    started = time.perf_counter()
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        trainer = _Trainer(scene, experiment, on_progress or (lambda _: None))
        trainer.train(cancel or (lambda: False))
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


def warm_up() -> None:
    """One step of next to nothing, by which a new process is as quick for the first run as for the next."""
    ids = (np.arange(16 * 16) % 2).astype(np.uint8).reshape(16, 16)
    scene = read_scene(np.zeros((16, 16, 3), np.uint8), ids, classes=["one", "other"], encoding="index")
    overfit(scene, Experiment().changed({"training.size": 16, "training.steps": 1}))


def prepare(scene: Scene, experiment: Experiment) -> None:
    """Trace what a run of this Experiment needs, so that it starts at once; nothing where its steps are not kept.
    Raises as `overfit`."""
    from segdebug.kept import keeps

    if keeps(experiment):
        overfit(scene, experiment.changed({"training.steps": 1}))


class _Trainer:
    """The run under way: walks its steps, and hands out what they recorded."""

    def __init__(self, scene: Scene, experiment: Experiment, on_progress: Callable[[Progress], None]) -> None:
        self.scene, self.experiment = scene, experiment
        self.trace = Trace()
        self._on_progress = on_progress
        self._pending: list[Stretch] = []
        self._snapshots: list[Snapshot] = []
        self._reported = 0.0
        self._metric: Callable[[Any, Any], Any] | None = None

    def train(self, cancel: Callable[[], bool]) -> None:
        """All steps, until they are done, the run is cancelled or its numbers are lost."""
        from segdebug.kept import ready
        from segdebug.records import ENDS

        training = self.experiment.training
        shown = snapshot_steps(training.steps, training.size)
        with ready(self.scene, self.scene.at(training.size), self.experiment) as run:
            done, at_once = 0, 1
            while self.trace.outcome is None and not cancel():
                next_shown = shown[bisect_left(shown, done)]
                stretch, seconds = self._walk(run, min(next_shown + 1 - done, at_once))
                walked = len(stretch.every_step["end"])
                done, at_once = done + walked, max(1, int(_AT_ONCE * walked / seconds))
                self.trace.outcome = ENDS[stretch.every_step["end"][-1]] or (
                    "finished" if done == training.steps else None
                )
                ends = self.trace.outcome is not None
                self._pending.append(stretch)
                if ends or done - 1 == next_shown:
                    self._snapshots.append(self._snapshot(done - 1, run.batch, stretch.last))
                if done == 1 or ends or time.perf_counter() - self._reported > _REPORT_EVERY:
                    self._report()
        if self._pending:
            self._report()
        self.trace.outcome = self.trace.outcome or "cancelled"

    def _walk(self, run: Ready, n: int) -> tuple[Stretch, float]:
        """At most `n` steps, and the seconds that they took."""
        from segdebug.parts.build import keras_reasons
        from segdebug.records import pixel_loss_reason

        began = time.perf_counter()
        with keras_reasons(run.batch.shapes):
            stretch = run.steps(n)
        if not self.trace.parts and not self._pending:
            self.trace.no_pixel_loss = pixel_loss_reason(run.pixel_values(), self.experiment.training.size)
        return stretch, time.perf_counter() - began

    def _report(self) -> None:
        columns = {
            key: np.concatenate([stretch.every_step[key] for stretch in self._pending])
            for key in ("scalars", "counts", "threshold_counts")
        }
        progress = Progress(self.trace.steps, **columns, snapshots=tuple(self._snapshots))
        self._pending, self._snapshots, self._reported = [], [], time.perf_counter()
        self.trace.append(progress)
        self._on_progress(progress)

    def _snapshot(self, number: int, batch: Batch, record: StepRecord) -> Snapshot:
        prediction = record["prediction"].numpy()
        pixel_loss = record["pixel_loss"].numpy()
        return Snapshot(
            number,
            prediction if prediction.dtype == bool else prediction.astype(np.int16),
            pixel_loss if pixel_loss.ndim == 2 else None,
            record["gradient"].numpy(),
            record["dead"].numpy(),
            self._metric_value(batch, record["output"]),
        )

    def _metric_value(self, batch: Batch, output: Any) -> tuple[float, ...] | None:
        """What the person's own metric prints for this output, or None, with Keras's reason in the trace."""
        from segdebug.parts.metrics import build_metric
        from segdebug.parts.refusals import refused

        if self.trace.metric_error is not None:
            return None
        try:
            if self._metric is None:
                self._metric = build_metric(self.experiment, batch.channels, threshold(self.experiment))
            return tuple(float(value) for value in self._metric(batch.y, output).numpy())
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
