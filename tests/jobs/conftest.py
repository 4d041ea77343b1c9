from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from segdebug.jobs import Engine, Job
from tests.jobs.helpers import App

RUNNER = "tests.jobs.runners:act"

os.environ["SEGDEBUG_NICENESS"] = "0"  # else these tests wait for everything else on the machine


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    """Two slots without TensorFlow, which keeps each process's start at a tenth of a second."""
    with Engine(slots=2, runner=RUNNER, tensorflow=False) as engine:
        yield engine


@pytest.fixture
def submit(engine: Engine) -> Callable[..., Job]:
    """submit(do, **experiment) under a key of its own."""

    def submit(do: str, *, scene: Any = None, at: Engine = engine, **experiment: Any) -> Job:
        return at.submit(scene, {"do": do, **experiment}, key=os.urandom(8).hex())

    return submit


@pytest.fixture
def app(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[App]:
    """The app script, doing what the parameter says; nothing of it is left afterwards."""
    app = App(tmp_path / "log", request.param)
    yield app
    app.close()
