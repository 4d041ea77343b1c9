"""One run that is carried out elsewhere: its state, what it has told so far, and who is watching."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable
from typing import Any, Literal

from segdebug.errors import SegdebugError

__all__ = ["Job", "State"]

State = Literal["queued", "running", "finished", "failed", "cancelled"]


class Job:
    """One run, as its engine knows it. Made by `Engine.submit`; everything public here is thread-safe.

    id: unguessable; whoever knows it may watch and cancel the run. key: what it was submitted under.
    attempt: 1, 2, … of that key, one more each time that a failed or cancelled run is submitted again.

    All that changes is guarded by the engine's one lock; `state` is the only word on where the run stands.
    """

    def __init__(
        self,
        key: str,
        scene: Any,
        experiment: Any,
        *,
        attempt: int,
        grace: float,
        changed: threading.Condition,
        on_cancel: Callable[[Job], None],
        place: Callable[[Job], int],
    ) -> None:
        self.id = secrets.token_urlsafe(16)
        self.key = key
        self.scene = scene
        self.experiment = experiment
        self.attempt = attempt
        self.submitted = time.time()
        self._changed = changed
        self._on_cancel = on_cancel
        self._place = place
        self._grace = grace
        self._state: State = "queued"
        self._progress: list[Any] = []
        self._result: Any = None
        self._error: SegdebugError | None = None
        self._started: float | None = None
        self._finished: float | None = None
        self._clock = [0.0, 0.0]  # monotonic start and end, in seconds
        self._version = 0
        self._restarts = 0
        self._execution = ""  # of Dask's; another one means that the run began again
        self._past: set[str] = set()
        self._heard = 0  # progress values, those that were lost on the way included
        self._viewers: set[str] = set()
        self._left_at: float | None = None  # monotonic, when the last viewer left
        self._bytes = 0  # of progress and result, pickled
        self._scene_bytes = 0

    def __repr__(self) -> str:
        told = len(self._progress)
        return f"<Job {self.key!r} attempt {self.attempt}: {self.state}, {told} progress values>"

    @property
    def state(self) -> State:
        """queued, running, finished, failed or cancelled; the last three are final."""
        return self._state

    @property
    def active(self) -> bool:
        """Whether it is queued or running."""
        return self._state in ("queued", "running")

    @property
    def place(self) -> int:
        """How many runs have to end before this one can start; 0 when it is starting, or no longer queued."""
        return self._place(self)

    @property
    def progress(self) -> list[Any]:
        """Every value that the run has passed to on_progress so far, in order."""
        return self.since(0)

    def since(self, n: int) -> list[Any]:
        """The progress values after the first `n`. Start from 0 again when `restarts` has risen."""
        with self._changed:
            return self._progress[n:]

    @property
    def restarts(self) -> int:
        """How often the run began again from its first step, because a machine was lost; so did `progress`."""
        return self._restarts

    @property
    def result(self) -> Any:
        """What the runner returned, once finished; else None."""
        return self._result

    @property
    def error(self) -> SegdebugError | None:
        """Why it failed, in words for people, once failed; else None."""
        return self._error

    @property
    def started(self) -> float | None:
        """When training began, as time.time(); None while queued."""
        return self._started

    @property
    def finished(self) -> float | None:
        """When it ended, in whatever way, as time.time(); None while active."""
        return self._finished

    @property
    def seconds(self) -> float:
        """How long it has trained, in seconds; 0 while queued."""
        with self._changed:
            if self._started is None:
                return 0.0
            return (time.monotonic() if self._finished is None else self._clock[1]) - self._clock[0]

    @property
    def version(self) -> int:
        """Rises with each change of what can be seen here, so that a page knows whether to draw again."""
        return self._version

    @property
    def viewers(self) -> int:
        """How many are watching."""
        return len(self._viewers)

    def cancel(self) -> None:
        """End the run: cancelled at once, what it does ended within a second. What it has told stays."""
        with self._changed:
            if not self.active:
                return
            self._end("cancelled")
        self._on_cancel(self)

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until the run has ended, at most `timeout` seconds; whether it has."""
        with self._changed:
            return self._changed.wait_for(lambda: not self.active, timeout)

    def arrive(self, viewer: str) -> None:
        """Somebody watches from now on; the run does not end for want of viewers."""
        with self._changed:
            self._viewers.add(viewer)
            self._left_at = None

    def leave(self, viewer: str) -> None:
        """Somebody has left. After the last one the run is cancelled, unless somebody arrives in time."""
        with self._changed:
            if viewer in self._viewers:
                self._viewers.remove(viewer)
                if not self._viewers and self.active:
                    self._left_at = time.monotonic()
                    self._changed.notify_all()

    # What follows is for the engine, which holds the lock.

    @property
    def _abandoned_at(self) -> float | None:
        """When (monotonic) the run is to be cancelled because nobody came back; None for never."""
        return self._left_at + self._grace if self._left_at is not None and self.active else None

    def _change(self) -> None:
        self._version += 1
        self._changed.notify_all()

    def _hear(self, execution: str, count: int, values: list[Any] | None, size: int) -> None:
        """Take in one message of the worker's: the start of an execution (values None), or its progress, with
        which it has sent `count` values. Those of an execution that has been given up are too late."""
        if not self.active or execution in self._past:
            return
        if execution != self._execution:
            if values is not None:
                return  # its start was never heard of: the scheduler lost it
            if self._execution:
                self._past.add(self._execution)
                self._restarts += 1
            self._execution, self._progress, self._heard, self._bytes = execution, [], 0, 0
            self._state = "running"
            self._started, self._clock[0] = time.time(), time.monotonic()
        elif values is not None and count > self._heard:
            self._progress.extend(values)
            self._heard = count
            self._bytes += size
        self._change()

    def _take_over(self, id: str, progress: list[Any], seconds: float, size: int, scene_bytes: int) -> None:
        """Be a run that was carried out before."""
        self.id, self._progress = id, list(progress)
        self._started, self._clock[0] = time.time() - seconds, time.monotonic() - seconds
        self._bytes, self._scene_bytes = size, scene_bytes

    def _end(self, state: State, *, result: Any = None, error: SegdebugError | None = None) -> None:
        self._state, self._result, self._error = state, result, error
        self._finished, self._clock[1] = time.time(), time.monotonic()
        self._left_at = None
        self._change()
