"""The losses of several runs in one figure: what is drawn, and a Plotly figure of it. The Compare page and the
report show the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from segdebug.experiment import Experiment
from segdebug.figures import number, readable, spans_decades

__all__ = ["AXES", "LINES", "LOSSES_HEIGHT", "End", "Losses", "losses_curve", "natural_axis", "overlaid"]

AXES = {
    "linear": "The number that fit prints at each step.",
    "log": "The number that fit prints at each step, on a logarithmic axis.",
    "relative": "Each loss divided by its own value at step 0: these losses have different scales, so that only how "
    "they fall can be compared, not how high they are.",
}
"""How the losses can be drawn, and how to read it."""

LINES: tuple[tuple[str, tuple[int, ...]], ...] = (
    ("#2f9bdc", ()),
    ("#d55e00", (7, 4)),
    ("#009e73", (2, 3)),
    ("#cc79a7", (10, 3, 2, 3)),
    ("#b58900", (12, 4)),
    ("#7a6ff0", (4, 2)),
)
"""Colour and dash in pixels of each run: told apart by colour-blind eyes, and read on white and on black."""

LOSSES_HEIGHT = 330
"""Pixels."""

_LABEL_GAP = 0.065  # of the axis: the height of a label
_LETTER = 7  # pixels, of a letter of a label


@dataclass(frozen=True)
class End:
    """A line's last finite loss. step, height: where its label stands, on the axis; loss: as fit printed it."""

    name: str
    step: int
    height: float
    loss: float

    @property
    def told(self) -> str:
        return f"{self.name} {number(self.loss)}"


@dataclass(frozen=True)
class Losses:
    """What is drawn. drawn: each run's losses by step, in units of the axis, NaN where not finite; printed: as fit
    printed them; widths: of the lines in pixels, the first the widest, so that lines that coincide are all seen;
    floors: the least that a perfect network could print → colour; domain: the axis's ends; told: how to read it."""

    drawn: dict[str, NDArray[np.float64]]
    printed: dict[str, NDArray[np.float64]]
    widths: tuple[float, ...]
    floors: dict[float, str]
    title: str
    log: bool
    domain: tuple[float, float]
    ends: tuple[End, ...]
    told: str

    @property
    def room(self) -> int:
        """Pixels right of the axis, for the labels."""
        return 28 + _LETTER * max([9, *(len(end.told) for end in self.ends)])


def natural_axis(experiments: Sequence[Experiment], losses: Sequence[NDArray[np.floating]]) -> str:
    """relative where other losses are compared, else log where they span decades."""
    if len({(e.loss.name, e.loss.reduction, e.loss.class_weights) for e in experiments}) > 1:
        return "relative"
    return "log" if spans_decades(np.concatenate([*losses, np.zeros(0)])) else "linear"


def overlaid(losses: Mapping[str, NDArray[np.floating]], floors: Mapping[str, float | None], axis: str) -> Losses:
    """What is drawn of the losses by step, float by name, on one of `AXES`; a logarithmic axis is linear where some
    loss is not above 0. floors: by name, drawn where the axis can take them without the curves becoming flat."""
    printed = {name: np.where(np.isfinite(loss), loss, np.nan).astype(np.float64) for name, loss in losses.items()}
    units = {name: _unit(loss) if axis == "relative" else 1.0 for name, loss in printed.items()}
    drawn = {name: loss / units[name] for name, loss in printed.items()}
    values = np.concatenate([*drawn.values(), np.zeros(0)])
    values = values[np.isfinite(values)]
    log = axis == "log" and bool(values.size) and float(values.min()) > 0
    found: dict[float, str] = {}
    for n, name in enumerate(losses):
        floor = floors.get(name)
        value = np.nan if floor is None else round(floor / units[name], 6)
        if values.size and readable({"floor": value}, values, log) and (value > 0 or not log):
            found.setdefault(value, LINES[n % len(LINES)][0])
    domain = _domain(np.append(values, list(found)), log)
    title = "loss ÷ loss at step 0" if axis == "relative" else "loss (log)" if log else "loss"
    told = AXES[axis] if axis != "log" or log else f"{AXES['linear']} No logarithm: some value is not above 0."
    told += " Dotted, where the axis reaches it: the least that a perfect network could print."
    told += " Lines that coincide lie on each other, the first the widest." if len(losses) > 1 else ""
    widths = tuple(2.5 + 1.1 * n for n in reversed(range(len(losses))))
    return Losses(drawn, printed, widths, found, title, log, domain, _ends(drawn, printed, domain, log), told)


def _unit(loss: NDArray[np.float64]) -> float:
    """What a loss is divided by where only its fall is shown."""
    return (abs(float(loss[0])) if loss.size and np.isfinite(loss[0]) else 0.0) or 1.0


def _domain(values: NDArray[np.float64], log: bool) -> tuple[float, float]:
    if not values.size:
        return 0.0, 1.0
    low, high = float(values.min()), float(values.max())
    if log:
        return low / 1.3, high * 1.3
    room = 0.05 * (high - low) or 0.05 * abs(high) or 0.1
    return low - room, high + room


def _ends(
    drawn: dict[str, NDArray[np.float64]],
    printed: dict[str, NDArray[np.float64]],
    domain: tuple[float, float],
    log: bool,
) -> tuple[End, ...]:
    """The labels, moved apart where ends lie close together."""
    low, high = np.log(domain) if log else domain
    ends = []
    for name, loss in drawn.items():
        finite = np.flatnonzero(np.isfinite(loss))
        if finite.size:
            value = float(loss[finite[-1]])
            share = ((float(np.log(value)) if log else value) - low) / ((high - low) or 1.0)
            ends.append((share, name, int(finite[-1])))
    ends.sort(key=lambda end: end[0])
    places: list[float] = []
    for share, _, _ in ends:
        places.append(max(share, places[-1] + _LABEL_GAP) if places else share)
    above = 1.0
    for n in reversed(range(len(places))):
        places[n] = above = min(places[n], above)
        above -= _LABEL_GAP
    heights = [low + place * (high - low) for place in places]
    return tuple(
        End(name, step, float(np.exp(height) if log else height), float(printed[name][step]))
        for (_, name, step), height in zip(ends, heights, strict=True)
    )


def losses_curve(losses: Losses, steps: int) -> go.Figure:
    """The losses against step, told apart by colour and by dashes, each labelled at its end. steps: the axis's
    length."""
    figure = go.Figure()
    hover = "%{customdata:.4g}, %{y:.3g} of the first" if "÷" in losses.title else "%{customdata:.4g}"
    colours = {}
    for n, (name, loss) in enumerate(losses.drawn.items()):
        colours[name], dash = LINES[n % len(LINES)]
        pixels = ",".join(f"{length}px" for length in dash) or "solid"
        line = {"width": losses.widths[n], "color": colours[name], "dash": pixels}
        figure.add_trace(
            go.Scatter(
                x=np.arange(len(loss)), y=loss, customdata=losses.printed[name], hovertemplate=hover, mode="lines",
                line=line, name=escape(name),
            )
        )  # fmt: skip
    for value, colour in losses.floors.items():
        figure.add_hline(y=value, line={"color": colour, "dash": "1px,4px", "width": 2})
    for end in losses.ends:
        figure.add_annotation(
            x=end.step, y=np.log10(end.height) if losses.log else end.height, showarrow=False, xanchor="left", xshift=4,
            text=f'<span style="color:{colours[end.name]}">■</span> <b>{escape(end.told)}</b>',
        )  # fmt: skip
    margin = {"l": 60, "r": losses.room, "t": 12, "b": 44}
    figure.update_layout(
        height=LOSSES_HEIGHT, margin=margin, font={"size": 13}, hovermode="x unified", showlegend=False
    )
    figure.update_xaxes(title="step", zeroline=False, range=[0, max(1, steps)])
    figure.update_yaxes(title=losses.title, zeroline=False, type="linear", range=list(losses.domain))
    if losses.log:
        figure.update_yaxes(type="log", exponentformat="power", range=np.log10(losses.domain).tolist())
        if losses.domain[1] > 100 * losses.domain[0]:
            figure.update_yaxes(dtick=1)
    return figure
