"""The catalogue of rules, made from the rules themselves."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import streamlit as st

from segdebug import rules
from segdebug.finding import STAGES
from segdebug.rules.catalogue import Rule
from segdebug.ui.strip import LABELS
from segdebug.ui.text import note, plain
from segdebug.ui.verdict import references, severity_badge

__all__ = ["findings"]

_CODE = "code"  # the address's parameter that names a rule


def findings() -> None:
    """The rule that the address names, whole; a search; all rules by stage, each behind its title."""
    catalogue = rules.catalogue()
    figures = _figures()
    asked = st.query_params.get(_CODE, "").upper()
    if asked in catalogue:
        with st.container(border=True):
            st.markdown(f"### {_title(catalogue[asked])}")
            _rule(catalogue[asked], figures)
    elif asked:
        note(f"There is no rule {asked}. All of them are below.")
    _overall(figures)
    query = st.text_input("Find", placeholder="softmax, 255, void …", key="find_rule", bind="query-params")
    found = [rule for rule in catalogue.values() if query.strip().lower() in _text(rule).lower()]
    for stage in STAGES:
        here = [rule for rule in found if rule.stage == stage]
        if not here:
            continue
        st.subheader(LABELS.get(stage, stage), anchor=False)
        for rule in here:
            with st.expander(_title(rule), key=f"rule {rule.code}"):
                _rule(rule, figures)
    if not found:
        note("No rule has that in it.")


def _title(rule: Rule) -> str:
    return f"{severity_badge(rule.severity)} **{plain(rule.code)}** {plain(rule.title)}"


def _rule(rule: Rule, figures: dict[str, Any]) -> None:
    told = {
        "Checks": rule.checks,
        "Why it matters": rule.matters,
        "Example": rule.example,
        "What to write instead": rule.instead,
        "When it is silent": rule.silent,
    }
    for words, text in told.items():
        if text:
            st.markdown(f"**{words}:** {plain(text)}")
    if rule.explained_by:
        codes = ", ".join(f"[{plain(code)}](/findings?code={code})" for code in rule.explained_by)
        st.markdown(f"**Shown as a consequence of:** {codes}")
    if rule.references:
        st.markdown(f"**From:** {references(rule.references)}")
    if rule.code in figures:
        st.markdown(f"**Measured:** {plain(_measured(figures[rule.code]))}")


def _overall(figures: dict[str, Any]) -> None:
    if "all" in figures:
        st.caption(plain(f"Measured, all rules together: {_measured(figures['all'])}"))


def _measured(figure: dict[str, int]) -> str:
    return (
        f"fires on {figure['hits']:,} of {figure['of']:,} faults of its kind, and on "
        f"{figure['false_alarms']:,} of {figure['of_sound']:,} sound configurations."
    )


def _text(rule: Rule) -> str:
    """All that a search looks through."""
    own = (rule.code, rule.stage, rule.severity, rule.title, rule.checks, rule.matters, rule.example, rule.instead)
    return " ".join((*own, rule.silent, *rule.references))


@st.cache_resource(show_spinner=False)
def _figures() -> dict[str, Any]:
    """How often each rule was right on known faults and on sound configurations; empty where not measured."""
    path = Path(rules.__file__).parent / "figures.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
