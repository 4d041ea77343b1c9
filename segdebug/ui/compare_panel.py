"""Several runs side by side, live while they train: table, curves, IoU and maps."""

from __future__ import annotations

import numpy as np
import streamlit as st

from segdebug.errors import SegdebugError
from segdebug.export import comparison_stem
from segdebug.jobs import Job
from segdebug.losses_figure import AXES, natural_axis
from segdebug.scene import Scene
from segdebug.ui.compare_curves import losses
from segdebug.ui.compare_maps import KINDS, small_multiples
from segdebug.ui.compare_table import in_common, table
from segdebug.ui.compared import Compared, all_of
from segdebug.ui.curves import columns_of
from segdebug.ui.engine import cancel, check, mine
from segdebug.ui.take_away import downloads_of_all, run_of
from segdebug.ui.text import error, plain

__all__ = ["show"]

_POLL = 0.7  # seconds between looks at up to six runs
_AXIS, _KIND = "curve", "map"
"""The address's parameters of the loss's axis and of the kind of map."""


def show(compared: list[Compared], scene: Scene) -> None:
    """The panel; it looks for news while anything trains or is checked, and not afterwards."""
    active = _busy(compared)
    st.fragment(_panel, run_every=_POLL if active else None)(compared, scene, active)


def _busy(compared: list[Compared]) -> bool:
    return any(one.job is not None and one.job.active for one in compared) or _unchecked(compared) is not None


def _unchecked(compared: list[Compared]) -> Compared | None:
    """The first configuration of which nothing is known and nothing is under way: checks go one by one."""
    refused: set[str] = st.session_state.setdefault("compare_refused", set())
    for one in compared:
        idle = one.job is None or not one.job.active
        if one.said is None and idle and one.experiment.to_json() not in refused:
            return one
    return None


def _check_next(compared: list[Compared]) -> None:
    one = _unchecked(compared)
    if one is None:
        return
    try:
        job = check(one.scene, one.experiment)
    except SegdebugError as refusal:
        error(str(refusal))
        return
    if not job.active and one.said is None:
        st.session_state["compare_refused"].add(one.experiment.to_json())


def _panel(compared: list[Compared], scene: Scene, was_active: bool) -> None:
    compared = all_of([one.experiment for one in compared], [one.job for one in compared], scene)  # traces anew
    _check_next(compared)
    if was_active and not _busy(compared):  # one whole rerun stops the polling
        st.rerun()
    training = [one.job for one in compared if one.job is not None and one.job.active]
    table(compared)
    told, button = st.columns([6, 1], vertical_alignment="center")
    with told:
        in_common(compared)
    stem = comparison_stem(scene.name, [one.experiment for one in compared])
    with button:
        _cancel_or_take(compared, scene, training, stem)
    for one in compared:
        if one.job is not None and one.job.error is not None:
            error(f"{one.letter}: {one.job.error}")
    if not any(one.job is not None for one in compared):
        st.markdown(":gray[Curves and maps come here.]")
        return
    left, right = st.container(key="curves_and_iou").columns([3, 2] if len(compared) <= 4 else [1, 1], gap="medium")
    with left:
        natural = natural_axis([one.experiment for one in compared], [one.trace.loss for one in compared])
        losses(compared, _chosen("Loss axis", list(AXES), natural, _AXIS), stem, live=_busy(compared))
    with right:
        _ious(compared, scene)
    small_multiples(compared, scene, _chosen("Map", list(KINDS), next(iter(KINDS)), _KIND), live=bool(training))


def _cancel_or_take(compared: list[Compared], scene: Scene, training: list[Job], stem: str) -> None:
    """One place for both buttons: nothing moves when the runs end."""
    if training:
        theirs = not any(mine(job) for job in training)
        st.button("Cancel", key="cancel_all", on_click=_cancel, args=(training,), width="stretch", disabled=theirs)
        return
    downloads_of_all([run_of(one.job) for one in compared if one.job is not None], scene, stem)


def _cancel(training: list[Job]) -> None:
    for job in filter(mine, training):
        cancel(job)


def _chosen(words: str, choices: list[str], natural: str, param: str) -> str:
    """One of few, which the address keeps where it is not the natural one."""
    asked = st.query_params.get(param)
    key = f"{param} {natural}"
    chosen = st.segmented_control(
        words, choices, default=asked if asked in choices else natural, key=key, required=True,
        label_visibility="collapsed",
    )  # fmt: skip
    if chosen == natural:
        st.query_params.pop(param, None)
    elif chosen != asked:
        st.query_params[param] = str(chosen)
    return str(chosen)


def _ious(compared: list[Compared], scene: Scene) -> None:
    """IoU of each class and configuration at the last step, and their mean."""
    names = max((columns_of(one.trace, scene)[0] for one in compared), key=len)
    rows = []
    for k, label in [(None, "mean IoU"), *enumerate(names)]:
        row: dict[str, str | float | None] = {"class": label}
        for one in compared:
            row[one.letter] = _iou(one, k)
        rows.append(row)
    bars = {
        one.letter: st.column_config.ProgressColumn(
            one.letter, min_value=0.0, max_value=1.0, format="%.3f", help=plain(one.name), width=62
        )
        for one in compared
    }
    st.dataframe(
        rows,
        hide_index=True,
        key="compared_iou",
        height=min(380, 38 + 35 * len(rows)),
        column_config={"class": st.column_config.TextColumn("IoU, last step", width=110), **bars},
        alt=f"IoU of each class at the last step of {', '.join(one.name for one in compared)}",
    )
    st.caption("Overlap of prediction and truth: 0 none, 1 perfect. Losses differ in scale; this does not.")


def _iou(one: Compared, k: int | None) -> float | None:
    if not one.trace.steps:
        return None
    values = one.trace.mean_iou() if k is None else one.trace.iou()[:, k] if k < one.trace.iou().shape[1] else [np.nan]
    return float(values[-1]) if np.isfinite(values[-1]) else None
