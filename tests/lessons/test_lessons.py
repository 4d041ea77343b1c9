"""Every lesson of the package is run, and every claim of it checked against its runs' diagnoses."""

from __future__ import annotations

import re

import pytest

from segdebug import Run, overfit
from segdebug.lessons import Lesson, filled, find_lessons

LESSONS = find_lessons().lessons
THREADS = [name for name in LESSONS if name.startswith("thread-")]


def test_there_are_five_threads_and_more_than_twelve_reports() -> None:
    assert find_lessons().refused == ()
    assert len(THREADS) == 5
    assert sum(lesson.group == "report" for lesson in LESSONS.values()) >= 12
    for lesson in LESSONS.values():
        assert lesson.references
        assert lesson.next


@pytest.mark.parametrize("name", LESSONS)
def test_the_runs_show_what_the_lesson_claims(name: str) -> None:
    lesson = LESSONS[name]
    runs = _runs(lesson)
    for claim in lesson.claims:
        shown = claim.shown_by(runs)
        assert shown.holds, f"{claim.text}: {shown.words}"
    told = filled(lesson.reveal, runs)
    assert not re.search(r"\{[A-D]\.", told)
    assert "NaN" not in told
    assert "…" not in told


_DONE: dict[tuple[str, str], Run] = {}
"""Some lessons share a run."""


def _runs(lesson: Lesson) -> dict[str, Run]:
    scene, runs = lesson.scene(), {}
    for side in lesson.sides:
        key = scene.digest, side.experiment.to_json()
        if key not in _DONE:
            _DONE[key] = overfit(scene, side.experiment)
        runs[side.name] = _DONE[key]
    return runs
