"""The reveal: what was predicted, what the student's own runs show, why, and what to change next."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from segdebug.finding import Finding
from segdebug.lessons import Lesson, Side, filled
from segdebug.lessons.claims import findings_of
from segdebug.run import Run
from segdebug.ui import verdict
from segdebug.ui.text import plain

__all__ = ["answer", "claims", "findings", "next_steps", "references", "text"]


def answer(lesson: Lesson, chosen: int | None) -> None:
    """What was chosen, and what is right."""
    right = lesson.question.right
    words = plain(lesson.question.choices[right])
    if chosen == right:
        st.success(f"You were right: **{words}**", icon=":material/check:")
    elif chosen is not None and 0 <= chosen < len(lesson.question.choices):
        told = f"You chose: {plain(lesson.question.choices[chosen])}  \nIt is: **{words}**"
        st.info(told, icon=":material/lightbulb:")
    else:
        st.info(f"It is: **{words}**", icon=":material/lightbulb:")


def claims(lesson: Lesson, runs: Mapping[str, Run]) -> None:
    """Each claim in words, with the numbers of these runs; marked where they do not show it."""
    st.subheader("What your runs show", anchor=False)
    lines = []
    for claim in lesson.claims:
        shown = claim.shown_by(runs)
        sign = ":green[✓]" if shown.holds else ":orange[! not shown by this run:]"
        link = f" [{shown.code}](/findings?code={shown.code})" if shown.code else ""
        lines.append(f"- {sign} {_bold(plain(shown.words))}{link}")
    st.markdown("\n".join(lines))


def _bold(words: str) -> str:
    """The letter of the run in front stands out."""
    return f"**{words[0]}**{words[1:]}"


def text(lesson: Lesson, runs: Mapping[str, Run]) -> None:
    """The lesson's own words, with the numbers of these runs filled in."""
    st.subheader("Why", anchor=False)
    with st.container(key="why"):
        st.markdown(filled(lesson.reveal, runs, plain))


def findings(lesson: Lesson, sides: tuple[Side, ...], runs: Mapping[str, Run]) -> None:
    """The verdict of each run; the findings that a claim names, and the first of each run, with their evidence."""
    st.subheader("The evidence", anchor=False)
    for side in sides:
        run = runs[side.name]
        if run.diagnosis is None:
            continue
        st.markdown(f"**{side.name}** {verdict.badge(run.diagnosis.verdict)} {plain(run.diagnosis.sentence)}")
        for finding in _worth_showing(lesson, side, run):
            words = f"{verdict.severity_badge(finding.severity)} {side.name}: {plain(finding.title)}"
            with st.expander(words, key=f"finding {side.name} {finding.code}"):
                verdict.body(finding, side.experiment, alone=True)


def _worth_showing(lesson: Lesson, side: Side, run: Run) -> list[Finding]:
    found = findings_of(run)
    named = {claim.text.rpartition(" ")[2] for claim in lesson.claims if claim.text.startswith(f"{side.name} finds")}
    first = [finding.code for finding in run.diagnosis.findings[:1]] if run.diagnosis else []
    return [
        finding for code, finding in found.items() if code in named or (code in first and finding.severity != "note")
    ]


def next_steps(lesson: Lesson, scene: Mapping[str, str]) -> None:
    """One thing to change, each a link to Diagnose with the configuration in it. scene: the address's parameters."""
    st.subheader("Change one thing", anchor=False)
    given = [(f"{side.name} as it is: {side.label}", side.experiment) for side in lesson.sides]
    for words, experiment in [*((one.label, one.experiment) for one in lesson.next), *given]:
        st.page_link(
            "pages/diagnose.py",
            label=plain(words),
            icon=":material/tune:",
            query_params={**scene, **experiment.to_query()},
        )


def references(lesson: Lesson) -> None:
    """Where it comes from."""
    if lesson.references:
        st.caption(f"From: {verdict.references(lesson.references)}")
