"""Loss against step of several configurations in one chart: Vega-Lite while they train, which the browser updates in
place; then Plotly, for study and to take away. Both have the same height."""

from __future__ import annotations

from typing import Any

import streamlit as st

from segdebug.figures import number
from segdebug.losses_figure import LOSSES_HEIGHT, Losses, losses_curve, overlaid
from segdebug.ui.compared import Compared
from segdebug.ui.points import points
from segdebug.ui.take_away import figure_config
from segdebug.ui.text import plain

__all__ = ["losses"]


def losses(compared: list[Compared], axis: str, stem: str, *, live: bool) -> None:
    """The chart. stem: of the file that it is saved as, once nothing is live."""
    steps = max(one.experiment.training.steps for one in compared)
    floors = {one.letter: None if one.said is None else one.said.diagnosis.floor for one in compared}
    shown = overlaid({one.letter: one.trace.loss for one in compared}, floors, axis)
    alt = _alt(compared, shown.title)
    if live:
        spec = _spec(compared, shown, steps)
        data = points(shown.drawn, "loss", "of")
        st.vega_lite_chart(data, spec, key="compared_losses", height=LOSSES_HEIGHT, alt=alt)
    else:
        figure, config = losses_curve(shown, steps), figure_config(stem, "loss")
        st.plotly_chart(figure, key="compared_curve", config=config, alt=alt)
    st.caption(plain(shown.told))


def _spec(compared: list[Compared], shown: Losses, steps: int) -> dict[str, Any]:
    letters = [one.letter for one in compared]
    y: dict[str, Any] = {
        "field": "loss",
        "type": "quantitative",
        "title": shown.title,
        "scale": {
            "type": "log" if shown.log else "linear", "domain": list(shown.domain), "nice": False, "clamp": True,
        },
    }  # fmt: skip
    x = {"field": "step", "type": "quantitative", "scale": {"domain": [0, steps]}}
    of = {"field": "of", "type": "nominal", "legend": None}
    colour = {**of, "scale": {"domain": letters, "range": [one.colour for one in compared]}}
    dash = {**of, "scale": {"domain": letters, "range": [list(one.dash) or [1, 0] for one in compared]}}
    width = {**of, "scale": {"domain": letters, "range": list(shown.widths)}}
    tips = [{"field": "of", "title": "configuration"}, {"field": "step"}, {"field": "loss", "format": ".5g"}]
    line = {
        "mark": {"type": "line"},
        "encoding": {"x": x, "y": y, "color": colour, "strokeDash": dash, "strokeWidth": width, "tooltip": tips},
    }
    floors = [
        {
            "data": {"values": [{"loss": value}]},
            "mark": {"type": "rule", "strokeDash": [1, 4], "strokeWidth": 2, "color": its},
            "encoding": {"y": y},
        }
        for value, its in shown.floors.items()
    ]
    return {
        "layer": [line, *floors, *_ends(shown, x, y, colour)],
        "background": "transparent",
        "padding": {"right": shown.room},
        "config": {"view": {"stroke": None}},
    }


def _ends(shown: Losses, x: dict[str, Any], y: dict[str, Any], colour: dict[str, Any]) -> list[dict[str, Any]]:
    """Letter and last loss of each line at its end, after a square of its colour."""
    rows = [{"loss": end.height, "step": end.step, "told": end.told, "of": end.name} for end in shown.ends]
    if not rows:
        return []
    mark = {"type": "text", "align": "left", "baseline": "middle", "fontSize": 13, "clip": False}
    square = {"mark": {**mark, "dx": 5, "text": "■"}, "encoding": {"x": x, "y": y, "color": colour}}
    words = {
        "mark": {**mark, "dx": 20, "fontWeight": "bold"},
        "encoding": {"x": x, "y": y, "text": {"field": "told"}},
    }
    return [{"data": {"values": rows}, **layer} for layer in (square, words)]


def _alt(compared: list[Compared], title: str) -> str:
    ends = [f"{one.name}, last {number(one.trace.loss[-1])}" for one in compared if one.trace.steps]
    return f"{title} against step: {'; '.join(ends) or 'nothing yet'}"
