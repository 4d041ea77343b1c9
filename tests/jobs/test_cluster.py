"""The same engine on a cluster by address: a real scheduler and a real worker, on loopback."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from segdebug.errors import JobError
from segdebug.jobs import Engine
from tests.jobs.conftest import RUNNER
from tests.jobs.helpers import alive, eventually, marked

ROOT = Path(__file__).parents[2]
NAME = "SEGDEBUG_TEST_MARK"


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """start("scheduler", …) or start("worker", …): a process of dask's; all that is left of them is killed."""
    mark = os.urandom(8).hex()
    processes: list[subprocess.Popen[bytes]] = []

    def start(*arguments: str) -> subprocess.Popen[bytes]:
        with (tmp_path / f"{len(processes)}.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "dask", *arguments, "--dashboard-address", "127.0.0.1:0"],
                cwd=tmp_path,
                env={**os.environ, NAME: mark, "PYTHONPATH": str(ROOT)},
                stdout=log,
                stderr=log,
            )
        processes.append(process)
        return process

    yield start
    for pid in marked(f"{NAME}={mark}"):
        os.kill(pid, signal.SIGKILL)
    for process in processes:
        process.wait()


def test_runs_on_a_cluster_and_outlives_a_machine(
    start: Callable[..., subprocess.Popen[bytes]], tmp_path: Path
) -> None:
    file = tmp_path / "scheduler.json"
    start("scheduler", "--host", "127.0.0.1", "--port", "0", "--scheduler-file", str(file))
    eventually(file.exists)

    def worker() -> subprocess.Popen[bytes]:
        options = ["--nthreads", "1", "--nworkers", "1", "--no-nanny", "--memory-limit", "0"]
        return start("worker", "--scheduler-file", str(file), "--host", "127.0.0.1", *options)

    first = worker()
    address = eventually(lambda: _address(file))
    with Engine(address=address, runner=RUNNER, tensorflow=False) as engine:
        done = engine.submit(None, {"do": "count", "n": 20, "size": 50_000}, key="done")
        assert done.wait(60)
        assert done.error is None
        assert [n for n, _ in done.progress] == list(range(20))

        stuck = engine.submit(None, {"do": "stuck"}, key="stuck")
        pid = eventually(lambda: stuck.progress)[0]
        stuck.cancel()
        eventually(lambda: not alive(pid))

        moved = engine.submit(None, {"do": "heed"}, key="moved")
        before = eventually(lambda: moved.progress)[0]
        first.kill()
        eventually(lambda: not alive(before))
        worker()
        eventually(lambda: moved.restarts == 1 and moved.progress)
        assert moved.state == "running"
        assert len(moved.progress) == 1
        assert moved.progress[0] != before
        moved.cancel()


def test_no_scheduler_is_one_clear_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("segdebug.jobs.link._CONNECTING", 1.0)
    with pytest.raises(JobError, match="No dask scheduler answers at tcp://127"):
        Engine(address="tcp://127.0.0.1:9", runner=RUNNER, tensorflow=False)


def _address(file: Path) -> str | None:
    import json

    try:
        return str(json.loads(file.read_text())["address"])
    except ValueError:  # it is being written
        return None
