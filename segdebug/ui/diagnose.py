"""The four parts of the Diagnose page: the scene, the configuration, the button, the results."""

from __future__ import annotations

import streamlit as st

from segdebug.errors import SegdebugError
from segdebug.experiment import OPTIONS, Experiment
from segdebug.jobs import Job
from segdebug.scene import Scene, sample_info, sample_names
from segdebug.ui import run_panel, settings, sources
from segdebug.ui.engine import RUN, engine, latest, submit, watch
from segdebug.ui.scene_panel import Shown, choose_scene
from segdebug.ui.text import plain

__all__ = ["configuration", "overfit", "results", "scene"]


def scene() -> Shown:
    """Picture and masks."""
    if not st.query_params and "arrived" not in st.session_state:
        # The front door, with nothing chosen yet: begin with what is known to learn the first sample.
        settings.set_experiment(_recommended(sample_names()[0]))
    st.session_state["arrived"] = True
    return choose_scene()


def configuration(shown: Shown) -> Experiment | None:
    """The sidebar; None, with the reason shown there, where the widgets make no configuration."""
    with st.sidebar:
        return settings.configure(shown.recommended)


def overfit(scene: Scene, experiment: Experiment | None) -> None:
    """The configuration in one line, and the button that trains it."""
    words, button = st.columns([5, 1], vertical_alignment="center")
    with words:
        st.markdown(
            plain(run_panel.in_words(experiment)) if experiment else "The configuration at the left has an error."
        )
    pressed = button.button(
        "Overfit", type="primary", key="overfit", width="stretch", disabled=experiment is None,
        help="Train this configuration on this one image",
    )  # fmt: skip
    if pressed and experiment is not None:
        try:
            st.query_params[RUN] = submit(scene, experiment).id
        except SegdebugError as error:
            st.error(plain(str(error)), icon="✕")


def results(scene: Scene, experiment: Experiment | None) -> None:
    """The run that the address names; else the last one of this scene; else an example."""
    job = engine().job(st.query_params[RUN]) if RUN in st.query_params else None
    if job is None and RUN in st.query_params:
        st.info("The run of this link is no longer kept: press Overfit to have it again.", icon="·")
    if job is not None:
        watch(job)
        _say_what_differs(job, scene, experiment)
        run_panel.show(job, _scene_of(job, scene))
        return
    _example(scene)


def _say_what_differs(job: Job, scene: Scene, experiment: Experiment | None) -> None:
    if job.scene.digest != scene.digest:
        st.caption(plain(f"Below: {job.scene.name}, {run_panel.in_words(job.experiment)}."))
    elif experiment is not None and experiment != job.experiment:
        changes = job.experiment.difference(experiment)
        told = ", ".join(
            f"{f} {OPTIONS[f].write(a) or 'empty'} → {OPTIONS[f].write(b) or 'empty'}" for f, (a, b) in changes.items()
        )
        st.caption(plain(f"Below is the last run. Changed since: {told}."))


def _scene_of(job: Job, scene: Scene) -> Scene:
    """The run's own scene, under the names and colours that the page has for it."""
    return scene if job.scene.digest == scene.digest else job.scene


def _example(scene: Scene) -> None:
    last = latest(scene)
    if last is not None:
        st.caption(plain(f"The last run of this scene: {run_panel.in_words(last.experiment)}."))
        run_panel.show(last, scene)
        return
    name = sample_names()[0]
    example = sources.sample_scene(name)
    recommended = _recommended(name)
    st.caption(plain(f"An example, until you press Overfit: {name}, {run_panel.in_words(recommended)}."))
    try:
        run_panel.show(submit(example, recommended), example)
    except SegdebugError as error:
        st.caption(plain(str(error)))


def _recommended(name: str) -> Experiment:
    return Experiment().changed(sample_info(name).experiment)
