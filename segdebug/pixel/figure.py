"""Loss and gradient of one pixel against one of its logits, as a Plotly figure."""

from __future__ import annotations

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from segdebug.figures import CASING, number
from segdebug.pixel.slope import LogitCurve

__all__ = ["HOW_TO_READ", "logit_figure", "logit_words"]

HOW_TO_READ = (
    "All other logits stay as they are. The dot is the pixel as Keras has it. Shaded: the gradient is exactly 0 "
    "although the loss is not at its least, so nothing moves a pixel there."
)

_HERE = "#d55e00"


def logit_figure(curve: LogitCurve, name: str) -> go.Figure:
    """Two panels with one logit axis: what the pixel adds to the loss, and dL/dz."""
    figure = make_subplots(rows=1, cols=2, horizontal_spacing=0.12)
    values = ((curve.loss, curve.loss_here, curve.of), (curve.gradient, curve.gradient_here, "dL/dz"))
    for n, (line, at, title) in enumerate(values, 1):
        style = {"mode": "lines", "line": {"width": 2.5}, "hovertemplate": "z = %{x:.3g}: %{y:.4g}<extra></extra>"}
        figure.add_trace(go.Scatter(x=curve.logit, y=line, **style), row=1, col=n)
        dot = {"size": 13, "color": _HERE, "line": {"color": CASING, "width": 1.5}}
        told = f"this pixel: z = {number(curve.here)}, {title} {number(at)}<extra></extra>"
        figure.add_trace(
            go.Scatter(x=[curve.here], y=[at], mode="markers", marker=dot, hovertemplate=told), row=1, col=n
        )
        figure.update_yaxes(title=title, zeroline=True, exponentformat="power", row=1, col=n)
        figure.update_xaxes(title=f"logit of {name.replace('<', '‹')[:40]}", row=1, col=n)
        for low, high in curve.dead:
            words = {"annotation_text": "dead zone", "annotation_position": "top left"} if n == 2 else {}
            figure.add_vrect(low, high, fillcolor=_HERE, opacity=0.15, line_width=0, row=1, col=n, **words)
    figure.update_layout(height=320, margin={"l": 70, "r": 12, "t": 16, "b": 44}, font={"size": 13}, showlegend=False)
    return figure


def logit_words(curve: LogitCurve, name: str) -> str:
    """The figure in words, for who cannot see it."""
    dead = " and ".join(f"{number(low)} to {number(high)}" for low, high in curve.dead)
    return (
        f"The {curve.of} and dL/dz against the logit of {name}; at this pixel's {number(curve.here)} they are "
        f"{number(curve.loss_here)} and {number(curve.gradient_here)}. "
        + (
            f"The gradient is exactly 0 from {dead}."
            if dead
            else "The gradient is nowhere exactly 0 above the minimum."
        )
    )
