"""The server's two engines, one that trains and one that checks, and which browser sessions are watching which run."""

from __future__ import annotations

import hashlib
import os
import time
from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

import streamlit as st

from segdebug.diagnosis import Diagnosis
from segdebug.errors import QueueFull, StoreError
from segdebug.experiment import Experiment
from segdebug.jobs import Engine, Job
from segdebug.pixel import AtStep
from segdebug.questions import Readers
from segdebug.run import Run, versions
from segdebug.scene import Scene
from segdebug.ui import ids
from segdebug.ui.kept import THREADS, computed_by, keeper
from segdebug.ui.viewer import Viewer

__all__ = [
    "FIXED",
    "RUN",
    "Said",
    "attend",
    "cancel",
    "check",
    "checker",
    "engine",
    "examine",
    "expect",
    "find",
    "forget_run",
    "known_run",
    "latest",
    "look_into",
    "looked_at",
    "lost",
    "mine",
    "said_of",
    "submit",
    "watch",
    "watched_by_others",
]

RUN = "run"
"""The address's parameter that names a run."""

FIXED = "fixed"
"""The address's parameter that names the run of the mended configuration, beside RUN."""

_WAITING_AT_MOST = 256  # runs of all sessions together: a class of sixty-four, each with a lesson of four
_AT_ONCE = 8  # runs of one session that wait or train: the longest that anybody else waits for it
_REMEMBERED = 8  # runs of one scene that `latest` looks through
_CHECK_LIMIT = 120.0  # seconds for one check, which takes one or two
_CHECK_GRACE = 5.0  # seconds after which a check that nobody waits for any more is dropped
_TRY_AGAIN = 30.0  # seconds after which a check that failed is tried once more


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
        runner="segdebug.trainings:carried_out",
        time_limit=float(os.environ.get("SEGDEBUG_TIME_LIMIT", "600")),
        queue_limit=_WAITING_AT_MOST,
        grace=float(os.environ.get("SEGDEBUG_GRACE", "120")),
    )


@st.cache_resource(show_spinner=False, on_release=lambda started: started.close())
def checker() -> Engine:
    """The engine that checks configurations and tries readers: one slot of its own, so no check waits for a run.

    On a cluster its checks share the workers with the runs.
    """
    return Engine(
        slots=1,
        address=os.environ.get("SEGDEBUG_SCHEDULER"),
        runner="segdebug.questions:checked",
        time_limit=_CHECK_LIMIT,
        grace=_CHECK_GRACE,
    )


@st.cache_resource(show_spinner=False, scope="session", on_release=lambda viewer: viewer.leave())
def _viewer() -> Viewer:
    return Viewer()


def attend() -> None:
    """Start the engines and notice this session, so that its end is noticed too."""
    keeper()
    engine()
    checker()
    _viewer()


def watch(*jobs: Job) -> None:
    """This session looks at these runs, and no longer at those that it looked at before."""
    viewer = _viewer()
    ids = {job.id for job in jobs}
    for other in [seen for key, seen in viewer.watched.items() if key not in ids]:
        other.leave(viewer.name)
        del viewer.watched[other.id]
        if isinstance(other.experiment, AtStep) and not other.viewers:
            other.cancel()  # a step that nobody waits for any more keeps no run waiting
    for job in jobs:
        if job.id not in viewer.watched:
            viewer.watched[job.id] = job
            viewer.mine.add(job.id)
            job.arrive(viewer.name)
    runs = [job.id for job in jobs if isinstance(job.experiment, Experiment)]
    viewer.last = runs[0] if runs else viewer.last


def looked_at() -> Job | None:
    """The run that this session looked at last, if it is still kept and has something to show."""
    job = engine().job(_viewer().last)
    return job if job is not None and (job.active or job.since(0)) else None


def mine(job: Job) -> bool:
    """Whether this session may end the run: it asked for it, or holds its link."""
    return job.id in _viewer().mine


def watched_by_others(job_id: str) -> bool:
    """Whether another session is looking at the run."""
    job = engine().job(job_id)
    return job is not None and job.viewers > (job_id in _viewer().watched)


def cancel(job: Job) -> None:
    """End the run; where others are watching it too, only stop watching."""
    viewer = _viewer()
    if not watched_by_others(job.id):
        job.cancel()
        return
    st.toast("Others are watching this run, so it goes on for them.")
    job.leave(viewer.name)
    viewer.watched.pop(job.id, None)
    viewer.mine.discard(job.id)
    forget_run()


def forget_run() -> None:
    """Take the run, or the pair of runs, out of the address."""
    for name in (RUN, FIXED):
        st.query_params.pop(name, None)


def submit(scene: Scene, experiment: Experiment, *, remembered: bool = True) -> Job:
    """Have it trained, or get the run that is already there or kept: a run is a function of scene, Experiment,
    versions and threads.

    Runs are taken in the order in which they were asked for. That is fair as long as nobody asks for many at once, so
    a session that has several under way may not begin another. To join one that is there is always allowed.
    remembered: whether `latest` is to know of it. Raises QueueFull, JobError.
    """
    key = _key(scene, experiment)
    job = engine().job(ids.runs().get(key)) or _kept(key, scene)
    if job is None or job.state in ("failed", "cancelled"):
        _leave_room()
        job = engine().submit(scene, experiment, key=key)
        _viewer().asked.append(job)
    keeper().expect(job)  # also one that has ended and was deleted from the store since
    ids.runs().put(key, job.id)
    if remembered:
        last = _last_runs().setdefault(scene.digest, deque(maxlen=_REMEMBERED))
        if job.id not in last:
            last.append(job.id)
    return job


def _leave_room() -> None:
    """Raises QueueFull where this session has as many runs under way as one may."""
    viewer = _viewer()
    viewer.asked = [job for job in viewer.asked if job.active]
    if len(viewer.asked) >= _AT_ONCE:
        raise QueueFull(
            f"{len(viewer.asked)} of your runs are still waiting or training, and others wait too. Let some of them "
            "end, or cancel one."
        )


def find(job_id: str) -> Job | None:
    """The run with this id: queued, training, lately ended, or kept from before; None where there is none.

    `lost` says why.
    """
    return engine().job(job_id) or _opened(job_id)


def lost(job_id: str) -> str:
    """Why `find` has no such run, in one line."""
    try:
        store = keeper().store
        if store is not None and store.entry(job_id) is not None:
            store.load(job_id)
    except StoreError as refusal:
        return str(refusal)
    return "The run of this link is no longer kept: press Overfit to have it again."


def known_run(scene: Scene, experiment: Experiment) -> Job | None:
    """The run of this configuration on this scene, if it was asked for, or is kept from before."""
    key = _key(scene, experiment)
    return engine().job(ids.runs().get(key)) or _kept(key, scene)


def check(scene: Scene, experiment: Experiment) -> Job:
    """Have the configuration checked on this scene, or get the check that is already there; meanwhile a process that
    has nothing to do gets ready to train it.

    This session then waits for it, and no longer for its last one. Raises QueueFull or JobError as `submit`.
    """
    key = _key(scene, experiment)
    engine().prepare(scene, experiment, key=key)
    return _asked(scene, experiment, key)


def expect(scene: Scene, experiments: Sequence[Experiment]) -> None:
    """Have processes that have nothing to do get ready to train these, which have no run yet, the first of them
    first."""
    for experiment in experiments[: engine().ahead]:
        engine().prepare(scene, experiment, key=_key(scene, experiment))


def examine(scene: Scene, experiment: Experiment) -> Job:
    """Have every reader tried on the scene's files, under the configuration's target; otherwise as `check`."""
    return _asked(scene, Readers(experiment), f"readers {_key(scene, experiment)}")


def look_into(run: Job, step: int) -> Job:
    """Have one step of a run done again with all its tensors kept, or get what is already there of it."""
    key = f"step {step} of {_key(run.scene, run.experiment)}"
    job = engine().job(ids.moments().get(key))
    if job is None or job.state == "cancelled" or (job.state == "failed" and _long_ago(job)):
        job = engine().submit(run.scene, AtStep(run.experiment, step), key=key)
        ids.moments().put(key, job.id)
    return job


def _asked(scene: Scene, question: Experiment | Readers, key: str) -> Job:
    job = checker().job(ids.checks().get(key))
    if job is None or job.state == "cancelled" or (job.state == "failed" and _long_ago(job)):
        job = checker().submit(scene, question, key=key)
        ids.checks().put(key, job.id)
    _viewer().wait_for(job)
    return job


def _long_ago(job: Job) -> bool:
    return job.finished is not None and time.time() - job.finished > _TRY_AGAIN


class Said(NamedTuple):
    """What is said of a configuration. ran: after its run, and not only from its check."""

    diagnosis: Diagnosis
    ran: bool


def said_of(scene: Scene, experiment: Experiment) -> Said | None:
    """What has been found out so far: by the configuration's run where it has ended, else by its check."""
    key = _key(scene, experiment)
    run = engine().job(ids.runs().get(key))
    if run is not None and isinstance(run.result, Run) and run.result.diagnosis is not None:
        return Said(run.result.diagnosis, True)
    job = checker().job(ids.checks().get(key))
    return Said(job.result, False) if job is not None and isinstance(job.result, Diagnosis) else None


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


def _key(scene: Scene, experiment: Experiment) -> str:
    return hashlib.sha256(f"{scene.digest}{experiment.to_json()}{computed_by()}".encode()).hexdigest()


def _kept(key: str, scene: Scene) -> Job | None:
    """The kept run of this key, on the shelf of those that have ended; not one that another version computed, as on
    a cluster that is not like this server."""
    store = keeper().store
    try:
        entry = None if store is None else store.by_key(key)
        if store is None or entry is None or store.load(entry.id, scene)[0].versions != versions(THREADS):
            return None
    except StoreError:
        return None
    return _opened(entry.id, scene)


def _opened(job_id: str, scene: Scene | None = None) -> Job | None:
    """A kept run on the shelf of those that have ended; scene: its own, where somebody has it already."""
    store = keeper().store
    try:
        entry = None if store is None else store.entry(job_id)
        if store is None or entry is None:
            return None
        run, its_scene = store.load(job_id, scene)
    except StoreError:
        return None
    job = engine().adopt(run, its_scene, id=job_id, key=entry.key)
    keeper().look_at(job)
    ids.runs().put(entry.key, job_id)
    return job
