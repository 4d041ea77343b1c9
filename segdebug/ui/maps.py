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

__all__ = ["Panel", "class_panel", "draw", "mask_panel", "picture_panel", "scalar_panel"]

_FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Panel:
    """One map as the browser gets it: JSON."""

    title: str
    data: dict[str, Any]


def picture_panel(title: str, image: NDArray[np.float32]) -> Panel:
    """(S, S, 3) in [0, 1]."""
    picture = base64.b64encode(png(np.rint(image * 255).astype(np.uint8))).decode()
    return Panel(title, {"kind": "picture", "png": picture})


def class_panel(title: str, labels: NDArray[Any], names: list[str], colours: list[str]) -> Panel:
    """(S, S) classes or (S, S, K) planes, each in its class's colour."""
    levels = class_levels(labels)
    return Panel(
        title,
        {"kind": "class", "levels": _encoded(levels), "colours": colours, "names": names, "none": NO_CLASS},
    )


def scalar_panel(title: str, values: NDArray[np.floating], scale: Scale) -> Panel:
    """(S, S) numbers on a scale; the readout is as exact as the scale's 256 levels."""
    ends = {"low": scale.low, "high": scale.high, "log": scale.log, "clipped": scale.clipped}
    levels = scale.levels(values).astype(np.uint16)
    return Panel(title, {"kind": "scalar", "levels": _encoded(levels), "colours": magma(), **ends})


def mask_panel(title: str, mask: NDArray[np.bool_], yes: str, no: str) -> Panel:
    """(S, S) true or false."""
    colours, names = ["#20242d", "#e69f00"], [no, yes]
    return Panel(
        title,
        {
            "kind": "class",
            "levels": _encoded(mask.astype(np.uint16)),
            "colours": colours,
            "names": names,
            "none": NO_CLASS,
        },
    )


def draw(panels: list[Panel], size: int, aspect: float, key: str) -> None:
    """The panels side by side, wrapping where the window is narrow. aspect: the picture's width / height."""
    shown = [{"title": panel.title, **panel.data} for panel in panels]
    _component()(key=key, data={"size": size, "aspect": aspect, "panels": shown})


def _encoded(levels: NDArray[np.uint16]) -> str:
    return base64.b64encode(np.ascontiguousarray(levels, "<u2").tobytes()).decode()


@st.cache_resource(show_spinner=False)
def _component() -> Any:
    return st.components.v2.component(
        "segdebug_maps",
        html='<div class="room"><div class="maps"></div></div>',
        css=(_FOLDER / "maps.css").read_text(encoding="utf-8"),
        js=(_FOLDER / "maps.js").read_text(encoding="utf-8"),
    )
