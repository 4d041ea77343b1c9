"""Curves that move while a run trains: Vega-Lite specifications, which the browser updates in place."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from segdebug.trace import Trace

__all__ = ["live_curves"]

_HEIGHT = 300
_POINTS_AT_MOST = 400  # more than the chart has pixels for


def live_curves(trace: Trace, steps: int, names: list[str], colours: list[str]) -> None:
    """Loss and IoU of each class so far, the step axis already as long as the run will be."""
    left, right = st.columns(2)
    every = np.linspace(0, max(trace.steps - 1, 0), min(trace.steps, _POINTS_AT_MOST))
    kept = np.unique(every.astype(np.int64))
    loss = trace.loss[kept] if trace.steps else np.zeros(0)
    with left:
        positive = bool(len(loss)) and bool(np.all(loss > 0)) and float(loss.max()) > 100 * float(loss.min())
        data = pd.DataFrame({"step": kept, "loss": loss})
        st.vega_lite_chart(data, _loss_spec(steps, positive), key="live_loss", width="stretch", theme=None)
    with right:
        iou = trace.iou()[kept] if trace.steps else np.zeros((0, len(names)))
        long = pd.DataFrame(iou, columns=[f"{k}" for k in range(iou.shape[1])])
        data = long.assign(step=kept).melt("step", var_name="k", value_name="IoU").dropna()
        data["class"] = [names[int(k)] for k in data["k"]]
        st.vega_lite_chart(
            data[["step", "class", "IoU"]],
            _iou_spec(steps, names, colours),
            key="live_iou",
            width="stretch",
            theme=None,
        )


def _loss_spec(steps: int, log: bool) -> dict[str, Any]:
    y = {"field": "loss", "type": "quantitative", "title": "loss (log)" if log else "loss", "axis": _axis()}
    y["scale"] = {"type": "log"} if log else {"zero": False}
    line = {"type": "line", "strokeWidth": 2.5, "color": "#0072b2" if _light() else "#56b4e9"}
    return _spec({"mark": line, "encoding": {"x": _steps(steps), "y": y}})


def _iou_spec(steps: int, names: list[str], colours: list[str]) -> dict[str, Any]:
    y = {"field": "IoU", "type": "quantitative", "scale": {"domain": [0, 1]}, "axis": _axis()}
    colour = {
        "field": "class",
        "type": "nominal",
        "scale": {"domain": names, "range": colours},
        "legend": {"orient": "right", "labelColor": _text(), "title": None, "symbolLimit": 12},
    }
    line = {"type": "line", "strokeWidth": 2.5}
    return _spec({"mark": line, "encoding": {"x": _steps(steps), "y": y, "color": colour}})


def _steps(steps: int) -> dict[str, Any]:
    return {"field": "step", "type": "quantitative", "scale": {"domain": [0, steps]}, "axis": _axis()}


def _axis() -> dict[str, Any]:
    grid = "#e3e5ea" if _light() else "#3a3f4b"
    return {"labelColor": _text(), "titleColor": _text(), "gridColor": grid, "domainColor": grid}


def _spec(layer: dict[str, Any]) -> dict[str, Any]:
    return {
        **layer,
        "height": _HEIGHT - 40,
        "background": "transparent",
        "config": {"view": {"stroke": None}},
    }


def _light() -> bool:
    return st.context.theme.type != "dark"


def _text() -> str:
    return "#262730" if _light() else "#e6e6e6"
