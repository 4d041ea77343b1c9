"""Compare: the same picture under several configurations, side by side."""

from segdebug.ui import frame

frame.enter()

import streamlit as st  # noqa: E402

from segdebug.ui import compare_page  # noqa: E402

st.title("The same picture under several configurations", anchor=False)
compare_page.show()
