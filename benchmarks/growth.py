"""What runs cost as they grow: processor seconds against image side, classes, configurations, mask files and steps.

    python -m benchmarks.growth [--sides 64,128,256,512,1024] [--classes 2,5,33,150] [--configurations 1,4,12]
                                [--files 1,10,100,300] [--steps 50,500,5000]

An exponent of 1 is linear in what grows: the slope between the last two on logarithmic scales. A step's is counted in
pixels, and in pixels × classes. For steps, memory is that of the processes at the run's end.
"""

from __future__ import annotations

import argparse
import math
import time
from typing import Any

import numpy as np

from benchmarks.speed.clicks import run_through
from benchmarks.speed.loops import Loops
from benchmarks.speed.work import Case, scene
from segdebug import read_scene

__all__ = ["exponent", "main"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sides", type=_numbers, default=[64, 128, 256, 512, 1024])
    parser.add_argument("--classes", type=_numbers, default=[2, 5, 33, 150])
    parser.add_argument("--configurations", type=_numbers, default=[1, 4, 12])
    parser.add_argument("--files", type=_numbers, default=[1, 10, 100, 300])
    parser.add_argument("--steps", type=_numbers, default=[50, 500, 5000])
    asked = parser.parse_args()
    alone = Loops(one_thread=True)
    try:
        sides = [alone.ask("step", Case(1, side, 5, 1), 3)["step_cpu_ms"] for side in asked.sides]
        _print("a step, CPU-ms, by pixels", [side**2 for side in asked.sides], sides)
        classes = [alone.ask("step", Case(1, 128, k, 1), 5)["step_cpu_ms"] for k in asked.classes]
        _print("a step at 128 px, CPU-ms, by classes", asked.classes, classes)
    finally:
        alone.close()
    many = [run_through(Case(n, 64, 5, 50)) for n in asked.configurations]
    _print("50 steps at 64 px, CPU-s, by configurations", asked.configurations, [found["cpu"] for found in many])
    _print("read and stretched, s, by mask files", asked.files, [_reading(n) for n in asked.files])
    long = [run_through(Case(1, 64, 5, n)) for n in asked.steps]
    _print("a run at 64 px, CPU-s, by steps", asked.steps, [found["cpu"] for found in long])
    _print("a run at 64 px, memory in MB, by steps", asked.steps, [found["peak"] / 1e6 for found in long])


def exponent(sizes: list[int], costs: list[float]) -> float:
    """The slope between the last two; NaN of one alone."""
    if len(sizes) < 2:
        return math.nan
    return math.log(costs[-1] / costs[-2]) / math.log(sizes[-1] / sizes[-2])


def _print(what: str, sizes: list[int], costs: list[float]) -> None:
    cells = ", ".join(f"{size}: {cost:.3g}" for size, cost in zip(sizes, costs, strict=True))
    print(f"{what}: {cells}; exponent {exponent(sizes, costs):.2f}", flush=True)


def _reading(n: int) -> float:
    """Processor seconds to read a picture with so many mask files, one an object of one of three classes."""
    rng = np.random.default_rng(0)
    image = scene(256, 3).image
    files: list[Any] = []
    for number in range(n):
        mask = np.zeros((256, 256), np.uint8)
        row, column = rng.integers(0, 232, 2)
        mask[row : row + 24, column : column + 24] = 255
        files.append((f"{number}.npy", _npy(mask)))
    started = time.process_time()
    read_scene(image, files).at(128)
    return time.process_time() - started


def _npy(array: Any) -> bytes:
    import io

    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def _numbers(text: str) -> list[int]:
    return [int(part) for part in text.split(",")]


if __name__ == "__main__":
    main()
