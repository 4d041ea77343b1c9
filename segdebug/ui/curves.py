"""Loss and IoU against step: Vega-Lite while a run trains, which the browser updates in place; then Plotly, for
study. Both take their text and grid from the page's theme, and the same height."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from segdebug.diagnosis import Diagnosis
from segdebug.figures import (
    CASING,
    HEIGHT,
    HOW_TO_READ,
    LABELLED_AT_MOST,
    expected_lines,
    iou_curves,
    loss_curve,
    readable,
    spans_decades,
)
from segdebug.losses_figure import LINES, losses_curve, overlaid
from segdebug.scene import Scene
from segdebug.trace import Trace
from segdebug.ui.points import points
from segdebug.ui.take_away import figure_config

__all__ = ["columns_of", "ended_curves", "live_curves", "pair_of_losses"]

_SPARE_COLOUR = "#b0b0b0"  # of a channel that the scene has no class for


def live_curves(
    trace: Trace, steps: int, names: list[str], colours: list[str], diagnosis: Diagnosis | None = None
) -> None:
    """The curves so far, the step axis already as long as the run will be; with the losses to expect."""
    left, right = st.columns(2)
    loss = trace.loss
    log = spans_decades(loss)
    lines = readable(_expected(diagnosis), loss, log)
    with left:
        spec = _loss_spec(steps, loss, log, lines)
        data = points({"loss": loss}, "loss", "of")
        st.vega_lite_chart(data, spec, key="live_loss", height=HEIGHT, alt=_loss_alt(lines))
        st.caption(HOW_TO_READ["loss"])
    with right:
        data = points(dict(zip(names, trace.iou().T, strict=False)), "IoU", "class")
        spec = _iou_spec(steps, names, colours)
        st.vega_lite_chart(data, spec, key="live_iou", height=HEIGHT, alt="IoU of each class against step")
        st.caption(_how_to_read(names))


def ended_curves(
    trace: Trace, names: list[str], colours: list[str], diagnosis: Diagnosis | None = None, stem: str = "segdebug"
) -> None:
    """The curves of a run that has ended, with the losses to expect. stem: of the files that they are saved as."""
    left, right = st.columns(2)
    lines = _expected(diagnosis)
    with left:
        drawn = readable(lines, trace.loss, spans_decades(trace.loss))
        figure, config = loss_curve(trace.loss, lines=lines), figure_config(stem, "loss")
        st.plotly_chart(figure, key="loss_curve", config=config, alt=_loss_alt(drawn))
        st.caption(HOW_TO_READ["loss"])
    with right:
        figure, config = iou_curves(trace.iou(), names, colours), figure_config(stem, "iou")
        st.plotly_chart(figure, key="iou_curves", config=config, alt="IoU of each class against step")
        st.caption(_how_to_read(names))


def pair_of_losses(traces: dict[str, Trace], steps: int, stem: str, *, live: bool) -> None:
    """The losses of two runs in one chart, which is updated in place while they train. stem: of the file that it is
    saved as afterwards."""
    told = f"Loss against step: {' and '.join(traces)}"
    if not live:
        losses = {name: trace.loss for name, trace in reversed(traces.items())}  # the fix has the first line
        axis = "log" if spans_decades(np.concatenate(list(losses.values()))) else "linear"
        figure = losses_curve(overlaid(losses, {}, axis), steps).update_layout(height=HEIGHT)
        st.plotly_chart(figure, key="pair_curve", config=figure_config(stem, "loss"), alt=told)
        return
    every = np.concatenate([trace.loss for trace in traces.values()])
    log = spans_decades(every)
    colours = {"domain": list(traces), "range": [colour for colour, _ in reversed(LINES[: len(traces)])]}
    legend = {"orient": "top", "title": None, "symbolStrokeWidth": 3, "symbolType": "stroke"}
    encoding = {
        "x": _steps(steps),
        "y": _loss_axis(every, log),
        "color": {"field": "run", "type": "nominal", "scale": colours, "legend": legend},
        "strokeDash": {"field": "run", "type": "nominal", "scale": {**colours, "range": [[6, 4], [1, 0]]}},
    }
    spec = _spec({"mark": {"type": "line", "strokeWidth": 2.5}, "encoding": encoding})
    data = points({name: trace.loss for name, trace in traces.items()}, "loss", "run")
    st.vega_lite_chart(data, spec, key="pair_loss", height=HEIGHT, alt=told)


def _expected(diagnosis: Diagnosis | None) -> dict[str, float]:
    if diagnosis is None:
        return {}
    return expected_lines(diagnosis.initial, diagnosis.floor, diagnosis.plateau)


def _loss_alt(lines: dict[str, float]) -> str:
    return f"Loss against step{'; dashed: ' if lines else ''}{', '.join(lines)}"


def _how_to_read(names: list[str]) -> str:
    return HOW_TO_READ["iou" if len(names) <= LABELLED_AT_MOST else "iou of many"]


def columns_of(trace: Trace, scene: Scene) -> tuple[list[str], list[str]]:
    """A name and a colour for each column of the trace's counts."""
    n = max(trace.iou().shape[1], scene.n_classes)
    extra = range(scene.n_classes, n)
    names = [c.name for c in scene.classes] + [f"channel {k}" for k in extra]
    return _distinct(names), [c.colour for c in scene.classes] + [_SPARE_COLOUR for _ in extra]


def _distinct(names: list[str]) -> list[str]:
    """The names, with the class's number where two are the same."""
    return [name if names.count(name) == 1 else f"{name} {k}" for k, name in enumerate(names)]


def _loss_spec(steps: int, loss: Any, log: bool, lines: dict[str, float]) -> dict[str, Any]:
    y = _loss_axis([*loss, *lines.values()], log)
    curve = {"mark": {"type": "line", "strokeWidth": 2.5}, "encoding": {"x": _steps(steps), "y": y}}
    layers: list[dict[str, Any]] = [curve]
    for words, value in lines.items():
        data = {"values": [{"loss": value, "told": words}]}
        rule = {"type": "rule", "strokeDash": [6, 4], "color": CASING, "strokeWidth": 1.5}
        text = {"type": "text", "align": "right", "baseline": "bottom", "dy": -2, "x": "width", "fontSize": 12}
        at = {"y": {"field": "loss", "type": "quantitative"}}
        layers.append({"data": data, "mark": rule, "encoding": at})
        layers.append({"data": data, "mark": text, "encoding": {**at, "text": {"field": "told"}}})
    return _spec({"layer": layers})


def _loss_axis(loss: Any, log: bool) -> dict[str, Any]:
    y: dict[str, Any] = {"field": "loss", "type": "quantitative", "title": "loss (log)" if log else "loss"}
    y["scale"] = {"type": "log"} if log else {"zero": False}
    if not np.isfinite(loss).any():
        y["scale"] = {"domain": [0, 1]}
    return y


def _iou_spec(steps: int, names: list[str], colours: list[str]) -> dict[str, Any]:
    colour = {
        "field": "class",
        "type": "nominal",
        "scale": {"domain": names, "range": colours},
        "legend": {"orient": "right", "title": None, "symbolStrokeWidth": 5, "labelLimit": 90}
        if len(names) <= LABELLED_AT_MOST
        else None,
    }
    y = {"field": "IoU", "type": "quantitative", "scale": {"domain": [0, 1]}}
    encoding = {"x": _steps(steps), "y": y}
    casing = {
        "mark": {"type": "line", "strokeWidth": 4, "color": CASING},
        "encoding": {"detail": {"field": "class"}},
    }
    lines = {"mark": {"type": "line", "strokeWidth": 2.5}, "encoding": {"color": colour}}
    return _spec({"encoding": encoding, "layer": [casing, lines]})


def _steps(steps: int) -> dict[str, Any]:
    return {"field": "step", "type": "quantitative", "scale": {"domain": [0, steps]}}


def _spec(layer: dict[str, Any]) -> dict[str, Any]:
    return {**layer, "background": "transparent", "config": {"view": {"stroke": None}}}
