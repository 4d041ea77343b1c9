"""A run that goes well, or wrong by itself."""

from __future__ import annotations

import logging
import pickle
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from segdebug.errors import JobError, KerasRefusal, SceneError, SegdebugError, WorkerDied
from segdebug.jobs import Engine, Job
from segdebug.jobs.pool import PLUGIN
from segdebug.scene.model import Scene
from tests.jobs.conftest import RUNNER
from tests.jobs.helpers import eventually

Submit = Callable[..., Job]


def test_progress_comes_in_order_and_before_the_result(submit: Submit) -> None:
    job = submit("count", n=300, size=2000)
    seen: list[int] = []
    versions: list[int] = []
    while True:
        ended = not job.active  # read first: nothing may come after it
        seen += [n for n, _ in job.since(len(seen))]
        versions.append(job.version)
        if ended:
            break
    assert seen == list(range(300))
    assert job.state == "finished"
    assert job.result == {"n": 300}
    assert job.error is None
    assert versions == sorted(versions)
    assert versions[-1] >= 3
    assert job.place == 0
    assert job.started is not None
    assert job.finished is not None
    assert job.started <= job.finished
    assert job.seconds >= 0
    assert job.restarts == 0
    assert len(job.progress) == 300


def test_many_at_once_keep_apart(submit: Submit) -> None:
    jobs = [submit("count", n=50 + k, size=k) for k in range(8)]
    for k, job in enumerate(jobs):
        assert job.wait(60)
        assert job.progress == [(n, bytes(k)) for n in range(50 + k)]


def test_what_was_told_does_not_come_again_with_the_result(submit: Submit) -> None:
    job = submit("tell", size=100_000)
    assert job.wait(60)
    assert job.result == [bytes(100_000)] * 3
    assert all(kept is told for kept, told in zip(job.result, job.progress, strict=True))
    assert 300_000 < job._bytes < 310_000


def test_a_run_goes_where_it_was_prepared_and_the_next_where_the_last_was(engine: Engine) -> None:
    def ran(experiment: dict[str, Any], key: str) -> tuple[int, list[Any]]:
        job = engine.submit(None, experiment, key=key)
        assert job.wait(60)
        pid, prepared = job.result
        return pid, prepared

    plain, expected = {"do": "prepared"}, {"do": "prepared", "n": 1}
    assert ran(plain, "first")[0] == ran(plain, "second")[0]
    for _ in range(2):  # the page asks again each time that it is looked at
        engine.prepare(None, expected, key="expected")
    slots = engine._link._cluster.workers[0].plugins[PLUGIN]._slots
    eventually(lambda: any(slot.wait_of("expected") == 0 for slot in slots))
    pid, prepared = ran(expected, "expected")
    assert prepared.count(expected) == 1
    engine.prepare(None, expected, key="expected")  # it has been run: nothing to prepare for
    assert ran(plain, "third") == (pid, prepared)


def test_several_runs_are_made_ready_for_and_each_goes_where_that_was(engine: Engine, tmp_path: Path) -> None:
    keys = [f"expected {n}" for n in range(engine.ahead)]
    for key in keys:
        engine.prepare(str(tmp_path), {"do": "prepared", "name": key}, key=key)
        eventually(lambda name=key: (tmp_path / name).exists())
    pids = []
    for key in reversed(keys):
        job = engine.submit(str(tmp_path), {"do": "prepared", "name": key}, key=key)
        assert job.wait(60)
        pid, prepared = job.result
        assert prepared.count(job.experiment) == 1
        pids.append(pid)
    assert [pids.count(pid) for pid in set(pids)] == [2] * engine.slots


def test_a_scene_arrives_whole_and_can_be_written_to(submit: Submit) -> None:
    labels = np.arange(3000 * 2000, dtype=np.int32).reshape(3000, 2000)
    image = np.random.default_rng(0).random((3000, 2000, 3), dtype=np.float32)  # 72 MB
    valid = np.zeros((3000, 0), dtype=bool)  # an empty buffer has no message of its own
    scene = Scene("big", image, (), labels.T, None, valid, "index", 1.0, (), digest="0")
    job = submit("echo", scene=scene)
    assert job.wait(60)
    assert job.error is None
    assert isinstance(job.result, Scene)
    assert np.array_equal(job.result.image, image)
    assert np.array_equal(job.result.labels, labels.T)
    assert job.result.valid.shape == (3000, 0)


def test_the_child_steps_back_and_knows_nothing_of_the_app(submit: Submit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SEGDEBUG_NICENESS")
    with Engine(slots=1, runner=RUNNER, tensorflow=False) as engine:
        job = submit("process", at=engine)
        assert job.wait(60)
    process = job.result
    assert process["nice"] >= 10
    assert process["oom"] == 500
    assert process["group"] == "" or process["group"].endswith("nice 5")
    assert process["omp"] == "1"
    assert process["gpu"] == "-1"
    assert process["interrupt"]
    assert not {"distributed", "streamlit", "tensorflow", "pytest"} & process["modules"]
    assert process["main"] is None


@pytest.mark.parametrize(("what", "kind"), [("ours", KerasRefusal), ("scene", SceneError)])
def test_our_own_errors_come_back_as_they_are(submit: Submit, what: str, kind: type[SegdebugError]) -> None:
    job = submit("raise", what=what)
    assert job.wait(60)
    assert job.state == "failed"
    assert type(job.error) is kind
    if isinstance(job.error, KerasRefusal):
        assert (job.error.field, job.error.original) == ("head.activation", "Argument `x` is wrong")


@pytest.mark.parametrize(("what", "says"), [("other", "first line"), ("memory", "memory"), ("exit", "3")])
def test_other_errors_become_one_line_and_a_log_entry(
    submit: Submit, caplog: pytest.LogCaptureFixture, what: str, says: str
) -> None:
    with caplog.at_level(logging.ERROR, "segdebug.jobs"):
        job = submit("raise", what=what)
        assert job.wait(60)
    assert job.state == "failed"
    assert type(job.error) is JobError
    assert says in str(job.error)
    assert "\n" not in str(job.error)
    assert "Traceback" not in str(job.error)
    assert "Traceback" in caplog.text


def test_what_cannot_be_pickled_is_an_error_of_that_run_alone(submit: Submit) -> None:
    back, out = submit("unpicklable"), submit("echo", scene=threading.Lock())
    assert back.wait(60)
    assert out.wait(60)
    assert (back.state, out.state) == ("failed", "failed")
    assert isinstance(back.error, JobError)
    assert isinstance(out.error, JobError)
    after = submit("count", n=1)
    assert after.wait(60)
    assert after.state == "finished"


def test_an_unknown_runner_is_named() -> None:
    with Engine(slots=1, runner="tests.jobs.runners:no_such", tensorflow=False) as engine:
        job = engine.submit(None, None, key="k")
        assert job.wait(60)
        assert "no_such" in str(job.error)


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ({"signal": signal.SIGKILL}, "memory"),
        ({"signal": signal.SIGSEGV}, "crashed (SIGSEGV)"),
        ({"code": 7}, "exit code 7"),
        ({"do": "spawn"}, "SIGKILL"),
    ],
)
def test_a_death_is_told_in_words_and_hurts_nobody_else(submit: Submit, how: dict[str, object], says: str) -> None:
    other = submit("heed")
    eventually(lambda: other.progress)
    job = submit(**{"do": "die", **how})
    assert job.wait(60)
    assert job.state == "failed"
    assert isinstance(job.error, WorkerDied)
    assert says in str(job.error)
    assert len(job.progress) == 1, "what it told before it died stays"
    after = submit("count", n=3)
    assert after.wait(60)
    assert after.state == "finished"
    assert other.state == "running"
    other.cancel()


def test_errors_survive_pickling() -> None:
    error = pickle.loads(pickle.dumps(WorkerDied("gone")))
    assert type(error) is WorkerDied
