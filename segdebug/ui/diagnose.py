"""The parts of the Diagnose page: the scene, the configuration, the strip, the button, the verdict, the results."""

from __future__ import annotations

import streamlit as st

from segdebug.errors import ExperimentError, SegdebugError
from segdebug.experiment import OPTIONS, Experiment
from segdebug.jobs import Job
from segdebug.scene import Scene, sample_info, sample_names
from segdebug.ui import links, pair, run_maps, run_panel, settings, sources, strip, verdict
from segdebug.ui.engine import FIXED, RUN, find, forget_run, latest, lost, submit, watch
from segdebug.ui.scene_panel import Shown, choose_scene
from segdebug.ui.text import error, note, plain

__all__ = ["configuration", "diagnosis", "overfit", "results", "scene"]

_SHOWN = "shown_scene"


def scene() -> Shown:
    """Picture and masks. A configuration that nobody has touched follows the picture."""
    before: Shown | None = st.session_state.get(_SHOWN)
    if before is None and not st.query_params:
        # The front door, with nothing chosen yet: begin with what is known to learn the first sample.
        settings.begin_with(_recommended(sample_names()[0]))
    elif before is None and set(st.query_params) == {RUN}:
        _begin_with_the_run()
    shown = choose_scene()
    if before is not None and before.scene.digest != shown.scene.digest and not _reopened(shown.scene):
        if settings.current() == before.recommended:
            settings.set_experiment(shown.recommended)
        forget_run()  # another picture's; it is found again with its picture
    st.session_state[_SHOWN] = shown
    return shown


def _begin_with_the_run() -> None:
    """A link that names nothing but a run opens with its picture and its configuration."""
    job = find(st.query_params[RUN])
    if job is None:
        return
    for name, value in links.of_the_scene(job.scene.name, job.scene.digest).items():
        st.session_state[name] = st.query_params[name] = value
    settings.begin_with(job.experiment)


def _reopened(scene: Scene) -> bool:
    """Whether the address names a run of this very scene, as the Runs page puts it there."""
    job = find(st.query_params.get(RUN, ""))
    return job is not None and job.scene.digest == scene.digest


def configuration(shown: Shown) -> Experiment | None:
    """The sidebar; None, with the reason in one line on the page, where the widgets make no configuration."""
    try:
        with st.sidebar:
            return settings.configure(shown.recommended)
    except ExperimentError as refusal:
        error(str(refusal))
        return None


def overfit(scene: Scene, experiment: Experiment | None) -> None:
    """The configuration in one line, and the button that trains it."""
    words, button = st.columns([5, 1], vertical_alignment="center")
    words.markdown(
        plain(run_panel.in_words(experiment)) if experiment else "Change the configuration before it can be trained."
    )
    pressed = button.button("Overfit", type="primary", key="overfit", width="stretch", disabled=experiment is None)
    if pressed and experiment is not None:
        try:
            job = submit(scene, experiment)
        except SegdebugError as refusal:
            error(str(refusal))
            return
        st.query_params[RUN] = job.id
        for other in (run_maps.STEP, FIXED):
            st.query_params.pop(other, None)
        if job.state == "finished":
            st.toast("Trained before: the same picture, configuration and seed give the same numbers.")


def diagnosis(scene: Scene, experiment: Experiment | None, shown: strip.Shown) -> None:
    """The verdict and what was found, of the configuration on the page or, while it is checked, of the last."""
    if shown.trouble:
        st.markdown(f":red[✕] {plain(f'The configuration cannot be checked: {shown.trouble}')}")
    if shown.said is None:
        if not shown.trouble and experiment is not None:
            st.markdown(":gray[The verdict comes here, before any training.]")
        return
    said = shown.said.diagnosis
    both = verdict.verdict(said, current=shown.current)
    if not shown.current or experiment is None:
        return
    if both and said.fix is not None:
        _run_both(scene, experiment, said.fix)
    verdict.show(said, experiment, ran=shown.said.ran)


def _run_both(scene: Scene, experiment: Experiment, fix: Experiment) -> None:
    try:
        jobs = [submit(scene, experiment), submit(scene, fix)]
    except SegdebugError as refusal:
        error(str(refusal))
        return
    st.query_params.pop(run_maps.STEP, None)
    st.query_params[RUN], st.query_params[FIXED] = (job.id for job in jobs)


def results(scene: Scene, experiment: Experiment | None) -> None:
    """The run, or the pair of runs, that the address names; else the last one of this picture; else an example."""
    job = find(st.query_params[RUN]) if RUN in st.query_params else None
    if job is None and RUN in st.query_params:
        note(lost(st.query_params[RUN]))
    fixed = find(st.query_params[FIXED]) if FIXED in st.query_params else None
    if job is not None and fixed is not None and fixed is not job:
        watch(job, fixed)
        pair.show(job, fixed, _scene_of(job, scene))
        return
    if job is not None:
        watch(job)
        if job.active or job.since(0):
            st.caption(plain(_what_it_is(job, scene, experiment)))
            run_panel.show(job, _scene_of(job, scene))
            return
        run_panel.show_why(job)
    _last_or_example(scene)


def _what_it_is(job: Job, scene: Scene, experiment: Experiment | None) -> str:
    if job.scene.digest != scene.digest:
        return f"The run of {job.scene.name}: {run_panel.in_words(job.experiment)}"
    if experiment is None or experiment == job.experiment:
        return "The run of this configuration"
    changes = job.experiment.difference(experiment)
    told = (f"{f} {OPTIONS[f].write(a) or 'empty'} → {OPTIONS[f].write(b) or 'empty'}" for f, (a, b) in changes.items())
    return f"The last run. Changed since: {', '.join(told)}"


def _scene_of(job: Job, scene: Scene) -> Scene:
    """The run's own scene, under the names and colours that the page has for it."""
    return scene if job.scene.digest == scene.digest else job.scene


def _last_or_example(scene: Scene) -> None:
    last = latest(scene)
    if last is not None:
        st.caption(plain(f"The last run of this picture: {run_panel.in_words(last.experiment)}"))
        run_panel.show(last, scene)
        return
    name = sample_names()[0]
    example = sources.sample_scene(name)
    recommended = _recommended(name)
    st.caption(plain(f"An example, until you press Overfit: {name}, {run_panel.in_words(recommended)}"))
    try:
        job = submit(example, recommended, remembered=False)
    except SegdebugError as refusal:
        note(str(refusal))
        return
    run_panel.show(job, _scene_of(job, scene))


def _recommended(name: str) -> Experiment:
    return Experiment().changed(sample_info(name).experiment)
