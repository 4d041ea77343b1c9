"""The picture under its classes: how strongly they cover it, and which of them are shown."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st

from segdebug.painting import overlay, png
from segdebug.scene import VOID, Scene
from segdebug.ui.text import plain

__all__ = ["draw"]

_SIDE_AT_MOST = 900  # pixels on the longer side
_PILLS_AT_MOST = 16  # classes that each have a button of their own


def draw(scene: Scene) -> None:
    """The overlay, a slider, and a toggle for each class; of many classes a list to pick from."""
    place = st.container()
    opacity = st.slider(
        "Masks over the picture", 0.0, 1.0, 0.5, 0.05, key="opacity", bind="query-params", format="percent"
    )
    chosen = sorted(_toggles(scene))
    names = [scene.classes[c].name for c in chosen]
    place.image(
        _painted(scene.digest, tuple(c.colour for c in scene.classes), opacity, tuple(chosen), scene),
        width="stretch",
        alt=f"{scene.name} with these classes in colour: {', '.join(names) or 'none'}",
    )


def _toggles(scene: Scene) -> Sequence[int]:
    ids = [c.id for c in scene.classes]
    key = f"shown {scene.digest} {scene.n_classes}"
    if len(ids) <= _PILLS_AT_MOST:
        chosen = st.pills(
            "Classes shown",
            ids,
            selection_mode="multi",
            default=ids,
            format_func=lambda c: _name(scene, c),
            key=key,
            wrap=True,
        )
    else:
        chosen = st.multiselect("Classes shown", ids, default=ids, format_func=lambda c: _name(scene, c), key=key)
    return chosen


def _name(scene: Scene, class_id: int) -> str:
    return plain(scene.classes[class_id].name)


@st.cache_data(show_spinner=False, max_entries=64)
def _painted(digest: str, colours: tuple[str, ...], opacity: float, chosen: tuple[int, ...], _scene: Scene) -> bytes:  # noqa: ARG001
    """As PNG, thinned out where the picture is larger than its place."""
    step = max(1, -(-max(_scene.width, _scene.height) // _SIDE_AT_MOST))
    labels = _scene.labels[::step, ::step]
    if _scene.planes is not None:  # of the classes shown the last, as everywhere
        labels = np.full_like(labels, VOID)
        for c in chosen:
            labels[_scene.planes[::step, ::step, c]] = c
    shown = np.where(np.isin(labels, chosen), labels, VOID)
    return png(overlay(_scene.image[::step, ::step], shown, _scene.classes, opacity))
