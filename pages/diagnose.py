"""Diagnose, the home page: picture and masks, configuration, what it computes, and the run."""

from segdebug.ui import frame

frame.enter()

import streamlit as st  # noqa: E402

from segdebug.ui import diagnose, strip  # noqa: E402

st.title("What your loss really computes, on your own picture", anchor=False)
shown = diagnose.scene()
experiment = diagnose.configuration(shown)
found = strip.show(shown.scene, experiment)
diagnose.overfit(shown.scene, experiment)
diagnose.diagnosis(shown.scene, experiment, found)
diagnose.results(shown.scene, experiment)
