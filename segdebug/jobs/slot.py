"""A slot: one core's place to train, with one warm child at a time, renewed and replaced as needed."""

from __future__ import annotations

import contextlib
import logging
import math
import threading
import time
from collections import deque
from collections.abc import Callable

from segdebug.errors import JobError, TimeLimit, WorkerDied
from segdebug.jobs.child import DONE, PROGRESS, READY, STARTED
from segdebug.jobs.nursery import Child, Nursery, how_it_ended
from segdebug.jobs.wire import Failure, Outcome, Parcel, loads

__all__ = ["Slot", "Tell"]

Tell = Callable[[list[bytes] | None], None]
"""Called with None when a run starts, then with pickled progress values, in order."""

_SOFT = 0.2  # seconds in which a run told to stop may do so itself, which keeps its process warm
_WARMING = 300.0  # seconds after which a child that is still not warm is given up
_IDLE = 1.0  # seconds without a run before an old child is renewed
_BATCH = 2**20  # bytes of progress handed on at once, from which on no more is added
_PREPARING = 1.5  # seconds that a preparation may take, in which another slot begins a run sooner
_PREPARED = 8  # runs that a child is known to be prepared for
_PATIENCE = 30.0  # seconds between attempts to start a child, at most

_log = logging.getLogger(__name__)


class Slot:
    """Runs one run at a time: `reserve`, `run`, `release`. `stop` may be called from any thread meanwhile."""

    def __init__(self, nursery: Nursery, *, renew_after: int) -> None:
        self._nursery = nursery
        self._renew_after = renew_after
        self._changed = threading.Condition()  # guards everything below
        self._child: Child | None = None
        self._busy = self._sending = self._stopping = self._late = self._closed = False
        self._turn = 0  # counts reservations, so that a late kill cannot hit the next run
        self._runs = 0  # that the present child has had
        self._failures = 0  # births in a row that went wrong
        self._prepared: deque[str] = deque(maxlen=_PREPARED)  # what the present child was told to be ready for
        self._prepared_at = -math.inf  # when (monotonic) it will be
        self._tender = threading.Thread(target=self._tend, name="segdebug-slot", daemon=True)
        self._tender.start()

    @property
    def ready(self) -> bool:
        """Whether a warm child waits here."""
        return self._child is not None

    def wait_of(self, what: str) -> float:
        """Where a run is best begun: the less, the sooner it starts. what: what it might be prepared for."""
        if not self.ready:
            return math.inf
        return 0.0 if what in self._prepared else 1.0 + max(0.0, self._prepared_at - time.monotonic())

    def reserve(self) -> None:
        """Take the slot for one run or preparation; from here on `stop` acts on that run."""
        with self._changed:
            self._busy, self._stopping, self._late = True, False, False
            self._turn += 1
            self._changed.notify_all()

    def prepare(self, what: str, parcel: Parcel) -> None:
        """Have the child of the reserved slot make ready for such a run, once it has nothing else to do."""
        with self._changed:
            child = self._child
            self._prepared.append(what)
            self._prepared_at = max(self._prepared_at, time.monotonic()) + _PREPARING
            self._runs += 1  # it leaves as much behind as the beginning of a run
        if child is not None:
            with contextlib.suppress(OSError, EOFError):
                self._send(child, "prepare", parcel)
        with self._changed:
            self._busy = False
            self._changed.notify_all()

    def release(self) -> None:
        """Give the slot back after a run."""
        if self._runs + 1 >= 2 * self._renew_after:  # it never was idle for long enough
            self._lose()
        with self._changed:
            self._busy = False
            self._prepared_at = -math.inf  # what it was to prepare came before the run
            self._runs += 1
            self._changed.notify_all()

    def run(self, parcel: Parcel, tell: Tell, limit: float) -> Outcome:
        """Carry out one run in the reserved slot, once there is a warm child. limit: seconds it may take.

        Never raises: what went wrong is in the Outcome. A run that was stopped has an empty one.
        """
        code = None
        for _ in range(3):  # a child that dies before the run has begun costs the run nothing
            try:
                child = self._wait_for_child()
                reply = None if child is None else self._follow(child, parcel, tell, limit)
            except _ChildEndedError as ended:
                code = self._lose()
                if ended.begun and not self._stopping:
                    break
                reply = None
            except JobError as error:
                return Outcome(failure=Failure(error))
            if self._late:
                return Outcome(failure=Failure(_too_long(limit)))
            if self._stopping or self._closed:
                return Outcome()
            if reply is not None:
                body = reply[1:]
                return Outcome(result=body) if reply[:1] == DONE else Outcome(failure=loads(body))
        message = f"The process that trained this {how_it_ended(code)}. A new one is there: run it again."
        return Outcome(failure=Failure(WorkerDied(message)))

    def stop(self, *, late: bool = False) -> None:
        """End the present run: its child is told to, and killed 0.2 s later. Returns at once.

        late: it took longer than it may.
        """
        with self._changed:
            if not self._busy or self._stopping:
                return
            self._stopping, self._late = True, late
            self._changed.notify_all()
            if self._child is None:
                return
            if not self._sending:
                with contextlib.suppress(OSError):
                    self._child.connection.send(("cancel", None))
            _later(0.0 if self._sending else _SOFT, self._kill, self._turn)

    def close(self) -> None:
        """Take no more runs. What runs ends when the nursery closes, which is to follow."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _wait_for_child(self) -> Child | None:
        """The warm child; None where the run has been stopped first. Raises WorkerDied where none starts."""
        with self._changed:
            failures = self._failures
            while self._child is None:
                if self._stopping or self._closed:
                    return None
                if self._failures > failures:
                    raise WorkerDied("The training process does not start. Its own messages are in the log.")
                self._changed.wait()
            return self._child

    def _follow(self, child: Child, parcel: Parcel, tell: Tell, limit: float) -> bytes:
        """Send the run to the child and hand on what it says; its last word, with its tag."""
        begun = False
        expiry: threading.Timer | None = None
        try:
            self._send(child, "run", parcel)
            while True:
                child.wait(None)
                batch: list[bytes] = []
                reply = None
                try:
                    while reply is None and sum(map(len, batch)) < _BATCH and child.connection.poll():
                        message = child.connection.recv_bytes()
                        if message[:1] == STARTED:
                            begun = True
                            expiry = _later(limit, self._expire, self._turn)
                            tell(None)
                        elif message[:1] == PROGRESS:
                            batch.append(message[1:])
                        else:
                            reply = message
                finally:
                    if batch:
                        tell(batch)
                if reply is not None:
                    return reply
                if not batch and child.ended() and not child.connection.poll():
                    raise EOFError
        except (EOFError, OSError) as error:
            raise _ChildEndedError(begun) from error
        finally:
            if expiry is not None:
                expiry.cancel()

    def _send(self, child: Child, word: str, parcel: Parcel) -> None:
        with self._changed:
            if self._stopping:
                raise EOFError
            self._sending = True
        try:
            parts = parcel.parts()
            child.connection.send((word, [part.nbytes for part in parts]))
            for part in parts:
                if part.nbytes:
                    child.connection.send_bytes(part)
        finally:
            with self._changed:
                self._sending = False

    def _expire(self, turn: int) -> None:
        if turn == self._turn:
            self.stop(late=True)

    def _kill(self, turn: int) -> None:
        with self._changed:
            if self._busy and turn == self._turn and self._child is not None:
                self._child.kill()

    def _lose(self) -> int | None:
        """Part with the child, dead or alive; its exit code. The tender brings another."""
        with self._changed:
            child, self._child = self._child, None
            self._changed.notify_all()
        return None if child is None else child.bury()

    def _tend(self) -> None:
        """Keep a warm child here, whatever happens to it. Runs in a thread of its own."""
        while True:
            with self._changed:
                while self._busy and (self._closed or self._child is not None):
                    self._changed.wait()
                if self._closed:
                    break
                child, runs = self._child, self._runs
            if child is None:
                self._bear()
                continue
            spoke = child.wait(_IDLE)
            with self._changed:
                idle = not self._busy and self._child is child and self._runs == runs
                if not idle or not (child.ended() or (runs >= self._renew_after and not spoke)):
                    continue
                self._child = None  # before anyone reserves the slot
            child.bury()
        self._lose()

    def _bear(self) -> None:
        try:
            child = self._nursery.fork()
            if not self._warmed(child):
                code = child.bury()
                raise WorkerDied(f"A training process {how_it_ended(code)} before it was warm.")
        except (WorkerDied, OSError) as error:
            with self._changed:
                if self._closed:
                    return
                self._failures += 1
                self._changed.notify_all()
                _log.error("%s", error)
                self._changed.wait(min(2.0**self._failures, _PATIENCE))
            return
        with self._changed:
            self._child, self._runs, self._failures, self._prepared_at = child, 0, 0, -math.inf
            self._prepared.clear()
            self._changed.notify_all()

    def _warmed(self, child: Child) -> bool:
        until = time.monotonic() + _WARMING
        while not self._closed and time.monotonic() < until:
            if child.wait(_IDLE):
                try:
                    return child.connection.recv_bytes() == READY
                except (EOFError, OSError):
                    return False
        return False


class _ChildEndedError(Exception):
    """The child ended before its run did. begun: whether the run had started."""

    def __init__(self, begun: bool) -> None:
        super().__init__(begun)
        self.begun = begun


def _later(seconds: float, function: Callable[[int], None], turn: int) -> threading.Timer:
    timer = threading.Timer(seconds, function, (turn,))
    timer.daemon = True
    timer.start()
    return timer


def _too_long(limit: float) -> TimeLimit:
    return TimeLimit(f"The run was ended: it took longer than the {limit:g} seconds that one run may take.")
