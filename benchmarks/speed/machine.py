"""What a process tree costs: processor seconds and memory; and how busy the machine is besides."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import psutil

__all__ = ["Tree", "children_busy", "load"]

_SAMPLE_EVERY = 1.0  # seconds: the kernel walks all of the memory each time


class Tree:
    """This process and all below it, while inside: `cpu`, seconds; `peak`, bytes of memory that are their own."""

    def __init__(self, root: int | None = None) -> None:
        self._root = psutil.Process(root)
        self._over = threading.Event()
        self.cpu = self.peak = 0.0

    def __enter__(self) -> Tree:
        self._before = self._seconds()
        self._watch = threading.Thread(target=self._sample, daemon=True)
        self._watch.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.cpu = self._seconds() - self._before
        self._over.set()
        self._watch.join()

    def _sample(self) -> None:
        while True:
            self.peak = max(self.peak, sum(_own_memory(process.pid) for process in self._processes()))
            if self._over.wait(_SAMPLE_EVERY):
                return

    def _processes(self) -> list[psutil.Process]:
        return [self._root, *self._root.children(recursive=True)]

    def _seconds(self) -> float:
        return sum(map(_seconds_of, self._processes()))


def children_busy(seconds: float) -> float:
    """Cores that the processes below this one keep busy, on average over so many seconds."""
    children = psutil.Process().children(recursive=True)
    before = sum(map(_seconds_of, children))
    time.sleep(seconds)
    return (sum(map(_seconds_of, children)) - before) / seconds


def _seconds_of(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.Error:  # it has ended
        return 0.0
    return float(times.user + times.system)


def _own_memory(pid: int) -> float:
    """Proportional set size in bytes: memory shared by n processes counts 1/n in each."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:  # it has ended, or this is not Linux
        return 0.0
    return next((1024.0 * int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0.0)


def load() -> float:
    """Processes that wait for a core, on average over the last minute."""
    return os.getloadavg()[0]
