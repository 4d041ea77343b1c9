"""Plotly figures of a run, for study: zoom, exact values, download. No streamlit here.

Text, grid and ground are left to the template of whoever shows a figure, so that the same one reads in light and
dark. `HOW_TO_READ` has one line for each.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from segdebug.painting import Scale, magma

__all__ = [
    "CASING",
    "HEIGHT",
    "HOW_TO_READ",
    "LABELLED_AT_MOST",
    "expected_lines",
    "iou_bars",
    "iou_curves",
    "loss_curve",
    "number",
    "readable",
    "scalar_map",
    "spans_decades",
]

HOW_TO_READ = {
    "loss": "The number that fit prints at each step.",
    "iou": "Overlap of prediction and truth: 0 none, 1 perfect.",
    "iou of many": "Overlap of prediction and truth: 0 none, 1 perfect. Point at a line for its class.",
    "map": "One cell a pixel of the training grid, never smoothed. Drag to zoom, double-click to return.",
    "maps": "One cell a pixel of the training grid; one scale for all steps. Point at a map for values, click for "
    "the pixel's mathematics; Ctrl + wheel or + and − zoom all of them, drag moves, Esc returns.",
}

HEIGHT = 300
"""Pixels, of the curves."""

CASING = "#787f8c"
"""Around lines in class colours: grey that stands out on white and on black, so that a yellow line does too."""

LABELLED_AT_MOST = 12
"""Classes that can be named beside their lines."""

_LABEL_GAP = 0.08  # of the IoU axis: the height of a label
_TOP = 1.05


def number(x: float) -> str:
    """Three significant digits, as people write them: 0.140, 1,620, 7.66e-5."""
    if not math.isfinite(x):
        return "NaN" if math.isnan(x) else "∞" if x > 0 else "−∞"
    if x == 0:
        return "0"
    exponent = math.floor(math.log10(abs(float(f"{x:.2e}"))))
    if -4 <= exponent <= 5:
        return f"{round(x, 2 - exponent):,.{max(0, 2 - exponent)}f}"
    mantissa, _, power = f"{x:.2e}".partition("e")
    return f"{mantissa}e{int(power)}"


def spans_decades(loss: NDArray[np.floating]) -> bool:
    """Whether an axis should be logarithmic: positive values that span more than two decades."""
    finite = loss[np.isfinite(loss)]
    return bool(finite.size and finite.min() > 0 and finite.max() > 100 * finite.min())


def expected_lines(initial: float | None, floor: float | None, plateau: float | None) -> dict[str, float]:
    """The losses to expect, in words → value: of an untrained network, of a perfect one, of one that is stuck."""
    lines = {}
    if initial is not None:
        classes = round(math.exp(min(max(initial, 0.0), 20.0)))
        as_log = classes >= 2 and math.isclose(initial, math.log(classes), rel_tol=1e-6)
        lines[f"untrained: ln {classes:,} = {number(initial)}" if as_log else f"untrained: {number(initial)}"] = initial
    if plateau is not None:
        lines[f"stuck: {number(plateau)}"] = plateau
    if floor is not None:
        lines[f"perfect: {number(floor)}"] = floor
    return {words: value for words, value in lines.items() if math.isfinite(value)}


def readable(lines: Mapping[str, float], loss: NDArray[np.floating], log: bool) -> dict[str, float]:
    """The lines that a loss's axis can take without the curve becoming flat: on a logarithmic one none at or
    below 0 nor more than a decade away, on a linear one none farther away than the values are large."""
    finite = loss[np.isfinite(loss)]
    if not finite.size:
        return dict(lines)
    low, high = float(finite.min()), float(finite.max())
    if log:
        return {words: value for words, value in lines.items() if low / 10 <= value <= high * 10}
    reach = max(abs(low), abs(high))
    return {words: value for words, value in lines.items() if low - reach <= value <= high + reach}


def loss_curve(loss: NDArray[np.floating], lines: Mapping[str, float] | None = None) -> go.Figure:
    """Loss against step, its last value beside it. lines: losses to expect, in words → value, drawn dashed where
    the axis can take them."""
    finite = np.flatnonzero(np.isfinite(loss))
    log = spans_decades(loss)
    line = {"mode": "lines", "line": {"width": 2.5}, "hovertemplate": "%{y:.4g}", "name": "loss"}
    figure = go.Figure(go.Scatter(x=np.arange(len(loss)), y=loss, **line))
    drawn = readable(lines or {}, loss, log)
    _dashed_lines(figure, drawn, log)
    if finite.size:
        last = float(loss[finite[-1]])
        figure.add_annotation(
            x=1.01, xref="paper", xanchor="left", y=math.log10(last) if log else last, text=f"<b>{number(last)}</b>",
            showarrow=False,
        )  # fmt: skip
    if finite.size < len(loss):
        lost = int(np.flatnonzero(~np.isfinite(loss))[0])
        figure.add_vline(x=lost, line={"color": CASING, "dash": "dot"})
        figure.add_annotation(
            x=lost, y=1, yref="paper", text=f"not a number from step {lost}", showarrow=False, xanchor="right"
        )
    _layout(figure, len(loss), "loss (log)" if log else "loss", right=64)
    figure.update_yaxes(type="log", dtick=1, exponentformat="power") if log else figure.update_yaxes(type="linear")
    if drawn and finite.size:
        figure.update_yaxes(range=_with_room([*loss[finite], *drawn.values()], log))
    return figure


def _dashed_lines(figure: go.Figure, lines: Mapping[str, float], log: bool) -> None:
    """Each line with its words at the right; where two lie close together, the lower one's stand below it."""
    heights = sorted(lines.values())
    for words, value in lines.items():
        figure.add_hline(y=value, line={"color": CASING, "dash": "dash", "width": 1.5}, layer="below")
        lowest = len(heights) > 1 and value == heights[0] < heights[1]
        figure.add_annotation(
            x=0.99, xref="paper", xanchor="right", y=math.log10(value) if log else value,
            yanchor="top" if lowest else "bottom", text=words, showarrow=False, font={"size": 12},
        )  # fmt: skip


def _with_room(values: list[float], log: bool) -> list[float]:
    """An axis range that shows all values, with room for words above and below them."""
    ends = [min(values), max(values)]
    low, high = (math.log10(ends[0]), math.log10(ends[1])) if log else (float(ends[0]), float(ends[1]))
    room = 0.1 * (high - low) or 0.1
    return [low - room, high + room]


def iou_curves(iou: NDArray[np.floating], names: list[str], colours: list[str]) -> go.Figure:
    """IoU of each class against step, always on 0..1, each line labelled at its end; with too many classes for
    that, named on hover."""
    figure = go.Figure()
    steps = np.arange(len(iou))
    for k in range(len(names)):
        casing = {"color": CASING, "width": 4}
        figure.add_trace(go.Scatter(x=steps, y=iou[:, k], mode="lines", line=casing, hoverinfo="skip"))
    for k, (name, colour) in enumerate(zip(names, colours, strict=True)):
        line = {"color": colour, "width": 2.5}
        figure.add_trace(
            go.Scatter(x=steps, y=iou[:, k], mode="lines", line=line, name=_plain(name), hovertemplate="%{y:.3f}")
        )
    labelled = len(names) <= LABELLED_AT_MOST
    if labelled:
        _label_ends(figure, iou, names, colours)
    _layout(figure, len(iou), "IoU", right=132 if labelled else 12)
    figure.update_yaxes(range=[-0.03, _TOP])
    if not labelled:
        figure.update_layout(hovermode="closest")
        figure.update_traces(hovertemplate="%{fullData.name}: %{y:.3f} at step %{x}<extra></extra>", hoverinfo=None)
    return figure


def iou_bars(iou: NDArray[np.floating], names: list[str], colours: list[str]) -> go.Figure:
    """IoU of each class at one step, worst first; classes that are neither true nor predicted have none."""
    order = [int(k) for k in np.argsort(np.nan_to_num(iou, nan=2.0), kind="stable")]
    told = ["neither true nor predicted" if np.isnan(iou[k]) else f"{iou[k]:.3f}" for k in order]
    figure = go.Figure(
        go.Bar(
            x=[0.0 if np.isnan(iou[k]) else float(iou[k]) for k in order],
            y=[_plain(names[k], 24) for k in order],
            orientation="h",
            marker={"color": [colours[k] for k in order], "line": {"color": CASING, "width": 1}},
            text=told,
            textposition="outside",
            hoverinfo="skip",
            cliponaxis=False,
        )
    )
    _layout(figure, 0, "", right=60)
    figure.update_layout(height=max(160, 60 + 24 * len(names)), hovermode=False, bargap=0.3)
    figure.update_xaxes(title="IoU", range=[0, 1])
    figure.update_yaxes(autorange="reversed", automargin=True, type="category")
    return figure


def scalar_map(values: NDArray[np.floating], scale: Scale, title: str) -> go.Figure:
    """A map with its exact values on hover, on the scale of all steps."""
    shown = np.log10(np.clip(values, scale.low, None)) if scale.log else values
    bounds = (np.log10([scale.low, scale.high]) if scale.log else np.array([scale.low, scale.high])).tolist()
    bar: dict[str, Any] = {"title": {"text": f"{title}{' (log)' if scale.log else ''}"}, "thickness": 14}
    if scale.log:
        ticks = np.arange(np.ceil(bounds[0]), np.floor(bounds[1]) + 1)
        bar |= {"tickvals": ticks.tolist(), "ticktext": [f"10<sup>{t:.0f}</sup>" for t in ticks]}
    figure = go.Figure(
        go.Heatmap(
            z=shown.astype(np.float32),
            customdata=values.astype(np.float32),
            zmin=bounds[0],
            zmax=bounds[1],
            colorscale=[[n / 15, colour] for n, colour in enumerate(magma()[::17])],
            colorbar=bar,
            hovertemplate="row %{y}, column %{x}: %{customdata:.4g}<extra></extra>",
        )
    )
    _layout(figure, 0, "row", right=20)
    figure.update_xaxes(title="column", constrain="domain", range=None, showgrid=False)
    figure.update_yaxes(autorange="reversed", scaleanchor="x", constrain="domain", showgrid=False)
    figure.update_layout(height=520, hovermode="closest")
    return figure


def _label_ends(figure: go.Figure, iou: NDArray[np.floating], names: list[str], colours: list[str]) -> None:
    """Each class's name and last IoU beside the end of its line, in the text's own colour after a square of the
    class's; moved apart where ends lie close together."""
    ends = sorted((float(iou[-1, k]), k) for k in range(len(names)) if np.isfinite(iou[-1, k]))
    places: list[float] = []
    for value, _ in ends:
        places.append(max(value, places[-1] + _LABEL_GAP) if places else value)
    above = _TOP
    for n in reversed(range(len(places))):
        places[n] = above = min(places[n], above)
        above -= _LABEL_GAP
    for (value, k), place in zip(ends, places, strict=True):
        figure.add_annotation(
            x=1.01, xref="paper", xanchor="left", y=place, showarrow=False,
            text=f'<span style="color:{colours[k]}">■</span> {_plain(names[k])} <b>{value:.3f}</b>',
        )  # fmt: skip


def _plain(name: str, longest: int = 12) -> str:
    """A class name as text, cut to fit: plotly would read markup in it."""
    short = name if len(name) <= longest else name[: longest - 1] + "…"
    return short.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _layout(figure: go.Figure, steps: int, y_title: str, right: int) -> None:
    figure.update_layout(
        height=HEIGHT,
        margin={"l": 60, "r": right, "t": 12, "b": 44},
        font={"size": 13},
        hovermode="x unified",
        showlegend=False,
    )
    figure.update_xaxes(title="step", zeroline=False, range=[0, max(1, steps)] if steps else None)
    figure.update_yaxes(title=y_title, zeroline=False)
