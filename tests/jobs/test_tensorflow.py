"""With TensorFlow: warm, on its own threads, and ended inside one of its operations."""

from __future__ import annotations

import signal

import pytest

from tests.jobs.helpers import App, alive, eventually, marked


@pytest.mark.parametrize("app", ["tensorflow"], indirect=True)
def test_warm_on_its_own_threads_and_ended_anywhere(app: App) -> None:
    pids = []
    for _ in range(2):
        assert app.says() == "(1, 2, True)"  # threads inside and between operations; warm before its run
        state, pid = app.says().split()
        assert state == "running"
        pids.append(int(pid))
    assert pids[0] != pids[1]
    eventually(lambda: not alive(pids[0]))  # cancelled
    assert alive(pids[1])
    app.process.send_signal(signal.SIGKILL)
    app.process.wait(20)
    eventually(lambda: not marked(app.mark), 10)
