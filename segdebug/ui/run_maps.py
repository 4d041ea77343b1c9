"""A run's maps side by side, at any step that has some, and one of them at a time for study."""

from __future__ import annotations

from functools import partial

import streamlit as st

from segdebug.experiment import Experiment
from segdebug.figures import HOW_TO_READ, iou_bars, number, scalar_map
from segdebug.painting import scale_of
from segdebug.scene import Scene
from segdebug.trace import Snapshot, Trace
from segdebug.ui import maps
from segdebug.ui.curves import columns_of
from segdebug.ui.links import whole
from segdebug.ui.sources import grid_of
from segdebug.ui.take_away import figure_config
from segdebug.ui.text import plain
from segdebug.vocabulary import LOSSES

__all__ = ["STEP", "maps_at_any_step", "maps_now", "study"]

STEP = "step"
"""The address's parameter that names the step whose maps are shown."""

_KEY = "maps"
_LOSS, _GRADIENT, _IOU = "pixel loss", "|dL/dz|", "IoU of each class"


def maps_now(trace: Trace, scene: Scene, experiment: Experiment) -> tuple[Snapshot | None, tuple[int, int] | None]:
    """The latest maps of a run that trains; before the first have come, their places. Their step, and the (row,
    column) of a pixel that was clicked."""
    latest = trace.at(experiment.training.steps)
    if latest is None:
        titles = ["prediction", *([_LOSS] if LOSSES[experiment.loss.name].per_pixel else []), _GRADIENT, "dead pixels"]
        panels = [maps.blank_panel(title) for title in titles]
    else:
        panels = _of_step(trace, latest, *columns_of(trace, scene))
    size = experiment.training.size
    look = maps.draw(
        [*_given(trace, scene, size), *panels], size, _aspect(scene), _KEY, opens=latest is not None, steps=[]
    )
    _how_to_read(trace)
    return latest, look.pixel[:2] if look.pixel else None


def maps_at_any_step(trace: Trace, scene: Scene, experiment: Experiment) -> tuple[Snapshot, tuple[int, int] | None]:
    """The maps of a run that has ended, with a slider over its steps, which the address keeps. The step that it is
    at, and the (row, column) of a pixel that was clicked."""
    snapshots = trace.snapshots
    steps = [snapshot.step for snapshot in snapshots]
    asked = whole(STEP)
    at = steps.index(asked) if asked in steps else len(steps) - 1
    size = experiment.training.size
    look = maps.draw(
        [*_given(trace, scene, size), *_of_step(trace, snapshots[at], *columns_of(trace, scene))],
        size,
        _aspect(scene),
        _KEY,
        opens=True,
        steps=steps,
        step=steps[at],
        fetched=True,
        on_step=partial(_keep_step, steps),
    )
    _how_to_read(trace)
    return snapshots[at], look.pixel[:2] if look.pixel else None


def _keep_step(steps: list[int]) -> None:
    step = maps.step_told(_KEY, steps)
    if step is None or step == steps[-1]:
        st.query_params.pop(STEP, None)
    else:
        st.query_params[STEP] = str(step)


def _aspect(scene: Scene) -> float:
    return scene.width / scene.height


def _given(trace: Trace, scene: Scene, size: int) -> list[maps.Panel]:
    """Picture and truth, as every run of this size has them."""
    grid = grid_of(scene, size)
    truth = grid.labels if grid.planes is None else grid.planes
    return [
        maps.picture_panel("picture", grid.image),
        maps.class_panel("truth", truth, *columns_of(trace, scene), "what the masks say"),
    ]


def _how_to_read(trace: Trace) -> None:
    reason = f"No pixel loss: {trace.no_pixel_loss}. " if trace.no_pixel_loss is not None else ""
    st.caption(plain(f"{reason}{HOW_TO_READ['maps']}"))


def _of_step(trace: Trace, snapshot: Snapshot, names: list[str], colours: list[str]) -> list[maps.Panel]:
    panels = [maps.class_panel("prediction", snapshot.prediction, names, colours, "what the output decodes to")]
    if snapshot.pixel_loss is not None:
        losses = [s.pixel_loss for s in trace.snapshots if s.pixel_loss is not None]
        panels.append(maps.scalar_panel(_LOSS, snapshot.pixel_loss, scale_of(losses), "bright: costs most"))
    gradients = scale_of([s.gradient for s in trace.snapshots])
    panels.append(maps.scalar_panel(_GRADIENT, snapshot.gradient, gradients, "bright: pulled hardest"))
    share = float(trace.scalar("dead")[snapshot.step])
    panels.append(maps.mask_panel("dead pixels", snapshot.dead, "dL/dz exactly 0", "dL/dz not 0", share))
    return panels


def study(trace: Trace, snapshot: Snapshot, names: list[str], colours: list[str], stem: str) -> None:
    """One map large, with its exact values, or the IoU of every class at the step; none until asked. stem: of the
    files that the figures are saved as."""
    choices = [_GRADIENT, _IOU] if snapshot.pixel_loss is None else [_LOSS, _GRADIENT, _IOU]
    chosen = st.segmented_control(f"Study step {snapshot.step}", choices, key="study", bind="query-params")
    if chosen == _IOU:
        figure = iou_bars(trace.iou()[snapshot.step], names, colours)
        told, config = f"IoU of each class at step {snapshot.step}", figure_config(stem, f"iou-step{snapshot.step}")
        st.plotly_chart(figure, key="study_iou", config=config, alt=told)
        return
    values = snapshot.pixel_loss if chosen == _LOSS else snapshot.gradient if chosen == _GRADIENT else None
    if chosen is None or values is None:
        return
    every = [s.pixel_loss if chosen == _LOSS else s.gradient for s in trace.snapshots]
    scale = scale_of([m for m in every if m is not None])
    told = f"{chosen} at step {snapshot.step}, from {number(float(values.min()))} to {number(float(values.max()))}"
    name = "pixel_loss" if chosen == _LOSS else "gradient"
    config = figure_config(stem, f"{name}-step{snapshot.step}")
    st.plotly_chart(scalar_map(values, scale, chosen), key="study_map", config=config, alt=told)
    st.caption(HOW_TO_READ["map"])
