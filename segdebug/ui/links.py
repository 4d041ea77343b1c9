"""Addresses: what opens a run on Diagnose with its picture, and numbers as they stand in the address."""

from __future__ import annotations

import streamlit as st

from segdebug.scene import sample_names
from segdebug.ui import sources

__all__ = ["of_the_scene", "whole"]

_DIGITS = 9  # more than any step, row or choice has; Python refuses to read thousands of them


def of_the_scene(name: str, digest: str) -> dict[str, str]:
    """The address's parameters that show the scene of a run: a sample by its name, any other as kept with its run."""
    if name in sample_names() and sources.sample_scene(name).digest == digest:
        return {"sample": name}
    return {"source": "your files"}


def whole(name: str) -> int | None:
    """The whole number, 0 or more, that the address has under this name; None where it has none."""
    text = st.query_params.get(name, "")
    return int(text) if text.isdecimal() and len(text) <= _DIGITS else None
