"""Diagnose, the home page: picture and masks, configuration, and the run."""

from segdebug.ui import frame

frame.enter()

import streamlit as st  # noqa: E402

from segdebug.ui import diagnose  # noqa: E402

st.title("What your loss really computes, on your own picture", anchor=False)
shown = diagnose.scene()
experiment = diagnose.configuration(shown)
diagnose.overfit(shown.scene, experiment)
diagnose.results(shown.scene, experiment)
