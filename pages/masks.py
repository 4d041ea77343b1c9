"""Masks: what each file holds, what it was taken for, and what the readers that people use make of it."""

from segdebug.ui import frame

frame.enter()

import streamlit as st  # noqa: E402

from segdebug.ui import masks_page  # noqa: E402

st.title("What the mask files hold, and what readers make of them", anchor=False)
shown = masks_page.scene()
experiment = masks_page.configuration(shown)
masks_page.files(shown.scene)
masks_page.readers(shown.scene, experiment)
masks_page.right_way(shown.scene, experiment)
