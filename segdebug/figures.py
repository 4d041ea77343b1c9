"""Plotly figures of a run, for study: zoom, exact values, download. No streamlit here.

Each takes the colours of the page's theme, so that the same figure reads in light and dark. `HOW_TO_READ` has
one line for each.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from segdebug.painting import Scale

__all__ = ["HOW_TO_READ", "Ink", "iou_curves", "loss_curve", "scalar_map"]

HOW_TO_READ = {
    "loss": "The number that fit prints at each step, before that step's update. "
    "A logarithmic axis where it spans more than two decades.",
    "iou": "Overlap of predicted and true pixels of each class, divided by their union: 0 none, 1 perfect. "
    "A class that stays at 0 is never predicted where it is.",
    "map": "One cell a pixel of the training grid, never smoothed. Drag to zoom, double-click to return.",
}


@dataclass(frozen=True)
class Ink:
    """Colours of the page around a figure."""

    text: str
    grid: str
    loss: str

    @classmethod
    def of(cls, dark: bool) -> Ink:
        return cls("#e6e6e6", "#3a3f4b", "#56b4e9") if dark else cls("#262730", "#e3e5ea", "#0072b2")


def loss_curve(loss: NDArray[np.floating], ink: Ink) -> go.Figure:
    """Loss against step; the axis is logarithmic where positive values span more than two decades."""
    steps = np.arange(len(loss))
    finite = loss[np.isfinite(loss)]
    log = finite.size > 0 and finite.min() > 0 and finite.max() > 100 * finite.min()
    figure = go.Figure(go.Scatter(x=steps, y=loss, mode="lines", line={"color": ink.loss, "width": 2.5}, name="loss"))
    if len(finite):
        last = int(np.flatnonzero(np.isfinite(loss))[-1])
        y = float(np.log10(loss[last])) if log else float(loss[last])
        figure.add_annotation(
            x=last, y=y, text=f"{loss[last]:.3g}", showarrow=False, xanchor="right", yanchor="bottom", yshift=6
        )
    _broken_off(figure, loss, ink)
    _layout(figure, ink, "loss (log)" if log else "loss")
    figure.update_yaxes(type="log" if log else "linear", exponentformat="power")
    return figure


def iou_curves(iou: NDArray[np.floating], names: list[str], colours: list[str], ink: Ink) -> go.Figure:
    """IoU of each class against step, always on 0..1, each line labelled at its end."""
    figure = go.Figure()
    steps = np.arange(len(iou))
    for k, (name, colour) in enumerate(zip(names, colours, strict=True)):
        line = {"color": colour, "width": 2.5}
        figure.add_trace(go.Scatter(x=steps, y=iou[:, k], mode="lines", line=line, name=name))
    if len(names) <= 12:
        _label_ends(figure, iou, names, colours)
    _layout(figure, ink, "IoU")
    figure.update_yaxes(range=[-0.03, 1.05])
    figure.update_layout(showlegend=len(names) > 12, margin={"r": 110 if len(names) <= 12 else 10})
    return figure


def scalar_map(values: NDArray[np.floating], scale: Scale, title: str, ink: Ink) -> go.Figure:
    """A map with its exact values on hover, on the scale of all steps."""
    shown = np.log10(np.clip(values, scale.low, None)) if scale.log else values
    bounds = (np.log10([scale.low, scale.high]) if scale.log else np.array([scale.low, scale.high])).tolist()
    bar: dict[str, Any] = {"title": {"text": f"{title}{' (log)' if scale.log else ''}"}, "thickness": 14}
    if scale.log:
        ticks = np.arange(np.ceil(bounds[0]), np.floor(bounds[1]) + 1)
        bar |= {"tickvals": ticks.tolist(), "ticktext": [f"{10.0**t:.0e}" for t in ticks]}
    figure = go.Figure(
        go.Heatmap(
            z=shown.astype(np.float32),
            customdata=values.astype(np.float32),
            zmin=bounds[0],
            zmax=bounds[1],
            colorscale="Magma",
            colorbar=bar,
            hovertemplate="row %{y}, column %{x}: %{customdata:.4g}<extra></extra>",
        )
    )
    _layout(figure, ink, "row")
    figure.update_xaxes(title="column", constrain="domain")
    figure.update_yaxes(autorange="reversed", scaleanchor="x", constrain="domain")
    figure.update_layout(height=520)
    return figure


def _label_ends(figure: go.Figure, iou: NDArray[np.floating], names: list[str], colours: list[str]) -> None:
    """Each class's name at the end of its line, moved apart where ends lie close together."""
    ends = [(float(iou[-1, k]), name, colours[k]) for k, name in enumerate(names) if np.isfinite(iou[-1, k])]
    ends.sort()
    below = -1.0
    for value, name, colour in ends:
        at = max(value, below + 0.075)
        below = at
        figure.add_annotation(
            x=1.01, xref="paper", y=min(at, 1.2), text=f"<b>{_plain(name)}</b> {value:.2f}", showarrow=False,
            xanchor="left", font={"color": colour, "size": 12},
        )  # fmt: skip


def _plain(name: str) -> str:
    """A class name as text: plotly would read markup in it."""
    short = name if len(name) <= 14 else name[:13] + "…"
    return short.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _broken_off(figure: go.Figure, loss: NDArray[np.floating], ink: Ink) -> None:
    """A line where the loss stopped being a number."""
    lost = np.flatnonzero(~np.isfinite(loss))
    if lost.size:
        figure.add_vline(x=int(lost[0]), line={"color": ink.text, "dash": "dot"})
        figure.add_annotation(
            x=int(lost[0]), yref="paper", y=1, text=f"not a number from step {lost[0]}", showarrow=False,
            xanchor="right",
        )  # fmt: skip


def _layout(figure: go.Figure, ink: Ink, y_title: str) -> None:
    figure.update_layout(
        template=None,
        height=300,
        margin={"l": 60, "r": 20, "t": 16, "b": 44},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"color": ink.text, "size": 13},
        hovermode="x unified" if y_title != "row" else "closest",
        showlegend=False,
    )
    figure.update_xaxes(title="step", gridcolor=ink.grid, zeroline=False)
    figure.update_yaxes(title=y_title, gridcolor=ink.grid, zeroline=False)
