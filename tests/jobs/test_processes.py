"""Nothing is left behind, nothing runs twice, nothing listens to strangers."""

from __future__ import annotations

import signal
import socket
import threading
import time
from pathlib import Path

import pytest

from segdebug.jobs import Engine
from tests.jobs.conftest import RUNNER
from tests.jobs.helpers import App, alive, eventually, marked


@pytest.mark.parametrize(
    ("app", "how"),
    [
        ("stuck", signal.SIGKILL),
        ("stuck", signal.SIGTERM),
        ("stuck", signal.SIGINT),
    ],
    indirect=["app"],
)
def test_nothing_outlives_the_app(app: App, how: signal.Signals) -> None:
    assert app.says() == "running"
    assert len(marked(app.mark)) >= 3, "app, forking process, child"
    app.process.send_signal(how)
    app.process.wait(20)
    eventually(lambda: not marked(app.mark), 10)


@pytest.mark.parametrize("app", ["tensorflow"], indirect=True)
def test_nothing_outlives_an_app_that_dies_while_warming(app: App) -> None:
    eventually(lambda: len(marked(app.mark)) >= 2)
    time.sleep(1.0)  # into the import of TensorFlow
    app.process.kill()
    eventually(lambda: not marked(app.mark), 10)


@pytest.mark.parametrize("app", ["modules", "unclosed", "exit"], indirect=True)
def test_no_child_runs_the_app_again_and_it_ends_in_silence(app: App) -> None:
    out, err = app.process.communicate(timeout=120)
    assert err == ""
    assert app.process.returncode == 0
    if app.how != "exit":
        assert out.splitlines() == ["in the child: []", "in the app: []"]
    assert app.log.read_text().splitlines() == [f"module __main__ {app.process.pid}"]
    eventually(lambda: not marked(app.mark), 10)


def test_closing_is_quick_and_complete() -> None:
    threads = set(threading.enumerate())
    engine = Engine(slots=2, runner=RUNNER, tensorflow=False)
    job = engine.submit(None, {"do": "stuck"}, key="k")
    pid = eventually(lambda: job.progress)[0]
    before = time.monotonic()
    engine.close()
    assert time.monotonic() - before < 3
    assert job.state == "cancelled"
    engine.close()  # a second time says nothing
    eventually(lambda: not alive(pid))
    eventually(lambda: not [t for t in set(threading.enumerate()) - threads if t.name.startswith("segdebug")])


def test_only_loopback_is_listened_on(engine: Engine) -> None:
    assert engine.slots == 2
    mine = {_target(fd) for fd in Path("/proc/self/fd").iterdir()}
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            local, state, inode = (line.split()[n] for n in (1, 3, 9))
            if state == "0A" and f"socket:[{inode}]" in mine:
                assert table == "tcp"
                address = socket.inet_ntoa(bytes.fromhex(local.split(":")[0])[::-1])
                assert address.startswith("127.")


def _target(fd: Path) -> str:
    try:
        return str(fd.readlink())
    except OSError:  # the one that was listing the folder
        return ""
