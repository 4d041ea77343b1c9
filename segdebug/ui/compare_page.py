"""The parts of the Compare page: the scene, what is compared, and the runs. The address holds all of it."""

from __future__ import annotations

import json

import streamlit as st

from segdebug.comparisons import COMPARISONS, MOST, configurations
from segdebug.errors import ExperimentError, SegdebugError
from segdebug.experiment import Experiment
from segdebug.jobs import Job
from segdebug.painting import overlay, png
from segdebug.scene import Scene, sample_names
from segdebug.ui import scene_panel, settings
from segdebug.ui.compare_edit import edit
from segdebug.ui.compare_panel import show as show_panel
from segdebug.ui.compared import Compared, all_of
from segdebug.ui.engine import check, expect, find, known_run, said_of, submit, watch
from segdebug.ui.scene_panel import Shown
from segdebug.ui.text import error, note, plain

__all__ = ["show"]

COMPARISON, RUNS, WITH = "comparison", "runs", "with"
"""The address's parameters: a ready-made comparison by name, runs by id, or configurations as JSON."""

_FIRST, _OWN, _FIX = "softmax_from_logits", "own", "fix"
_SCENE = "compare_scene"
_LOOK = ("step", "map", "curve")
_POLL = 0.4


def show() -> None:
    """The page below its title."""
    fresh = not any(name in st.query_params for name in (COMPARISON, RUNS, WITH))
    scene_panel.go_on("compare")
    refusals = st.container()
    picture, choice, what = st.columns([3, 4, 6], gap="medium")
    with choice:
        shown = scene_panel.choose_source(refusals)
    _forget_other_scenes(shown.scene)
    jobs = _runs_of_the_address()
    scene = shown.scene
    if jobs and jobs[0].scene.digest != scene.digest:
        scene = jobs[0].scene
    with picture:
        _picture(scene)
    with what:
        name = _comparison(bool(jobs))
        experiments = [job.experiment for job in jobs] or _experiments(name, shown)
        place = st.container()
    if not experiments:
        return
    found: list[Job | None] = list(jobs) or [known_run(scene, one) for one in experiments]
    compared = all_of(experiments, found, scene)
    edit(compared, settings.current() or shown.recommended, _keep)
    pressed = _button(place, compared)
    example = fresh and scene.name == sample_names()[0]  # something to look at, before anything has been asked for
    if pressed or (example and not any(found)):
        compared = all_of(experiments, _submitted(scene, experiments, in_address=pressed), scene)
    expect(scene, [one.experiment for one in compared if one.job is None])
    if scene.digest != shown.scene.digest:
        st.caption(plain(f"The runs of {scene.name}"))
    watch(*[one.job for one in compared if one.job is not None])
    show_panel(compared, scene)


def _forget_other_scenes(scene: Scene) -> None:
    """Another picture's runs are not this one's; a ready-made comparison is made anew for it."""
    before = st.session_state.get(_SCENE)
    st.session_state[_SCENE] = scene.digest
    if before is not None and before != scene.digest:
        for name in (RUNS, *_LOOK):
            st.query_params.pop(name, None)


def _runs_of_the_address() -> list[Job]:
    """The runs of a link, of one scene; none where one is no longer kept."""
    ids = [part for part in st.query_params.get(RUNS, "").split(",") if part][:MOST]
    found = [find(one) for one in ids]
    jobs = [job for job in found if job is not None and isinstance(job.experiment, Experiment)]
    if len(jobs) < len(ids):
        note("Runs of this link are no longer kept: press Compare to have them again.")
        return []
    if len({job.scene.digest for job in jobs}) > 1:
        note("These runs are of different pictures, which cannot be laid side by side; the first one's are shown.")
        jobs = [job for job in jobs if job.scene.digest == jobs[0].scene.digest]
    return jobs


def _picture(scene: Scene) -> None:
    step = max(1, -(-max(scene.width, scene.height) // 600))
    painted = overlay(scene.image[::step, ::step], scene.labels[::step, ::step], scene.classes, 0.5)
    names = ", ".join(c.name for c in scene.classes)
    st.image(png(painted), width="stretch", alt=f"{scene.name} with its classes in colour: {names}")


def _comparison(runs: bool) -> str:
    """The choice of a ready-made comparison, or of one's own."""
    asked = st.query_params.get(COMPARISON, _OWN if runs or WITH in st.query_params else _FIRST)
    names = [*COMPARISONS, _OWN]
    asked = asked if asked in names else _FIRST
    name = st.selectbox(
        "What to compare",
        names,
        index=names.index(asked),
        key=f"compare {asked}",
        format_func=lambda one: COMPARISONS[one].title if one in COMPARISONS else "Your own set",
    )
    if name != asked:
        st.query_params[COMPARISON] = name
        for other in (RUNS, WITH, *_LOOK):
            st.query_params.pop(other, None)
        st.rerun()
    if name in COMPARISONS:
        st.markdown(f"**{COMPARISONS[name].question}**")
    else:
        st.markdown("**How do these differ, and what comes of it?**")
    return name


def _experiments(name: str, shown: Shown) -> list[Experiment]:
    """The configurations of the address, or of the comparison on this scene; none, with the reason on the page."""
    if WITH in st.query_params:
        try:
            return _read(st.query_params[WITH])
        except ExperimentError as refusal:
            error(str(refusal))
            return []
    base = settings.current() or shown.recommended
    if name == _OWN:
        return [base, base]
    if name == _FIX:
        return _with_fix(shown.scene, base)
    try:
        return configurations(name, base, shown.scene)
    except ExperimentError:
        base = shown.recommended  # what the person has set up need not go with every variant
    try:
        return configurations(name, base, shown.scene)
    except ExperimentError as refusal:
        note(str(refusal))
        return []


def _with_fix(scene: Scene, base: Experiment) -> list[Experiment]:
    """The configuration of Diagnose and its fix, once it has been checked."""
    said = said_of(scene, base)
    if said is None:
        try:
            job = check(scene, base)
        except SegdebugError as refusal:
            error(str(refusal))
            return []
        st.fragment(_checking, run_every=_POLL if job.active else None)(job)
        return []
    if said.diagnosis.fix is None:
        note("The configuration of Diagnose needs no fix, or none is known. Choose another comparison.")
        return []
    return [base, said.diagnosis.fix]


def _checking(job: Job) -> None:
    if not job.active:
        st.rerun()
    st.markdown(":gray[The configuration of Diagnose is being checked …]")


def _read(text: str) -> list[Experiment]:
    """Configurations as the address has them. Raises ExperimentError for anything else."""
    try:
        parts = json.loads(text)
        queries = [{str(key): str(value) for key, value in part.items()} for part in parts]
    except (ValueError, AttributeError, TypeError, RecursionError):
        raise ExperimentError("The configurations of this link cannot be read: choose a comparison.") from None
    if not 2 <= len(queries) <= MOST:
        raise ExperimentError(f"Two to {MOST} configurations can be compared; this link has {len(queries)}.")
    return [Experiment.from_query(query) for query in queries]


def _keep(experiments: list[Experiment]) -> None:
    """Put a changed set into the address, and draw it."""
    st.query_params[WITH] = json.dumps([one.to_query() for one in experiments], separators=(",", ":"))
    st.query_params[COMPARISON] = _OWN
    for name in (RUNS, *_LOOK):
        st.query_params.pop(name, None)
    st.rerun()


def _button(place: st.delta_generator.DeltaGenerator, compared: list[Compared]) -> bool:
    training = [one.experiment.training for one in compared]
    steps = " / ".join(dict.fromkeys(str(t.steps) for t in training))
    size = " / ".join(dict.fromkeys(str(t.size) for t in training))
    with place, st.container(horizontal=True, vertical_alignment="center"):
        pressed = st.button("Compare", type="primary", key="compare")
        st.caption(plain(f"{len(compared)} configurations, {steps} steps at {size} px each"))
    return pressed


def _submitted(scene: Scene, experiments: list[Experiment], *, in_address: bool) -> list[Job | None]:
    jobs: list[Job | None] = []
    for one in experiments:
        try:
            jobs.append(submit(scene, one, remembered=in_address))
        except SegdebugError as refusal:
            error(str(refusal))
            jobs.append(None)
    if in_address:
        st.query_params[RUNS] = ",".join(job.id for job in jobs if job is not None)
    return jobs
