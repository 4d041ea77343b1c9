"""Pixel: one pixel's way from the bytes in its mask to its gradient, with the mathematics beside the numbers."""

from segdebug.ui import frame

frame.enter()

import streamlit as st  # noqa: E402

from segdebug.ui import pixel_page  # noqa: E402

st.title("One pixel, from the bytes in its mask to its gradient", anchor=False)
place = pixel_page.place()
if place is not None:
    pixel_page.show(place)
