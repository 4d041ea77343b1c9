"""The one catalogue of rules: each a small pure function of what is known, registered where it is defined."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from importlib import import_module
from typing import Any

from segdebug.finding import SEVERITIES, STAGES, Finding, Fix
from segdebug.rules.known import Known

__all__ = ["Noticed", "Rule", "catalogue", "findings", "rule"]


@dataclass(frozen=True)
class Noticed:
    """What a rule says when it fires.

    evidence: what was measured → its value, from this person's data. changes, code: the fix, see `finding.Fix`.
    severity, title: where they are not the rule's own.
    """

    evidence: Mapping[str, Any]
    changes: Mapping[str, Any] = field(default_factory=dict)
    code: str = ""
    severity: str | None = None
    title: str | None = None


@dataclass(frozen=True)
class Rule:
    """One rule, as the catalogue shows it.

    checks: what it looks at, in one sentence. matters: why, as a student understands it. example: a configuration
    that it fires on. instead: what to write. silent: when it says nothing, though a name alone would suggest it.
    explained_by: codes of rules whose finding, where there is one, makes this one a mere consequence.
    """

    code: str
    stage: str
    severity: str
    title: str
    checks: str
    matters: str
    example: str
    instead: str
    silent: str
    references: tuple[str, ...]
    explained_by: tuple[str, ...]
    function: Callable[[Known], Noticed | None]

    def finding(self, known: Known) -> Finding | None:
        """What the rule has to say, if anything."""
        noticed = self.function(known)
        if noticed is None:
            return None
        has_fix = noticed.changes or noticed.code
        return Finding(
            self.code,
            self.stage,
            noticed.severity or self.severity,
            noticed.title or self.title,
            self.matters,
            dict(noticed.evidence),
            Fix(dict(noticed.changes), noticed.code) if has_fix else None,
            self.references,
        )


_RULES: dict[str, Rule] = {}
_MODULES = ("masks", "target", "head", "loss", "weights", "training", "metric")


def rule(
    code: str,
    *,
    stage: str,
    severity: str,
    title: str,
    matters: str,
    example: str,
    instead: str,
    silent: str,
    references: tuple[str, ...] = (),
    explained_by: tuple[str, ...] = (),
) -> Callable[[Callable[[Known], Noticed | None]], Callable[[Known], Noticed | None]]:
    """Register the decorated function, whose docstring says what it checks."""
    assert stage in STAGES, stage
    assert severity in SEVERITIES, severity
    assert code not in _RULES, code

    def register(function: Callable[[Known], Noticed | None]) -> Callable[[Known], Noticed | None]:
        checks = " ".join((function.__doc__ or "").split())
        assert checks, code
        _RULES[code] = Rule(
            code, stage, severity, title, checks, matters, example, instead, silent, references, explained_by, function
        )
        return function

    return register


def catalogue() -> dict[str, Rule]:
    """All rules by code, in the order of the pipeline."""
    for module in _MODULES:  # they register themselves
        import_module(f"segdebug.rules.{module}")
    order = {letter: n for n, letter in enumerate("MTHLGED")}
    return dict(sorted(_RULES.items(), key=lambda item: (order[item[0][0]], item[0])))


def findings(known: Known) -> list[Finding]:
    """What every rule finds, cause before symptom: what another finding explains stands under it."""
    found: dict[str, Finding] = {}
    for code, one in catalogue().items():
        finding = one.finding(known)
        if finding is not None:
            found[code] = finding
    return _folded(found)


def _explains(cause: Finding | None, finding: Finding) -> bool:
    """A mere note is no cause of an error."""
    return cause is not None and cause is not finding and not (cause.severity == "note" != finding.severity)


def _folded(found: dict[str, Finding]) -> list[Finding]:
    rules = catalogue()
    causes: dict[str, str] = {}
    for code, finding in found.items():
        cause = next((other for other in rules[code].explained_by if _explains(found.get(other), finding)), None)
        if cause is not None and causes.get(cause) != code:
            causes[code] = cause

    def with_consequences(code: str) -> Finding:
        under = tuple(with_consequences(other) for other, cause in causes.items() if cause == code)
        return replace(found[code], consequences=under)

    roots = [with_consequences(code) for code in found if code not in causes]
    return sorted(roots, key=lambda finding: (SEVERITIES.index(finding.severity), STAGES.index(finding.stage)))
