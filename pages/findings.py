"""Findings: every rule, what it checks, and what to write instead, from the catalogue that the page applies."""

from segdebug.ui import frame

frame.enter()

import streamlit as st  # noqa: E402

from segdebug.ui.findings import findings  # noqa: E402

st.title("Everything that is looked for, stage by stage", anchor=False)
findings()
