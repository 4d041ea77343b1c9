"""The runs that outlive the server: written behind the pages' backs, and what they are found again by."""

from __future__ import annotations

import functools
import json
import logging
import os
import threading
from pathlib import Path
from weakref import WeakValueDictionary

import streamlit as st

from segdebug.errors import StoreError
from segdebug.jobs import Job, warm
from segdebug.run import Run, versions
from segdebug.store import Store

__all__ = ["THREADS", "Keeper", "computed_by", "keeper", "store_folder"]

THREADS = f"{warm.INSIDE}+{warm.BETWEEN}"
"""Of each worker, as `jobs.warm` starts them and as a run's versions say it."""

_LOOK = 0.25  # seconds between looks at runs under way, which cost nothing
_LAST = 10.0  # seconds in which a server that ends may still write what has ended

_log = logging.getLogger(__name__)


def store_folder() -> Path:
    """Where the app keeps what outlives it: SEGDEBUG_STORE, or the folder `runs` where it was started."""
    return Path(os.environ.get("SEGDEBUG_STORE") or "runs").absolute()


class Keeper:
    """Writes every run that it is told of into the store once it has finished, in a thread of its own.

    store: None where the folder cannot be used; trouble: why, or why the last run could not be written.
    """

    def __init__(self, folder: Path) -> None:
        self.store: Store | None = None
        self.trouble = ""
        self._pending: dict[str, Job] = {}
        self._looked_at: WeakValueDictionary[str, Job] = WeakValueDictionary()
        self._changed = threading.Condition()
        self._closed = False
        try:
            self.store = Store(folder, held=self._held)
        except StoreError as refusal:
            self._complain(refusal)
            return
        self._thread = threading.Thread(target=self._tend, name="segdebug-keeper", daemon=True)
        self._thread.start()

    def expect(self, job: Job) -> None:
        """Keep this run once it has finished."""
        with self._changed:
            if self.store is not None and not self._closed:
                self._pending[job.id] = job
                self._changed.notify_all()

    def look_at(self, job: Job) -> None:
        """This job shows a kept run, which is not dropped for want of room while somebody watches it."""
        self._looked_at[job.id] = job

    def watched(self, id: str) -> int:
        """How many are watching the run."""
        job = self._looked_at.get(id)
        return 0 if job is None else job.viewers

    def flush(self) -> None:
        """Write now whatever has finished. Waits until it is written."""
        with self._changed:
            ended = [job for job in self._pending.values() if not job.active]
        for job in ended:
            if isinstance(job.result, Run):
                self._write(job, job.result)
            with self._changed:
                self._pending.pop(job.id, None)

    def close(self) -> None:
        """Write what has finished, and no more."""
        if self.store is None:
            return
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._thread.join(_LAST)

    def _held(self, id: str) -> bool:
        return self.watched(id) > 0

    def _tend(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closed or self._pending)
                if not self._closed:
                    self._changed.wait(_LOOK)
                last = self._closed
            self.flush()
            if last:
                return

    def _write(self, job: Job, run: Run) -> None:
        assert self.store is not None
        try:
            self.store.put(run, job.scene, id=job.id, key=job.key)
            self.trouble = ""
            self.look_at(job)
        except StoreError as refusal:
            self._complain(refusal)
        except Exception:  # the next run may well be kept
            _log.exception("Run %s cannot be kept", job.id)
            self.trouble = "The last run could not be kept; the server's log has the reason."

    def _complain(self, refusal: StoreError) -> None:
        _log.error("%s", refusal)
        self.trouble = str(refusal)


@st.cache_resource(show_spinner=False, on_release=lambda started: started.close())
def keeper() -> Keeper:
    """The server's keeper."""
    return Keeper(store_folder())


@functools.cache
def computed_by() -> str:
    """What a run depends on beside scene and Experiment, as far as the server knows before it is computed: versions,
    threads, device, and whose machines it runs on."""
    where = {name: os.environ.get(name, "") for name in ("SEGDEBUG_DEVICE", "SEGDEBUG_SCHEDULER")}
    return json.dumps({**versions(THREADS), **where})
