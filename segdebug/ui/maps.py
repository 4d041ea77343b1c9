"""Pictures and maps side by side on canvases: linked zoom, one crosshair, a value under it for each.

The browser gets levels and a table of colours, so that what is seen is what was computed, pixel by pixel, and
nothing is smoothed. Script and style stand in maps.js and maps.css.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from segdebug.painting import NO_CLASS, Scale, class_levels, magma, png

__all__ = ["Panel", "blank_panel", "class_panel", "draw", "mask_panel", "picture_panel", "scalar_panel"]

_FOLDER = Path(__file__).parent
_NARROW = 255  # the last level that fits one byte; stands for NO_CLASS there
_DEAD = ["#20242d", "#e69f00"]


@dataclass(frozen=True)
class Panel:
    """One map as the browser gets it: JSON. `how` under it says how to read it."""

    title: str
    how: str
    data: dict[str, Any]


def picture_panel(title: str, image: NDArray[np.float32]) -> Panel:
    """(S, S, 3) in [0, 1]."""
    picture = base64.b64encode(png(np.rint(image * 255).astype(np.uint8))).decode()
    return Panel(title, "as it is trained on", {"kind": "picture", "png": picture})


def blank_panel(title: str) -> Panel:
    """The place of a map that is not there yet."""
    return Panel(title, "not yet", {"kind": "blank"})


def class_panel(title: str, labels: NDArray[Any], names: list[str], colours: list[str], how: str) -> Panel:
    """(S, S) classes or (S, S, K) planes, each in its class's colour."""
    return Panel(title, how, {"kind": "class", "colours": colours, "names": names, **_encoded(class_levels(labels))})


def scalar_panel(title: str, values: NDArray[np.floating], scale: Scale, how: str) -> Panel:
    """(S, S) numbers on a scale; the readout is as exact as the scale's 256 levels."""
    ends = {"low": scale.low, "high": scale.high, "log": scale.log, "clipped": scale.clipped}
    levels = base64.b64encode(np.ascontiguousarray(scale.levels(values)).tobytes()).decode()
    return Panel(title, how, {"kind": "scalar", "colours": magma(), "levels": levels, "bytes": 1, "none": None, **ends})


def mask_panel(title: str, mask: NDArray[np.bool_], yes: str, no: str, share: float) -> Panel:
    """(S, S) true or false. share: of the labelled pixels, how many are true."""
    data = {"kind": "class", "colours": _DEAD, "names": [no, yes], **_encoded(mask.astype(np.uint16))}
    return Panel(title, f"orange: {yes} ({share:.1%} of the labelled)", data)


def draw(panels: list[Panel], size: int, aspect: float, key: str) -> None:
    """The panels side by side, wrapping where the window is narrow. aspect: the picture's width / height."""
    shown = [{"title": panel.title, "how": panel.how, **panel.data} for panel in panels]
    _component()(key=key, data={"size": size, "aspect": aspect, "panels": shown})


def _encoded(levels: NDArray[np.uint16]) -> dict[str, Any]:
    """Levels of classes, one byte each where they fit."""
    classes = levels[levels != NO_CLASS]
    if classes.size and classes.max() >= _NARROW:
        data = np.ascontiguousarray(levels, "<u2").tobytes()
        return {"levels": base64.b64encode(data).decode(), "bytes": 2, "none": NO_CLASS}
    data = np.minimum(levels, _NARROW).astype(np.uint8).tobytes()
    return {"levels": base64.b64encode(data).decode(), "bytes": 1, "none": _NARROW}


@st.cache_resource(show_spinner=False)
def _component() -> Any:
    return st.components.v2.component(
        "segdebug_maps",
        html='<div class="room"><div class="maps"></div></div>',
        css=(_FOLDER / "maps.css").read_text(encoding="utf-8"),
        js=(_FOLDER / "maps.js").read_text(encoding="utf-8"),
    )
