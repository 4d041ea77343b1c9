"""Words: every field of a configuration, from the same table as the widgets and the messages."""

from segdebug.ui import frame

frame.enter()

import streamlit as st  # noqa: E402

from segdebug.ui.words import words  # noqa: E402

st.title("Every word of a configuration: in the sidebar, in JSON, in the address", anchor=False)
words()
