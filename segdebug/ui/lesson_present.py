"""A lesson for a room: large type, one thing at a time, turned by the arrow keys or a clicker."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import streamlit as st

from segdebug.lessons import Lesson
from segdebug.ui.lesson_link import PRESENT, SLIDE
from segdebug.ui.links import whole
from segdebug.ui.text import plain

__all__ = ["Slide", "show"]

_HERE = Path(__file__).parent


class Slide(NamedTuple):
    """title: above it; draw: what it shows."""

    title: str
    draw: Callable[[], None]


def show(lesson: Lesson, slides: list[Slide]) -> None:
    """The slide that the address names, and the keys that turn to the others."""
    st.html(_HERE / "lesson_present.css")
    n = _number(len(slides))
    st.title(plain(lesson.title), anchor=False)
    with st.container(key="slide"):
        slides[n - 1].draw()
    with st.container(horizontal=True, vertical_alignment="center", key="turn"):
        st.button("‹", key="back", on_click=_turn, args=(-1, len(slides)), disabled=n == 1, help="or ←")
        st.markdown(f"{n} of {len(slides)}: {plain(slides[n - 1].title)}")
        st.button("›", key="on", on_click=_turn, args=(1, len(slides)), disabled=n == len(slides), help="or →")
        st.button("End", key="leave", on_click=_leave)
    _keys()(key="keys", on_turn_change=lambda: _turned(len(slides)), height=1)


def _number(slides: int) -> int:
    return min(max(whole(SLIDE) or 1, 1), slides)


def _turn(by: int, slides: int) -> None:
    st.query_params[SLIDE] = str(min(max(_number(slides) + by, 1), slides))


def _turned(slides: int) -> None:
    by = st.session_state["keys"].get("turn")
    if by in (-1, 1):
        _turn(by, slides)


def _leave() -> None:
    for name in (PRESENT, SLIDE):
        st.query_params.pop(name, None)


@st.cache_resource(show_spinner=False)
def _keys() -> Any:
    return st.components.v2.component("segdebug_keys", js=(_HERE / "lesson_present.js").read_text(encoding="utf-8"))
