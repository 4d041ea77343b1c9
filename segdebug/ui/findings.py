"""The catalogue of rules, made from the rules themselves."""

from __future__ import annotations

import streamlit as st

from segdebug import rules
from segdebug.finding import STAGES
from segdebug.rules.catalogue import Rule
from segdebug.rules.measured import measured
from segdebug.ui.strip import LABELS
from segdebug.ui.text import note, plain
from segdebug.ui.verdict import references, severity_badge

__all__ = ["findings"]

_CODE = "code"  # the address's parameter that names a rule


def findings() -> None:
    """The rule that the address names, whole; a search; all rules by stage, each behind its title."""
    catalogue = rules.catalogue()
    asked = st.query_params.get(_CODE, "").upper()
    if asked in catalogue:
        with st.container(border=True):
            st.markdown(f"### {_title(catalogue[asked])}")
            _rule(catalogue[asked])
    elif asked:
        note(f"There is no rule {asked}. All of them are below.")
    if overall := measured():
        st.caption(plain(overall))
    query = st.text_input("Find", placeholder="softmax, 255, void …", key="find_rule", bind="query-params")
    found = [rule for rule in catalogue.values() if query.strip().lower() in _text(rule).lower()]
    for stage in STAGES:
        here = [rule for rule in found if rule.stage == stage]
        if not here:
            continue
        st.subheader(LABELS.get(stage, stage), anchor=False)
        for rule in here:
            with st.expander(_title(rule), key=f"rule {rule.code}"):
                _rule(rule)
    if not found:
        note("No rule has that in it.")


def _title(rule: Rule) -> str:
    return f"{severity_badge(rule.severity)} **{plain(rule.code)}** {plain(rule.title)}"


def _rule(rule: Rule) -> None:
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
    if figures := measured(rule.code):
        st.markdown(f"**Measured:** {plain(figures)}")


def _text(rule: Rule) -> str:
    """All that a search looks through."""
    own = (rule.code, rule.stage, rule.severity, rule.title, rule.checks, rule.matters, rule.example, rule.instead)
    return " ".join((*own, rule.silent, *rule.references))
