"""The verdict: one sentence, then what was found with its evidence, and what to write instead."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

import streamlit as st

from segdebug.diagnosis import Diagnosis
from segdebug.experiment import Experiment
from segdebug.figures import number
from segdebug.finding import COMPUTES, VERDICTS, Finding
from segdebug.telling import changes_in_words, in_words
from segdebug.ui import settings
from segdebug.ui.strip import SIGNS
from segdebug.ui.text import plain

__all__ = ["BADGES", "badge", "body", "references", "severity_badge", "show", "verdict"]

BADGES = {
    "sound": ("green", "✓", "sound"),
    "works_by_rescue": ("orange", "!", "works by rescue"),
    "suboptimal": ("orange", "!", "suboptimal"),
    "broken": ("red", "✕", "broken"),
}
"""Colour, sign and word of each verdict."""
_ANOTHER = 1e-4  # relative difference from which on two formulas are told apart: float32 has seven digits
_SEVERITY_COLOURS = {"error": "red", "warning": "orange", "note": "blue"}


def badge(name: str) -> str:
    """The verdict as a badge: sign, colour and word."""
    colour, sign, word = BADGES[name]
    return f":{colour}-badge[{sign} {word}]"


def severity_badge(severity: str) -> str:
    """A finding's severity as a badge."""
    return f":{_SEVERITY_COLOURS[severity]}-badge[{SIGNS[severity]} {severity}]"


def verdict(diagnosis: Diagnosis, *, current: bool) -> bool:
    """The sentence, and the buttons that mend; whether the pair of runs was asked for.

    current: it is about the configuration on the page; else about the last one, and nothing can be applied.
    """
    sentence = plain(diagnosis.sentence)
    told = f"**{sentence}**" if current else f":gray[{sentence}]"
    st.markdown(f"{badge(diagnosis.verdict)} {told}", help=plain(VERDICTS[diagnosis.verdict]))
    fix = diagnosis.fix
    if fix is None:
        return False
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button("Apply the fix", key="apply_fix", on_click=settings.set_experiment, args=(fix,), disabled=not current)
        return st.button("Apply the fix and run both", key="run_both", disabled=not current)


def show(diagnosis: Diagnosis, experiment: Experiment, *, ran: bool) -> None:
    """What was found, the first thing open; for a sound configuration what shows that it is."""
    if diagnosis.fix is not None:
        changes = "; ".join(changes_in_words(experiment, _new_values(experiment, diagnosis.fix)))
        st.caption(plain(f"The smallest fix that was checked to be sound: {changes}"))
    for n, finding in enumerate(diagnosis.findings):
        if n == 0 and finding.severity != "note":
            with st.container(border=True):
                st.markdown(f"{severity_badge(finding.severity)} **{plain(finding.title)}** {_link(finding.code)}")
                body(finding, experiment)
            continue
        with st.expander(f"{severity_badge(finding.severity)} {plain(finding.title)}", key=f"finding {finding.code}"):
            body(finding, experiment)
    rows = _measured(diagnosis)
    if not rows:
        return
    if diagnosis.verdict == "sound":
        _table(rows, "What was measured")
    else:
        with st.expander("What was measured", key="measured"):
            _table(rows, "What was measured")
    st.caption("From the run of this configuration." if ran else "Measured on the installed Keras, without training.")


def body(finding: Finding, experiment: Experiment, *, alone: bool = False) -> None:
    """Explanation, evidence and what to write instead. alone: without what follows from it."""
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown(plain(finding.explanation))
        if finding.references:
            st.caption(f"From: {references(finding.references)}")
    with right:
        if finding.evidence:
            _table(finding.evidence, f"Evidence of {finding.code}")
    if finding.fix is not None:
        _instead(finding, experiment)
    if finding.consequences and not alone:
        with st.expander(f"What follows from it ({len(finding.consequences)})", key=f"consequences {finding.code}"):
            for consequence in finding.consequences:
                st.markdown(
                    f"{severity_badge(consequence.severity)} **{plain(consequence.title)}** {_link(consequence.code)}"
                )
                body(consequence, experiment)


def _instead(finding: Finding, experiment: Experiment) -> None:
    assert finding.fix is not None
    changes = changes_in_words(experiment, finding.fix.changes)
    if changes:
        st.markdown("**What to write instead:** " + plain("; ".join(changes)))
    elif finding.fix.code:
        st.markdown("**What to write instead:**")
    if finding.fix.code:
        st.code(finding.fix.code, language="python", wrap_lines=True)


def _new_values(before: Experiment, after: Experiment) -> dict[str, Any]:
    return {field: then for field, (_, then) in before.difference(after).items()}


def references(all_of: Iterable[str]) -> str:
    """Markdown: addresses as links, everything else as it stands."""
    return "; ".join(f"<{one}>" if re.fullmatch(r"https?://[^\s<>]+", one) else plain(one) for one in all_of)


def _link(code: str) -> str:
    """To the finding's page in the catalogue, which opens beside this one."""
    return f"[{plain(code)}](/findings?code={code})"


def _measured(diagnosis: Diagnosis) -> dict[str, Any]:
    """What the probe found, in words → values; what was not measured is left out."""
    seen = diagnosis.semantics
    # Formulas that are the same function here, such as a softmax's output and its logits, are no rivals.
    rivals = {name: value for name, value in seen.rivals.items() if value > _ANOTHER}
    nearest = min(rivals, key=lambda name: rivals[name], default=None)
    told: dict[str, Any] = {"it computes": COMPUTES[diagnosis.computes]}
    if math.isfinite(seen.match):
        told["largest relative difference from that formula in float64, loss and gradient"] = seen.match
    if nearest is not None:
        told["nearest formula with another value"] = f"{nearest.replace('_', ' ')}, off by {number(rivals[nearest])}"
    losses = {"fit": seen.fit, "evaluate": seen.evaluate, "loss(y, model.predict(x))": seen.of_predict}
    finite = {name: value for name, value in losses.items() if math.isfinite(value)}
    if finite:
        told[f"on moderate logits: {', '.join(finite)}"] = list(finite.values())
    if len(finite) > 1 and (largest := max(map(abs, finite.values()))) > 0:
        told["relative difference between these"] = (max(finite.values()) - min(finite.values())) / largest
    return told


def _table(rows: Mapping[str, Any], alt: str) -> None:
    cells = [{"measured": plain(words), "value": plain(in_words(value))} for words, value in rows.items()]
    st.table(cells, hide_index=True, hide_header=True, border="horizontal", alt=alt)
