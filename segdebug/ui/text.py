"""Text of people's own on a page: shown as it is, never read as Markdown."""

from __future__ import annotations

import re

__all__ = ["plain"]


def plain(text: str) -> str:
    """The text with every sign that Markdown or Streamlit would read escaped, on one line."""
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", " ".join(text.split()))
