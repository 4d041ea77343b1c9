"""One engine for the whole server, and which browser sessions are watching which run."""

from __future__ import annotations

import hashlib
import os
import secrets
from collections import deque

import streamlit as st

from segdebug.experiment import Experiment
from segdebug.jobs import Engine, Job
from segdebug.scene import Scene

__all__ = ["RUN", "attend", "cancel", "engine", "latest", "mine", "submit", "watch"]

RUN = "run"
"""The address's parameter that names a run."""

_REMEMBERED = 8  # runs of one scene that `latest` looks through


@st.cache_resource(show_spinner=False, on_release=lambda started: started.close())
def engine() -> Engine:
    """The server's engine; its workers warm themselves while the first page is being looked at.

    SEGDEBUG_SLOTS, SEGDEBUG_TIME_LIMIT and SEGDEBUG_GRACE (seconds) override how many runs train at once, how
    long one may take, and how long a run goes on after its last viewer has left.
    """
    slots = os.environ.get("SEGDEBUG_SLOTS")
    return Engine(
        slots=int(slots) if slots else None,
        address=os.environ.get("SEGDEBUG_SCHEDULER"),
        time_limit=float(os.environ.get("SEGDEBUG_TIME_LIMIT", "600")),
        grace=float(os.environ.get("SEGDEBUG_GRACE", "120")),
    )


class _Viewer:
    """One browser session: the runs that it watches, left when its connection ends."""

    def __init__(self) -> None:
        self.name = secrets.token_urlsafe(8)
        self.watched: dict[str, Job] = {}
        self.mine: set[str] = set()  # runs that it asked for, or was given the link of

    def leave(self) -> None:
        for job in self.watched.values():
            job.leave(self.name)
        self.watched.clear()


@st.cache_resource(show_spinner=False, scope="session", on_release=lambda viewer: viewer.leave())
def _viewer() -> _Viewer:
    return _Viewer()


def attend() -> None:
    """Start the engine and notice this session, so that its end is noticed too."""
    engine()
    _viewer()


def watch(job: Job) -> None:
    """This session looks at the run, and no longer at those that it looked at before."""
    viewer = _viewer()
    for other in [seen for key, seen in viewer.watched.items() if key != job.id]:
        other.leave(viewer.name)
        del viewer.watched[other.id]
    if job.id not in viewer.watched:
        viewer.watched[job.id] = job
        viewer.mine.add(job.id)
        job.arrive(viewer.name)


def mine(job: Job) -> bool:
    """Whether this session may end the run: it asked for it, or holds its link."""
    return job.id in _viewer().mine


def cancel(job: Job) -> None:
    """End the run; where others are watching it too, only stop watching."""
    viewer = _viewer()
    if job.viewers <= (job.id in viewer.watched):
        job.cancel()
        return
    st.toast("Others are watching this run, so it goes on for them.")
    job.leave(viewer.name)
    viewer.watched.pop(job.id, None)
    viewer.mine.discard(job.id)
    st.query_params.pop(RUN, None)


def submit(scene: Scene, experiment: Experiment, *, remembered: bool = True) -> Job:
    """Have it trained, or get the run that is already there: a run is a function of scene and Experiment.

    remembered: whether `latest` is to know of it.
    """
    key = hashlib.sha256(f"{scene.digest}{experiment.to_json()}".encode()).hexdigest()
    job = engine().submit(scene, experiment, key=key)
    if remembered:
        last = _last_runs().setdefault(scene.digest, deque(maxlen=_REMEMBERED))
        if job.id not in last:
            last.append(job.id)
    return job


def latest(scene: Scene) -> Job | None:
    """The last run that anybody asked for on this scene, if it is still kept and has something to show."""
    for job_id in reversed(_last_runs().get(scene.digest, ())):
        job = engine().job(job_id)
        if job is not None and (job.active or job.since(0)):
            return job
    return None


@st.cache_resource(show_spinner=False)
def _last_runs() -> dict[str, deque[str]]:
    return {}
