"""What a person would write instead, in a process of its own with TensorFlow's own choice of threads.

    python -m benchmarks.speed.loops        reads requests, one JSON object a line, and answers each with one

The loop is `fit` on one image with a callback that predicts, computes a loss map and IoU: by one `MeanIoU`, or by one
`IoU` object a class. `bare` is `fit` alone, which records nothing but the loss.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from dataclasses import asdict
from typing import Any

import numpy as np

from benchmarks.speed.work import Case, experiments, flop_a_step, scene

__all__ = ["KINDS", "Loops", "sgemm", "step", "timed"]

KINDS = ("own, IoU per class", "own, one MeanIoU", "fit alone")


class Loops:
    """The process that answers. one_thread: as segdebug's own training processes."""

    def __init__(self, *, one_thread: bool = False) -> None:
        threads = dict.fromkeys(("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"), "1")
        environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.speed.loops"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment | (threads if one_thread else {}),
            text=True,
        )

    def ask(self, kind: str, case: Case, of: float) -> dict[str, float]:
        """What `timed`, `step` (of so many steps) or `sgemm` (for so many seconds) finds there."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps({"kind": kind, "case": asdict(case), "of": of}), file=self._process.stdin, flush=True)
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError(f"the process that times loops ended while it was asked for {kind}")
        found: dict[str, float] = json.loads(answer)
        return found

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()


def timed(kind: str, case: Case, epochs: int) -> dict[str, float]:
    """Seconds and processor seconds of the first configuration for all of the case's steps: measured up to the first
    epoch's end, and on from there by the mean of the epochs measured."""
    import keras

    from segdebug.parts.targets import label_tensor

    picture, experiment = scene(case.size, case.classes), experiments(case)[0]
    started, cpu = time.perf_counter(), time.process_time()
    model = compiled_model(case)
    x = picture.at(case.size).image[None]
    y = label_tensor(picture, experiment.target, case.classes, case.size)[None]
    ends: list[tuple[float, float]] = []

    class Watch(keras.callbacks.Callback):  # type: ignore[misc]
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002
            ends.append((time.perf_counter(), time.process_time()))

    callbacks = [] if kind == "fit alone" else [_records(kind, x, y, case.classes)]
    model.fit(x, y, batch_size=1, epochs=epochs, verbose=0, callbacks=[*callbacks, Watch()])
    wall, busy = (np.array(column) for column in zip(*ends, strict=True))
    a_step, cpu_a_step = float(np.diff(wall).mean()), float(np.diff(busy).mean())
    return {
        "seconds": wall[0] - started + (case.steps - 1) * a_step,
        "cpu": busy[0] - cpu + (case.steps - 1) * cpu_a_step,
        "step_ms": 1000 * a_step,
        "step_cpu_ms": 1000 * cpu_a_step,
        "first_point": wall[0] - started,
        "flop": flop_a_step(model),
        "peak": 1024.0 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
    }


def _records(kind: str, x: Any, y: Any, classes: int) -> Any:
    """The callback, as people write it."""
    import keras

    class Records(keras.callbacks.Callback):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            ids = list(range(classes))
            flags: dict[str, Any] = {"sparse_y_true": False, "sparse_y_pred": False}
            by_class = [keras.metrics.IoU(classes, [k], **flags) for k in ids]
            self.metrics = by_class if "per class" in kind else [keras.metrics.MeanIoU(classes, **flags)]
            self.history: list[list[float]] = []
            self.loss_map: Any = None

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002
            predicted = self.model.predict(x, verbose=0)
            row = []
            for metric in self.metrics:
                metric.reset_state()
                metric.update_state(y, predicted)
                row.append(float(metric.result()))
            self.history.append(row)
            self.loss_map = np.asarray(keras.losses.categorical_crossentropy(y, predicted))[0]

    return Records()


def step(case: Case, steps: int) -> dict[str, float]:
    """segdebug's step in this process: processor seconds and seconds a step, of the best of five stretches."""
    from segdebug.kept import ready

    picture, experiment = scene(case.size, case.classes), experiments(case)[0]
    found = []
    with ready(picture, picture.at(case.size), experiment) as run:
        run.steps(2)
        for _ in range(5):
            began = time.process_time()
            run.steps(steps)
            found.append((time.process_time() - began) / steps)
    return {"step_cpu_ms": 1000 * min(found), "flop": flop_a_step(compiled_model(case))}


def compiled_model(case: Case) -> Any:
    """The Keras model of the case's first configuration."""
    from segdebug.parts.build import compiled

    return compiled(experiments(case)[0], case.classes)


def sgemm(seconds: float) -> float:
    """Floating-point operations a second of one core in TensorFlow's product of two 1024 × 1024 matrices: of the best
    of many, since what else runs only takes away."""
    import tensorflow as tf

    a = tf.random.normal((1024, 1024))
    best, until = 0.0, time.perf_counter() + seconds
    while time.perf_counter() < until:
        began = time.process_time()
        tf.linalg.matmul(a, a).numpy()
        best = max(best, 2 * 1024**3 / max(time.process_time() - began, 1e-9))
    return best


def main() -> None:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import tensorflow as tf

    tf.zeros(1).numpy()
    for line in sys.stdin:
        asked = json.loads(line)
        case = Case(**asked["case"])
        if asked["kind"] == "sgemm":
            answer = {"flops": sgemm(asked["of"])}
        elif asked["kind"] == "step":
            answer = step(case, asked["of"])
        else:
            answer = timed(asked["kind"], case, asked["of"])
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
