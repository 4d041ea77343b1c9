"""The documentation of the vocabulary, made from the table of options."""

from __future__ import annotations

import streamlit as st

from segdebug.experiment import OPTIONS, Experiment
from segdebug.presets import PRESETS
from segdebug.vocabulary import LOSSES

__all__ = ["field_table", "preset_table"]


def field_table() -> None:
    """One row a field, and below it what each of its words means."""
    standard = Experiment()
    query = st.text_input("Find", placeholder="softmax, from_logits, void …", key="find", bind="query-params").lower()
    rows, words = [], []
    for field, option in OPTIONS.items():
        row = {
            "field": field,
            "in the address": option.param,
            "default": option.write(standard[field]) or "empty",
            "meaning": option.meaning,
            "takes": "a word of the list below" if option.choices else option.expected,
        }
        if query in " ".join(row.values()).lower():
            rows.append(row)
        words += [_word(field, word, meaning) for word, meaning in option.choices.items()]
    st.dataframe(rows, hide_index=True, width="stretch", height="content")
    st.subheader("Words")
    found = [word for word in words if query in " ".join(word.values()).lower()]
    st.dataframe(found, hide_index=True, width="stretch", height="content")
    if not rows and not found:
        st.info("No field or word has that in it.", icon="·")


def preset_table() -> None:
    """One row a preset: what it is, and what it changes from the default."""
    rows = [
        {
            "preset": name,
            "meaning": preset.meaning,
            "changes": ", ".join(f"{k} = {v}" for k, v in preset.changes.items()),
        }
        for name, preset in PRESETS.items()
    ]
    st.dataframe(rows, hide_index=True, width="stretch", height="content")


def _word(field: str, word: str, meaning: str) -> dict[str, str]:
    takes = ", ".join(LOSSES[word].accepts) if field == "loss.name" else ""
    return {"field": field, "word": word, "meaning": meaning, "parameters": takes}
