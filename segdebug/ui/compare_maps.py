"""One map of every configuration side by side: one colour scale, one step, one zoom for all."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from segdebug.figures import HOW_TO_READ
from segdebug.painting import Scale, scale_of
from segdebug.scene import Scene
from segdebug.scene.resize import resize_nearest
from segdebug.trace import Snapshot
from segdebug.ui import maps
from segdebug.ui.compared import Compared
from segdebug.ui.curves import columns_of
from segdebug.ui.links import whole
from segdebug.ui.pixel_link import open_pixel
from segdebug.ui.sources import grid_of
from segdebug.ui.text import plain

__all__ = ["KINDS", "small_multiples"]

KINDS = {
    "prediction": "What the output decodes to.",
    "error": "Orange: decoded to another class than the masks say.",
    "pixel loss": "Bright: costs most.",
    "|dL/dz|": "Bright: pulled hardest.",
    "dead pixels": "Orange: the gradient is exactly 0.",
}
"""What can be compared, and how to read it."""

_BYTES_AT_MOST = 6 * 2**20  # of all maps at all steps
_STEP = "step"


def small_multiples(compared: list[Compared], scene: Scene, kind: str, *, live: bool) -> None:
    """The truth and each configuration's map. live: the latest only, while they train; else every step kept."""
    size = max(one.experiment.training.size for one in compared)
    steps = [] if live else _steps(compared, size)
    scale = _scale(compared, kind)
    grid = grid_of(scene, size)
    names, colours = columns_of(max((one.trace for one in compared), key=lambda t: t.iou().shape[1]), scene)
    truth = grid.labels if grid.planes is None else grid.planes
    panels = [maps.class_panel("truth", truth, names, colours, "what the masks say")]
    for one in compared:
        found = [one.trace.at(step) for step in steps] if steps else [one.trace.at(one.experiment.training.steps)]
        drawn = [
            None if shot is None else _panel(one, shot, kind, size, scale, scene, (names, colours)) for shot in found
        ]
        there = [panel for panel in drawn if panel is not None]
        if not there:
            panels.append(maps.blank_panel(one.name, _why_blank(one, kind)))
        elif steps:
            panels.append(maps.over_steps([panel or there[0] for panel in drawn]))
        else:
            panels.append(there[-1])
    asked = whole(_STEP)
    step = asked if asked in steps else None
    count = len(panels)
    columns = count if count <= 5 else -(-count // 2)
    look = maps.draw(
        panels, size, scene.width / scene.height, "compared_maps", opens=True, columns=columns, steps=steps, step=step
    )
    told = "one scale for all configurations and steps. " if scale is not None else ""
    st.caption(plain(f"{KINDS[kind]} {told.capitalize()}{HOW_TO_READ['maps']}"))
    _follow(look, compared, steps, size)


def _why_blank(one: Compared, kind: str) -> str:
    if one.trace.snapshots:
        return f"no {kind}: {one.trace.no_pixel_loss or 'this loss has none'}"
    return "not yet" if one.job is not None and one.job.active else "was not run"


def _follow(look: maps.Look, compared: list[Compared], steps: list[int], size: int) -> None:
    """What the person did: the step goes into the address, a click to the Pixel page."""
    if look.step is not None and steps and str(look.step) != st.query_params.get(_STEP, str(steps[-1])):
        st.query_params[_STEP] = str(look.step)
    if look.pixel is None:
        return
    row, column, n = look.pixel
    chosen = compared[max(0, n - 1)]
    if chosen.job is None or not chosen.trace.steps:
        return
    others = [one for one in compared if one is not chosen and one.job is not None and one.trace.steps]
    step = min(look.step if look.step is not None else chosen.trace.steps - 1, chosen.trace.steps - 1)
    own = chosen.experiment.training.size
    row, column = (int((at + 0.5) * own / size) for at in (row, column))
    open_pixel(chosen.job.id, step, row, column, others[0].job.id if others and others[0].job else "")


def _steps(compared: list[Compared], size: int) -> list[int]:
    """Steps of the run that has the most maps, thinned out where they would be too many bytes."""
    kept = max(([s.step for s in one.trace.snapshots] for one in compared), key=len)
    most = max(2, _BYTES_AT_MOST // (size * size * len(compared)))
    if len(kept) <= most:
        return kept
    return [kept[int(n)] for n in np.unique(np.linspace(0, len(kept) - 1, most).astype(int))]


def _scale(compared: list[Compared], kind: str) -> Scale | None:
    """One scale for every map of that kind; None for kinds without one."""
    every: list[Any] = [_scalar(shot, kind) for one in compared for shot in one.trace.snapshots]
    values = [m for m in every if m is not None]
    return scale_of(values) if kind in ("pixel loss", "|dL/dz|") else None


def _scalar(shot: Snapshot, kind: str) -> NDArray[np.float32] | None:
    return {"pixel loss": shot.pixel_loss, "|dL/dz|": shot.gradient}.get(kind)


def _panel(
    one: Compared,
    shot: Snapshot,
    kind: str,
    size: int,
    scale: Scale | None,
    scene: Scene,
    classes: tuple[list[str], list[str]],
) -> maps.Panel | None:
    """One configuration's map at one step, painted at the size of all; None where the loss has none."""
    if kind == "prediction":
        return maps.class_panel(one.name, resize_nearest(shot.prediction, size), *classes, f"step {shot.step}")
    own = one.experiment.training.size
    grid = grid_of(scene, own)
    if kind == "error":
        truth: Any = grid.labels if grid.planes is None else grid.planes
        wrong = shot.prediction != _as_many(truth, shot.prediction)
        wrong = (wrong if wrong.ndim == 2 else wrong.any(axis=-1)) & grid.valid
        return maps.mask_panel(one.name, resize_nearest(wrong, size), "wrong", "right", _share(wrong, grid.valid))
    if kind == "dead pixels":
        dead = shot.dead
        return maps.mask_panel(one.name, resize_nearest(dead, size), "dL/dz 0", "not 0", _share(dead, grid.valid))
    values = _scalar(shot, kind)
    if values is None or scale is None:
        return None
    return maps.scalar_panel(one.name, resize_nearest(values, size), scale, f"step {shot.step}")


def _as_many(truth: Any, prediction: Any) -> Any:
    """The truth's planes with as many channels as the prediction has."""
    missing = prediction.shape[-1] - truth.shape[-1] if prediction.ndim == 3 else 0
    return np.pad(truth, ((0, 0), (0, 0), (0, missing))) if missing > 0 else truth


def _share(mask: NDArray[np.bool_], valid: NDArray[np.bool_]) -> float:
    return float((mask & valid).sum() / max(1, valid.sum()))
