"""What makes a process ready to train at once: its environment, its imports, its first trace."""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import sys
import warnings
from collections.abc import Callable, Iterator
from typing import Any

from segdebug.errors import JobError

__all__ = ["BETWEEN", "INSIDE", "environment", "find", "further", "on_gpu", "preload", "up"]

_TRAINER = ("tensorflow", "keras", "segdebug.kept", "segdebug.semantics")

INSIDE, BETWEEN = 1, 2
"""Threads inside an operation, on which its last digits depend; and operations at the same time, on which none do.

The engine runs as many children as there are cores, so one thread of each is enough while all are at work. A run that
is alone has a second core: the gradient of a layer's weights is then made beside that of its input."""

_INSIDE = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "TF_NUM_INTRAOP_THREADS")


def on_gpu() -> bool:
    """Whether SEGDEBUG_DEVICE asks for the accelerator; anything but "gpu" means the processor."""
    return os.environ.get("SEGDEBUG_DEVICE", "").lower() == "gpu"


def environment() -> dict[str, str]:
    """The training processes' environment: this one's, quiet, with threads of their own, no GPU unless asked for."""
    settings = {**os.environ, **dict.fromkeys(_INSIDE, str(INSIDE)), "TF_NUM_INTEROP_THREADS": str(BETWEEN)}
    settings["TF_CPP_MIN_LOG_LEVEL"] = "3"
    if on_gpu():
        settings["TF_FORCE_GPU_ALLOW_GROWTH"] = "true"  # else the first child takes all of the GPU's memory
    else:
        settings["CUDA_VISIBLE_DEVICES"] = "-1"
    return settings


def preload(runner: str, *, tensorflow: bool) -> None:
    """Import what every child needs, before any is forked. What cannot be imported, the run will report.

    With `tensorflow`, TensorFlow and the trainer are imported, but nothing of TensorFlow is used yet: a
    process that has started its threads cannot be forked.
    """
    for name in (*(_TRAINER if tensorflow else ()), runner.partition(":")[0]):
        with contextlib.suppress(Exception), _quiet_stderr():
            importlib.import_module(name)
    gc.collect()
    gc.freeze()  # a collection in a child then neither walks these objects nor copies their memory


def up(runner: str, *, tensorflow: bool) -> None:
    """Warm this process: what `preload` imports, where it has not yet been, and TensorFlow's runtime."""
    if tensorflow:
        preload(runner, tensorflow=True)
        _threads()
        with contextlib.suppress(Exception):
            _trace()


def further(runner: str) -> None:
    """What makes the first run as quick as the next: `warm_up()` of the runner's module, where it has one."""
    with contextlib.suppress(Exception):
        find(f"{runner.partition(':')[0]}:warm_up")()


def find(runner: str) -> Callable[..., Any]:
    """The function that "package.module:function" names. Raises JobError where there is none."""
    module, _, name = runner.partition(":")
    try:
        function = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise JobError(f"The worker cannot load its trainer {runner!r}: {error}.") from error
    if not callable(function):
        raise JobError(f"The worker cannot run its trainer {runner!r}: it is not a function.")
    return function


def _threads() -> None:
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(INSIDE)
    tf.config.threading.set_inter_op_parallelism_threads(BETWEEN)


def _trace() -> None:
    """One step of a one-convolution model: starts TensorFlow's runtime and loads what tracing needs."""
    import tensorflow as tf

    weights = tf.Variable(tf.zeros((3, 3, 3, 2)))

    @tf.function
    def step(pixels: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.nn.conv2d(pixels, weights, 1, "SAME") ** 2)
        return tape.gradient(loss, weights)

    step(tf.zeros((1, 8, 8, 3)))


@contextlib.contextmanager
def _quiet_stderr() -> Iterator[None]:
    """TensorFlow greets on standard error before it reads its log level; nobody needs that at each start."""
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
