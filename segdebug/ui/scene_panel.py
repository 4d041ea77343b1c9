"""Picture and masks: a sample or the person's own files, and what was read from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from segdebug.errors import SceneError
from segdebug.experiment import Experiment
from segdebug.painting import overlay, png
from segdebug.scene import Scene, sample_info, sample_names
from segdebug.ui import engine, mask_question, mask_reading, settings, sources
from segdebug.ui.classes import class_table, with_edits
from segdebug.ui.text import error, note, plain, warning

__all__ = ["ADDRESS", "OF_THE_SCENE", "UPLOAD", "Shown", "choose_scene", "choose_source", "go_on"]

_SOURCES = ("sample", "your files")
_IMAGE_TYPES = ["png", "jpg", "jpeg", "gif", "bmp", "webp", "tif", "tiff", "npy", "npz"]
_MASK_TYPES = [*_IMAGE_TYPES, "zip", "json", "csv"]
_LAST_GOOD = "last_good_scene"
_SHOWN_AT_MOST = 900  # pixels on the longer side of the overlay

UPLOAD = "upload"
"""The address's parameter that names uploaded files."""

OF_THE_SCENE = (
    "source",
    "sample",
    UPLOAD,
    *mask_reading.SAID,
    "classes",
)
"""The address's parameters that say which scene is shown, and how."""


_WIDGETS: dict[str, type] = {"source": str, "sample": str, **mask_reading.SAID}
_TO_ADDRESS = "scene_to_address"
_PAGE = "scene_page"  # in the session: the page that showed it last

ADDRESS = "scene_address"
"""In the session: the address's parameters that say which scene was last shown, for another page."""


@dataclass(frozen=True)
class Shown:
    """The scene on the page, and the configuration that is known to learn it."""

    scene: Scene
    recommended: Experiment


def choose_scene() -> Shown:
    """Draw the panel and return the scene that it shows. Files that cannot be read leave the last one there."""
    if go_on("diagnose") and (last := settings.current()) is not None:
        settings.set_experiment(last)
    refusals = st.container()
    picture, table, choice = st.container(key="scene_panel").columns([3, 5, 3], gap="medium")
    with choice:
        shown = choose_source(refusals)
    scene = shown.scene
    with table:
        class_table(scene)
        mask_question.ask(scene)
        st.page_link(
            "pages/masks.py",
            label="What the mask files hold, and what readers make of them",
            icon=":material/layers:",
        )
    with picture:
        _picture(scene)
    return shown


def choose_source(refusals: DeltaGenerator) -> Shown:
    """Draw the choice between samples and own files, and return the scene, under the names and colours that the
    address has for it. Why files cannot be read goes to `refusals`."""
    scene, recommended = _chosen(refusals)
    if st.session_state.pop(_TO_ADDRESS, None) == "drawn first":
        st.session_state[_TO_ADDRESS] = "said again"
        st.rerun()
    # What is bound to a widget stands in the session, and in the address only where it is not the default.
    said = {name: st.session_state.get(name, st.query_params.get(name)) for name in OF_THE_SCENE}
    st.session_state[ADDRESS] = {name: str(value) for name, value in said.items() if value is not None}
    return Shown(with_edits(scene), recommended)


def go_on(page: str) -> bool:
    """Reached from the menu, go on with the scene that this session last looked at on another page; whether so.

    Streamlit forgets the widgets of other pages and takes their parameters out of the address, so the session keeps
    them. A run of the same page that was broken off is no arrival: its first widget is there.
    """
    arrived = st.session_state.get(_PAGE) != page or "source" not in st.session_state
    st.session_state[_PAGE] = page
    if st.session_state.get(_TO_ADDRESS) == "said again":  # as in `settings`: only then are they in the address
        for name in _WIDGETS:
            if name in st.session_state:
                st.session_state[name] = st.session_state[name]
        return False
    last: dict[str, str] = st.session_state.get(ADDRESS, {})
    if not arrived or not last or any(name in st.query_params for name in OF_THE_SCENE):
        return False
    for name, value in last.items():
        if name in _WIDGETS:
            st.session_state[name] = _WIDGETS[name](value)
        else:
            st.query_params[name] = value
    st.session_state[_TO_ADDRESS] = "drawn first"
    return True


def _chosen(refusals: DeltaGenerator) -> tuple[Scene, Experiment]:
    source = st.segmented_control(
        "Picture and masks", _SOURCES, default="sample", required=True, key="source", bind="query-params"
    )
    if source == "sample":
        name = st.session_state.get("sample", st.query_params.get("sample"))
        about = sample_info(name if name in sample_names() else sample_names()[0])
        name = st.selectbox(
            "Sample",
            sample_names(),
            key="sample",
            bind="query-params",
            format_func=str,
            help=plain(f"Source: {about.source}. Licence: {about.licence}."),
        )
        info = sample_info(name)
        st.caption(plain(info.description))
        return sources.sample_scene(name), Experiment().changed(info.experiment)
    scene = _from_files(refusals)
    return scene, Experiment.preset("sigmoid_bce_planes" if scene.overlapping else "softmax_cce")


def _from_files(refusals: DeltaGenerator) -> Scene:
    """The uploaded scene, or the last one that could be read; why not, in one line, goes to `refusals`."""
    image = st.file_uploader("Image", _IMAGE_TYPES, key="image_file")
    masks = st.file_uploader("Mask, or one file a class", _MASK_TYPES, accept_multiple_files=True, key="mask_files")
    with st.expander("How the masks are read"):
        reading = mask_reading.widgets()
        counts = st.file_uploader(
            "Which pixels count",
            _IMAGE_TYPES,
            key="validity_file",
            help="A mask that is zero where nothing counts, such as outside of the field of view. May be left out.",
        )
    upload = _upload(image, masks, counts)
    if upload is not None:
        try:
            scene = sources.upload_scene(upload.id, reading, upload)
        except SceneError as refusal:
            with refusals:
                error(str(refusal))
        else:
            st.query_params[UPLOAD] = sources.keep(upload)
            st.session_state[_LAST_GOOD] = scene
    return _last_good()


def _upload(image: Any, masks: list[Any], counts: Any) -> sources.Upload | None:
    """The files in the uploaders; those of the address where the uploaders are empty, as after a reload."""
    if image is not None and masks:
        pairs = tuple((mask.name, mask.getvalue()) for mask in masks)
        validity = None if counts is None else (counts.name, counts.getvalue())
        return sources.Upload((image.name, image.getvalue()), pairs, validity)
    if image is not None or masks:
        note("Add the masks." if image is not None else "Add the image.")
        return None
    held_id = st.query_params.get(UPLOAD)
    if held_id is None:
        return None
    held = sources.uploaded(held_id)
    if held is None and _of_the_run() is None:
        warning("The uploaded files of this link are no longer held here: upload them again.")
    elif held is not None:
        names = ", ".join(name for name, _ in held.masks)
        st.caption(plain(f"Still here: {held.image[0]} with {names}."))
    return held


def _of_the_run() -> Scene | None:
    """The scene of the run that the address names, which is kept with it."""
    job = engine.find(st.query_params.get(engine.RUN, ""))
    return None if job is None else job.scene


def _last_good() -> Scene:
    """What to show where files are missing or bad: the last scene that could be read, the one of the run that is
    looked at, or a sample."""
    scene = st.session_state.get(_LAST_GOOD)
    if (scene is None or UPLOAD not in st.query_params) and (kept := _of_the_run()) is not None:
        st.caption(plain(f"{kept.name}: kept with the run."))
        return kept
    if scene is None:
        st.caption("Until then, a sample is shown.")
        return sources.sample_scene(sample_names()[0])
    return scene


def _picture(scene: Scene) -> None:
    place = st.container()
    opacity = st.slider(
        "Masks over the picture", 0.0, 1.0, 0.5, 0.05, key="opacity", bind="query-params", format="percent"
    )
    place.image(
        _painted(scene.digest, tuple(c.colour for c in scene.classes), opacity, scene),
        width="stretch",
        alt=f"{scene.name} with its classes in colour: {', '.join(c.name for c in scene.classes)}",
    )


@st.cache_data(show_spinner=False, max_entries=64)
def _painted(digest: str, colours: tuple[str, ...], opacity: float, _scene: Scene) -> bytes:  # noqa: ARG001
    """The overlay as PNG, thinned out where the picture is larger than its place."""
    step = max(1, -(-max(_scene.width, _scene.height) // _SHOWN_AT_MOST))
    return png(overlay(_scene.image[::step, ::step], _scene.labels[::step, ::step], _scene.classes, opacity))
