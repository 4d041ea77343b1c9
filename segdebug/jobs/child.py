"""The process that trains: one run at a time, told what to do and telling what happens over one private pipe.

It is told `("run", sizes)` followed by as many raw messages, or `("cancel", None)`. It tells messages of one
tag byte and a body: READY, STARTED, PROGRESS (a pickled value), DONE (the pickled result), FAILED (a pickled
Failure). When its pipe closes, whoever it worked for is gone, and it ends at once.
"""

from __future__ import annotations

import contextlib
import gc
import os
import sys
import threading
import traceback
from multiprocessing.connection import Connection
from pathlib import Path
from queue import SimpleQueue

from segdebug.jobs import warm, wire

__all__ = ["DONE", "FAILED", "PROGRESS", "READY", "STARTED", "main"]

READY, STARTED, PROGRESS, DONE, FAILED = b"r", b"s", b"p", b"d", b"f"

_NICENESS = "10"  # the web server wins the core; SEGDEBUG_NICENESS overrides it where nobody else needs it
_OOM_SCORE = 500  # out of 1000: when memory runs out the kernel picks the trainer, not the server


def main(pipe: int, runner: str, tensorflow: bool) -> None:
    """Serve runs from the file descriptor `pipe` until it closes. runner, tensorflow: what to warm."""
    _step_back()
    connection = Connection(pipe)
    runs: SimpleQueue[list[bytearray]] = SimpleQueue()
    cancelled = threading.Event()
    threading.Thread(target=_listen, args=(connection, runs, cancelled), daemon=True).start()
    warm.up(runner, tensorflow=tensorflow)
    connection.send_bytes(READY)
    while True:
        parts = runs.get()
        connection.send_bytes(STARTED)
        connection.send_bytes(_carry_out(parts, connection, cancelled))
        del parts
        _tidy()


def _listen(connection: Connection, runs: SimpleQueue[list[bytearray]], cancelled: threading.Event) -> None:
    try:
        while True:
            word, sizes = connection.recv()
            if word == "cancel":
                cancelled.set()
                continue
            parts = _receive(connection, sizes)
            cancelled.clear()
            runs.put(parts)
            del parts  # or this thread keeps the scene until the next run
    except (EOFError, OSError):
        os._exit(0)  # also from within a long operation of TensorFlow's, which no exception would end


def _receive(connection: Connection, sizes: list[int]) -> list[bytearray]:
    parts = [bytearray(size) for size in sizes]
    for part in filter(None, parts):  # an empty one has no message of its own
        connection.recv_bytes_into(part)
    return parts


def _carry_out(parts: list[bytearray], connection: Connection, cancelled: threading.Event) -> bytes:
    """One run, from packed request to packed reply."""
    try:
        runner, scene, experiment = wire.Parcel.value(parts)
        sending = threading.Lock()

        def on_progress(value: object) -> None:
            body = PROGRESS + wire.dumps(value)
            with sending:
                connection.send_bytes(body)

        result = warm.find(runner)(scene, experiment, on_progress=on_progress, cancel=cancelled.is_set)
        return DONE + wire.dumps(result)
    except BaseException as error:  # SystemExit too: one run must not end the process that serves the next
        return FAILED + wire.dumps(wire.failure_of(error, traceback.format_exc()))


def _tidy() -> None:
    """Forget the last run's model: Keras keeps about 5 MiB of each otherwise (3 with this)."""
    keras = sys.modules.get("keras")
    if keras is not None:
        with contextlib.suppress(Exception):
            keras.utils.clear_session()
    gc.collect()


def _step_back() -> None:
    niceness = int(os.environ.get("SEGDEBUG_NICENESS", _NICENESS))
    with contextlib.suppress(OSError):
        os.nice(niceness)
    # Linux only. Where it groups processes by session, niceness counts for nothing between two sessions, but
    # the groups' own does. Half is enough (a weight of 335 against 1024), and a killed process still gets to die.
    for file, value in (("oom_score_adj", _OOM_SCORE), ("autogroup", niceness // 2)):
        with contextlib.suppress(OSError):
            Path("/proc/self", file).write_text(str(value))
