"""The pipeline strip: what the check, or the run, found at each of the five stages. Its height never changes."""

from __future__ import annotations

from html import escape
from typing import NamedTuple

import streamlit as st

from segdebug.errors import SegdebugError
from segdebug.experiment import Experiment
from segdebug.finding import SEVERITIES, STAGES, Finding
from segdebug.jobs import Job
from segdebug.scene import Scene
from segdebug.ui.engine import Said, check, said_of

__all__ = ["LABELS", "SIGNS", "every_finding", "show"]

LABELS = {"target": "labels as fed"}
"""What a stage is called on the page, where its name is not what people say."""

SIGNS = {"sound": "✓", "note": "i", "warning": "!", "error": "✕", "unknown": "·"}
"""One sign for each status, beside its colour and its word."""

_POLL = 0.4  # seconds between looks at a check under way
_LAST = "last_said"


class Shown(NamedTuple):
    """What the strip shows. current: whether it is about this configuration, or about the last one, while this one
    is being checked. trouble: why it cannot be checked."""

    said: Said | None
    current: bool
    trouble: str = ""


def show(scene: Scene, experiment: Experiment | None) -> Shown:
    """Draw the strip and say what it shows; it looks for news while a check is under way, and not afterwards."""
    last: Said | None = st.session_state.get(_LAST)
    if experiment is None:
        return _drawn(Shown(last, False), "no configuration yet")
    said = said_of(scene, experiment)
    if said is None:
        try:
            job = check(scene, experiment)
        except SegdebugError as refusal:
            return _drawn(Shown(None, True, str(refusal)), "not checked")
        said = said_of(scene, experiment)  # it may have been there already, or have just ended
        if said is None and job.active:
            return _drawn(Shown(last, False), "checking …", job)
        if said is None:
            why = str(job.error or "The check was ended. Change the configuration, or load again.")
            return _drawn(Shown(None, True, why), "not checked")
    st.session_state[_LAST] = said
    return _drawn(Shown(said, True))


def _drawn(shown: Shown, told: str = "", job: Job | None = None) -> Shown:
    """Always in a fragment, polling or not: Streamlit never answers a poll that finds its fragment gone, and the
    page would then look busy for ever."""
    st.fragment(_look, run_every=_POLL if job else None)(shown, told, job)
    return shown


def _look(shown: Shown, told: str, job: Job | None) -> None:
    if job is not None and not job.active:  # one whole rerun shows the result everywhere, and stops the polling
        st.rerun()
    st.html(_strip(shown.said, dimmed=bool(told), told=told))


def every_finding(findings: tuple[Finding, ...]) -> list[Finding]:
    """The findings and their consequences, at any depth."""
    return [one for finding in findings for one in (finding, *every_finding(finding.consequences))]


def _strip(said: Said | None, *, dimmed: bool = False, told: str = "") -> str:
    status = said.diagnosis.status() if said else dict.fromkeys(STAGES, "unknown")
    cells = []
    for stage in STAGES:
        line = _line(said, stage) if said else told
        words = told if dimmed else ("" if status[stage] == "sound" else status[stage])
        name = LABELS.get(stage, stage)
        cells.append(
            f'<li class="{status[stage]}" title="{escape(line, quote=True)}"><span class="head">'
            f'<span class="sign" aria-hidden="true">{SIGNS[status[stage]]}</span> <b>{name}</b> '
            f'<span class="status">{words}</span></span>'
            f'<span class="line">{escape(line) if said else ""}</span></li>'
        )
    kind = "strip dimmed" if dimmed else "strip"
    opening = f'<ol class="{kind}" aria-label="Pipeline" aria-busy="{"true" if dimmed else "false"}">'
    return f'<div class="strip-room">{opening}{"".join(cells)}</ol></div>'


def _line(said: Said, stage: str) -> str:
    """The title of the worst finding of the stage; "sound" where there is none."""
    found = [finding for finding in every_finding(said.diagnosis.findings) if finding.stage == stage]
    if found:
        return min(found, key=lambda finding: SEVERITIES.index(finding.severity)).title
    return "sound, not run yet" if stage == "training" and not said.ran else "sound"
