"""The queue's end, the same run asked for twice, and what is kept."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from segdebug import Experiment
from segdebug.errors import JobError, QueueFull
from segdebug.jobs import Engine, Job
from tests.jobs.conftest import RUNNER
from tests.jobs.helpers import eventually
from tests.scenes import blocks
from tests.store.made_up import whole_run

Submit = Callable[..., Job]
SLOW = {"do": "heed"}


def test_the_same_key_is_the_same_run(engine: Engine) -> None:
    jobs = {engine.submit(None, SLOW, key="same") for _ in range(3)}
    assert len(jobs) == 1
    (job,) = jobs
    eventually(lambda: job.progress)
    assert engine.submit(None, SLOW, key="same") is job
    assert engine.job(job.id) is job
    assert len(job.id) >= 20
    job.cancel()
    again = engine.submit(None, {"do": "count", "n": 1}, key="same")
    assert again is not job
    assert (job.attempt, again.attempt) == (1, 2)
    assert again.wait(60)
    assert engine.submit(None, SLOW, key="same") is again, "finished and kept"
    assert engine.job(job.id) is job, "the cancelled one can still be looked at"
    assert engine.job("unknown") is None


def test_a_failed_run_is_run_again(engine: Engine) -> None:
    first = engine.submit(None, {"do": "raise", "what": "scene"}, key="failing")
    assert first.wait(60)
    second = engine.submit(None, {"do": "count", "n": 1}, key="failing")
    assert second.wait(60)
    assert (first.state, second.state) == ("failed", "finished")


def test_queue_full_says_how_many_wait() -> None:
    with Engine(slots=1, runner=RUNNER, tensorflow=False, queue_limit=2) as engine:
        running = engine.submit(None, SLOW, key="running")
        eventually(lambda: running.progress)
        waiting = [engine.submit(None, SLOW, key=f"waiting {n}") for n in range(2)]
        assert engine.waiting == 2
        with pytest.raises(QueueFull, match="2 runs"):
            engine.submit(None, SLOW, key="too many")
        assert engine.submit(None, SLOW, key="running") is running, "joining one needs no place"
        waiting[0].cancel()
        engine.submit(None, SLOW, key="now")
    assert {job.state for job in [running, *waiting]} == {"cancelled"}
    with pytest.raises(JobError, match="closed"):
        engine.submit(None, SLOW, key="late")


def test_ended_runs_are_bounded_and_the_watched_stay() -> None:
    def finished(engine: Engine, key: str, scene: object = None, size: int = 0) -> Job:
        job = engine.submit(scene, {"do": "count", "n": 1, "size": size}, key=key)
        assert job.wait(60)
        return job

    with Engine(slots=1, runner=RUNNER, tensorflow=False, keep=3, keep_bytes=1_000_000) as engine:
        first = finished(engine, "0")
        first.arrive("somebody")
        others = [finished(engine, str(n)) for n in range(1, 5)]
        kept = [job for job in [first, *others] if engine.job(job.id) is job]
        assert kept == [first, *others[-2:]]
        assert finished(engine, "1") is not others[0], "dropped, so run anew"

        heavy = [finished(engine, f"heavy {n}", size=400_000) for n in range(4)]
        assert engine.job(heavy[0].id) is None
        assert engine.job(heavy[-1].id) is heavy[-1]
        huge = finished(engine, "huge", scene=np.zeros(2_000_000, np.uint8))
        assert engine.job(huge.id) is huge, "the last one stays, whatever it weighs"
        assert engine.job(heavy[-1].id) is None


def test_one_scene_counts_once() -> None:
    scene = np.zeros(400_000, np.uint8)
    with Engine(slots=1, runner=RUNNER, tensorflow=False, keep_bytes=1_000_000) as engine:
        jobs = [engine.submit(scene, {"do": "count", "n": 1}, key=str(n)) for n in range(5)]
        assert all(job.wait(60) for job in jobs)
        assert all(engine.job(job.id) is job for job in jobs)


def test_a_run_from_before_is_taken_in_as_a_finished_job() -> None:
    scene = blocks()
    run = whole_run(scene, Experiment().changed({"training.size": 16}))
    with Engine(slots=1, runner=RUNNER, tensorflow=False, keep=2) as engine:
        job = engine.adopt(run, scene, id="before", key="same")
        assert (job.id, job.key, job.state, job.active, job.error) == ("before", "same", "finished", False, None)
        assert (job.result, job.scene, job.experiment) == (run, scene, run.experiment)
        assert job.progress == run.trace.parts
        assert job.seconds == pytest.approx(run.seconds, abs=0.5)
        assert engine.job("before") is job
        assert engine.submit(scene, run.experiment, key="same") is job
        assert engine.adopt(run, scene, id="before", key="same") is job
        assert job.wait(0)
        for n in range(3):
            engine.adopt(run, scene, id=f"later {n}", key=f"{n}")
        assert engine.job("before") is None, "kept runs count towards the bounds as all others"
        assert engine.submit(scene, {"do": "count", "n": 1}, key="same") is not job
