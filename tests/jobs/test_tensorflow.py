"""With TensorFlow: warm, on one thread, and cancelled inside one of its operations."""

from __future__ import annotations

import sys
import time

from segdebug.jobs import Engine
from tests.jobs.conftest import RUNNER
from tests.jobs.helpers import alive, eventually


def test_a_warm_process_on_one_thread_that_can_be_cancelled_anywhere() -> None:
    before = "tensorflow" in sys.modules
    with Engine(slots=1, runner=RUNNER) as engine:
        first = engine.submit(None, {"do": "threads"}, key="threads")
        assert first.wait(120)
        assert first.error is None
        assert first.result == (1, 1, True)

        job = engine.submit(None, {"do": "linalg"}, key="linalg")
        eventually(lambda: len(job.progress) == 2)
        pid = job.progress[0]
        time.sleep(0.3)  # into the operation, which takes many seconds
        assert job.state == "running"
        job.cancel()
        eventually(lambda: not alive(pid))

        after = engine.submit(None, {"do": "threads"}, key="after")
        assert after.wait(60)
        assert after.result == (1, 1, True)
    assert ("tensorflow" in sys.modules) == before
