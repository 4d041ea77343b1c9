"""Every activation × attachment × loss × from_logits × execution, probed: what it computes, and how well that fits.

    python -m benchmarks.semantics [--execution graph] [--classes 4] [--json FILE]

Prints how many combinations came to each answer, those that no hypothesis fits, and the time of one probe. With
--json the answers go to a file, one object a line.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from segdebug.errors import ExperimentError
from segdebug.experiment import Experiment
from segdebug.rules.known import Semantics
from segdebug.semantics import probe
from segdebug.vocabulary import ACTIVATIONS, ATTACHMENTS, EXECUTIONS, LOSSES

__all__ = ["combinations", "label_shape"]

_SIZE = 8
_FITS = 1e-3


def combinations(executions: list[str]) -> Iterator[Experiment]:
    """Every combination of the vocabulary that there is."""
    for execution in executions:
        for loss, entry in LOSSES.items():
            for activation in ACTIVATIONS:
                for attachment in ATTACHMENTS:
                    for from_logits in (False, True) if "from_logits" in entry.accepts else (False,):
                        changes = {
                            "head.activation": activation,
                            "head.attachment": attachment,
                            "loss.name": loss,
                            "loss.from_logits": from_logits,
                            "training.execution": execution,
                        }
                        try:
                            yield Experiment().changed(changes)
                        except ExperimentError:
                            continue  # no such layer in Keras


def label_shape(experiment: Experiment, channels: int, size: int = _SIZE) -> tuple[int, ...]:
    """The labels' shape that belongs to head and loss."""
    flat = experiment.head.attachment in ("after_reshape", "then_reshape")
    pixels = (size * size,) if flat else (size, size)
    return pixels if experiment.loss.name.startswith("sparse_") else (*pixels, channels)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--execution", choices=list(EXECUTIONS), action="append")
    parser.add_argument("--classes", type=int, default=4)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    answers: Counter[str] = Counter()
    seconds, unexplained = [], 0
    for experiment in combinations(arguments.execution or list(EXECUTIONS)):
        started = time.perf_counter()
        found = probe(experiment, arguments.classes, label_shape(experiment, arguments.classes), _SIZE)
        seconds.append(time.perf_counter() - started)
        answers[found.computes] += 1
        if found.computes != "error" and not found.match <= _FITS:
            unexplained += 1
            print(f"fits nothing: {_row(experiment, found)}", flush=True)
        if arguments.json:
            with arguments.json.open("a") as file:
                print(json.dumps(_row(experiment, found)), file=file)
    for computes, count in answers.most_common():
        print(f"{count:6}  {computes}")
    middle = sorted(seconds)[len(seconds) // 2]
    print(f"{len(seconds)} combinations, {unexplained} that no hypothesis fits; a probe takes {middle:.3f} s (median)")


def _row(experiment: Experiment, found: Semantics) -> dict[str, Any]:
    return {
        "activation": experiment.head.activation,
        "attachment": experiment.head.attachment,
        "loss": experiment.loss.name,
        "from_logits": experiment.loss.from_logits,
        "execution": experiment.training.execution,
        "computes": found.computes,
        "reads": " + ".join(part for part in (found.reads, found.region_reads) if part),
        "match": found.match,
        "cosine": found.cosine,
        "dead_wrong": found.dead_wrong,
        "error": found.error,
    }


if __name__ == "__main__":
    main()
