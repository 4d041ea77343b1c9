"""How fast: a person's own loop, fit alone and segdebug side by side, from the click to the finished runs.

    python -m benchmarks [--quick] [--rounds 3] [--sizes 128,256] [--classes 5,33] [--configurations 1,4,6]
                         [--steps 200] [--epochs 20] [--json FILE]
    python -m benchmarks --compare FILE FILE

All are measured in turn, in every round anew. A person's loops have two threads or as many as there are cores, and
train one configuration after the other; they are measured for --epochs epochs of one step, and counted on from there.
segdebug's runs are measured whole. The JSON is kept in benchmarks/results/, named after the commit.
"""

from __future__ import annotations

import argparse
import itertools
import json
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.speed.clicks import WAYS, clicked
from benchmarks.speed.loops import KINDS, Loops
from benchmarks.speed.machine import load
from benchmarks.speed.work import Case

_RESULTS = Path(__file__).parent / "results"
Row = dict[str, Any]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="one round of one configuration at 64 px, 20 steps")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--sizes", type=_numbers, default=[128, 256])
    parser.add_argument("--classes", type=_numbers, default=[5, 33])
    parser.add_argument("--configurations", type=_numbers, default=[1, 4, 6])
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--compare", type=Path, nargs=2)
    asked = parser.parse_args()
    if asked.compare:
        _compare(*(json.loads(file.read_text()) for file in asked.compare))
        return 0
    if asked.quick:
        asked.rounds, asked.sizes, asked.classes, asked.configurations = 1, [64], [5], [1]
        asked.steps, asked.epochs = 20, 5
    rows = measured(asked)
    file = asked.json or _RESULTS / f"{_commit()}-{time.strftime('%Y%m%d-%H%M%S')}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(rows))
    for name in dict.fromkeys(row["case"] for row in rows):
        _print_case(name, [row for row in rows if row["case"] == name], asked.steps)
    print(f"kept in {file}")
    return 0


def measured(asked: argparse.Namespace) -> list[Row]:
    """One row a case and round: what each kind of loop and each way of segdebug's took."""
    rows = []
    loops, alone = Loops(), Loops(one_thread=True)
    try:
        for number, size, classes in itertools.product(range(asked.rounds), asked.sizes, asked.classes):
            one = Case(1, size, classes, asked.steps)
            found: Row = {"round": number, "load": load(), "sgemm": alone.ask("sgemm", one, 1.0)["flops"]}
            found |= {kind: loops.ask(kind, one, asked.epochs) for kind in KINDS}
            found["step"] = alone.ask("step", one, max(2, asked.epochs // 2))
            for configurations in asked.configurations:
                case = Case(configurations, size, classes, asked.steps)
                rows.append({"case": case.name, "configurations": configurations, **found, **clicked(case)})
                _say(rows[-1])
    finally:
        loops.close()
        alone.close()
    return rows


def _say(row: Row) -> None:
    own = row[KINDS[0]]["seconds"] * row["configurations"]
    print(f"round {row['round']}, {row['case']}: {own / row['new']['seconds']:.1f} ×", file=sys.stderr, flush=True)


def _print_case(name: str, rows: list[Row], steps: int) -> None:
    """A table in Markdown: medians, and lowest to highest of the rounds."""
    print(f"\n### {name}, {steps} steps, {len(rows)} rounds, load {_spread([row['load'] for row in rows])}\n")
    heads = (
        "",
        "click to finished, s",
        "own loop ÷ this",
        "one MeanIoU ÷ this",
        "CPU-s",
        "first point, s",
        "ms a step",
    )
    print("|", " | ".join([*heads, "peak, MB"]), "|")
    print("|---" * (len(heads) + 1) + "|")
    for what in (*KINDS, *WAYS):
        times = 1 if what in WAYS else rows[0]["configurations"]
        cells = [_spread([times * row[what]["seconds"] for row in rows])]
        for own in KINDS[:2]:
            ratios = [row["configurations"] * row[own]["seconds"] / (times * row[what]["seconds"]) for row in rows]
            cells.append(_spread(ratios))
        cells.append(_spread([times * row[what]["cpu"] for row in rows]))
        cells.append(_spread([row[what]["first_point"] for row in rows]))
        one = rows[0]["configurations"] == 1 or what in KINDS
        cells.append(_spread([row[what]["step_ms"] for row in rows]) if one else "")
        cells.append(_spread([row[what]["peak"] / 1e6 for row in rows]))
        print("|", what if what in KINDS else f"segdebug, {what}", "|", " | ".join(cells), "|")
    step, alone = [row["step"]["step_cpu_ms"] for row in rows], [row["fit alone"]["step_cpu_ms"] for row in rows]
    rates = [row["step"]["flop"] / row["step"]["step_cpu_ms"] / 1e6 for row in rows]
    shares = [100 * rate * 1e9 / row["sgemm"] for rate, row in zip(rates, rows, strict=True)]
    ratios = [a / b for a, b in zip(alone, step, strict=True)]
    print(
        f"\nThe step alone: {_spread(step)} CPU-ms, {_spread(rates)} GFLOP/s, {_spread(shares)} % of sgemm "
        f"({_spread([row['sgemm'] / 1e9 for row in rows])} GFLOP/s a core); fit alone ÷ step: {_spread(ratios)}. "
        f"The same run asked for again: {_spread([1000 * row['traced before']['again'] for row in rows])} ms."
    )


def _spread(values: list[float]) -> str:
    if len(values) == 1:
        return f"{values[0]:.3g}"
    return f"{median(values):.3g} ({min(values):.3g}–{max(values):.3g})"


def _compare(before: list[Row], after: list[Row]) -> None:
    """How much less the second takes, case by case: medians of seconds and processor seconds, first ÷ second."""
    print("| case | way | seconds | CPU-s |\n|---|---|---|---|")
    for name in dict.fromkeys(row["case"] for row in before):
        for what in (*KINDS, *WAYS):
            sides = [[row[what] for row in rows if row["case"] == name and what in row] for rows in (before, after)]
            if all(sides):
                cells = [
                    f"{median([row[key] for row in sides[0]]) / median([row[key] for row in sides[1]]):.2f}"
                    for key in ("seconds", "cpu")
                ]
                print(f"| {name} | {what} | {' | '.join(cells)} |")


def _numbers(text: str) -> list[int]:
    return [int(part) for part in text.split(",")]


def _commit() -> str:
    done = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


if __name__ == "__main__":
    sys.exit(main())
