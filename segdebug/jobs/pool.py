"""The worker's half of dask.distributed: a plugin that owns the slots, and the task that uses one."""

from __future__ import annotations

import math
import secrets
import threading
from dataclasses import replace
from typing import Any

from distributed import WorkerPlugin, get_worker

from segdebug.jobs.nursery import Nursery
from segdebug.jobs.slot import Slot, Tell
from segdebug.jobs.wire import Outcome, Parcel

__all__ = ["PLUGIN", "SlotsPlugin", "carry_out", "make_ready"]

PLUGIN = "segdebug-slots"


class SlotsPlugin(WorkerPlugin):
    """One warm slot for each of the worker's threads. When Dask says that a task is cancelled, its run ends.

    runner, tensorflow: what the children have ready. renew_after: runs after which a child is replaced.
    """

    idempotent = True  # several apps may share a cluster: the first one's slots serve all

    def __init__(self, runner: str, *, tensorflow: bool, renew_after: int) -> None:
        self.runner = runner
        self.tensorflow = tensorflow
        self.renew_after = renew_after

    def setup(self, worker: Any) -> None:
        """Start the slots, which warm up in the background."""
        self._lock = threading.Lock()
        self._nursery = Nursery(self.runner, tensorflow=self.tensorflow)
        self._slots = [Slot(self._nursery, renew_after=self.renew_after) for _ in range(max(1, worker.state.nthreads))]
        self._free = list(self._slots)
        self._running: dict[str, Slot] = {}
        self._stopped: set[str] = set()  # told to stop between Dask's start and ours

    def teardown(self, worker: Any) -> None:  # noqa: ARG002  (Dask's signature)
        """End all runs and all processes."""
        for slot in self._slots:
            slot.close()
        self._nursery.close()

    def transition(self, key: Any, start: str, finish: str, **_: Any) -> None:
        """Called by Dask on each change of a task; an executing one that is released has been cancelled."""
        if start == "executing" and finish == "released":
            with self._lock:
                slot = self._running.get(key)
                if slot is None:
                    self._stopped.add(key)
            if slot is not None:
                slot.stop()
        elif finish == "forgotten":
            with self._lock:
                self._stopped.discard(key)

    def run(self, key: str, what: str, parcel: Parcel, tell: Tell, limit: float) -> Outcome:
        """Carry out the run of the task `key` in a free slot: the one that is prepared for it or a warm one, of
        several the one that was used last, which may have what it needs from the run before."""
        with self._lock:
            if key in self._stopped:
                return Outcome()
            slot = min(self._free, key=lambda slot: slot.wait_of(what))
            self._free.remove(slot)
            self._running[key] = slot
            slot.reserve()
        try:
            return slot.run(parcel, tell, limit)
        finally:
            slot.release()
            with self._lock:
                del self._running[key]
                self._free.insert(0, slot)

    def prepare(self, what: str, parcel: Parcel) -> None:
        """Have an idle slot make ready for such a run, the one that has the least to make ready; nothing where none is
        idle or one already is."""
        with self._lock:
            waits = {slot: slot.wait_of(what) for slot in self._free}
            slot = min(self._free, key=waits.__getitem__, default=None)
            if slot is None or not 1 <= waits[slot] < math.inf:
                return
            self._free.remove(slot)
            slot.reserve()
        slot.prepare(what, parcel)
        with self._lock:
            self._free.insert(0, slot)


def make_ready(parcel: Parcel, what: str) -> None:
    """The task: have a slot make ready for a run that may come. Returns before it is."""
    plugin: SlotsPlugin = get_worker().plugins[PLUGIN]
    plugin.prepare(what, parcel)


def carry_out(parcel: Parcel, key: str, topic: str, job: str, what: str, limit: float) -> Outcome:
    """The task: one run, its progress sent under `topic` as it comes. Returns how it ended.
    what: names what it does, so that it finds what was prepared for it.

    Dask may execute it again elsewhere when a machine is lost; each execution has a name of its own.
    """
    worker = get_worker()
    execution = secrets.token_hex(8)
    sent: int | None = None

    def tell(values: list[bytes] | None) -> None:
        nonlocal sent
        sent = 0 if values is None else (sent or 0) + len(values)
        worker.log_event(topic, {"job": job, "execution": execution, "sent": sent, "values": values})

    plugin: SlotsPlugin = worker.plugins[PLUGIN]
    outcome = plugin.run(key, what, parcel, tell, limit)
    return replace(outcome, execution=execution, sent=sent)
