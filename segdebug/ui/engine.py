"""One engine for the whole server, and which browser sessions are watching which run."""

from __future__ import annotations

import hashlib
import os
import secrets

import streamlit as st

from segdebug.experiment import Experiment
from segdebug.jobs import Engine, Job
from segdebug.scene import Scene

__all__ = ["RUN", "attend", "engine", "latest", "submit", "watch"]

RUN = "run"
"""The address's parameter that names a run."""


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
        job.arrive(viewer.name)


def submit(scene: Scene, experiment: Experiment) -> Job:
    """Have it trained, or get the run that is already there: a run is a function of scene and Experiment."""
    key = hashlib.sha256(f"{scene.digest}{experiment.to_json()}".encode()).hexdigest()
    job = engine().submit(scene, experiment, key=key)
    _latest()[scene.digest] = job.id
    return job


def latest(scene: Scene) -> Job | None:
    """The last run that anybody asked for on this scene, if it is still kept."""
    return engine().job(_latest().get(scene.digest, ""))


@st.cache_resource(show_spinner=False)
def _latest() -> dict[str, str]:
    return {}
