"""The documentation of the vocabulary, made from the table of options."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from segdebug.experiment import OPTIONS, Experiment
from segdebug.presets import PRESETS
from segdebug.ui.text import note, plain
from segdebug.vocabulary import LOSSES

__all__ = ["words"]

_Row = dict[str, str]


def words() -> None:
    """What can be searched: fields, the words that they take, presets. Plain tables, for the browser's own search
    and for copying too."""
    query = st.text_input("Find", placeholder="softmax, from_logits, void …", key="find", bind="query-params")
    shown = [
        _table("Fields", [_field(field) for field in OPTIONS], query),
        _table("Words", [_word(f, w) for f, option in OPTIONS.items() for w in option.choices], query),
        _table("Presets", [_preset(name) for name in PRESETS], query),
    ]
    if not any(shown):
        note("No field, word or preset has that in it.")


def _table(title: str, rows: Sequence[_Row], query: str) -> bool:
    """The rows that have the query in them; whether there are any."""
    found = [row for row in rows if query.strip().lower() in " ".join(row.values()).lower()]
    if found:
        st.subheader(title)
        cells = [{column: plain(text) for column, text in row.items()} for row in found]
        st.table(cells, hide_index=True, border="horizontal")
    return bool(found)


def _field(field: str) -> _Row:
    option = OPTIONS[field]
    return {
        "field": field,
        "in the address": option.param,
        "meaning": option.meaning,
        "default": option.write(Experiment()[field]) or "empty",
        "takes": "one of the words below" if option.choices else option.expected,
    }


def _word(field: str, word: str) -> _Row:
    return {
        "field": field,
        "word": word,
        "meaning": OPTIONS[field].choices[word],
        "parameters": ", ".join(LOSSES[word].accepts) if field == "loss.name" else "",
    }


def _preset(name: str) -> _Row:
    changes = ", ".join(f"{field} = {OPTIONS[field].write(value)}" for field, value in PRESETS[name].changes.items())
    return {"preset": name, "meaning": PRESETS[name].meaning, "changes from the default": changes}
