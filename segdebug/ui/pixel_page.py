"""The parts of the Pixel page: which run, step and pixel; its way; one logit; and how all pixels make one number."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import streamlit as st

from segdebug.errors import SegdebugError
from segdebug.experiment import OPTIONS, Experiment
from segdebug.export import file_stem
from segdebug.figures import HOW_TO_READ, number
from segdebug.jobs import Job
from segdebug.painting import scale_of
from segdebug.pixel import Moment, PixelPath, path_of
from segdebug.scene import sample_info, sample_names
from segdebug.trace import Snapshot, Trace
from segdebug.ui import maps, pixel_table, run_maps, run_panel, sources
from segdebug.ui.curves import columns_of
from segdebug.ui.engine import RUN, find, latest, look_into, looked_at, lost, submit, watch
from segdebug.ui.links import whole
from segdebug.ui.pixel_link import COLUMN, OTHER, ROW
from segdebug.ui.pixel_numbers import all_together, known, one_logit
from segdebug.ui.text import error, note, plain

__all__ = ["Place", "place", "show"]

_POLL = 0.4
_STEP = run_maps.STEP


@dataclass(frozen=True)
class Place:
    """What the page is about: a run, its trace so far, a step, a pixel, and the run of the third column."""

    job: Job
    trace: Trace
    step: int
    row: int
    column: int
    other: Job | None

    @property
    def snapshot(self) -> Snapshot:
        """The maps of the step, or of the latest before it that has some."""
        found = self.trace.at(self.step)
        assert found is not None
        return found


def place() -> Place | None:
    """Run, step and pixel of the address; else the run last looked at, or an example, and its dearest pixel."""
    job = _run()
    if job is None:
        return None
    trace = Trace(list(job.since(0)))
    if not trace.snapshots:
        _wait_for(job)
        return None
    step = _asked(_STEP, trace.steps)
    step = trace.snapshots[-1].step if step is None else step
    size = job.experiment.training.size
    row, column = _asked(ROW, size), _asked(COLUMN, size)
    if row is None or column is None:
        row, column = _dearest(trace, step)
    other = find(st.query_params[OTHER]) if OTHER in st.query_params else None
    return Place(job, trace, step, row, column, other if other is not job else None)


def _run() -> Job | None:
    asked = st.query_params.get(RUN)
    job = find(asked) if asked else None
    if asked and (job is None or not isinstance(job.experiment, Experiment)):
        note(lost(asked))
        job = None
    job = job or looked_at()
    if job is not None:
        if job.error is not None and not job.since(0):
            run_panel.show_why(job)
            return None
        return job
    name = sample_names()[0]
    scene = sources.sample_scene(name)
    last = latest(scene)
    if last is not None:
        return last
    example = Experiment().changed(sample_info(name).experiment).changed(_TWICE)
    st.caption(plain("An example, until you click a pixel of a run of yours: a softmax that the loss applies again"))
    try:
        return submit(scene, example, remembered=False)
    except SegdebugError as refusal:
        error(str(refusal))
        return None


_TWICE = {
    "head.activation": "softmax",
    "head.attachment": "then_reshape",
    "target.layout": "flat",
    "loss.name": "categorical_crossentropy",
    "loss.from_logits": True,
}


def _wait_for(job: Job) -> None:
    """Until the run has its first maps; what it has is then shown."""
    watch(job)
    if not job.active:
        run_panel.show_why(job)
        return
    st.fragment(_first_maps, run_every=_POLL)(job)


def _first_maps(job: Job) -> None:
    if job.since(0) or not job.active:
        st.rerun()
    with st.container(height=420, border=False):
        st.markdown(":gray[The run is about to begin …]")


def _asked(name: str, limit: int) -> int | None:
    """A whole number of the address, from 0 to below the limit; else None."""
    number = whole(name)
    return number if number is not None and number < limit else None


def _dearest(trace: Trace, step: int) -> tuple[int, int]:
    """The pixel that costs most at that step, or where there is none the one that is pulled hardest."""
    snapshot = trace.at(step) or trace.snapshots[-1]
    values = snapshot.gradient if snapshot.pixel_loss is None else snapshot.pixel_loss
    row, column = np.unravel_index(int(np.argmax(np.nan_to_num(values, nan=np.inf))), values.shape)
    return int(row), int(column)


def show(here: Place) -> None:
    """The page below its title."""
    left, right = st.columns([7, 5], gap="medium")
    with left:
        _maps(here)
    with right:
        _controls(here)
        head = st.container(height=160, border=False)
    watched = [here.job, *([here.other] if here.other else [])]
    steps = [here.step, *([min(here.step, _last(here.other))] if here.other else [])]
    try:
        moments = [look_into(job, step) for job, step in zip(watched, steps, strict=True)]
    except SegdebugError as refusal:
        error(str(refusal))
        return
    watch(*watched, *moments)
    active = any(job.active for job in moments)
    st.fragment(_replaying, run_every=_POLL if active else None)(moments, here, active)
    if active:
        return
    found = [job.result if isinstance(job.result, Moment) else None for job in moments]
    for job in moments:
        if not isinstance(job.result, Moment):
            error(str(job.error or "The step was not done again. Load the page again."))
    if found[0] is None:
        return
    _about(here, found[0], found[1] if len(found) > 1 else None, head)


def _last(job: Job | None) -> int:
    return 0 if job is None else max(0, Trace(list(job.since(0))).steps - 1)


def _replaying(moments: list[Job], here: Place, was_active: bool) -> None:
    """Progress of the steps that are done again; one whole rerun shows them."""
    if not was_active:
        return
    if not any(job.active for job in moments):
        st.rerun()
    job = next(job for job in moments if job.active)
    done = max((value for value in job.since(0) if isinstance(value, int)), default=0)
    if job.state == "queued" and job.place:
        told = f"Waiting, {job.place} run{'s' if job.place != 1 else ''} ahead"
    else:
        told = f"Doing the run again to step {here.step}, to keep every tensor of it: {done} of {here.step}"
    with st.container(height=600, border=False):
        st.progress(min(1.0, done / max(1, here.step)), text=told)


def _maps(here: Place) -> None:
    """Where the pixel is; a click goes to another."""
    job, snapshot = here.job, here.snapshot
    scene, size = job.scene, job.experiment.training.size
    grid = sources.grid_of(scene, size)
    names, colours = columns_of(here.trace, scene)
    truth = grid.labels if grid.planes is None else grid.planes
    panels = [
        maps.picture_panel("picture", grid.image),
        maps.class_panel("truth", truth, names, colours, "what the masks say"),
        maps.class_panel("prediction", snapshot.prediction, names, colours, f"at step {snapshot.step}"),
    ]
    values = snapshot.gradient if snapshot.pixel_loss is None else snapshot.pixel_loss
    title = "|dL/dz|" if snapshot.pixel_loss is None else "pixel loss"
    panels.append(maps.scalar_panel(title, values, scale_of([values]), "bright: more"))
    look = maps.draw(
        panels, size, scene.width / scene.height, "pixel_maps", opens=True, columns=4, mark=(here.row, here.column)
    )
    st.caption(HOW_TO_READ["maps"])
    if look.pixel is not None and look.pixel[:2] != (here.row, here.column):
        _go(here, row=look.pixel[0], column=look.pixel[1])
        st.rerun()


def _controls(here: Place) -> None:
    """Run, step, row and column, by keyboard too."""
    st.markdown(f"**{plain(here.job.scene.name)}** · {plain(run_panel.in_words(here.job.experiment))}")
    size, key = here.job.experiment.training.size, f"{here.job.id} {here.step} {here.row} {here.column}"
    columns = st.columns(3)
    step = columns[0].number_input("Step", 0, max(0, here.trace.steps - 1), here.step, key=f"at step {key}")
    row = columns[1].number_input("Row", 0, size - 1, here.row, key=f"at row {key}")
    column = columns[2].number_input("Column", 0, size - 1, here.column, key=f"at column {key}")
    with st.container(horizontal=True):
        dearest = st.button("The pixel that costs most", key="dearest")
        back = f"/?{RUN}={here.job.id}&{_STEP}={here.snapshot.step}"
        st.link_button("The run", back, icon=":material/arrow_back:")
    if dearest:
        row, column = _dearest(here.trace, step)
    if (step, row, column) != (here.step, here.row, here.column):
        _go(here, step=step, row=row, column=column)
        st.rerun()


def _go(here: Place, *, step: int | None = None, row: int, column: int) -> None:
    """Put another pixel into the address."""
    st.query_params[RUN] = here.job.id
    st.query_params[_STEP] = str(here.step if step is None else step)
    st.query_params[ROW], st.query_params[COLUMN] = str(row), str(column)


def _about(here: Place, moment: Moment, other: Moment | None, head: st.delta_generator.DeltaGenerator) -> None:
    path = path_of(moment, here.row, here.column)
    with head:
        _headline(moment, path)
    theirs, name = None, ""
    if other is not None and here.other is not None:
        n = other.size
        theirs = path_of(other, here.row * n // moment.size, here.column * n // moment.size)
        difference = here.job.experiment.difference(here.other.experiment)
        name = (
            "; ".join(f"{field} {OPTIONS[field].write(then) or 'default'}" for field, (_, then) in difference.items())
            or "the other run"
        )
    st.subheader("Its way, stage by stage", anchor=False)
    st.caption(
        "Upright numbers are the run's own tensors, in the precision in which Keras computed them. *Italic* ones were "
        "worked out from these in float64, by the formula that the installed Keras was measured to compute."
    )
    pixel_table.stages(moment, path, theirs, name)
    one_logit(moment, path, file_stem(here.job.scene.name, here.job.experiment))
    all_together(moment)
    known(moment, path)


def _headline(moment: Moment, path: PixelPath) -> None:
    share, loss = path.stage("share"), path.stage("loss")
    where = f"Row {path.row}, column {path.column}"
    in_file = f"row {path.file_row}, column {path.file_column} of the files"
    st.markdown(f"### {where}: {plain(path.true_class)}")
    if share is not None and loss is not None and loss.done.numbers:
        told = f"Its loss is **{number(loss.done.numbers[0])}**; it adds **{number(share.done.numbers[0])}** to the "
        st.markdown(f"{told}printed **{moment.loss:.6g}** at step {moment.step}.")
    else:
        st.markdown(plain(f"The loss at step {moment.step} is {moment.loss:.6g}; {moment.no_values}."))
    st.caption(plain(f"On the {moment.size} × {moment.size} training grid; {in_file}."))
