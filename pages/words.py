"""Words: every field of a configuration, from the same table as the widgets and the messages."""

from segdebug.ui import frame

frame.enter()

import streamlit as st  # noqa: E402

from segdebug.ui.words import field_table, preset_table  # noqa: E402

st.markdown("Every word of a configuration: in the sidebar, in JSON and in the address.")
field_table()
st.subheader("Presets")
preset_table()
