"""segdebug by its public interface: from the click to the finished runs, everything recorded, in warm processes."""

from __future__ import annotations

import os
import time
from typing import Any

from benchmarks.speed.machine import Tree, children_busy
from benchmarks.speed.work import Case, experiments, scene
from segdebug import Experiment
from segdebug.jobs import Engine, Job

__all__ = ["WAYS", "clicked", "run_through"]

WAYS = ("new", "prepared", "traced before")
"""Runs that no process has seen the like of; ones that the page had processes prepared for while it was being looked
at; ones that differ from earlier runs in their seed alone."""

os.environ.setdefault("SEGDEBUG_NICENESS", "0")  # as the loops that it is measured against
_GLANCE = 0.5  # seconds
_SETTLED = 0.1  # of a core: less is rest


def clicked(case: Case, *, slots: int | None = None) -> dict[str, dict[str, Any]]:
    """Each way's seconds, and what else was measured, with an engine of its own that was left to get warm."""
    picture = scene(case.size, case.classes)
    timed = {}
    with Engine(slots=slots) as engine:
        _warm(engine)
        timed["new"] = _click(engine, picture, case, seed=0)
        timed["traced before"] = _click(engine, picture, case, seed=1)
        timed["traced before"]["again"] = _again(engine, picture, case, seed=1)
    with Engine(slots=slots) as engine:
        _warm(engine)
        for n, experiment in enumerate(experiments(case)[: engine.ahead]):
            engine.prepare(picture, experiment, key=_key(case, 0, n))
        _rest()
        timed["prepared"] = _click(engine, picture, case, seed=0)
    return timed


def run_through(case: Case) -> dict[str, Any]:
    """The case's runs, as `new`, in an engine of their own."""
    with Engine() as engine:
        _warm(engine)
        return _click(engine, scene(case.size, case.classes), case, seed=0)


def _click(engine: Engine, picture: Any, case: Case, seed: int) -> dict[str, Any]:
    with Tree() as tree:
        started = time.perf_counter()
        jobs = [
            engine.submit(picture, experiment, key=_key(case, seed, n))
            for n, experiment in enumerate(experiments(case, seed))
        ]
        first = _first_point(jobs[0], started)
        for job in jobs:
            job.wait()
        seconds = time.perf_counter() - started
    for job in jobs:
        if job.error is not None:
            raise job.error
    return {
        "seconds": seconds,
        "cpu": tree.cpu,
        "peak": tree.peak,
        "first_point": first,
        "step_ms": 1000 * (seconds - first) / max(1, case.steps - 1),
        "step_cpu_ms": 1000 * tree.cpu / (case.configurations * case.steps),
    }


def _first_point(job: Job, started: float) -> float:
    while not job.since(0) and job.active:
        time.sleep(0.001)
    return time.perf_counter() - started


def _again(engine: Engine, picture: Any, case: Case, seed: int) -> float:
    """Seconds to get the finished run once more."""
    started = time.perf_counter()
    job = engine.submit(picture, experiments(case, seed)[0], key=_key(case, seed, 0))
    job.wait()
    assert job.result is not None
    return time.perf_counter() - started


def _key(case: Case, seed: int, n: int) -> str:
    return f"{case} seed {seed} number {n}"


def _warm(engine: Engine) -> None:
    """Wait until every process has had a run, and has nothing more to do."""
    picture = scene(16, 2)
    tiny = Experiment().changed({"training.size": 16, "training.steps": 1})
    jobs = [engine.submit(picture, tiny, key=f"warm {n}") for n in range(engine.slots)]
    for job in jobs:
        job.wait()
    _rest()


def _rest() -> None:
    quiet = 0
    while quiet < 2:
        quiet = quiet + 1 if children_busy(_GLANCE) < _SETTLED else 0
