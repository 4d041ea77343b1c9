"""The page Lessons: the list, or one lesson."""

from __future__ import annotations

import streamlit as st

from segdebug.errors import SegdebugError
from segdebug.finding import STAGES
from segdebug.lessons import GROUPS, Lesson
from segdebug.ui import lesson_view
from segdebug.ui.lesson_link import LESSON, Link
from segdebug.ui.lesson_shelf import shelf
from segdebug.ui.strip import LABELS
from segdebug.ui.text import error, note, plain, warning

__all__ = ["show"]

_ACROSS = 3


def show() -> None:
    """The lesson that the address names; all of them where it names none."""
    try:
        link = Link.read()
    except SegdebugError as refusal:
        st.title("Lessons", anchor=False)
        error(str(refusal))
        return
    every, refused = shelf()
    if link.lesson in every:
        lesson_view.show(every[link.lesson], link)
        return
    st.title("Predict, run, reveal: what a loss really does, in a few minutes each", anchor=False)
    if link.lesson:
        note(f"There is no lesson {link.lesson[:80]} here. These there are:")
    for line in refused:
        warning(line)
    for group, words in GROUPS.items():
        here = [lesson for lesson in every.values() if lesson.group == group]
        if group == "report":
            here.sort(key=lambda lesson: STAGES.index(lesson.stage))
        if here:
            st.subheader(words, anchor=False)
            _cards(here)


def _cards(lessons: list[Lesson]) -> None:
    for row in range(0, len(lessons), _ACROSS):
        for column, lesson in zip(st.columns(_ACROSS), lessons[row : row + _ACROSS], strict=False):
            with column.container(border=True, height="stretch"):
                done = "✓ " if lesson.id in lesson_view.done() else ""
                st.button(
                    f"**{done}{plain(lesson.title)}**",
                    key=f"open {lesson.id}",
                    type="tertiary",
                    icon=":material/play_circle:",
                    on_click=_open,
                    args=(lesson.id,),
                )
                st.markdown(plain(lesson.summary))
                st.caption(f"stage: {LABELS.get(lesson.stage, lesson.stage)}")


def _open(lesson_id: str) -> None:
    """A link to the page that one is on would leave the address as it is."""
    st.query_params.from_dict({LESSON: lesson_id})
