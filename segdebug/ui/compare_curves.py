"""Loss against step of several configurations in one chart, which is updated in place while they train."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from segdebug.figures import number, readable, spans_decades
from segdebug.ui.compared import Compared
from segdebug.ui.text import plain

__all__ = ["AXES", "losses", "natural_axis"]

AXES = {
    "linear": "The number that fit prints at each step.",
    "log": "The number that fit prints at each step, on a logarithmic axis.",
    "relative": "Each loss divided by its own value at step 0: these losses have different scales, so that only how "
    "they fall can be compared, not how high they are.",
}
"""How the losses are drawn, and how to read it."""

_HEIGHT = 330
_POINTS_AT_MOST = 300
_LABEL_GAP = 0.065  # of the axis: the height of a letter


def natural_axis(compared: list[Compared]) -> str:
    """relative where other losses are compared, else log where they span decades."""
    scales = {(e.loss.name, e.loss.reduction, e.loss.class_weights) for e in (one.experiment for one in compared)}
    if len(scales) > 1:
        return "relative"
    values = np.concatenate([one.trace.loss for one in compared])
    return "log" if spans_decades(values) else "linear"


def losses(compared: list[Compared], axis: str) -> None:
    """The chart, its letters beside the ends of the lines."""
    steps = max(one.experiment.training.steps for one in compared)
    frames = [_frame(one, axis) for one in compared]
    data = pd.concat(frames)
    values = data["loss"].to_numpy(dtype=float)
    positive = bool(np.isfinite(values).any()) and float(np.nanmin(values)) > 0
    log = axis == "log" and positive
    title = {"relative": "loss ÷ loss at step 0"}.get(axis, "loss (log)" if log else "loss")
    letters = [one.letter for one in compared]
    scale = {"domain": letters, "range": [one.colour for one in compared]}
    dashes = {"domain": letters, "range": [list(one.dash) or [1, 0] for one in compared]}
    floors = _floors(compared, axis, values, log)
    domain = _domain(np.concatenate([values, list(floors)]), log)
    y: dict[str, Any] = {
        "field": "loss",
        "type": "quantitative",
        "title": title,
        "scale": {"type": "log" if log else "linear", "domain": domain, "nice": False, "clamp": True},
    }
    x = {"field": "step", "type": "quantitative", "scale": {"domain": [0, steps]}}
    shared = {"x": x, "y": y}
    # The first line is the widest: where lines coincide, each is still seen under the next.
    widths = {"domain": letters, "range": [2.5 + 1.1 * n for n in reversed(range(len(letters)))]}
    width = {"field": "of", "type": "nominal", "scale": widths, "legend": None}
    colour = {"field": "of", "type": "nominal", "scale": scale, "legend": None}
    dash = {"field": "of", "type": "nominal", "scale": dashes, "legend": None}
    tips = [{"field": "of", "title": "configuration"}, {"field": "step"}, {"field": "loss", "format": ".5g"}]
    line = {
        "mark": {"type": "line"},
        "encoding": {**shared, "color": colour, "strokeDash": dash, "strokeWidth": width, "tooltip": tips},
    }
    spec = {
        "layer": [
            line,
            *_dotted(floors, y),
            *_ends(compared, axis, domain, steps, log, y),
        ],
        "background": "transparent",
        "padding": {"right": 70},
        "config": {"view": {"stroke": None}},
    }
    st.vega_lite_chart(data.dropna(), spec, key="compared_losses", height=_HEIGHT, alt=_alt(compared, title))
    told = AXES[axis] if axis != "log" or log else f"{AXES['linear']} No logarithm: some value is not above 0."
    st.caption(
        plain(
            f"{told} Dotted: the least that a perfect network could print. "
            "Lines that coincide lie on each other, the first the widest."
        )
    )


def _frame(one: Compared, axis: str) -> pd.DataFrame:
    every = np.linspace(0, max(one.trace.steps - 1, 0), min(one.trace.steps, _POINTS_AT_MOST))
    kept = np.unique(every.astype(np.int64))
    loss = one.trace.loss[kept].astype(np.float64) if one.trace.steps else np.zeros(0)
    loss = np.where(np.isfinite(loss), loss, np.nan)
    return pd.DataFrame({"step": kept, "loss": loss / _unit(one, axis), "of": one.letter})


def _unit(one: Compared, axis: str) -> float:
    """What a loss is divided by."""
    if axis != "relative" or not one.trace.steps:
        return 1.0
    return abs(float(one.trace.loss[0])) or 1.0


def _domain(values: NDArray[np.float64], log: bool) -> list[float]:
    finite = values[np.isfinite(values)]
    if not finite.size:
        return [0.0, 1.0]
    low, high = float(finite.min()), float(finite.max())
    if log:
        return [low / 1.3, high * 1.3]
    room = 0.05 * (high - low) or 0.05 * abs(high) or 0.1
    return [low - room, high + room]


def _floors(compared: list[Compared], axis: str, values: NDArray[np.float64], log: bool) -> dict[float, str]:
    """Each configuration's floor that the axis can take, and the colour of the first that has it."""
    found: dict[float, str] = {}
    for one in compared:
        floor = None if one.said is None else one.said.diagnosis.floor
        if floor is None or not np.isfinite(values).any():
            continue
        value = round(floor / _unit(one, axis), 6)
        if readable({"floor": value}, values, log) and (value > 0 or not log):
            found.setdefault(value, one.colour)
    return found


def _dotted(floors: dict[float, str], y: dict[str, Any]) -> list[dict[str, Any]]:
    """A dotted line at each floor."""
    mark = {"type": "rule", "strokeDash": [1, 4], "strokeWidth": 2}
    return [
        {"data": {"values": [{"loss": value}]}, "mark": {**mark, "color": colour}, "encoding": {"y": y}}
        for value, colour in floors.items()
    ]


def _ends(
    compared: list[Compared], axis: str, domain: list[float], steps: int, log: bool, y: dict[str, Any]
) -> list[dict[str, Any]]:
    """Letter and last loss of each line at its end, moved apart where ends lie close together."""
    low, high = np.log(domain) if log else domain
    ends = []
    for one in compared:
        finite = np.flatnonzero(np.isfinite(one.trace.loss))
        if finite.size:
            value = float(one.trace.loss[finite[-1]]) / _unit(one, axis)
            share = ((np.log(value) if log else value) - low) / ((high - low) or 1.0)
            ends.append((float(share), one, float(one.trace.loss[finite[-1]])))
    ends.sort(key=lambda end: end[0])
    place = -np.inf
    rows = []
    for share, one, loss in ends:
        place = max(share, place + _LABEL_GAP)
        at = low + min(place, 1.0) * (high - low)
        at = float(np.exp(at) if log else at)
        rows.append({"loss": at, "step": one.trace.steps - 1, "told": f"{one.letter} {number(loss)}", "of": one.letter})
    if not rows:
        return []
    x = {"field": "step", "type": "quantitative", "scale": {"domain": [0, steps]}}
    text = {"field": "told"}
    mark = {"type": "text", "align": "left", "dx": 6, "fontSize": 13, "fontWeight": "bold", "clip": False}
    return [{"data": {"values": rows}, "mark": mark, "encoding": {"x": x, "y": y, "text": text}}]


def _alt(compared: list[Compared], title: str) -> str:
    ends = [f"{one.name}, last {number(one.trace.loss[-1])}" for one in compared if one.trace.steps]
    return f"{title} against step: {'; '.join(ends) or 'nothing yet'}"
