"""Thirty students at once, on loopback: one lesson pressed by all, then thirty different configurations.

    python -m benchmarks.classroom [--students 30] [--lesson one-channel-softmax] [--steps 60]

Starts its own server in a temporary folder, speaks Streamlit's own messages over thirty websockets, as browsers do,
and prints how long a page takes to react, how long until the last result, how many runs were trained, and the memory
of the server and of its workers. Every wait has an end. It needs nothing beyond requirements.txt: websockets comes
with Streamlit, psutil with distributed.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import random
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil

from benchmarks.student import Student

__all__ = ["main"]

_ROOT = Path(__file__).parents[1]
_PRESSED_WITHIN = 3.0  # seconds
_ENOUGH = 900.0  # seconds for the whole class


def main() -> int:
    """Run both; 1 where a student was left without a result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--students", type=int, default=30)
    parser.add_argument("--lesson", default="one-channel-softmax")
    parser.add_argument("--steps", type=int, default=60)
    given = parser.parse_args()
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    with tempfile.TemporaryDirectory() as folder, _serving(Path(folder)) as (port, process):
        _wait_until_warm(port, given.lesson, given.steps)
        lost = 0
        for title, seeds in (
            ("the same lesson", [1] * given.students),
            ("different configurations", list(range(2, given.students + 2))),
        ):
            students = [Student(port, f"lesson={given.lesson}&choice=1&steps={given.steps}&seed={s}") for s in seeds]
            asyncio.run(_class(students))
            lost += _told(title, students)
        _memory(process)
        print(f"exceptions in the server's log: {(Path(folder) / 'server.log').read_text().count('Traceback')}")
    return 1 if lost else 0


async def _class(students: list[Student]) -> None:
    """All open the lesson, then all press within three seconds; until each has its result."""
    chance = random.Random(0)
    async with asyncio.timeout(_ENOUGH):
        await asyncio.gather(*(student.open() for student in students))
        await asyncio.gather(*(student.run(after=chance.uniform(0, _PRESSED_WITHIN)) for student in students))


def _told(title: str, students: list[Student]) -> int:
    """Print the figures; how many have no result."""
    lost = [student for student in students if not student.done]
    ends = [student.finished - student.pressed for student in students if student.done]
    first = min(student.pressed for student in students)
    last = max((student.finished for student in students if student.done), default=first)
    trained = {(student.first_query, line) for student in students for line in student.saw}
    print(f"{len(students)} students, {title}: {len(trained)} runs trained, {len(lost)} students without a result")
    print(f"  press to result: p50 {np.percentile(ends, 50):.1f} s, p95 {np.percentile(ends, 95):.1f} s")
    print(f"  from the first press to the last result: {last - first:.1f} s")
    for kind in ("open", "press", "poll"):
        took = [1000 * seconds for student in students for seconds in student.took[kind]]
        if took:
            p50, p95 = np.percentile(took, [50, 95])
            print(f"  reaction to {kind}: p50 {p50:.0f} ms, p95 {p95:.0f} ms, of {len(took)}")
    waited = [place for student in students for place in student.places]
    print(f"  places in the queue that were shown: {len(waited)}, the farthest {max(waited, default=0)}")
    return len(lost)


@contextlib.contextmanager
def _serving(folder: Path) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    environment = {**os.environ, "SEGDEBUG_STORE": str(folder / "store")}
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)]
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=_ROOT, env=environment, stdout=log, stderr=log)
        try:
            _wait_for(port)
            yield port, process
        finally:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(15)
            process.kill()


def _wait_for(port: int) -> None:
    for _ in range(600):
        with (
            contextlib.suppress(OSError),
            urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=2) as answer,
        ):
            if answer.status == 200:
                return
        time.sleep(0.1)
    raise TimeoutError("the app did not start")


def _wait_until_warm(port: int, lesson: str, steps: int) -> None:
    """One student runs the lesson under another seed, so that the workers have TensorFlow loaded."""
    asyncio.run(_class([Student(port, f"lesson={lesson}&choice=1&steps={steps}&seed=999")]))


def _memory(process: subprocess.Popen[bytes]) -> None:
    server = psutil.Process(process.pid)
    children = server.children(recursive=True)
    print(f"memory of the server: {server.memory_info().rss / 2**20:.0f} MiB")
    for child in children:
        with contextlib.suppress(psutil.Error):
            own = child.memory_full_info()
            print(f"  process {child.pid}: {own.rss / 2**20:.0f} MiB resident, {own.uss / 2**20:.0f} MiB its own")


if __name__ == "__main__":
    sys.exit(main())
