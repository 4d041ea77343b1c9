"""Picture and masks: a sample or the person's own files, what was read from them, and its classes."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

import streamlit as st

from segdebug.errors import SceneError
from segdebug.experiment import Experiment
from segdebug.painting import overlay, png
from segdebug.scene import ENCODINGS, Scene, SceneClass, sample_info, sample_names
from segdebug.ui import sources
from segdebug.ui.text import plain

__all__ = ["Shown", "choose_scene"]

_SOURCES = ("sample", "your files")
_FILE_TYPES = ["png", "jpg", "jpeg", "bmp", "webp", "tif", "tiff", "npy"]
_LAST_GOOD = "last_good_scene"
_UPLOAD = "upload"
_CLASSES = "classes"
_SHOWN_AT_MOST = 900  # pixels on the longer side of the overlay


@dataclass(frozen=True)
class Shown:
    """The scene on the page, and the configuration that is known to learn it."""

    scene: Scene
    recommended: Experiment


def choose_scene() -> Shown:
    """Draw the panel and return the scene that it shows. Files that cannot be read leave the last one there."""
    picture, table, choice = st.columns([3, 5, 3], gap="medium")
    with choice:
        scene, recommended = _chosen()
    scene = _with_edits(scene)
    with picture:
        _picture(scene)
    with table:
        scene = _class_table(scene)
    return Shown(scene, recommended)


def _chosen() -> tuple[Scene, Experiment]:
    source = st.segmented_control(
        "Picture and masks", _SOURCES, default="sample", required=True, key="source", bind="query-params"
    )
    if source == "sample":
        name = st.selectbox(
            "Sample",
            sample_names(),
            key="sample",
            bind="query-params",
            format_func=str,
            help="built in, with licences",
        )
        info = sample_info(name)
        st.caption(plain(info.description))
        st.caption(plain(f"Source: {info.source}. Licence: {info.licence}."))
        return sources.sample_scene(name), Experiment().changed(info.experiment)
    return _from_files(), Experiment.preset("softmax_cce")


def _from_files() -> Scene:
    image = st.file_uploader("Image", _FILE_TYPES, key="image_file")
    masks = st.file_uploader("Mask, or one file a class", _FILE_TYPES, accept_multiple_files=True, key="mask_files")
    encoding = st.selectbox(
        "Masks are",
        list(ENCODINGS),
        key="encoding",
        bind="query-params",
        help="  \n".join(f"**{name}**: {plain(meaning)}" for name, meaning in ENCODINGS.items()),
    )
    ignore = st.number_input(
        "Unlabelled value",
        value=None,
        step=1,
        min_value=-1,
        max_value=65535,
        key="ignore",
        bind="query-params",
        placeholder="found out",
        help="the mask value that means: no class here",
    )
    upload = _upload(image, masks)
    if upload is not None:
        try:
            scene = sources.upload_scene(upload.id, encoding, ignore, upload)
        except SceneError as error:
            st.error(plain(str(error)), icon="✕")
        else:
            st.query_params[_UPLOAD] = sources.keep(upload)
            st.session_state[_LAST_GOOD] = scene
    return _last_good()


def _upload(image: Any, masks: list[Any]) -> sources.Upload | None:
    """The files in the uploaders; those of the address where the uploaders are empty, as after a reload."""
    if image is not None and masks:
        pairs = tuple((mask.name, mask.getvalue()) for mask in masks)
        return sources.Upload((image.name, image.getvalue()), pairs)
    if image is not None or masks:
        st.info("Add the masks." if image is not None else "Add the image.", icon="→")
        return None
    held_id = st.query_params.get(_UPLOAD)
    if held_id is None:
        return None
    held = sources.uploaded(held_id)
    if held is None:
        st.warning("The uploaded files of this link are no longer held here: upload them again.", icon="!")
    else:
        names = ", ".join(name for name, _ in held.masks)
        st.caption(plain(f"Still here: {held.image[0]} with {names}."))
    return held


def _last_good() -> Scene:
    """What to show where files are missing or bad: the last scene that could be read, or a sample."""
    scene = st.session_state.get(_LAST_GOOD)
    if scene is None:
        st.caption("Until then, a sample is shown.")
        return sources.sample_scene(sample_names()[0])
    return scene


def _picture(scene: Scene) -> None:
    opacity = st.session_state.get("opacity", 0.5)
    step = max(1, -(-max(scene.width, scene.height) // _SHOWN_AT_MOST))
    painted = overlay(scene.image[::step, ::step], scene.labels[::step, ::step], scene.classes, opacity)
    st.image(png(painted), width="stretch")
    st.slider(
        "Masks over picture",
        0.0,
        1.0,
        0.5,
        0.05,
        key="opacity",
        bind="query-params",
        label_visibility="collapsed",
    )


def _class_table(scene: Scene) -> Scene:
    """What was read; names and colours can be changed, and the address keeps them."""
    st.markdown(
        plain(
            f"{scene.name}: {scene.width} × {scene.height} px, {scene.n_classes} classes, read as {scene.encoding} "
            f"({scene.confidence:.0%} sure)" + (", classes overlap" if scene.overlapping else "")
        )
    )
    base_key = f"base {scene.digest}"
    base: tuple[SceneClass, ...] = st.session_state.setdefault(base_key, scene.classes)
    edited = st.data_editor(
        [_row(c, scene.labels.size) for c in base],
        key=f"editor {scene.digest}",
        hide_index=True,
        num_rows="fixed",
        height=min(38 + 35 * len(base), 330),
        column_config={
            "swatch": st.column_config.ImageColumn("", width=20),
            "class": st.column_config.TextColumn("class", max_chars=60, required=True),
            "colour": st.column_config.TextColumn(
                "colour", max_chars=7, validate="^#[0-9a-fA-F]{6}$", required=True, width=80
            ),
            "in the file": st.column_config.TextColumn(disabled=True, width=80),
            "pixels": st.column_config.NumberColumn(disabled=True, format="localized", width=80),
            "share": st.column_config.NumberColumn(disabled=True, format="percent", width=70),
        },
    )
    if scene.ignored_pixels:
        st.caption(f"{scene.ignored_pixels:,} pixels ({scene.ignored_pixels / scene.labels.size:.1%}) unlabelled")
    for warning in scene.warnings:
        st.caption(f"! {plain(warning.message)}")
    return _keep_edits(scene, edited)


def _row(c: SceneClass, pixels: int) -> dict[str, Any]:
    square = f"<rect width='16' height='16' fill='%23{c.colour[1:]}'/>"
    swatch = f"<svg xmlns='http://www.w3.org/2000/svg' width='16' height='16'>{square}</svg>"
    return {
        "swatch": f"data:image/svg+xml,{swatch}",
        "class": c.name,
        "colour": c.colour,
        "in the file": "(the rest)" if c.encoded_as is None else str(c.encoded_as),
        "pixels": c.pixels,
        "share": c.pixels / pixels,
    }


def _keep_edits(scene: Scene, rows: list[dict[str, Any]]) -> Scene:
    """Names and colours as edited, put into the address; a colour that is none is left as it was."""
    original = _unedited(scene)
    names, colours = {}, {}
    for c, row in zip(original, rows, strict=True):
        if row["class"] and row["class"] != c.name:
            names[c.id] = str(row["class"])[:60]
        if re.fullmatch("#[0-9a-fA-F]{6}", str(row["colour"])) and row["colour"] != c.colour:
            colours[c.id] = str(row["colour"]).lower()
    if names or colours:
        st.query_params[_CLASSES] = json.dumps([scene.digest[:8], names, colours], ensure_ascii=False)
    elif _CLASSES in st.query_params:
        del st.query_params[_CLASSES]
    return scene.with_classes(names, colours)


def _with_edits(scene: Scene) -> Scene:
    """The scene with the names and colours that the address has for it; anything malformed is left alone."""
    st.session_state[f"original {scene.digest}"] = scene.classes
    try:
        digest, names, colours = json.loads(st.query_params.get(_CLASSES, ""))
        if digest != scene.digest[:8]:
            return scene
        good = {int(k): str(v) for k, v in colours.items() if re.fullmatch("#[0-9a-fA-F]{6}", str(v))}
        return scene.with_classes({int(k): str(v)[:60] for k, v in names.items()}, good)
    except (ValueError, TypeError, AttributeError):
        return scene


def _unedited(scene: Scene) -> tuple[SceneClass, ...]:
    return st.session_state[f"original {scene.digest}"]
