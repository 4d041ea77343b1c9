"""The class table: what was read, under names and colours that the person can change. The address keeps them."""

from __future__ import annotations

import json
import re
from typing import Any

import streamlit as st

from segdebug.scene import Scene, SceneClass
from segdebug.ui.text import plain

__all__ = ["class_table", "renamed", "with_edits"]

_PARAM = "classes"
_COLOUR = "#[0-9a-fA-F]{6}"
_LONGEST_NAME = 60
_Edits = dict[int, str]


def with_edits(scene: Scene) -> Scene:
    """The scene with the names and colours that the address has for it; anything malformed is left alone."""
    names, colours = _edits(scene)
    return scene.with_classes(names, colours) if names or colours else scene


def renamed(scene: Scene, like: Scene) -> dict[str, str]:
    """The address's parameters that give a scene the names and colours that another reading of it has; none where they
    are the same, or the classes are others."""
    if scene.n_classes != like.n_classes:
        return {}
    pairs = list(zip(scene.classes, like.classes, strict=True))
    names = {c.id: other.name[:_LONGEST_NAME] for c, other in pairs if c.name != other.name}
    colours = {c.id: other.colour for c, other in pairs if c.colour != other.colour}
    return {_PARAM: _written(scene, names, colours)} if names or colours else {}


def class_table(scene: Scene) -> None:
    """One row a class. `scene` has the edits already; a change puts itself into the address and runs again."""
    size = f"{scene.width} × {scene.height} px, {scene.n_classes} {'class' if scene.n_classes == 1 else 'classes'}"
    sure = "" if scene.confidence >= 1 else f", {scene.confidence:.0%} sure"
    st.markdown(f"**{plain(scene.name)}** · {plain(f'{size}, read as {scene.encoding}{sure}')}")
    key = f"editor {scene.digest}"
    st.data_editor(
        [_row(c, scene.labels.size) for c in scene.classes],
        key=key,
        hide_index=True,
        num_rows="fixed",
        height=min(38 + 35 * scene.n_classes, 220),
        on_change=_rename,
        args=(scene, key),
        column_config={
            "swatch": st.column_config.ImageColumn("", width=20),
            "class": st.column_config.TextColumn("class", max_chars=_LONGEST_NAME, required=True),
            "in the file": st.column_config.TextColumn(disabled=True, width=80),
            "pixels": st.column_config.NumberColumn(disabled=True, format="localized", width=75),
            "share": st.column_config.NumberColumn(disabled=True, format="%.1f %%", width=65),
        },
        alt="Classes: colour, name, value in the file, pixels and their share",
    )
    if scene.ignored_pixels:
        st.caption(f"{scene.ignored_pixels:,} pixels ({scene.ignored_pixels / scene.labels.size:.1%}) unlabelled")
    for found in scene.warnings:
        st.markdown(f":orange[:material/priority_high:] {plain(found.message)}")
    _colour_pickers(scene)


def _colour_pickers(scene: Scene) -> None:
    """Not in a popover: a click outside would close it together with the picker, and lose the colour."""
    colours = st.expander("Colours", key="colours", on_change="rerun")
    if not colours.open:
        return
    with colours, st.container(horizontal=True):
        for c in scene.classes:
            key = f"colour {scene.digest} {c.id}"
            st.color_picker(plain(c.name), c.colour, key=key, on_change=_recolour, args=(scene, c.id, key))


def _row(c: SceneClass, pixels: int) -> dict[str, Any]:
    square = f"<rect width='16' height='16' fill='%23{c.colour[1:]}'/>"
    swatch = f"<svg xmlns='http://www.w3.org/2000/svg' width='16' height='16'>{square}</svg>"
    return {
        "swatch": f"data:image/svg+xml,{swatch}",
        "class": c.name,
        "in the file": "(the rest)" if c.encoded_as is None else str(c.encoded_as),
        "pixels": c.pixels,
        "share": 100 * c.pixels / pixels,
    }


def _rename(scene: Scene, key: str) -> None:
    names, colours = _edits(scene)
    for row, change in st.session_state[key]["edited_rows"].items():
        name = str(change.get("class") or "").strip()
        if name:
            names[scene.classes[int(row)].id] = name[:_LONGEST_NAME]
    _keep(scene, names, colours)


def _recolour(scene: Scene, class_id: int, key: str) -> None:
    names, colours = _edits(scene)
    colours[class_id] = st.session_state[key].lower()
    _keep(scene, names, colours)


def _keep(scene: Scene, names: _Edits, colours: _Edits) -> None:
    st.query_params[_PARAM] = _written(scene, names, colours)


def _written(scene: Scene, names: _Edits, colours: _Edits) -> str:
    return json.dumps([scene.digest[:8], names, colours], ensure_ascii=False)


def _edits(scene: Scene) -> tuple[_Edits, _Edits]:
    """Names and colours by class id, as the address has them for this scene."""
    ids = {c.id for c in scene.classes}
    try:
        digest, names, colours = json.loads(st.query_params.get(_PARAM, ""))
        if digest != scene.digest[:8]:
            return {}, {}
        return (
            {int(k): str(v)[:_LONGEST_NAME] for k, v in names.items() if int(k) in ids and str(v).strip()},
            {int(k): str(v).lower() for k, v in colours.items() if int(k) in ids and re.fullmatch(_COLOUR, str(v))},
        )
    except (ValueError, TypeError, AttributeError):
        return {}, {}
