"""Whether a diagnosis found the cause that a report turned out to have."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import segdebug
from segdebug.diagnosis import Diagnosis, check
from segdebug.finding import Finding
from tests.faults.case import Case

__all__ = ["Judgement", "diagnose", "every_finding", "judge", "named"]


@dataclass(frozen=True)
class Judgement:
    """right_stage: the first finding is at a stage of the cause; right_cause: it, or what it explains, names it."""

    right_stage: bool
    right_cause: bool

    @property
    def right(self) -> bool:
        return self.right_stage and self.right_cause


def diagnose(case: Case) -> Diagnosis:
    """What segdebug says of the case: without training where that must tell, else after the run."""
    if case.runs:
        diagnosis = segdebug.overfit(case.scene, case.experiment).diagnosis
        assert diagnosis is not None
        return diagnosis
    return check(case.experiment, case.scene)


def judge(case: Case, diagnosis: Diagnosis) -> Judgement:
    """A sound configuration must be called sound; for a fault only the first finding counts."""
    sound = diagnosis.verdict == "sound"
    if not case.stages:
        return Judgement(sound, sound)
    if sound or not diagnosis.findings:
        return Judgement(False, False)
    return Judgement(diagnosis.findings[0].stage in case.stages, not case.codes.isdisjoint(named(diagnosis)))


def named(diagnosis: Diagnosis) -> frozenset[str]:
    """Codes of the first finding and of its consequences."""
    return frozenset(finding.code for finding in _with_consequences(diagnosis.findings[:1]))


def every_finding(diagnosis: Diagnosis) -> list[Finding]:
    """All that is said, consequences too."""
    return list(_with_consequences(diagnosis.findings))


def _with_consequences(findings: Iterable[Finding]) -> Iterator[Finding]:
    for finding in findings:
        yield finding
        yield from _with_consequences(finding.consequences)
