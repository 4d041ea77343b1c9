"""Loss and IoU against step: Vega-Lite while a run trains, which the browser updates in place; then Plotly, for
study. Both take their text and grid from the page's theme, and the same height."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from segdebug.figures import CASING, HEIGHT, HOW_TO_READ, LABELLED_AT_MOST, iou_curves, loss_curve, spans_decades
from segdebug.scene import Scene
from segdebug.trace import Trace

__all__ = ["columns_of", "ended_curves", "live_curves"]

_POINTS_AT_MOST = 400  # more than the chart has pixels for
_SPARE_COLOUR = "#b0b0b0"  # of a channel that the scene has no class for


def live_curves(trace: Trace, steps: int, names: list[str], colours: list[str]) -> None:
    """The curves so far, the step axis already as long as the run will be."""
    left, right = st.columns(2)
    every = np.linspace(0, max(trace.steps - 1, 0), min(trace.steps, _POINTS_AT_MOST))
    kept = np.unique(every.astype(np.int64))
    loss = trace.loss[kept] if trace.steps else np.zeros(0)
    data = pd.DataFrame({"step": kept, "loss": loss})
    log = spans_decades(loss)
    with left:
        st.vega_lite_chart(data, _loss_spec(steps, loss, log), key="live_loss", height=HEIGHT, alt="Loss against step")
        st.caption(HOW_TO_READ["loss"])
    with right:
        iou = trace.iou()[kept] if trace.steps else np.zeros((0, len(names)))
        long = pd.DataFrame(iou, columns=[f"{k}" for k in range(iou.shape[1])])
        data = long.assign(step=kept).melt("step", var_name="k", value_name="IoU").dropna()
        data["class"] = [names[int(k)] for k in data["k"]]
        spec = _iou_spec(steps, names, colours)
        shown = data[["step", "class", "IoU"]]
        st.vega_lite_chart(shown, spec, key="live_iou", height=HEIGHT, alt="IoU of each class against step")
        st.caption(_how_to_read(names))


def ended_curves(trace: Trace, names: list[str], colours: list[str]) -> None:
    """The curves of a run that has ended."""
    left, right = st.columns(2)
    with left:
        st.plotly_chart(loss_curve(trace.loss), key="loss_curve", alt="Loss against step")
        st.caption(HOW_TO_READ["loss"])
    with right:
        figure = iou_curves(trace.iou(), names, colours)
        st.plotly_chart(figure, key="iou_curves", alt="IoU of each class against step")
        st.caption(_how_to_read(names))


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


def _loss_spec(steps: int, loss: Any, log: bool) -> dict[str, Any]:
    y: dict[str, Any] = {"field": "loss", "type": "quantitative", "title": "loss (log)" if log else "loss"}
    y["scale"] = {"type": "log"} if log else {"zero": False}
    if not np.isfinite(loss).any():
        y["scale"] = {"domain": [0, 1]}
    return _spec({"mark": {"type": "line", "strokeWidth": 2.5}, "encoding": {"x": _steps(steps), "y": y}})


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
