"""A class and its teacher: the links to hand out, the answers as they come in, and the reveal for all."""

from __future__ import annotations

import pyarrow as pa
import streamlit as st

from segdebug.lessons import PANELS, Lesson, Tally, new_key
from segdebug.ui.lesson_link import CHOICE, CLASS, GO, KEY, PRESENT, QUIET, SHOW, Link, address
from segdebug.ui.lesson_shelf import answers
from segdebug.ui.text import note, plain

__all__ = ["counted", "for_teachers", "tally", "wait"]

_LOOK = 1.0  # seconds between looks at the answers
_WAIT = 2.0  # seconds between looks whether the reveal is open


def counted(lesson: Lesson, link: Link) -> Tally | None:
    """What the class has answered; None for none, or one of before the lesson got other choices."""
    found = answers().tally(link.class_id, lesson.id)
    return found if found is not None and len(found.counts) == len(lesson.question.choices) else None


def wait(lesson: Lesson, link: Link) -> None:
    """In place of the reveal, until the teacher opens it."""
    st.fragment(_waiting, run_every=_WAIT)(lesson.id, link.class_id)


def _waiting(lesson_id: str, class_id: str) -> None:
    found = answers().tally(class_id, lesson_id)
    if found is None or not found.withheld:
        st.rerun()
    note("The runs have ended. Your teacher opens the reveal for everybody; you may change your choice until then.")


def tally(lesson: Lesson, link: Link) -> None:
    """The class's answers, a bar for each choice, as they come in; and the button that opens the reveal. Where no class
    was started, the button that starts it."""
    if counted(lesson, link) is None:
        _offer(lesson)
        return
    st.fragment(_tally, run_every=_LOOK)(lesson, link)


def _tally(lesson: Lesson, link: Link) -> None:
    found = counted(lesson, link) or Tally((0,) * len(lesson.question.choices))
    total = sum(found.counts)
    st.markdown(f"**{total} {'answer' if total == 1 else 'answers'}**")
    labels = [f"{n}. {choice}" for n, choice in enumerate(lesson.question.choices, 1)]
    data = pa.table({"choice": labels, "answers": found.counts})
    told = "; ".join(f"{label}: {count}" for label, count in zip(labels, found.counts, strict=True))
    size, bar = (22, 66) if link.present else (15, 44)
    spec = _bars(labels, max(1, *found.counts), size)
    st.vega_lite_chart(data, spec, key="tally", height=bar * len(labels) + 10, alt=told)
    words = "Close the reveal again" if found.opened else "Open the reveal for all"
    st.button(words, key="open_reveal", on_click=_open, args=(link.key, lesson.id, not found.opened))


def _bars(labels: list[str], most: int, size: int) -> dict[str, object]:
    y = {"field": "choice", "type": "nominal", "sort": labels, "title": None, "axis": {"labels": False, "ticks": False}}
    x = {"field": "answers", "type": "quantitative", "title": None, "scale": {"domain": [0, 1.1 * most]}, "axis": None}
    text = {"type": "text", "align": "left", "x": 6, "fontSize": size, "limit": 1000}
    number = {"type": "text", "align": "left", "dx": 6, "fontSize": size + 2, "fontWeight": "bold"}
    return {
        "encoding": {"y": y},
        "layer": [
            {"mark": {"type": "bar", "opacity": 0.45}, "encoding": {"x": x}},
            {"mark": text, "encoding": {"text": {"field": "choice"}}},
            {"mark": {**number, "align": "right", "x": "width"}, "encoding": {"text": {"field": "answers"}}},
        ],
        "background": "transparent",
        "config": {"view": {"stroke": None}},
    }


def _open(key: str, lesson_id: str, opened: bool) -> None:
    answers().open_reveal(key, lesson_id, opened=opened)


def for_teachers(lesson: Lesson, link: Link) -> None:
    """For whoever holds a teacher's link: answers and links. For all others the button that makes one a teacher."""
    found = counted(lesson, link) if link.key else None
    if found is None:
        with st.expander("For teachers", key="for_teachers"):
            _offer(lesson)
        return
    with st.container(border=True, key="teacher"):
        st.subheader("Your class", anchor=False)
        tally(lesson, link)
        st.markdown("**The link for the students**")
        left, right = st.columns(2)
        with left:
            st.toggle(
                "The reveal waits for me",
                value=found.held,
                key="give_hold",
                on_change=_hold,
                args=(link.key, lesson.id),
                help="Whether the class sees it before you open it. It holds at once, whatever the link.",
            )
            quiet = st.toggle("Nothing but the lesson: no way to other configurations", value=True, key="give_quiet")
        with right:
            told = "  \n".join(f"**{panel}**: {words}" for panel, words in PANELS.items())
            own = list(link.panels or lesson.look)
            shown = st.pills(
                "What is shown", list(PANELS), selection_mode="multi", default=own, key="panels", help=told
            )
        more = {CLASS: link.class_id, QUIET: "1" if quiet else ""}
        panels = "" if set(shown) == set(lesson.look) else ",".join(shown)
        st.code(address(link.query(**{**more, SHOW: panels})), language=None, wrap_lines=True)
        st.caption("Keep the address of this page to yourself: it opens the reveal.")
        st.markdown("**For the projector** (the arrow keys turn the pages; it shows the answers, and holds your key)")
        st.code(address(link.query(**{KEY: link.key, PRESENT: "1", CLASS: ""})), language=None, wrap_lines=True)
        st.caption(plain("Fields of a configuration in the address, such as &seed=3&steps=60, hold for every run."))


def _offer(lesson: Lesson) -> None:
    st.markdown(
        "Make a link for a class: students predict, run, and answer without names; you see the answers as they come "
        "in, and open the reveal for everybody."
    )
    st.button("Teach this lesson", key="teach", on_click=_teach, args=(lesson.id, len(lesson.question.choices)))


def _hold(key: str, lesson_id: str) -> None:
    answers().hold(key, lesson_id, held=st.session_state["give_hold"])


def _teach(lesson_id: str, choices: int) -> None:
    """Only this starts a class: an address alone, whatever key it has, makes no file. A key that is there is kept, so
    that a class can have several lessons."""
    key = st.query_params.get(KEY, "")[:200] or new_key()
    answers().start(key, lesson_id, choices)
    st.query_params[KEY] = key
    for name in (CLASS, QUIET, CHOICE, GO):
        st.query_params.pop(name, None)
