"""The engine: takes runs, queues them, has them carried out elsewhere, and keeps those that have ended."""

from __future__ import annotations

import atexit
import contextlib
import logging
import threading
import time
import traceback
from collections import deque
from functools import partial
from typing import Any

from segdebug.errors import JobError, QueueFull, SegdebugError
from segdebug.jobs import warm
from segdebug.jobs.job import Job
from segdebug.jobs.shelf import Shelf
from segdebug.jobs.wire import Outcome, Parcel, failure_of, loads, loads_after

__all__ = ["Engine"]

_LAST_WORDS = 5.0  # seconds to wait for progress that is behind its run's end, and may have been lost
_LOOK = 2.0  # seconds between looks at a cluster's size, where that is all that can change
_PREPARED_AT_MOST = 2**26  # bytes of a scene that is sent ahead for a run that may never come
_REMEMBERED = 8  # runs that processes were to make ready for
_GPU_SLOTS = 4  # children share the GPU's memory

_log = logging.getLogger(__name__)


class Engine:
    """Runs `runner(scene, experiment, on_progress=, cancel=)` in warm processes, a few at a time, in order.

    slots: runs at a time; None for one on each core (at most 4 with SEGDEBUG_DEVICE=gpu).
    address: of a dask scheduler, "tcp://host:8786", to work on its machines; None to work on this one.
    runner: "package.module:function", importable where the work is done. Its module may have a function
        `warm_up()`, which each new process calls while it has nothing else to do, and one for `prepare`.
    time_limit: seconds that one run may take, once started. queue_limit: runs that may wait.
    grace: seconds that a run goes on after its last viewer has left; runs that never had one are not ended.
    renew_after: runs after which a process is replaced by a fresh one, when idle.
    keep, keep_bytes: ended runs that stay to be looked at, and the memory they may take.
    tensorflow: have TensorFlow warm in each process; False for runners that do without.

    Returns at once and warms up in the background. Raises JobError where no scheduler answers at `address`.
    """

    def __init__(
        self,
        *,
        slots: int | None = None,
        address: str | None = None,
        runner: str = "segdebug.overfit:overfit",
        time_limit: float = 600.0,
        queue_limit: int = 64,
        grace: float = 120.0,
        renew_after: int = 50,
        keep: int = 200,
        keep_bytes: int = 2**30,
        tensorflow: bool = True,
    ) -> None:
        from dask.system import CPU_COUNT  # knows of affinity and of containers' limits

        from segdebug.jobs.link import Link
        from segdebug.jobs.pool import SlotsPlugin

        self.runner = runner
        self.time_limit = time_limit
        self.queue_limit = queue_limit
        self.grace = grace
        self.slots = slots or (min(CPU_COUNT, _GPU_SLOTS) if warm.on_gpu() else CPU_COUNT)
        self._changed = threading.Condition()  # the one lock; guards everything below and all jobs
        self._shelf = Shelf(keep, keep_bytes)
        self._capacity = self.slots  # runs at the same time; a cluster's changes
        self._waiting: deque[Job] = deque()  # queued here, in order
        self._sent: dict[Job, Any] = {}  # handed to Dask and not ended, in order → Dask's future
        self._ending: dict[Job, tuple[Outcome, float]] = {}  # ended, but their last progress is due until then
        self._arrived: deque[tuple[Job, Outcome]] = deque()  # ends that are still to be looked at
        self._prepared: deque[str] = deque(maxlen=_REMEMBERED)  # keys
        self._closed = False
        plugin = SlotsPlugin(runner, tensorflow=tensorflow, renew_after=renew_after)
        self._link = Link(self.slots, address, plugin, self._on_event)
        self._thread = threading.Thread(target=self._tend, name="segdebug-engine", daemon=True)
        self._thread.start()
        atexit.register(self.close)

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def submit(self, scene: Any, experiment: Any, *, key: str) -> Job:
        """Have a run carried out, or join the one of this key that is queued, running, or finished and kept.

        One that failed or was cancelled is run again, as a new Job. Scene and experiment must not be changed.
        Raises QueueFull where too many are waiting, JobError after `close`.
        """
        with self._changed:
            if self._closed:
                raise JobError("The engine has been closed: it takes no more runs.")
            last = self._shelf.latest(key)
            if last is not None and last.state in ("queued", "running", "finished"):
                return last
            waiting = self.waiting
            if waiting >= self.queue_limit:
                raise QueueFull(f"{waiting} runs are waiting, and no more may. Try again in a few minutes.")
            job = Job(
                key,
                scene,
                experiment,
                attempt=1 if last is None else last.attempt + 1,
                grace=self.grace,
                changed=self._changed,
                on_cancel=self._on_cancel,
                place=self._place,
            )
            self._waiting.append(job)
            self._shelf.add(job)
            self._changed.notify_all()
        return job

    def prepare(self, scene: Any, experiment: Any, *, key: str) -> None:
        """Have an idle process make ready for a run of this key, which may come: by `prepare(scene, experiment)` of
        the runner's module, where it has one. A hint: nothing happens where all are busy or the scene is large, and
        what is not yet ready when a run begins is left."""
        with self._changed:
            busy = self._waiting or len(self._sent) >= self._capacity
            if self._closed or busy or key in self._prepared or self._shelf.latest(key) is not None:
                return
            self._prepared.append(key)
        with contextlib.suppress(Exception):  # the run itself will say what is wrong
            parcel = Parcel.of((self.runner, scene, experiment))
            if sum(part.nbytes for part in parcel.parts()) <= _PREPARED_AT_MOST:
                self._link.prepare(parcel, key)

    @property
    def ahead(self) -> int:
        """How many runs are worth making ready for at once: two a process, so that none waits for another's."""
        return 2 * self._capacity

    def adopt(self, run: Any, scene: Any, *, id: str, key: str) -> Job:
        """Keep a Run that finished before, here or elsewhere, as a finished Job of that id; the Job of this id where
        there is one already."""
        size = sum(part.nbytes for part in Parcel.of(run).parts())
        scene_bytes = sum(part.nbytes for part in Parcel.of(scene).parts())
        with self._changed:
            known = self._shelf.get(id)
            if known is not None:
                return known
            last = self._shelf.latest(key)
            job = Job(
                key,
                scene,
                run.experiment,
                attempt=1 if last is None else last.attempt,
                grace=self.grace,
                changed=self._changed,
                on_cancel=self._on_cancel,
                place=self._place,
            )
            job._take_over(id, run.trace.parts, run.seconds, size, scene_bytes)
            job._end("finished", result=run)
            self._shelf.add(job)
            self._shelf.trim()
        return job

    def job(self, id: str) -> Job | None:
        """The run with this id, if it is still kept."""
        with self._changed:
            return self._shelf.get(id)

    @property
    def waiting(self) -> int:
        """How many runs are queued."""
        with self._changed:
            return len(self._waiting) + sum(job.state == "queued" for job in self._sent)

    def close(self) -> None:
        """Cancel what is queued or running, end all processes, take no more runs. Kept runs stay readable."""
        with self._changed:
            if self._closed:
                return
            self._closed = True
            for job in [*self._sent, *self._waiting]:
                if job.active:
                    job._end("cancelled")
            self._waiting.clear()
            futures = list(self._sent.values())
            self._changed.notify_all()
        atexit.unregister(self.close)
        for future in futures:
            self._link.cancel(future)
        self._link.close()
        if threading.current_thread() is not self._thread:
            self._thread.join(1.0)

    def _place(self, job: Job) -> int:
        with self._changed:
            if job not in self._waiting:
                return 0
            free = self._capacity - len(self._sent)
            return max(0, self._waiting.index(job) + 1 - free)

    def _on_cancel(self, job: Job) -> None:
        with self._changed:
            if job in self._waiting:
                self._waiting.remove(job)
            future = self._sent.pop(job, None)
            self._ending.pop(job, None)
            self._shelf.trim()
        if future is not None:
            self._link.cancel(future)

    # The engine's own thread: hands runs to Dask as slots become free, and watches the clock.

    def _tend(self) -> None:
        looked = -_LOOK
        while True:
            if self._waiting and time.monotonic() - looked >= _LOOK:
                self._capacity, looked = self._link.capacity(), time.monotonic()
            next_job: Job | None = None
            with self._changed:
                if self._closed:
                    return
                arrived, self._arrived = self._arrived, deque()
                abandoned = self._look_at_the_clock()
                if self._waiting and len(self._sent) < self._capacity:
                    next_job = self._waiting.popleft()
                    self._sent[next_job] = None  # no future yet
                elif not abandoned and not arrived:
                    self._changed.wait(self._patience())
            for job, outcome in arrived:
                self._take_in(job, outcome)
            for job in abandoned:
                job.cancel()
            if next_job is not None:
                self._hand_over(next_job)

    def _look_at_the_clock(self) -> list[Job]:
        """Conclude runs whose last progress will not come; the runs that nobody has come back to."""
        now = time.monotonic()
        for job in [job for job, (_, until) in self._ending.items() if until <= now]:
            self._conclude(job, self._ending.pop(job)[0])
        active = [*self._sent, *self._waiting]
        return [job for job in active if job._abandoned_at is not None and job._abandoned_at <= now]

    def _patience(self) -> float | None:
        """Seconds until the clock or a cluster's size is to be looked at again; None for not by itself."""
        times = [job._abandoned_at for job in (*self._sent, *self._waiting) if job._abandoned_at is not None]
        times += [until for _, until in self._ending.values()]
        if self._waiting:
            times.append(time.monotonic() + _LOOK)
        return max(0.0, min(times) - time.monotonic()) if times else None

    def _hand_over(self, job: Job) -> None:
        try:
            parcel = Parcel.of((self.runner, job.scene, job.experiment))
            job._scene_bytes = sum(part.nbytes for part in parcel.parts())
            future = self._link.send(parcel, job.id, job.key, self.time_limit, partial(self._on_end, job))
        except Exception as error:
            self._take_in(job, Outcome(failure=failure_of(error, traceback.format_exc())))
            return
        with self._changed:
            if job in self._sent:
                self._sent[job] = future
                return
            over = not job.active and job.state == "cancelled"
        if over:  # cancelled meanwhile
            self._link.cancel(future)

    def _take_in(self, job: Job, outcome: Outcome) -> None:
        if outcome.failure is not None and outcome.failure.traceback:
            _log.error("Run %s failed:\n%s", job.id, outcome.failure.traceback)
        with self._changed:
            if not job.active:
                return
            if _all_heard(job, outcome):
                self._conclude(job, outcome)
            else:
                self._ending[job] = outcome, time.monotonic() + _LAST_WORDS
                self._changed.notify_all()

    def _conclude(self, job: Job, outcome: Outcome) -> None:
        self._sent.pop(job, None)
        job._bytes += len(outcome.result or b"")
        result, error = _unpacked(job, outcome)
        job._end("finished" if error is None else "failed", result=result, error=error)
        self._shelf.trim()

    # What comes back, in Dask's thread, which is not to be kept from its work.

    def _on_event(self, message: dict[str, Any]) -> None:
        packed: list[bytes] | None = message["values"]
        try:
            values = None if packed is None else [loads(value) for value in packed]
        except Exception:
            _log.exception("Progress of run %s cannot be read", message["job"])
            values = []
        with self._changed:
            job = self._shelf.get(message["job"])
            if job is None:
                return
            job._hear(message["execution"], message["sent"], values, sum(map(len, packed or ())))
            if job in self._ending and _all_heard(job, self._ending[job][0]):
                self._conclude(job, self._ending.pop(job)[0])

    def _on_end(self, job: Job, outcome: Outcome) -> None:
        with self._changed:
            self._arrived.append((job, outcome))
            self._changed.notify_all()


def _unpacked(job: Job, outcome: Outcome) -> tuple[Any, SegdebugError | None]:
    """The result, or why there is none."""
    if outcome.failure is not None:
        return None, outcome.failure.error
    if outcome.result is None:
        return None, JobError("The run was ended by the cluster that it ran on. Run it again.")
    told = job._progress
    if outcome.sent is not None and len(told) != outcome.sent:
        return None, JobError("Some of what the run told was lost on the way here. Run it again.")
    try:
        return loads_after(told, outcome.result), None
    except Exception as reason:
        _log.exception("A result cannot be read")
        return None, JobError(f"The run's result cannot be read here ({type(reason).__name__}).")


def _all_heard(job: Job, outcome: Outcome) -> bool:
    return outcome.sent is None or (job._execution == outcome.execution and job._heard >= outcome.sent)
