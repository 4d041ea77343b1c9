"""The runs of a lesson, side by side: losses in one chart, IoU in one table, maps on one scale."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import streamlit as st

from segdebug.figures import CASING, HEIGHT, number, spans_decades
from segdebug.jobs import Job
from segdebug.lessons import Side
from segdebug.losses_figure import LINES
from segdebug.painting import scale_of
from segdebug.run import Run
from segdebug.scene import Scene
from segdebug.trace import OUTCOMES, Snapshot, Trace
from segdebug.ui import maps, run_panel
from segdebug.ui.curves import columns_of
from segdebug.ui.engine import cancel, mine
from segdebug.ui.points import points
from segdebug.ui.sources import grid_of
from segdebug.ui.text import plain

__all__ = ["show"]

_POLL = 0.5
_LARGE = 440  # pixels, of the losses in a room
_MAPS = ("prediction", "pixel loss", "|dL/dz|", "dead pixels")


def show(
    jobs: Mapping[str, Job], sides: tuple[Side, ...], scene: Scene, panels: tuple[str, ...], *, large: bool = False
) -> None:
    """The runs' panel; it looks for news while one of them trains, and not afterwards. large: for a room."""
    active = any(job.active for job in jobs.values())
    height = _LARGE if large else HEIGHT
    st.fragment(_panel, run_every=_POLL if active else None)(jobs, sides, scene, panels, active, height)


def _panel(
    jobs: Mapping[str, Job],
    sides: tuple[Side, ...],
    scene: Scene,
    panels: tuple[str, ...],
    was_active: bool,
    height: int,
) -> None:
    if was_active and not any(job.active for job in jobs.values()):  # one whole rerun stops the polling
        st.rerun()
    traces = {name: Trace(list(job.since(0))) for name, job in jobs.items()}
    for column, side in zip(st.columns(len(sides)), sides, strict=True):
        with column:
            _headline(side, jobs[side.name], traces[side.name])
    for panel in panels:
        _draw(panel, jobs, traces, scene, height)


def _draw(panel: str, jobs: Mapping[str, Job], traces: Mapping[str, Trace], scene: Scene, height: int) -> None:
    """One of the panels; "findings" are the reveal's."""
    drawers: dict[str, Callable[[], None]] = {
        "loss": lambda: _losses(traces, jobs, height),
        "iou": lambda: _ious(traces, scene),
        "maps": lambda: _maps(jobs, traces, scene),
    }
    if panel in drawers:
        drawers[panel]()


def _headline(side: Side, job: Job, trace: Trace) -> None:
    st.markdown(f"**{side.name}** {plain(side.label)}", help=plain(run_panel.in_words(side.experiment)))
    if job.active:
        st.progress(min(1.0, trace.steps / side.experiment.training.steps), text=_so_far(job, trace))
        if mine(job):
            st.button("Cancel", key=f"cancel {side.name}", on_click=cancel, args=(job,), type="tertiary")
        return
    if not trace.steps:
        run_panel.show_why(job)
        return
    losses = f"loss {number(trace.loss[0])} → {number(trace.loss[-1])}"
    outcome = job.result.trace.outcome if isinstance(job.result, Run) else None
    why = f"; ended there: {OUTCOMES[outcome]}" if outcome in ("not_finite", "diverged") else ""
    seconds = f" in {number(job.result.seconds)} s" if isinstance(job.result, Run) else ""
    st.markdown(plain(f"{trace.steps} steps{seconds}: {losses}, mean IoU {number(trace.mean_iou()[-1])}{why}"))


def _so_far(job: Job, trace: Trace) -> str:
    if job.state == "queued" and job.place:
        return f"Waiting, {job.place} run{'s' if job.place != 1 else ''} ahead"
    return f"Step {trace.steps}" if trace.steps else "Starting …"


def _losses(traces: Mapping[str, Trace], jobs: Mapping[str, Job], height: int) -> None:
    losses = {name: trace.loss for name, trace in traces.items()}
    data = points(losses, "loss", "run")
    log = spans_decades(np.concatenate(list(losses.values())))
    steps = max(job.experiment.training.steps for job in jobs.values())
    told = f"Loss against step of {', '.join(traces)}"
    st.vega_lite_chart(
        data, _spec(list(traces), steps, log, large=height == _LARGE), key="lesson_loss", height=height, alt=told
    )
    st.caption("The number that fit prints at each step." + (" The axis is logarithmic." if log else ""))


def _spec(names: list[str], steps: int, log: bool, *, large: bool) -> dict[str, Any]:
    y: dict[str, Any] = {"field": "loss", "type": "quantitative", "title": "loss (log)" if log else "loss"}
    y["scale"] = {"type": "log"} if log else {"zero": False}
    legend = {
        "orient": "top",
        "title": None,
        "symbolStrokeWidth": 4,
        "symbolType": "stroke",
        "labelFontSize": 24 if large else 15,
    }
    colour = {"domain": names, "range": [colour for colour, _ in LINES[: len(names)]]}
    encoding = {
        "x": {"field": "step", "type": "quantitative", "scale": {"domain": [0, steps]}},
        "y": y,
        "color": {"field": "run", "type": "nominal", "scale": colour, "legend": legend},
        "strokeDash": {
            "field": "run",
            "type": "nominal",
            "scale": {"domain": names, "range": [list(dash) or [1, 0] for _, dash in LINES[: len(names)]]},
            "legend": None,
        },
    }
    layer = {"mark": {"type": "line", "strokeWidth": 3}, "encoding": encoding}
    return {**layer, "background": "transparent", "config": {"view": {"stroke": None}, "axis": {"titleColor": CASING}}}


def _ious(traces: Mapping[str, Trace], scene: Scene) -> None:
    """Final IoU of each class and their mean, in one table."""
    longest = max(traces.values(), key=lambda trace: trace.iou().shape[1])
    names = columns_of(longest, scene)[0]
    rows = []
    for k, label in [(None, "mean IoU"), *enumerate(names)]:
        row: dict[str, str | float | None] = {"class": label}
        for name, trace in traces.items():
            row[name] = _iou(trace, k)
        rows.append(row)
    bars = {name: st.column_config.ProgressColumn(name, min_value=0.0, max_value=1.0, format="%.3f") for name in traces}
    st.dataframe(
        rows,
        hide_index=True,
        key="lesson_iou",
        height=min(HEIGHT, 38 + 35 * len(rows)),
        column_config={"class": st.column_config.TextColumn("IoU at the last step"), **bars},
        alt=f"IoU of each class at the last step, of {', '.join(traces)}",
    )


def _iou(trace: Trace, k: int | None) -> float | None:
    if not trace.steps:
        return None
    last = trace.iou()[-1]
    value = trace.mean_iou()[-1] if k is None else last[k] if k < len(last) else np.nan
    return float(value) if np.isfinite(value) else None


def _maps(jobs: Mapping[str, Job], traces: Mapping[str, Trace], scene: Scene) -> None:
    """The truth, and of each run the prediction or another map, at one step; on two rows where grids differ."""
    chosen = st.segmented_control("Maps", _MAPS, default=_MAPS[0], required=True, key="lesson_map", bind="query-params")
    step = _step(traces, done=not any(job.active for job in jobs.values()))
    for size in sorted({job.experiment.training.size for job in jobs.values()}):
        here = [name for name, job in jobs.items() if job.experiment.training.size == size]
        grid = grid_of(scene, size)
        truth = grid.labels if grid.planes is None else grid.planes
        names, colours = columns_of(Trace(), scene)
        panels = [maps.class_panel("truth", truth, names, colours, "what the masks say")]
        shots = {name: traces[name].at(step) for name in here}
        panels += [_map(chosen, name, traces, shots, scene) for name in here]
        maps.draw(panels, size, scene.width / scene.height, key=f"lesson_maps_{size}")


def _step(traces: Mapping[str, Trace], *, done: bool) -> int:
    """The step whose maps are shown: the last, until another is chosen."""
    steps = sorted({shot.step for trace in traces.values() for shot in trace.snapshots})
    if not done or len(steps) < 2:
        return steps[-1] if steps else 0
    return int(st.select_slider("Step", steps, steps[-1], key="lesson_step"))


def _map(
    kind: str, name: str, traces: Mapping[str, Trace], shots: Mapping[str, Snapshot | None], scene: Scene
) -> maps.Panel:
    shot, trace = shots[name], traces[name]
    title = f"{name}: {kind}"
    if shot is None or (kind == "pixel loss" and shot.pixel_loss is None):
        return maps.blank_panel(title)
    if kind == "prediction":
        names, colours = columns_of(trace, scene)
        return maps.class_panel(title, shot.prediction, names, colours, f"at step {shot.step}")
    if kind == "dead pixels":
        share = float(trace.scalar("dead")[shot.step])
        return maps.mask_panel(title, shot.dead, "dL/dz exactly 0", "dL/dz not 0", share)
    of = [shot.pixel_loss if kind == "pixel loss" else shot.gradient for shot in shots.values() if shot is not None]
    scale = scale_of([values for values in of if values is not None])
    values = shot.pixel_loss if kind == "pixel loss" else shot.gradient
    assert values is not None
    return maps.scalar_panel(title, values, scale, f"at step {shot.step}, one scale for all runs")
