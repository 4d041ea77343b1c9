"""The question where a mask file could mean several things: one click answers it, and the address keeps the answer."""

from __future__ import annotations

import json

import streamlit as st

from segdebug.scene import ENCODINGS, FileReport, Scene
from segdebug.scene.model import Alternative
from segdebug.ui import mask_reading
from segdebug.ui.text import plain

__all__ = ["ask"]

_ASKED_AT_MOST = 5
_SURE = 0.9  # from here on the question waits behind one click


def ask(scene: Scene) -> None:
    """What the files were taken for and why, and what else they could be, one button each, folded away where that is
    hardly a question; nothing where the files can mean one thing only. What a person has said can be taken back."""
    said = mask_reading.is_said()
    report = next((file for file in scene.report if file.alternatives), None)
    if report is None and not said:
        return
    open_question = report is None or report.confidence < _SURE
    place = (
        st.container(border=True, key="question")
        if open_question
        else st.expander("Is it something else?", key="question")
    )
    with place:
        if report is not None:
            _alternatives(report)
        if said:
            st.button(
                "Back to what was found out",
                key="found_out",
                type="tertiary",
                icon=":material/undo:",
                on_click=mask_reading.found_out,
            )


def _alternatives(report: FileReport) -> None:
    meaning = ENCODINGS.get(report.encoding, "")
    told = f"{report.name} was read as {report.encoding}, {report.confidence:.0%} sure"
    st.markdown(f"**{plain(told)}**" + (f": {plain(meaning)}." if meaning else "."))
    if report.reasons:
        st.caption(plain("; ".join(report.reasons)))
    st.markdown("If it is something else, say so:")
    with st.container(horizontal=True):
        for n, other in enumerate(report.alternatives[:_ASKED_AT_MOST]):
            st.button(
                plain(other.words),
                key=f"alternative_{n}",
                on_click=_choose,
                args=(other,),
                help=plain(f"{_in_the_address(other)}, thought to be {other.confidence:.0%} likely"),
            )


def _in_the_address(other: Alternative) -> str:
    ignored = "" if other.ignore is None else f", {other.ignore} unlabelled"
    return f"read as {other.encoding}{ignored}"


def _choose(other: Alternative) -> None:
    mask_reading.found_out()
    st.session_state[mask_reading.ENCODING] = other.encoding
    st.session_state[mask_reading.IGNORE] = other.ignore
    if other.legend:
        st.session_state[mask_reading.LEGEND] = json.dumps(other.legend, ensure_ascii=False)
