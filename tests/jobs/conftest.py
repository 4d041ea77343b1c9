from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from segdebug.jobs import Engine, Job

RUNNER = "tests.jobs.runners:act"


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
