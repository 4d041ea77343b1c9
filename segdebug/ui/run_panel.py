"""A run on the page: live while it trains, then its curves, its maps at any step, and its numbers to take."""

from __future__ import annotations

import streamlit as st

from segdebug.decoding import takes_logits
from segdebug.experiment import Experiment
from segdebug.export import curves_csv, file_stem, maps_npz, numbers_json
from segdebug.figures import HOW_TO_READ, Ink, iou_curves, loss_curve, scalar_map
from segdebug.jobs import Job
from segdebug.painting import scale_of
from segdebug.run import Run
from segdebug.scene import Scene
from segdebug.trace import OUTCOMES, Snapshot, Trace
from segdebug.ui import maps
from segdebug.ui.live import live_curves
from segdebug.ui.text import plain

__all__ = ["in_words", "show"]

_POLL = 0.5  # seconds between looks at a run that trains
_ACTIVE = ("queued", "running")
_SPARE_COLOUR = "#b0b0b0"


def in_words(experiment: Experiment) -> str:
    """The configuration in one line: what is not at its default is named."""
    head, loss, training = experiment.head, experiment.loss, experiment.training
    told = ""
    if "from_logits" not in loss.name and not loss.name.endswith("_with_logits"):
        told = f"(from_logits={takes_logits(experiment)})"
    return (
        f"{head.activation} [{head.attachment}] → {loss.name}{told} on {experiment.target.encoding} labels, "
        f"{training.steps} steps at {training.size} px, seed {training.seed}"
    )


def show(job: Job, scene: Scene) -> None:
    """The run's panel; it looks for news while the run trains, and not afterwards."""
    st.fragment(_panel, run_every=_POLL if job.state in _ACTIVE else None)(job, scene)


def _panel(job: Job, scene: Scene) -> None:
    state = job.state
    if state in _ACTIVE:
        _live(job, scene)
        return
    if st.session_state.get("live_run") == job.id:  # it has just ended: one whole rerun stops the polling
        del st.session_state["live_run"]
        st.rerun()
    _ended(job, scene)


def _live(job: Job, scene: Scene) -> None:
    st.session_state["live_run"] = job.id
    trace = Trace(list(job.since(0)))
    steps = job.experiment.training.steps
    bar, button = st.columns([5, 1], vertical_alignment="center")
    with bar:
        if job.state == "queued":
            ahead = job.place
            st.progress(0.0, text=f"Waiting, {ahead} run{'s' if ahead != 1 else ''} ahead" if ahead else "Starting …")
        else:
            loss = f", loss {trace.loss[-1]:.4g}" if trace.steps else ""
            st.progress(min(1.0, trace.steps / steps), text=f"Step {trace.steps} of {steps}{loss}")
    button.button("Cancel", on_click=job.cancel, key="cancel", width="stretch")
    names, colours = _columns(trace, scene)
    live_curves(trace, steps, names, colours)
    snapshot = trace.at(steps)
    if snapshot is not None:
        st.markdown(f"**Step {snapshot.step}**")
        _maps(trace, snapshot, scene, job.experiment.training.size)


def _ended(job: Job, scene: Scene) -> None:
    if job.error is not None:
        st.error(plain(str(job.error)), icon="✕")
    trace = job.result.trace if isinstance(job.result, Run) else Trace(list(job.since(0)))
    if not trace.steps:
        if job.state == "cancelled":
            st.info("Cancelled before its first step.", icon="·")
        return
    outcome = trace.outcome or ("cancelled" if job.state == "cancelled" else "ended early")
    _headline(trace, outcome, job)
    _curves(trace, scene)
    _step_maps(trace, scene, job.experiment)
    if isinstance(job.result, Run):
        _downloads(job.result, scene)


def _headline(trace: Trace, outcome: str, job: Job) -> None:
    mean = trace.mean_iou()[-1]
    seconds = f" in {job.seconds:.1f} s" if job.seconds else ""
    line = f"{trace.steps} steps{seconds}: loss {trace.loss[0]:.3g} → {trace.loss[-1]:.3g}, mean IoU {mean:.3f}"
    if outcome == "finished":
        st.markdown(f"**{plain(line)}**")
    else:
        st.warning(plain(f"{OUTCOMES.get(outcome, outcome)} at step {trace.steps}. {line}"), icon="!")
    if isinstance(job.result, Run):
        for warning in job.result.keras_warnings:
            st.caption(f"Keras warned: {plain(warning)}")


def _curves(trace: Trace, scene: Scene) -> None:
    ink = Ink.of(st.context.theme.type == "dark")
    names, colours = _columns(trace, scene)
    left, right = st.columns(2)
    loss = loss_curve(trace.loss, ink)
    left.plotly_chart(loss, key="loss_curve", width="stretch", theme=None, alt="Loss against step")
    left.caption(HOW_TO_READ["loss"])
    iou = iou_curves(trace.iou(), names, colours, ink)
    right.plotly_chart(iou, key="iou_curves", width="stretch", theme=None, alt="IoU of each class against step")
    right.caption(HOW_TO_READ["iou"])


def _step_maps(trace: Trace, scene: Scene, experiment: Experiment) -> None:
    steps = [snapshot.step for snapshot in trace.snapshots]
    if len(steps) > 1:
        step = st.select_slider("Step", steps, value=steps[-1], key="step", bind="query-params")
    else:
        step = steps[-1]
    snapshot = trace.at(step)
    assert snapshot is not None
    _maps(trace, snapshot, scene, experiment.training.size)
    st.caption(
        "One cell a pixel of the training grid; one scale for all steps. Point for values, Ctrl + wheel or + and − "
        "to zoom, drag to move, double-click to return."
    )
    if snapshot.metric is not None:
        shown = ", ".join(f"{value:.4g}" for value in snapshot.metric)
        st.caption(f"Your metric, {plain(experiment.metric.name)} ({plain(experiment.metric.decode)}), prints: {shown}")
    elif trace.metric_error is not None:
        st.caption(f"Your metric cannot be computed: {plain(trace.metric_error)}")
    _study(trace, snapshot)


def _maps(trace: Trace, snapshot: Snapshot, scene: Scene, size: int) -> None:
    grid = scene.at(size)
    names, colours = _columns(trace, scene)
    truth = grid.labels if grid.planes is None else grid.planes
    panels = [
        maps.picture_panel("picture", grid.image),
        maps.class_panel("truth", truth, names, colours),
        maps.class_panel("prediction", snapshot.prediction, names, colours),
    ]
    if snapshot.pixel_loss is not None:
        losses = [s.pixel_loss for s in trace.snapshots if s.pixel_loss is not None]
        panels.append(maps.scalar_panel("pixel loss", snapshot.pixel_loss, scale_of(losses)))
    gradients = scale_of([s.gradient for s in trace.snapshots])
    panels.append(maps.scalar_panel("|dL/dz|", snapshot.gradient, gradients))
    panels.append(maps.mask_panel("dead pixels", snapshot.dead, "dL/dz exactly 0", "dL/dz not 0"))
    maps.draw(panels, size, scene.width / scene.height, key="maps")
    if trace.no_pixel_loss is not None:
        st.caption(f"No pixel loss: {plain(trace.no_pixel_loss)}.")


def _study(trace: Trace, snapshot: Snapshot) -> None:
    choices = [name for name in ("pixel loss", "|dL/dz|") if name != "pixel loss" or snapshot.pixel_loss is not None]
    chosen = st.segmented_control("Study a map with its exact values", choices, key="study", bind="query-params")
    if chosen is None or chosen not in choices:
        return
    values = snapshot.pixel_loss if chosen == "pixel loss" else snapshot.gradient
    assert values is not None
    all_maps = [s.pixel_loss if chosen == "pixel loss" else s.gradient for s in trace.snapshots]
    scale = scale_of([m for m in all_maps if m is not None])
    figure = scalar_map(values, scale, chosen, Ink.of(st.context.theme.type == "dark"))
    st.plotly_chart(figure, key="study_map", width="stretch", theme=None, alt=f"{chosen} of step {snapshot.step}")
    st.caption(HOW_TO_READ["map"])


def _downloads(run: Run, scene: Scene) -> None:
    stem = file_stem(scene.name, run.experiment)
    csv, npz, numbers, _ = st.columns([1, 1, 1, 3])
    csv.download_button("Curves (CSV)", lambda: curves_csv(run), f"{stem}.csv", "text/csv", on_click="ignore")
    npz.download_button("Maps (NumPy)", lambda: maps_npz(run), f"{stem}.npz", "application/zip", on_click="ignore")
    numbers.download_button(
        "Everything (JSON)", lambda: numbers_json(run), f"{stem}.json", "application/json", on_click="ignore"
    )


def _columns(trace: Trace, scene: Scene) -> tuple[list[str], list[str]]:
    """A name and a colour for each column of the trace's counts."""
    n = max(trace.iou().shape[1], scene.n_classes)
    extra = range(scene.n_classes, n)
    names = [c.name for c in scene.classes] + [f"channel {k}" for k in extra]
    return _distinct(names), [c.colour for c in scene.classes] + [_SPARE_COLOUR for _ in extra]


def _distinct(names: list[str]) -> list[str]:
    """The names, with the class's number where two are the same."""
    return [name if names.count(name) == 1 else f"{name} {k}" for k, name in enumerate(names)]
