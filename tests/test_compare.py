"""Several configurations on one picture."""

from __future__ import annotations

import numpy as np
import pytest

import segdebug
from segdebug import Experiment
from segdebug.errors import ExperimentError
from segdebug.trace import Progress
from tests.scenes import blocks

TINY = Experiment().changed({"model.depth": 0, "model.filters": 2, "training.size": 16, "training.steps": 3})


def test_each_run_is_what_overfit_gives_and_one_seed_begins_alike() -> None:
    scene, told = blocks(), []
    experiments = [TINY, TINY.changed({"loss.name": "dice"})]

    def report(place: int, progress: Progress) -> None:
        told.append((place, progress.first_step))

    runs = segdebug.compare(scene, experiments, on_progress=report)
    assert [run.experiment for run in runs] == experiments
    assert {place for place, _ in told} == {0, 1}
    assert told == sorted(told)
    alone = segdebug.overfit(scene, experiments[1])
    np.testing.assert_array_equal(runs[1].trace.loss, alone.trace.loss)
    first = [run.trace.snapshots[0].prediction for run in runs]
    np.testing.assert_array_equal(first[0], first[1])


def test_what_was_not_begun_when_it_was_cancelled_has_no_run() -> None:
    asked = iter([False, False, *[True] * 9])
    runs = segdebug.compare(blocks(), [TINY, TINY], cancel=lambda: next(asked))
    assert [run.trace.outcome for run in runs] == ["cancelled"]
    with pytest.raises(ExperimentError, match="at least one"):
        segdebug.compare(blocks(), [])
