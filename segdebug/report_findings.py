"""A diagnosis as HTML: every finding with its evidence and what to write instead."""

from __future__ import annotations

import re
from html import escape

from segdebug.diagnosis import Diagnosis
from segdebug.experiment import Experiment
from segdebug.finding import Finding
from segdebug.telling import changes_in_words, in_words

__all__ = ["badge", "findings_html"]

_SIGNS = {"sound": "✓", "works_by_rescue": "!", "suboptimal": "!", "broken": "✕"}
_SEVERITY_SIGNS = {"error": "✕", "warning": "!", "note": "i"}


def badge(verdict: str) -> str:
    """The verdict: sign, colour and word."""
    return (
        f'<span class="badge {escape(verdict)}">{_SIGNS.get(verdict, "·")} {escape(verdict.replace("_", " "))}</span>'
    )


def findings_html(diagnosis: Diagnosis, experiment: Experiment) -> str:
    """The findings, the first open; then the smallest fix."""
    parts = [_finding(finding, experiment, opened=n == 0) for n, finding in enumerate(diagnosis.findings)]
    if diagnosis.fix is not None:
        changes = {field: then for field, (_, then) in experiment.difference(diagnosis.fix).items()}
        told = escape("; ".join(changes_in_words(experiment, changes)))
        parts.append(f"<p><b>The smallest fix that was checked to be sound:</b> {told}</p>")
    return "".join(parts)


def _finding(finding: Finding, experiment: Experiment, *, opened: bool = False) -> str:
    sign = f'<span class="badge {finding.severity}">{_SEVERITY_SIGNS[finding.severity]} {finding.severity}</span>'
    rows = "".join(
        f"<tr><th>{escape(words)}</th><td>{escape(in_words(value))}</td></tr>"
        for words, value in finding.evidence.items()
    )
    parts = [f"<p>{escape(finding.explanation)}</p>", f"<table><tbody>{rows}</tbody></table>" if rows else ""]
    if finding.fix is not None:
        changes = escape("; ".join(changes_in_words(experiment, finding.fix.changes)))
        code = f"<pre><code>{escape(finding.fix.code)}</code></pre>" if finding.fix.code else ""
        parts.append(f"<p><b>What to write instead:</b> {changes}</p>{code}")
    if finding.references:
        parts.append(f"<p class='note'>From: {'; '.join(map(_reference, finding.references))}</p>")
    parts += [_finding(consequence, experiment) for consequence in finding.consequences]
    summary = f"<summary>{sign} {escape(finding.title)} <small>{escape(finding.code)}</small></summary>"
    return f"<details{' open' if opened else ''}>{summary}<div class='wide'>{''.join(parts)}</div></details>"


def _reference(text: str) -> str:
    if re.fullmatch(r"https?://[^\s<>\"']+", text):
        return f'<a href="{escape(text, quote=True)}" rel="noreferrer">{escape(text)}</a>'
    return escape(text)
