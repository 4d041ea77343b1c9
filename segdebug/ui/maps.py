"""Pictures and maps side by side on canvases: linked zoom, one crosshair, a value under it for each.

The browser gets levels and a table of colours, so that what is seen is what was computed, pixel by pixel, and
nothing is smoothed. Script and style stand in maps.js and maps.css.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from segdebug.painting import NO_CLASS, Scale, class_levels, magma, png

__all__ = [
    "Look",
    "Panel",
    "blank_panel",
    "class_panel",
    "draw",
    "mask_panel",
    "over_steps",
    "picture_panel",
    "scalar_panel",
    "step_told",
]

_FOLDER = Path(__file__).parent
_NARROW = 255  # the last level that fits one byte; stands for NO_CLASS there
_HTML = """<div class="room"><div class="player" hidden><button type="button">▶</button>
<input type="range" min="0" max="0" step="1" aria-label="Step"><output></output></div><div class="maps"></div></div>"""
_DEAD = ["#20242d", "#e69f00"]


@dataclass(frozen=True)
class Panel:
    """One map as the browser gets it: JSON. `how` under it says how to read it."""

    title: str
    how: str
    data: dict[str, Any]


class Look(NamedTuple):
    """What the person did. pixel: (row, column, number of the panel) of a click; step: where the slider was left."""

    pixel: tuple[int, int, int] | None = None
    step: int | None = None


def picture_panel(title: str, image: NDArray[np.float32]) -> Panel:
    """(S, S, 3) in [0, 1]."""
    pixels = np.rint(image * 255).astype(np.uint8)
    picture = _as_text(hashlib.sha256(pixels.tobytes()).hexdigest(), pixels)
    return Panel(title, "as it is trained on", {"kind": "picture", "png": picture})


@st.cache_data(show_spinner=False, max_entries=64)
def _as_text(digest: str, _pixels: NDArray[np.uint8]) -> str:  # noqa: ARG001
    return base64.b64encode(png(_pixels)).decode()


def blank_panel(title: str, how: str = "not yet") -> Panel:
    """The place of a map that is not there. how: why."""
    return Panel(title, how, {"kind": "blank"})


def class_panel(title: str, labels: NDArray[Any], names: list[str], colours: list[str], how: str) -> Panel:
    """(S, S) classes or (S, S, K) planes, each in its class's colour."""
    return Panel(
        title, how, {"kind": "class", "colours": colours, "names": names, **_encoded(class_levels(labels), len(names))}
    )


def scalar_panel(title: str, values: NDArray[np.floating], scale: Scale, how: str) -> Panel:
    """(S, S) numbers on a scale; the readout is as exact as the scale's 256 levels."""
    ends = {"low": scale.low, "high": scale.high, "log": scale.log, "clipped": scale.clipped}
    levels = base64.b64encode(np.ascontiguousarray(scale.levels(values)).tobytes()).decode()
    return Panel(title, how, {"kind": "scalar", "colours": magma(), "levels": levels, "bytes": 1, "none": None, **ends})


def mask_panel(title: str, mask: NDArray[np.bool_], yes: str, no: str, share: float) -> Panel:
    """(S, S) true or false. share: of the labelled pixels, how many are true."""
    data = {"kind": "class", "colours": _DEAD, "names": [no, yes], **_encoded(mask.astype(np.uint16), 2)}
    return Panel(title, f"orange: {yes} ({share:.1%} of the labelled)", data)


def over_steps(panels: Sequence[Panel]) -> Panel:
    """The same map at several steps, which all have the same colours, scale and width of their levels, as one."""
    first = panels[0]
    frames = {"frames": [panel.data["levels"] for panel in panels], "hows": [panel.how for panel in panels]}
    return Panel(first.title, first.how, {**first.data, "levels": "", **frames})


def draw(
    panels: list[Panel],
    size: int,
    aspect: float,
    key: str,
    *,
    opens: bool = False,
    columns: int | None = None,
    steps: Sequence[int] | None = None,
    step: int | None = None,
    fetched: bool = False,
    on_step: Callable[[], None] | None = None,
    mark: tuple[int, int] | None = None,
) -> Look:
    """The panels side by side, wrapping where the window is narrow. aspect: the picture's width / height.

    opens: whether a click on a pixel is told. columns: panels in a row where there is room. steps: of the frames of
    `over_steps`, with a slider, whose place is kept while there are none yet; step: where it is to stand, the last
    without one. fetched: the panels are those of that step alone, and each other is to be sent when it is asked for.
    on_step: called before the script runs for a step that the slider was moved to; it is `step_told`. mark: (row,
    column) of a pixel to draw a box around.
    """
    shown = [{"title": panel.title, "how": panel.how, **panel.data} for panel in panels]
    data = {"size": size, "aspect": aspect, "panels": shown, "opens": opens, "columns": columns}
    told = _component()(
        key=key,
        data={**data, "steps": None if steps is None else list(steps), "step": step, "fetched": fetched, "mark": mark},
        on_pixel_change=_nothing,
        on_step_change=on_step or _nothing,
    )
    return Look(_pixel(told.get("pixel"), len(panels), size), _step(told.get("step"), steps or ()))


def step_told(key: str, steps: Sequence[int]) -> int | None:
    """The step that the slider of these maps was last moved to; None where it never was."""
    return _step(st.session_state.get(key, {}).get("step"), steps)


def _nothing() -> None:
    """A component tells only what somebody listens to."""


def _pixel(told: Any, panels: int, size: int) -> tuple[int, int, int] | None:
    """What the browser says, checked: anybody can say anything."""
    if not isinstance(told, list | tuple) or len(told) != 3 or not all(isinstance(n, int | float) for n in told):
        return None
    row, column, n = (int(part) for part in told)
    return (row, column, n) if 0 <= row < size and 0 <= column < size and 0 <= n < panels else None


def _step(told: Any, steps: Sequence[int]) -> int | None:
    return int(told) if isinstance(told, int | float) and int(told) in steps else None


def _encoded(levels: NDArray[np.uint16], classes: int) -> dict[str, Any]:
    """Levels below `classes`, or NO_CLASS: one byte each where all of them fit, at this step and at any other."""
    if classes > _NARROW:
        data = np.ascontiguousarray(levels, "<u2").tobytes()
        return {"levels": base64.b64encode(data).decode(), "bytes": 2, "none": NO_CLASS}
    data = np.minimum(levels, _NARROW).astype(np.uint8).tobytes()
    return {"levels": base64.b64encode(data).decode(), "bytes": 1, "none": _NARROW}


@st.cache_resource(show_spinner=False)
def _component() -> Any:
    return st.components.v2.component(
        "segdebug_maps",
        html=_HTML,
        css=(_FOLDER / "maps.css").read_text(encoding="utf-8"),
        js=(_FOLDER / "maps.js").read_text(encoding="utf-8"),
    )
