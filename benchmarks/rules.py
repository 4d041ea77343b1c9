"""How often each rule, and the whole, is right on reported faults, and how often it cries wolf on sound configurations.

    python -m benchmarks.rules [--write]

Faults are the cases of tests/faults (each expected stage and cause was decided before anything was run); a rule's
hits are the cases where it stood first and was the cause, of all where it stood first. Sound configurations are those
of tests/sound, checked without training; a false alarm is a warning or an error on one. --write keeps the figures
where the catalogue shows them.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from segdebug import Diagnosis, check
from segdebug.finding import Finding
from segdebug.rules import catalogue
from tests.faults.cases import CASES
from tests.faults.judging import diagnose, judge
from tests.sound.configurations import pairs

_FIGURES = Path(__file__).parents[1] / "segdebug" / "rules" / "figures.json"
_SIZE = 64


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help="keep the figures for the catalogue")
    arguments = parser.parse_args()
    judged = [(case, diagnose(case)) for case in CASES]
    right = [judge(case, diagnosis) for case, diagnosis in judged]
    alarms, wrong, sound = _alarms()
    first = Counter(diagnosis.findings[0].code for case, diagnosis in judged if _speaks(diagnosis))
    hits = Counter(d.findings[0].code for case, d in judged if _speaks(d) and d.findings[0].code in case.codes)
    figures: dict[str, Any] = {
        "all": {"hits": sum(j.right for j in right), "of": len(right), "false_alarms": wrong, "of_sound": sound}
    }
    for code in catalogue():
        figures[code] = {"hits": hits[code], "of": first[code], "false_alarms": alarms[code], "of_sound": sound}
        print(f"{code}  {hits[code]:3} of {first[code]:3} faults   {alarms[code]:3} false alarms in {sound}")
    stated = [judge(case, diagnosis).right for case, diagnosis in judged if case.states_all]
    print(f"the whole: {sum(j.right for j in right)} of {len(right)} faults right, {wrong} false alarms in {sound}")
    print(f"of those that state everything: {sum(stated)} of {len(stated)}")
    print(f"stage right: {sum(j.right_stage for j in right)}, cause right: {sum(j.right_cause for j in right)}")
    for (case, diagnosis), judgement in zip(judged, right, strict=True):
        if not judgement.right:
            print(f"missed {case.id}: {diagnosis.verdict}, {[finding.code for finding in diagnosis.findings]}")
    if arguments.write:
        _FIGURES.write_text(json.dumps(figures, indent=1) + "\n")


def _speaks(diagnosis: Diagnosis) -> bool:
    return bool(diagnosis.findings) and diagnosis.findings[0].severity != "note"


def _alarms() -> tuple[Counter[str], int, int]:
    """Of each rule, of the whole, and how many sound configurations there are."""
    alarms: Counter[str] = Counter()
    every, wrong = pairs(), 0
    for _, _, scene, experiment in every:
        diagnosis = check(experiment.changed({"training.size": _SIZE}), scene)
        wrong += diagnosis.verdict != "sound"
        alarms.update({finding.code for finding in _flat(diagnosis.findings) if finding.severity != "note"})
    return alarms, wrong, len(every)


def _flat(findings: Iterable[Finding]) -> Iterable[Finding]:
    for finding in findings:
        yield finding
        yield from _flat(finding.consequences)


if __name__ == "__main__":
    main()
