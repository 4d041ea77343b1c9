"""The parts of the Runs page: the search, the runs picked for a comparison, the list."""

from __future__ import annotations

import contextlib
import io
import time
from pathlib import Path

import streamlit as st
from PIL import Image

from segdebug.errors import SegdebugError, StoreError
from segdebug.experiment import Experiment
from segdebug.figures import number
from segdebug.painting import overlay, png
from segdebug.scene import sample_names
from segdebug.store import Entry, Store
from segdebug.ui import links, sources
from segdebug.ui.engine import RUN, watched_by_others
from segdebug.ui.kept import keeper
from segdebug.ui.text import note, plain, warning
from segdebug.ui.verdict import badge

__all__ = ["compare", "listed", "search", "store"]

_A_PAGE = 20
_SHOWN = 0.8  # of a thumbnail's pixels: all are then 77 px high at most
_AT_MOST = 6  # runs side by side
_PICKED = "picked_runs"  # in the session: ids in the order in which they were picked
_TOLD = "runs_told"  # in the session: what the last press came to
_COMPARE = Path(__file__).parents[2] / "pages" / "compare.py"


def store() -> Store | None:
    """Where the runs are; None, with the reason on the page, where nothing can be kept."""
    kept = keeper()
    if kept.trouble:
        warning(kept.trouble)
    if told := st.session_state.pop(_TOLD, ""):
        note(told)
    return kept.store


def search(store: Store) -> list[Entry]:
    """The field, and the runs that it finds, the newest first."""
    try:
        query = st.text_input("Find", placeholder="name, picture, loss, broken …", key="find_run", bind="query-params")
        return store.entries(query)
    except StoreError as refusal:
        warning(str(refusal))
        return []


def compare(store: Store) -> None:
    """The runs that are picked, and the way to see them side by side."""
    picked = [entry for id in st.session_state.get(_PICKED, []) if (entry := store.entry(id)) is not None]
    scenes = {entry.digest for entry in picked}
    words, buttons = st.columns([3, 1], vertical_alignment="center")
    told = f"Picked: {', '.join(entry.name for entry in picked)}."
    if not picked:
        told = "Pick two to six runs of one picture to see them side by side."
    elif len(scenes) > 1:
        told += " Pick runs of one picture only."
    elif len(picked) > _AT_MOST:
        told += " At most six stand side by side."
    words.markdown(plain(told))
    with (
        buttons,
        st.container(horizontal=True, horizontal_alignment="right", vertical_alignment="center"),
    ):  # always there, so that nothing jumps
        if _COMPARE.exists():
            st.page_link(
                "pages/compare.py",
                label="Compare",
                icon=":material/compare:",
                disabled=len(scenes) != 1 or not 2 <= len(picked) <= _AT_MOST,
                query_params={"runs": ",".join(entry.id for entry in picked)},
            )
        st.button("Clear", key="pick_none", on_click=_pick_none, type="tertiary", disabled=not picked)


def listed(store: Store, found: list[Entry]) -> None:
    """The list, a page at a time; where it is empty, something to begin with."""
    if not found:
        _nothing(searched=bool(st.session_state.get("find_run")))
        return
    pages = -(-len(found) // _A_PAGE)
    size = sum(entry.bytes for entry in found) / 2**20
    words, field = st.columns([5, 1], vertical_alignment="bottom")
    kept = f"The newest {store.keep} are kept, {store.keep_bytes / 2**30:.0f} GB at most."
    words.caption(f"{len(found)} run{'s' if len(found) > 1 else ''}, {number(size)} MB. {kept}")
    page = 1
    if pages > 1:
        with field:
            page = int(st.number_input(f"Page, of {pages}", 1, pages, key="runs_page", bind="query-params"))
    for entry in found[(page - 1) * _A_PAGE : page * _A_PAGE]:
        with st.container(border=True, key=f"kept {entry.id}"):
            _row(store, entry)


def _row(store: Store, entry: Entry) -> None:
    pick, picture, words, actions = st.columns([1, 4, 14, 4], vertical_alignment="center")
    with pick:
        st.checkbox(
            f"Pick {entry.name}",
            entry.id in st.session_state.get(_PICKED, []),
            key=f"pick {entry.id}",
            label_visibility="collapsed",
            on_change=_pick,
            args=(entry.id,),
        )
    with picture:
        if entry.thumbnail.is_file():
            _picture(entry)
    with words:
        sign = f"{badge(entry.verdict)} " if entry.verdict else ""
        st.markdown(f"{sign}**{plain(entry.name)}**  \n{plain(entry.configuration)}")
        st.caption(plain(_in_short(entry)))
    with actions:
        st.page_link("pages/diagnose.py", label="Open", icon=":material/open_in_full:", query_params=_address(entry))
        with st.popover("Edit", width="stretch", key=f"more {entry.id}"):
            st.text_input(
                "Name", entry.name, key=f"name {entry.id}", max_chars=120, on_change=_rename, args=(store, entry.id)
            )
            st.button(
                "Delete for good",
                key=f"delete {entry.id}",
                icon=":material/delete:",
                on_click=_delete,
                args=(store, entry),
            )


def _picture(entry: Entry) -> None:
    try:
        data = entry.thumbnail.read_bytes()
        with Image.open(io.BytesIO(data)) as thumbnail:
            width = round(thumbnail.width * _SHOWN)
    except OSError:  # deleted just now by somebody, or damaged
        return
    st.image(data, width=width, alt=f"what it predicts of {entry.scene} at its end")


def _in_short(entry: Entry) -> str:
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(entry.when))
    mean = "no mean IoU" if entry.mean_iou is None else f"mean IoU {number(entry.mean_iou)}"
    steps = "1 step" if entry.steps == 1 else f"{entry.steps} steps"
    picture = "" if entry.scene == entry.name else f"{entry.scene} · "
    return f"{picture}{when} · {steps} in {number(entry.seconds)} s · {mean}"


def _address(entry: Entry) -> dict[str, str]:
    """What opens the run on Diagnose: its picture, its configuration, and itself."""
    address = links.of_the_scene(entry.scene, entry.digest)
    with contextlib.suppress(SegdebugError):  # of another version; the run opens all the same
        address |= Experiment.from_json(entry.experiment).to_query()
    return {**address, RUN: entry.id}


def _pick(id: str) -> None:
    picked = [other for other in st.session_state.get(_PICKED, []) if other != id]
    st.session_state[_PICKED] = [*picked, id] if st.session_state[f"pick {id}"] else picked


def _pick_none() -> None:
    for id in st.session_state.pop(_PICKED, []):
        st.session_state[f"pick {id}"] = False


def _rename(store: Store, id: str) -> None:
    try:
        store.rename(id, st.session_state[f"name {id}"])
    except StoreError as refusal:
        st.session_state[_TOLD] = str(refusal)


def _delete(store: Store, entry: Entry) -> None:
    if watched_by_others(entry.id):
        st.session_state[_TOLD] = f"{entry.name} is not deleted: somebody else is looking at it."
        return
    try:
        store.delete(entry.id)
        st.session_state[_TOLD] = f"{entry.name} is deleted."
    except StoreError as refusal:
        st.session_state[_TOLD] = str(refusal)
    st.session_state[_PICKED] = [id for id in st.session_state.get(_PICKED, []) if id != entry.id]


def _nothing(*, searched: bool) -> None:
    if searched:
        note("No run has that in it.")
        return
    note("No run is kept yet. Every run that ends well is kept by itself and listed here.")
    name = sample_names()[0]
    scene = sources.sample_scene(name)
    picture, words = st.columns([1, 3], vertical_alignment="center")
    picture.image(
        png(overlay(scene.image, scene.labels, scene.classes)), width="stretch", alt=f"{name} with its classes"
    )
    with words:
        st.markdown("A sample with its classes. It is overfit in seconds, and its run will be the first one here.")
        st.page_link("pages/diagnose.py", label="Run it", icon=":material/play_arrow:", query_params={"sample": name})
