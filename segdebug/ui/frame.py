"""The frame around every page: page settings, navigation, and the engine that trains elsewhere."""

from __future__ import annotations

from contextvars import ContextVar
from pathlib import Path

import streamlit as st

from segdebug.ui import engine

__all__ = ["enter", "run"]

_HERE = Path(__file__).parent
_PAGES = _HERE.parents[1] / "pages"
_in_frame: ContextVar[bool] = ContextVar("in_frame", default=False)


def run() -> None:
    """Draw the frame and, inside it, the page that the address names."""
    # The icon must be set here: an icon of st.Page would be fetched from outside by the browser.
    st.set_page_config(page_title="segdebug", page_icon="🔬", layout="wide")
    st.logo(str(_HERE / "logo.svg"))
    st.html(_HERE / "page.css")
    pages = [
        st.Page(_PAGES / "diagnose.py", title="Diagnose", default=True),
        st.Page(_PAGES / "compare.py", title="Compare"),
        st.Page(_PAGES / "pixel.py", title="Pixel"),
        st.Page(_PAGES / "masks.py", title="Masks"),
        st.Page(_PAGES / "runs.py", title="Runs"),
        st.Page(_PAGES / "findings.py", title="Findings"),
        st.Page(_PAGES / "words.py", title="Words"),
    ]
    page = st.navigation(pages, position="top")
    engine.attend()
    token = _in_frame.set(True)
    try:
        page.run()
    finally:
        _in_frame.reset(token)


def enter() -> None:
    """First statement of every page.

    Until some session has opened the app by its front door, Streamlit runs a page that is named in the address
    without app.py. Then the frame runs here, with this very page inside it, and the bare one stops.
    """
    if not _in_frame.get():
        run()
        st.stop()
