"""Waiting, and looking at processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


def eventually(condition: Callable[[], Any], seconds: float = 30.0) -> Any:
    """The condition's value once it is true; fails after so many seconds (generous: machines are shared)."""
    until = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > until:
            pytest.fail("it did not happen in time")
        time.sleep(0.01)
    return value


def alive(pid: int) -> bool:
    """Whether the process runs (a zombie does not)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def marked(mark: str) -> list[int]:
    """Processes that have `mark` in their environment: those of one test's app, and all that came from them."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if mark.encode() in (entry / "environ").read_bytes() and alive(int(entry.name)):
                    found.append(int(entry.name))
            except (OSError, ProcessLookupError):
                continue
    return found


class App:
    """tests/jobs/app_script.py, started with a mark in its environment by which its descendants are known."""

    def __init__(self, log: Path, how: str) -> None:
        self.how = how
        self.log = log
        self.mark = f"SEGDEBUG_TEST_MARK={os.urandom(8).hex()}"
        name, value = self.mark.split("=")
        self.process = subprocess.Popen(
            [sys.executable, str(ROOT / "tests/jobs/app_script.py"), str(log), how],
            cwd=ROOT,
            env={**os.environ, name: value, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def says(self) -> str:
        """Its next line."""
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def close(self) -> None:
        """Kill all that is left of it."""
        for pid in marked(self.mark):
            os.kill(pid, signal.SIGKILL)
        self.process.communicate()
