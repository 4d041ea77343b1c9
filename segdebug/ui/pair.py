"""Two runs side by side: the configuration as it is, and with the fix."""

from __future__ import annotations

import numpy as np
import streamlit as st

from segdebug.experiment import Experiment
from segdebug.export import comparison_stem
from segdebug.figures import HEIGHT, number
from segdebug.jobs import Job
from segdebug.scene import Scene
from segdebug.telling import changes_in_words
from segdebug.trace import Trace
from segdebug.ui import maps, settings
from segdebug.ui.curves import columns_of, pair_of_losses
from segdebug.ui.engine import FIXED, RUN, cancel, mine, said_of
from segdebug.ui.sources import grid_of
from segdebug.ui.take_away import figure_format
from segdebug.ui.text import plain
from segdebug.ui.verdict import badge

__all__ = ["AFTER", "BEFORE", "show"]

BEFORE, AFTER = "as it is", "with the fix"
_POLL = 0.5


def show(job: Job, fixed: Job, scene: Scene) -> None:
    """The pair's panel; it looks for news while either of them trains."""
    active = job.active or fixed.active
    st.fragment(_panel, run_every=_POLL if active else None)(job, fixed, scene, active)


def _panel(job: Job, fixed: Job, scene: Scene, was_active: bool) -> None:
    closed = FIXED not in st.query_params  # by a button here, which of itself draws only this part again
    if closed or (was_active and not job.active and not fixed.active):  # one whole rerun stops the polling
        st.rerun()
    changes = {field: then for field, (_, then) in job.experiment.difference(fixed.experiment).items()}
    st.caption(plain(f"Same picture, same seed. The fix: {'; '.join(changes_in_words(job.experiment, changes))}"))
    jobs = {BEFORE: job, AFTER: fixed}
    traces = {name: Trace(list(one.since(0))) for name, one in jobs.items()}
    for column, (name, one) in zip(st.columns(2), jobs.items(), strict=True):
        with column:
            _headline(name, one, traces[name])
    left, right = st.columns(2)
    with left:
        steps = max(one.experiment.training.steps for one in jobs.values())
        stem = comparison_stem(scene.name, [one.experiment for one in jobs.values()])
        pair_of_losses(traces, steps, stem, live=job.active or fixed.active)
    with right:
        _ious(traces, scene)
    _predictions(jobs, traces, scene)
    if not job.active and not fixed.active:
        figure_format()
    st.page_link(
        "pages/compare.py",
        label="Both on Compare: every map at every step, and any pixel's mathematics",
        icon=":material/compare:",
        query_params={"comparison": "fix", "runs": f"{job.id},{fixed.id}"},
    )


def _headline(name: str, job: Job, trace: Trace) -> None:
    """Verdict and numbers of one of the two, and the button that looks at it alone."""
    words, button = st.columns([3, 2])
    said = said_of(job.scene, job.experiment)
    sign = f" {badge(said.diagnosis.verdict)}" if said else ""
    words.markdown(f"**{name}**{sign}  \n{plain(_numbers(job, trace))}")
    if job.error is not None:
        st.caption(plain(str(job.error)))
    if job.active and mine(job):
        button.button("Cancel", key=f"cancel {name}", on_click=cancel, args=(job,), width="stretch")
    elif not job.active:
        button.button(
            "Look at this run",
            key=f"look {name}",
            on_click=_look_at,
            args=(job.id, job.experiment),
            width="stretch",
        )


def _numbers(job: Job, trace: Trace) -> str:
    if job.error is not None:
        return "It could not be run."
    if not trace.steps:
        return "Cancelled." if not job.active else "Waiting …" if job.state == "queued" else "Building the model …"
    steps = f"step {trace.steps} of {job.experiment.training.steps}" if job.active else f"{trace.steps} steps"
    losses = f"loss {number(trace.loss[0])} → {number(trace.loss[-1])}"
    return f"{steps}: {losses}, mean IoU {number(trace.mean_iou()[-1])}"


def _look_at(job_id: str, experiment: Experiment) -> None:
    """Leave the pair for one of its runs, with its configuration in the sidebar."""
    st.query_params.pop(FIXED, None)
    st.query_params[RUN] = job_id
    settings.set_experiment(experiment)


def _ious(traces: dict[str, Trace], scene: Scene) -> None:
    """Final IoU of each class and their mean, in one table."""
    last = {name: trace.iou()[-1] for name, trace in traces.items() if trace.steps}
    names = max((columns_of(traces[name], scene)[0] for name in last), key=len, default=[c.name for c in scene.classes])
    rows = []
    for k, label in [(None, "mean IoU"), *enumerate(names)]:
        row: dict[str, str | float | None] = {"class": label}
        for name, trace in traces.items():
            iou = last.get(name)
            value = np.nan if iou is None else trace.mean_iou()[-1] if k is None else iou[k] if k < len(iou) else np.nan
            row[name] = float(value) if np.isfinite(value) else None
        rows.append(row)
    bars = {name: st.column_config.ProgressColumn(name, min_value=0.0, max_value=1.0, format="%.3f") for name in traces}
    st.dataframe(
        rows,
        hide_index=True,
        key="pair_iou",
        height=min(HEIGHT, 38 + 35 * len(rows)),
        column_config={"class": st.column_config.TextColumn("IoU at the last step"), **bars},
        alt="IoU of each class at the last step, as it is and with the fix",
    )


def _predictions(jobs: dict[str, Job], traces: dict[str, Trace], scene: Scene) -> None:
    """The truth and both predictions at their last step; on two rows where the training grids differ."""
    sizes = sorted({job.experiment.training.size for job in jobs.values()})
    for size in sizes:
        grid = grid_of(scene, size)
        truth = grid.labels if grid.planes is None else grid.planes
        names, colours = columns_of(Trace(), scene)
        panels = [maps.class_panel("truth", truth, names, colours, "what the masks say")]
        for name, job in jobs.items():
            if job.experiment.training.size != size:
                continue
            snapshot = traces[name].at(job.experiment.training.steps)
            names, colours = columns_of(traces[name], scene)
            panels.append(
                maps.class_panel(name, snapshot.prediction, names, colours, f"prediction at step {snapshot.step}")
                if snapshot is not None
                else maps.blank_panel(name)
            )
        maps.draw(panels, size, scene.width / scene.height, key=f"pair_maps_{size}")
