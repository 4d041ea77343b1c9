"""The process that trains: one run at a time, told what to do and telling what happens over one private pipe.

It is told `("run", sizes)` or `("prepare", sizes)`, followed by as many raw messages, or `("cancel", None)`. It
tells messages of one tag byte and a body: READY, STARTED, PROGRESS (a pickled value), DONE (the pickled result, less
what was told as progress), FAILED (a pickled Failure). When its pipe closes, whoever it worked for is gone, and it
ends at once.
"""

from __future__ import annotations

import contextlib
import gc
import os
import threading
import traceback
from collections import deque
from multiprocessing.connection import Connection
from pathlib import Path

from segdebug.jobs import warm, wire

__all__ = ["DONE", "FAILED", "PROGRESS", "READY", "STARTED", "main"]

READY, STARTED, PROGRESS, DONE, FAILED = b"r", b"s", b"p", b"d", b"f"

_NICENESS = "10"  # the web server wins the core; SEGDEBUG_NICENESS overrides it where nobody else needs it
_AHEAD = 4  # preparations that may wait
_OOM_SCORE = 500  # out of 1000: when memory runs out the kernel picks the trainer, not the server


def main(pipe: int, runner: str, tensorflow: bool) -> None:
    """Serve runs from the file descriptor `pipe` until it closes. runner, tensorflow: what to warm."""
    _step_back()
    connection = Connection(pipe)
    asked = _Asked()
    threading.Thread(target=_listen, args=(connection, asked), daemon=True).start()
    warm.up(runner, tensorflow=tensorflow)
    connection.send_bytes(READY)
    asked.put("warm", [])
    while True:
        word, parts = asked.next()
        if word == "run":
            connection.send_bytes(STARTED)
            connection.send_bytes(_carry_out(parts, connection, asked.cancelled))
        elif word == "prepare":
            _prepare(parts)
        else:
            warm.further(runner)
        del parts
        gc.collect()  # models are full of cycles


class _Asked:
    """What this process is to do next: a run first of all, then preparations in order; of many only the last few.
    A run makes those that wait out of date."""

    _ORDER = ("run", "prepare", "warm")

    def __init__(self) -> None:
        self.cancelled = threading.Event()
        self._changed = threading.Condition()
        self._waiting: dict[str, deque[list[bytearray]]] = {word: deque(maxlen=_AHEAD) for word in self._ORDER}

    def put(self, word: str, parts: list[bytearray]) -> None:
        with self._changed:
            if word == "run":
                self.cancelled.clear()
                self._waiting["prepare"].clear()
            self._waiting[word].append(parts)
            self._changed.notify()

    def next(self) -> tuple[str, list[bytearray]]:
        with self._changed:
            self._changed.wait_for(lambda: any(self._waiting.values()))
            word = next(word for word in self._ORDER if self._waiting[word])
            return word, self._waiting[word].popleft()


def _listen(connection: Connection, asked: _Asked) -> None:
    try:
        while True:
            word, sizes = connection.recv()
            if word == "cancel":
                asked.cancelled.set()
            else:
                asked.put(word, _receive(connection, sizes))  # kept in no variable: it would keep the scene
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
        told: list[object] = []

        def on_progress(value: object) -> None:
            body = PROGRESS + wire.dumps(value)
            with sending:
                told.append(value)
                connection.send_bytes(body)

        result = warm.find(runner)(scene, experiment, on_progress=on_progress, cancel=cancelled.is_set)
        return DONE + wire.dumps_after(told, result)
    except BaseException as error:  # SystemExit too: one run must not end the process that serves the next
        return FAILED + wire.dumps(wire.failure_of(error, traceback.format_exc()))


def _prepare(parts: list[bytearray]) -> None:
    """Make ready for such a run, if its runner can: by the function `prepare` of the same module."""
    with contextlib.suppress(Exception):  # the run itself will say what is wrong
        runner, scene, experiment = wire.Parcel.value(parts)
        warm.find(f"{runner.partition(':')[0]}:prepare")(scene, experiment)


def _step_back() -> None:
    niceness = int(os.environ.get("SEGDEBUG_NICENESS", _NICENESS))
    with contextlib.suppress(OSError):
        os.nice(niceness)
    with contextlib.suppress(OSError, AttributeError):  # Linux only: waking up, it interrupts nobody's work
        os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
    # Linux only. Where it groups processes by session, niceness counts for nothing between two sessions, but
    # the groups' own does. Half is enough (a weight of 335 against 1024), and a killed process still gets to die.
    for file, value in (("oom_score_adj", _OOM_SCORE), ("autogroup", niceness // 2)):
        with contextlib.suppress(OSError):
            Path("/proc/self", file).write_text(str(value))
