"""A run's maps at one step, side by side, and one of them at a time for study."""

from __future__ import annotations

import streamlit as st

from segdebug.experiment import Experiment
from segdebug.figures import HOW_TO_READ, iou_bars, number, scalar_map
from segdebug.painting import scale_of
from segdebug.scene import Scene
from segdebug.trace import Snapshot, Trace
from segdebug.ui import maps
from segdebug.ui.curves import columns_of
from segdebug.ui.sources import grid_of
from segdebug.ui.take_away import figure_config
from segdebug.ui.text import plain
from segdebug.vocabulary import LOSSES

__all__ = ["run_maps", "study"]

_LOSS, _GRADIENT, _IOU = "pixel loss", "|dL/dz|", "IoU of each class"


def run_maps(trace: Trace, snapshot: Snapshot | None, scene: Scene, experiment: Experiment) -> tuple[int, int] | None:
    """The maps; before the first of them has come, their places. The (row, column) of a pixel that was clicked."""
    size = experiment.training.size
    grid = grid_of(scene, size)
    names, colours = columns_of(trace, scene)
    truth = grid.labels if grid.planes is None else grid.planes
    panels = [
        maps.picture_panel("picture", grid.image),
        maps.class_panel("truth", truth, names, colours, "what the masks say"),
    ]
    if snapshot is None:
        titles = ["prediction", *([_LOSS] if LOSSES[experiment.loss.name].per_pixel else []), _GRADIENT, "dead pixels"]
        panels += [maps.blank_panel(title) for title in titles]
    else:
        panels += _of_step(trace, snapshot, names, colours)
    look = maps.draw(panels, size, scene.width / scene.height, key="maps", opens=snapshot is not None)
    reason = f"No pixel loss: {trace.no_pixel_loss}. " if trace.no_pixel_loss is not None else ""
    st.caption(plain(f"{reason}{HOW_TO_READ['maps']}"))
    return look.pixel[:2] if look.pixel else None


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
