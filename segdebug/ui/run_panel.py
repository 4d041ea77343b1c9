"""A run on the page: live while it trains, then its curves, its maps at any step, and its numbers to take.

Both halves have the same rows of the same height, so that nothing moves when a run ends: what it is and a
button, curves, step, maps.
"""

from __future__ import annotations

import streamlit as st

from segdebug.diagnosis import Diagnosis
from segdebug.errors import KerasRefusal
from segdebug.experiment import Experiment
from segdebug.export import file_stem
from segdebug.figures import number
from segdebug.jobs import Job
from segdebug.run import Run
from segdebug.scene import Scene
from segdebug.trace import OUTCOMES, Snapshot, Trace
from segdebug.ui.curves import columns_of, ended_curves, live_curves
from segdebug.ui.engine import cancel, mine, said_of
from segdebug.ui.pixel_link import open_pixel
from segdebug.ui.run_maps import maps_at_any_step, maps_now, study
from segdebug.ui.take_away import downloads, run_of
from segdebug.ui.text import error, note, plain, warning

__all__ = ["in_words", "show", "show_why"]

in_words = Experiment.in_words

_POLL = 0.5  # seconds between looks at a run that trains; its pictures are larger on a larger grid
_POLL_PIXELS = 256  # up to this size of the training grid


def show(job: Job, scene: Scene) -> None:
    """The run's panel; it looks for news while the run trains, and not afterwards."""
    every = _POLL * max(1.0, job.experiment.training.size / _POLL_PIXELS)
    st.fragment(_panel, run_every=every if job.active else None)(job, scene)


def show_why(job: Job) -> None:
    """Why a run ended before its time, where it did: one line, with Keras's own words behind one click."""
    if job.error is not None:
        error(str(job.error))
        if isinstance(job.error, KerasRefusal) and job.error.original not in str(job.error):
            with st.expander("Keras's own message"):
                st.code(job.error.original, language=None, wrap_lines=True)
    elif job.state == "cancelled":
        steps = Trace(list(job.since(0))).steps
        note(f"Cancelled after {steps} of {job.experiment.training.steps} steps.")


def _panel(job: Job, scene: Scene) -> None:
    if job.active:
        st.session_state["live_run"] = job.id
        _live(job, scene)
        return
    if st.session_state.get("live_run") == job.id:  # it has just ended: one whole rerun stops the polling
        del st.session_state["live_run"]
        st.rerun()
    _ended(job, scene)


def _live(job: Job, scene: Scene) -> None:
    trace = Trace(list(job.since(0)))
    steps = job.experiment.training.steps
    words, button = st.columns([5, 1], vertical_alignment="center")
    words.progress(min(1.0, trace.steps / steps), text=_so_far(job, trace))
    if mine(job):
        button.button("Cancel", on_click=cancel, args=(job,), key="cancel", width="stretch")
    names, colours = columns_of(trace, scene)
    live_curves(trace, steps, names, colours, _diagnosis(job))
    latest, clicked = maps_now(trace, scene, job.experiment)
    if clicked is not None and latest is not None:
        open_pixel(job.id, latest.step, *clicked)


def _diagnosis(job: Job) -> Diagnosis | None:
    said = said_of(job.scene, job.experiment)
    return said.diagnosis if said else None


def _so_far(job: Job, trace: Trace) -> str:
    if job.state == "queued":
        return f"Waiting, {job.place} run{'s' if job.place != 1 else ''} ahead" if job.place else "Starting …"
    if not trace.steps:
        return "Building the model …"
    return f"Step {trace.steps} of {job.experiment.training.steps}, loss {number(trace.loss[-1])}"


def _ended(job: Job, scene: Scene) -> None:
    run = run_of(job)
    trace = run.trace
    if not trace.steps:
        show_why(job)
        return
    words, button = st.columns([5, 1], vertical_alignment="center")
    words.markdown(f"**{plain(_headline(run))}**")
    with button:
        downloads(run, scene)
    show_why(job)
    if trace.outcome in ("not_finite", "diverged"):
        warning(f"Ended at step {trace.steps} of {run.experiment.training.steps}: {OUTCOMES[trace.outcome]}.")
    names, colours = columns_of(trace, scene)
    stem = file_stem(scene.name, run.experiment)
    ended_curves(trace, names, colours, _diagnosis(job), stem)
    st.fragment(_steps)(job, run, scene, stem)


def _steps(job: Job, run: Run, scene: Scene, stem: str) -> None:
    """What there is of one step. A fragment: moving its slider draws nothing else again."""
    snapshot, clicked = maps_at_any_step(run.trace, scene, run.experiment)
    if clicked is not None:
        open_pixel(job.id, snapshot.step, *clicked)
    _notes(run, snapshot)
    study(run.trace, snapshot, *columns_of(run.trace, scene), stem)


def _headline(run: Run) -> str:
    trace = run.trace
    steps = "1 step" if trace.steps == 1 else f"{trace.steps} steps"
    losses = f"{number(trace.loss[0])} → {number(trace.loss[-1])}"
    return f"{steps} in {number(run.seconds)} s: loss {losses}, mean IoU {number(trace.mean_iou()[-1])}"


def _notes(run: Run, snapshot: Snapshot) -> None:
    metric = run.experiment.metric
    if snapshot.metric is not None:
        prints = ", ".join(f"{value:.4f}" for value in snapshot.metric)  # as fit prints them
        st.caption(plain(f"Your metric, {metric.name} ({metric.decode}), prints {prints} at step {snapshot.step}."))
    elif run.trace.metric_error is not None:
        st.caption(plain(f"Your metric, {metric.name}, cannot be computed: {run.trace.metric_error}"))
    for told in run.keras_warnings:
        st.caption(plain(f"Keras warned: {told}"))
