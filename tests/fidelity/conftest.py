"""One TensorFlow thread a process: the suite runs two processes on two cores."""

from __future__ import annotations

import contextlib
import os
import warnings

import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # TensorFlow's own imports
        import tensorflow as tf

    with contextlib.suppress(RuntimeError):  # already running, in another test of this process
        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(1)


@pytest.fixture(autouse=True)
def _fresh_session() -> None:
    import keras

    keras.backend.clear_session()
