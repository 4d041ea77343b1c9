"""Runs: every finished run that is kept, to be found, opened, compared, renamed and deleted."""

from segdebug.ui import frame

frame.enter()

import streamlit as st  # noqa: E402

from segdebug.ui import runs_page  # noqa: E402

st.title("Every run that was finished here", anchor=False)
store = runs_page.store()
if store is not None:
    found = runs_page.search(store)
    runs_page.compare(store)
    runs_page.listed(store, found)
