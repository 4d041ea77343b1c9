"""The way to the Pixel page, from any map: its address says which run, step and pixel."""

from __future__ import annotations

from typing import NoReturn

import streamlit as st

__all__ = ["COLUMN", "OTHER", "ROW", "open_pixel"]

ROW, COLUMN = "row", "col"
"""The address's parameters of a pixel on the training grid."""

OTHER = "other"
"""The address's parameter that names the run in the third column."""


def open_pixel(run: str, step: int, row: int, column: int, other: str = "") -> NoReturn:
    """Go there, from wherever a pixel was clicked."""
    told = {"run": run, "step": str(step), ROW: str(row), COLUMN: str(column)}
    st.switch_page("pages/pixel.py", query_params={**told, **({OTHER: other} if other else {})})
