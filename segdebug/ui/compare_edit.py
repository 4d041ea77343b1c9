"""Changing what is compared: add a configuration, take one out, change a field in one of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from segdebug.comparisons import MOST, differing
from segdebug.errors import ExperimentError
from segdebug.experiment import OPTIONS, Experiment
from segdebug.ui.compared import Compared
from segdebug.ui.text import error

__all__ = ["edit"]

Keep = Callable[[list[Experiment]], None]


def edit(compared: list[Compared], current: Experiment, keep: Keep) -> None:
    """A column a configuration, a row a field. keep: told the new list, at each change."""
    box = st.expander("Change the configurations", key="edit", on_change="rerun")
    if not box.open:
        return
    with box:
        experiments = [one.experiment for one in compared]
        shown = differing(experiments)
        more = st.multiselect(
            "Fields to change, besides those that differ",
            [name for name in OPTIONS if name not in shown],
            key="edit_fields",
            format_func=lambda name: f"{OPTIONS[name].label} ({name})",
            placeholder="choose fields …",
        )
        columns = st.columns(len(compared))
        for n, (column, one) in enumerate(zip(columns, compared, strict=True)):
            with column:
                st.markdown(f"**{one.letter}**")
                changed = _fields(one, [*shown, *more])
                if changed is not None and changed != one.experiment:
                    keep([changed if n == m else other for m, other in enumerate(experiments)])
                if len(compared) > 2 and st.button("Take out", key=f"take out {one.letter}", width="stretch"):
                    keep([other for m, other in enumerate(experiments) if m != n])
        with st.container(horizontal=True):
            full = len(compared) >= MOST
            if st.button("Add a copy of the last", key="add_copy", disabled=full):
                keep([*experiments, experiments[-1]])
            if st.button("Add the configuration of Diagnose", key="add_current", disabled=full):
                keep([*experiments, current])


def _fields(one: Compared, fields: list[str]) -> Experiment | None:
    """The widgets of one configuration; what they make of it, None with the reason where that is impossible."""
    changes = {}
    try:
        for name in fields:
            changes[name] = _widget(one, name)
        return one.experiment.changed(changes)
    except (ExperimentError, ValueError) as refusal:
        error(str(refusal))
        return None


def _widget(one: Compared, name: str) -> Any:
    option, value = OPTIONS[name], one.experiment[name]
    key = f"edit {one.letter} {name} {option.write(value)}"
    if option.kind == "choice":
        choices = list(option.choices)
        return st.selectbox(option.label, choices, index=choices.index(value), key=key, help=option.meaning)
    if option.kind == "flag":
        return st.toggle(option.label, value, key=key, help=option.meaning)
    return option.read(st.text_input(option.label, option.write(value), key=key, help=option.meaning))
