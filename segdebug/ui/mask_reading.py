"""How uploaded masks are read, as a person says it: found out, or overruled; the address keeps what was said."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from segdebug.scene import ENCODINGS
from segdebug.ui.text import plain

__all__ = [
    "ENCODING",
    "IGNORE",
    "LEGEND",
    "LEGEND_AT_MOST",
    "PAGE",
    "SAID",
    "THRESHOLD",
    "Reading",
    "found_out",
    "is_said",
    "widgets",
]

ENCODING, IGNORE, THRESHOLD, PAGE, LEGEND = "masks_are", "ignore", "threshold", "page", "legend"
"""Widgets, and by the same names the address's parameters, that say how masks are read."""

SAID: dict[str, type] = {ENCODING: str, IGNORE: int, THRESHOLD: float, PAGE: int, LEGEND: str}
"""Each of them with the type of what it holds."""

_FOUND_OUT = "auto"

LEGEND_AT_MOST = 4000
"""Characters: it stands in the address."""


@dataclass(frozen=True)
class Reading:
    """What `read_scene` is told beside the files; its defaults leave everything to be found out."""

    encoding: str = _FOUND_OUT
    ignore: int | None = None
    threshold: float | None = None
    page: int | None = None
    legend: str = ""


def widgets() -> Reading:
    """One widget for each thing that can be said."""
    encoding = st.selectbox(
        "Masks are",
        list(ENCODINGS),
        key=ENCODING,
        bind="query-params",
        help="  \n".join(f"**{name}**: {plain(meaning)}" for name, meaning in ENCODINGS.items()),
    )
    ignore = _number(IGNORE, "Unlabelled value", -1, 65535, 1, "the mask value that means: no class here")
    threshold = _number(
        THRESHOLD, "Threshold", 0.0, 1.0, 0.05, "where a mask in degrees is cut, as a fraction of its full range"
    )
    page = _number(PAGE, "Page", 0, 9999, 1, "which page of a TIFF of several, from 0; else each page is a class")
    legend = st.text_area(
        "Legend",
        key=LEGEND,
        bind="query-params",
        max_chars=LEGEND_AT_MOST,
        height=92,
        placeholder="0 sky\n1 road\n\nor #4682b4 sky, or a names file",
        help="Which value or colour is which class, one a line, or as JSON. It says more than what the masks are.",
    )
    return Reading(
        encoding,
        None if ignore is None else int(ignore),
        threshold,
        None if page is None else int(page),
        (legend or "").strip(),
    )


def _number(key: str, label: str, low: float, high: float, step: float, meaning: str) -> float | None:
    return st.number_input(
        label,
        value=None,
        step=step,
        min_value=low,
        max_value=high,
        key=key,
        bind="query-params",
        placeholder="found out",
        help=meaning,
    )


def is_said() -> bool:
    """Whether anything was said."""
    encoding = st.session_state.get(ENCODING, _FOUND_OUT)
    return encoding != _FOUND_OUT or any(st.session_state.get(key) not in (None, "") for key in SAID if key != ENCODING)


def found_out() -> None:
    """Leave everything to be found out again."""
    for key, kind in SAID.items():
        st.session_state[key] = "" if kind is str else None
    st.session_state[ENCODING] = _FOUND_OUT
