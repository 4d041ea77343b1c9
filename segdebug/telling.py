"""A diagnosis and a rule as text for the terminal."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from difflib import SequenceMatcher
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from segdebug.diagnosis import Diagnosis
from segdebug.errors import SegdebugError
from segdebug.experiment import OPTIONS, Experiment
from segdebug.figures import number
from segdebug.finding import Finding
from segdebug.run import Run

__all__ = ["changes_in_words", "in_words", "show_comparison", "show_diagnosis", "show_rule"]

_STYLES = {"error": "bold red", "warning": "yellow", "note": "blue"}
_VERDICT_STYLES = {"broken": "bold red", "sound": "bold green"}


def in_words(value: Any) -> str:
    """Evidence as a person reads it: numbers to three digits, lists with commas."""
    if hasattr(value, "tolist"):  # NumPy's
        value = value.tolist()
    if value is None:
        return "not a number"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:,.0f}" if value.is_integer() and abs(value) < 1e6 else number(value)
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, Mapping):
        return ", ".join(f"{in_words(key)}: {in_words(inner)}" for key, inner in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(in_words, value))
    return str(value)


def changes_in_words(experiment: Experiment, changes: Mapping[str, Any]) -> list[str]:
    """ "field: now → then" of each change."""
    told = []
    for field, then in changes.items():
        if field in OPTIONS:
            write = OPTIONS[field].write
            told.append(f"{field}: {write(experiment[field]) or 'empty'} → {write(then) or 'empty'}")
        else:
            told.append(f"{field}: {then}")
    return told


def show_diagnosis(diagnosis: Diagnosis, experiment: Experiment) -> None:
    """Print the verdict, every finding with its evidence, and the fix."""
    out = Console()
    verdict = diagnosis.verdict.replace("_", " ")
    _line(out, (verdict, _VERDICT_STYLES.get(diagnosis.verdict, "bold yellow")), f": {diagnosis.sentence}")
    for finding in diagnosis.findings:
        out.print()
        _show_finding(out, finding, experiment, "")
    seen = diagnosis.semantics
    if not diagnosis.findings and math.isfinite(seen.match):
        _line(out, f"  differs from the formula in float64 by {number(seen.match)} of its value at most")
    if diagnosis.fix is not None:
        changes = {field: then for field, (_, then) in experiment.difference(diagnosis.fix).items()}
        out.print()
        _line(out, ("fix", "bold"), f": {'; '.join(changes_in_words(experiment, changes))}")


def _show_finding(out: Console, finding: Finding, experiment: Experiment, indent: str) -> None:
    _line(out, f"{indent}{finding.code} ", (finding.severity, _STYLES[finding.severity]), f" {finding.title}")
    _line(out, f"{indent}  {finding.explanation}")
    for words, value in finding.evidence.items():
        _line(out, f"{indent}  - {words}: {in_words(value)}")
    if finding.fix is not None:
        for change in changes_in_words(experiment, finding.fix.changes):
            _line(out, f"{indent}  instead: {change}")
        for line in finding.fix.code.splitlines():
            _line(out, f"{indent}      {line}")
    for consequence in finding.consequences:
        _show_finding(out, consequence, experiment, f"{indent}    ")


def show_comparison(runs: Sequence[Run], differ: Mapping[str, list[Any]]) -> None:
    """Print what differs between the runs, and what became of each."""
    out = Console()
    table = Table("", *(chr(ord("A") + n) for n in range(len(runs))))
    for field, values in differ.items():
        table.add_row(Text(field), *(Text(OPTIONS[field].write(value) or "empty") for value in values))
    said = [run.diagnosis for run in runs]
    table.add_row("verdict", *("" if one is None else one.verdict.replace("_", " ") for one in said))
    table.add_row("computes", *("" if one is None else one.computes.replace("_", " ") for one in said))
    table.add_row("last loss", *(number(float(run.trace.loss[-1])) if run.trace.steps else "" for run in runs))
    table.add_row("mean IoU", *(number(float(run.trace.mean_iou()[-1])) if run.trace.steps else "" for run in runs))
    out.print(table)


def show_rule(code: str) -> None:
    """Print the rule of that code. Raises SegdebugError, with the nearest codes, where there is none."""
    from segdebug.rules import catalogue
    from segdebug.rules.measured import measured

    rules = catalogue()
    asked = code.strip().upper()
    rule = rules.get(asked)
    if rule is None:
        near = sorted(rules, key=lambda other: -SequenceMatcher(None, asked, other).ratio())[:5]
        raise SegdebugError(f"There is no rule {code!r}; the nearest are {_listed(near)}.")
    out = Console()
    _line(out, (rule.code, "bold"), " ", (rule.severity, _STYLES[rule.severity]), f" {rule.title}")
    parts = {
        "stage": rule.stage,
        "checks": rule.checks,
        "why it matters": rule.matters,
        "example": rule.example,
        "what to write instead": rule.instead,
        "when it is silent": rule.silent,
        "shown as a consequence of": _listed(rule.explained_by),
        "from": _listed(rule.references),
        "measured": measured(rule.code),
    }
    for words, text in parts.items():
        if text:
            _line(out, (words, "bold"), f": {text}")


def _listed(words: Iterable[str]) -> str:
    return ", ".join(words)


def _line(out: Console, *parts: str | tuple[str, str]) -> None:
    """One line, in which no sign is markup, wrapped by the terminal alone."""
    out.print(Text.assemble(*parts), soft_wrap=True, highlight=False)
