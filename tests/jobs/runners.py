"""Runners for the engine's tests: `act` does what the experiment, a dict, says."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from segdebug.errors import KerasRefusal, SceneError

PREPARED: list[dict[str, Any]] = []


def prepare(scene: Any, experiment: dict[str, Any]) -> None:
    PREPARED.append(experiment)
    if isinstance(scene, str):
        Path(scene, experiment["name"]).touch()


class Local:
    """A value that cannot be pickled."""

    def __reduce__(self) -> Any:
        raise TypeError("this value stays here")


def act(
    scene: Any, experiment: dict[str, Any], *, on_progress: Callable[[Any], None], cancel: Callable[[], bool]
) -> Any:
    do = experiment["do"]
    if do == "count":
        for n in range(experiment["n"]):
            on_progress((n, bytes(experiment.get("size", 0))))
            time.sleep(experiment.get("pause", 0.0))
        return {"n": experiment["n"]}
    if do == "tell":  # what the result holds too
        told = [bytes(experiment["size"]) for _ in range(3)]
        for value in told:
            on_progress(value)
        return told
    if do == "prepared":
        return os.getpid(), list(PREPARED)
    if do == "echo":
        return scene
    if do == "raise":
        raise {
            "ours": KerasRefusal("Keras refuses this.", "head.activation", "Argument `x` is wrong"),
            "scene": SceneError("No such mask.", "mask.png"),
            "other": ValueError("first line of it\nsecond line of it"),
            "memory": MemoryError(),
            "exit": SystemExit(3),
        }[experiment["what"]]
    if do == "unpicklable":
        return Local()
    if do == "process":
        return _process()
    if do == "threads":
        warm = "tensorflow" in sys.modules
        import tensorflow as tf

        threading = tf.config.threading
        return (
            threading.get_intra_op_parallelism_threads(),
            threading.get_inter_op_parallelism_threads(),
            warm,
        )
    on_progress(os.getpid())
    if do == "heed":  # stops when asked to
        while not cancel():
            time.sleep(0.01)
        return "stopped"
    if do == "stuck":  # in C, and holding the interpreter's lock: no Python thread of the child runs any more
        ctypes.PyDLL(None).sleep(120)
    elif do == "linalg":  # one long operation of TensorFlow's
        import tensorflow as tf

        big = tf.random.normal((3000, 3000))
        on_progress("computing")
        tf.linalg.svd(big)
    elif do == "die":
        if "signal" in experiment:
            os.kill(os.getpid(), experiment["signal"])
        os._exit(experiment["code"])
    elif do == "spawn":  # leaves a process behind that holds the child's pipe open
        if os.fork() == 0:
            time.sleep(2)
            os._exit(0)
        os.kill(os.getpid(), signal.SIGKILL)
    return None


def _process() -> dict[str, Any]:
    return {
        "pid": os.getpid(),
        "modules": set(sys.modules),
        "nice": os.nice(0),
        "group": _read("/proc/self/autogroup"),
        "oom": int(Path("/proc/self/oom_score_adj").read_text()),
        "omp": os.environ["OMP_NUM_THREADS"],
        "gpu": os.environ.get("CUDA_VISIBLE_DEVICES"),
        "interrupt": signal.getsignal(signal.SIGINT) is signal.SIG_IGN,
        "main": getattr(sys.modules["__main__"], "__file__", None),
    }


def _read(file: str) -> str:
    return Path(file).read_text().strip() if Path(file).exists() else ""
