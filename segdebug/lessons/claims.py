"""What a lesson claims of its runs: short sentences that a run either shows or does not.

The sentence that people read is made from the claim and the run's own numbers, so that a lesson says nothing that its
run has not shown. README.md beside this file has the grammar.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from segdebug.figures import number
from segdebug.finding import COMPUTES, VERDICTS, Finding
from segdebug.lessons.quantities import QUANTITIES, unknown
from segdebug.run import Run

__all__ = ["Claim", "Shown", "findings_of"]

_CLOSE = 0.05  # relative: "about", of a number and its closed form
_SAME = 1e-4  # relative: the same loss, but for float32's rounding

_IS = re.compile(r"([A-Z]) is (not )?(\w+)")
_COMPUTES = re.compile(r"([A-Z]) computes (\w+)")
_FINDS = re.compile(r"([A-Z]) (finds|does not find) ([A-Z]\d\d)")
_WARNS = re.compile(r"([A-Z]) (?:warns \"([^\"]+)\"|does not warn)")
_SAME_LOSSES = re.compile(r"([A-Z]) prints the losses of ([A-Z])")
_COMPARES = re.compile(
    r"([A-Z])\.([a-z_]+)(?:\[([^\]]+)\])? (<|>|~) (?:(-?[\d.]+(?:e-?\d+)?)(?: \* (?=[A-Z]))?)?"
    r"(?:([A-Z])\.([a-z_]+)(?:\[([^\]]+)\])?)?"
)
_SIGNS = {"<": "below", ">": "above", "~": "about"}


class Shown(NamedTuple):
    """Whether the runs show it, and the sentence, with their numbers. code: of the finding that it is about."""

    holds: bool
    words: str
    code: str | None = None
    side: str = "A"


@dataclass(frozen=True)
class Claim:
    """One claim, as the file has it."""

    text: str

    def wrong(self, sides: tuple[str, ...]) -> str | None:
        """Why it cannot be checked, in words; None where it can."""
        named = re.findall(r"\b([A-Z])(?= (?:is|computes|finds|does|warns|prints)\b|\.)|of ([A-Z])$", self.text)
        missing = [a or b for a, b in named if (a or b) not in sides]
        if missing:
            return f"there is no run {missing[0]}, only {', '.join(sides)}"
        if (told := _IS.fullmatch(self.text)) and told[3] not in VERDICTS:
            return f"{told[3]} is no verdict; there are {', '.join(VERDICTS)}"
        if (told := _COMPUTES.fullmatch(self.text)) and told[2] not in COMPUTES:
            return f"{told[2]} is nothing that a loss computes; there are {', '.join(COMPUTES)}"
        if told := _FINDS.fullmatch(self.text):
            return _no_rule(told[3])
        if told := _COMPARES.fullmatch(self.text):
            if told[5] is None and told[6] is None:
                return "there is nothing to compare with"
            other = unknown(told[7], told[8]) if told[6] else None
            return unknown(told[2], told[3]) or other
        if not any(one.fullmatch(self.text) for one in (_IS, _COMPUTES, _WARNS, _SAME_LOSSES)):
            return 'it is none of "A is broken", "A computes rescued", "A finds T01", "A.mean_iou < B.mean_iou"'
        return None

    def shown_by(self, runs: Mapping[str, Run]) -> Shown:
        """Whether these runs show it. KeyError where a run that it names is missing."""
        for form, check in (
            (_IS, _is), (_COMPUTES, _computes), (_FINDS, _finds), (_WARNS, _warns), (_SAME_LOSSES, _same),
            (_COMPARES, _compares),
        ):  # fmt: skip
            if told := form.fullmatch(self.text):
                return check(told, runs)
        raise ValueError(f"not a claim: {self.text}")


def findings_of(run: Run) -> dict[str, Finding]:
    """Everything that was found, consequences too, by code."""
    found = run.diagnosis.findings if run.diagnosis else ()
    return {finding.code: finding for finding in _every(found)}


def _every(found: tuple[Finding, ...]) -> Iterator[Finding]:
    for finding in found:
        yield finding
        yield from _every(finding.consequences)


def _no_rule(code: str) -> str | None:
    from segdebug.rules import catalogue

    return None if code in catalogue() else f"there is no rule {code}; the page Findings lists all"


def _is(told: re.Match[str], runs: Mapping[str, Run]) -> Shown:
    side, negated, verdict = told.groups()
    diagnosis = runs[side].diagnosis
    found = diagnosis.verdict if diagnosis else "unknown"
    return Shown((found == verdict) != bool(negated), f"{side}: {found.replace('_', ' ')}", None, side)


def _computes(told: re.Match[str], runs: Mapping[str, Run]) -> Shown:
    side, expected = told.groups()
    diagnosis = runs[side].diagnosis
    found = diagnosis.computes if diagnosis else "error"
    return Shown(found == expected, f"{side} computes {COMPUTES[found]}", None, side)


def _finds(told: re.Match[str], runs: Mapping[str, Run]) -> Shown:
    from segdebug.rules import catalogue

    side, how, code = told.groups()
    finding = findings_of(runs[side]).get(code)
    if finding is None:
        return Shown(how != "finds", f"{side}: not found: {catalogue()[code].title}", None, side)
    return Shown(how == "finds", f"{side}: {finding.title}", code, side)


def _warns(told: re.Match[str], runs: Mapping[str, Run]) -> Shown:
    side, text = told.groups()
    warned = runs[side].keras_warnings
    if text is None:
        return Shown(not warned, f"{side}: Keras warns of {'nothing' if not warned else warned[0]}", None, side)
    heard = next((one for one in warned if text in one), "")
    return Shown(bool(heard), f"{side}: Keras warns {heard or 'of nothing like that'}", None, side)


def _same(told: re.Match[str], runs: Mapping[str, Run]) -> Shown:
    side, other = told.groups()
    a, b = runs[side].trace.loss, runs[other].trace.loss
    if a.shape != b.shape:
        return Shown(False, f"{side} and {other} did not do as many steps", None, side)
    apart = float(np.max(np.abs(a - b) / np.maximum(np.abs(b), 1e-6)))
    words = "the same loss at every step" if apart <= _SAME else f"losses that differ by {number(apart)} of their value"
    return Shown(apart <= _SAME, f"{side} and {other} print {words}", None, side)


def _compares(told: re.Match[str], runs: Mapping[str, Run]) -> Shown:
    side, name, which, sign, factor, other, other_name, other_which = told.groups()
    left = QUANTITIES[name].of(runs[side], which or "")
    right = float(factor) if factor is not None else 1.0
    words = f"{right:,g}"
    if other is not None:
        value = QUANTITIES[other_name].of(runs[other], other_which or "")
        same = (name, which) == (other_name, other_which)
        whose = f"{other}’s" if other != side else "its"
        named = f"{whose} {number(value)}" if same else f"{whose} {_named(other_name, other_which)}, {number(value)}"
        words = f"{right:,g} times {named}" if factor is not None else named
        right *= value
    holds = {"<": left < right, ">": left > right, "~": math.isclose(left, right, rel_tol=_CLOSE)}[sign]
    told_sign = _SIGNS[sign] if holds else f"not {_SIGNS[sign]}"
    return Shown(holds, f"{side}: {_named(name, which)} {number(left)}, {told_sign} {words}", None, side)


def _named(name: str, which: str | None) -> str:
    return f"{QUANTITIES[name].words} {which}" if which else QUANTITIES[name].words
