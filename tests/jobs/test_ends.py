"""Runs that are ended from outside: cancelled, too long, killed, left alone."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from segdebug.errors import TimeLimit, WorkerDied
from segdebug.jobs import Engine, Job
from tests.jobs.conftest import RUNNER
from tests.jobs.helpers import alive, eventually

Submit = Callable[..., Job]


@pytest.fixture(scope="module")
def short() -> Iterator[Engine]:
    """One slot, and half a second until a run that everybody has left is ended."""
    with Engine(slots=1, runner=RUNNER, tensorflow=False, grace=0.5) as engine:
        yield engine


@pytest.fixture(scope="module")
def limited() -> Iterator[Engine]:
    """One slot, and a second for each run."""
    with Engine(slots=1, runner=RUNNER, tensorflow=False, time_limit=1.0) as engine:
        yield engine


@pytest.mark.parametrize("do", ["heed", "stuck"])
def test_cancel_ends_it_and_keeps_what_it_told(submit: Submit, do: str) -> None:
    other = submit("heed")
    job = submit(do)
    pid = eventually(lambda: job.progress)[0]
    eventually(lambda: other.progress)
    asked = time.monotonic()
    job.cancel()
    assert job.state == "cancelled"
    assert job.wait(0)
    if do == "stuck":
        eventually(lambda: not alive(pid))
        assert time.monotonic() - asked < 5  # well under one on a machine that has time
    assert job.progress == [pid]
    assert job.error is None
    assert job.finished is not None
    after = submit("process")
    assert after.wait(60)
    if do == "heed":
        assert after.result["pid"] == pid, "a run that stops by itself leaves its process warm"
    assert other.state == "running"
    other.cancel()
    other.cancel()  # a second time says nothing
    assert not other.active


def test_cancel_of_a_queued_run_never_starts_it(submit: Submit) -> None:
    busy = [submit("heed"), submit("heed")]
    eventually(lambda: all(job.progress for job in busy))
    queued = [submit("count", n=1) for _ in range(3)]
    assert [job.place for job in queued] == [1, 2, 3]
    assert [job.state for job in queued] == ["queued"] * 3
    assert queued[0].seconds == 0
    queued[1].cancel()
    assert [job.place for job in queued] == [1, 0, 2]
    for job in busy:
        job.cancel()
    assert queued[0].wait(60)
    assert queued[2].wait(60)
    assert [job.state for job in queued] == ["finished", "cancelled", "finished"]
    assert queued[1].progress == []
    assert queued[1].started is None


def test_cancel_as_soon_as_possible_at_every_moment(submit: Submit) -> None:
    """Races between starting and ending: whatever the moment, it ends and the slots serve on."""
    for n in range(20):
        job = submit("count", n=20, pause=0.001)
        time.sleep(n * 0.003)
        job.cancel()
        assert job.wait(0)
    after = [submit("count", n=2) for _ in range(4)]
    assert all(job.wait(60) for job in after)
    assert [job.state for job in after] == ["finished"] * 4


@pytest.mark.parametrize("do", ["heed", "stuck"])
def test_the_time_limit_says_how_long(limited: Engine, submit: Submit, do: str) -> None:
    job = submit(do, at=limited)
    assert job.wait(60)
    assert job.state == "failed"
    assert isinstance(job.error, TimeLimit)
    assert "1 seconds" in str(job.error)
    assert len(job.progress) == 1
    after = submit("count", at=limited, n=1)
    assert after.wait(60)
    assert after.state == "finished"


def test_kill_of_a_child_from_outside(submit: Submit) -> None:
    job, other = submit("stuck"), submit("heed")
    pid = eventually(lambda: job.progress)[0]
    eventually(lambda: other.progress)
    os.kill(pid, signal.SIGKILL)
    assert job.wait(60)
    assert isinstance(job.error, WorkerDied)
    assert "SIGKILL" in str(job.error)
    assert other.state == "running"
    other.cancel()
    after = submit("count", n=1)
    assert after.wait(60)
    assert after.state == "finished"


def test_a_child_that_dies_idle_is_replaced(submit: Submit, short: Engine) -> None:
    first = submit("process", at=short)
    assert first.wait(60)
    os.kill(first.result["pid"], signal.SIGKILL)
    second = submit("process", at=short)
    assert second.wait(60)
    assert second.state == "finished", "its death before the run costs the run nothing"
    assert second.result["pid"] != first.result["pid"]


def test_death_of_the_forking_process_is_survived(submit: Submit, short: Engine) -> None:
    first = submit("heed", at=short)
    pid = eventually(lambda: first.progress)[0]
    parent = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    os.kill(parent, signal.SIGKILL)
    assert first.wait(60)
    assert isinstance(first.error, WorkerDied)
    eventually(lambda: not alive(pid))
    after = submit("count", at=short, n=1)
    assert after.wait(60)
    assert after.state == "finished"


def test_a_run_that_everybody_has_left_ends(short: Engine, submit: Submit) -> None:
    busy = submit("heed", at=short)
    queued = submit("count", at=short, n=1)
    queued.arrive("a")
    queued.arrive("b")
    queued.leave("a")
    time.sleep(0.7)
    assert queued.state == "queued", "one still watches"
    assert queued.viewers == 1
    busy.cancel()
    assert queued.wait(60)
    watched = submit("count", at=short, n=300, pause=0.01)
    eventually(lambda: watched.progress)
    watched.arrive("a")
    watched.leave("a")
    watched.leave("never came")
    watched.arrive("a")  # the page was reloaded
    time.sleep(0.7)
    assert watched.active
    watched.cancel()
    left = submit("count", at=short, n=300, pause=0.01)
    left.arrive("a")
    left.leave("a")
    assert left.wait(30)
    assert left.state == "cancelled"


def test_renewal_waits_for_idleness() -> None:
    with Engine(slots=1, runner=RUNNER, tensorflow=False, renew_after=2) as engine:

        def pid() -> int:
            job = engine.submit(None, {"do": "process"}, key=os.urandom(8).hex())
            assert job.wait(60)
            return int(job.result["pid"])

        pids = [pid() for _ in range(8)]  # never idle for a second: renewed at twice the number
        assert 2 <= len(set(pids)) <= 4
        old = [pid(), pid()][-1]
        eventually(lambda: not alive(old))
