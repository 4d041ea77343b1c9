"""Text of people's own on a page: shown as it is, never read as Markdown. And the three kinds of line."""

from __future__ import annotations

import re

import streamlit as st

__all__ = ["error", "note", "plain", "warning"]


def plain(text: str) -> str:
    """The text with every sign that Markdown or Streamlit would read escaped, on one line."""
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", " ".join(text.split()))


def error(text: str) -> None:
    """What is wrong, in red; nothing else is red."""
    st.error(plain(text), icon=":material/close:")


def warning(text: str) -> None:
    """What asks for a look."""
    st.warning(plain(text), icon=":material/priority_high:")


def note(text: str) -> None:
    """What to do next, or what is not there yet."""
    st.info(plain(text), icon=":material/info:")
