"""The fidelity count: activation × attachment × loss × from_logits × execution, ours against the real fit.

    python -m benchmarks.fidelity [--jobs 2] [--execution graph,eager,xla] [--limit N] [--json FILE]

Every cell trains a one-convolution stem at 8 × 8 px for 20 steps twice: by `segdebug.overfit`, and by the
`model.compile(...)` and `model.fit(...)` of tests/fidelity/reference.py, which knows nothing of segdebug. SGD, since
its steps are as long as the gradient: Adam's are the same for a gradient that is ten times too large.

Results are appended to FILE as they come, one JSON object a line; run again with the same FILE to go on. The last
line counts.
"""

from __future__ import annotations

import argparse
import collections
import itertools
import json
import multiprocessing
import os
import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from segdebug.errors import ExperimentError
from segdebug.experiment import Experiment
from segdebug.vocabulary import ACTIVATIONS, ATTACHMENTS, EXECUTIONS, LOSSES

__all__ = ["cells", "experiment_of", "main"]

SIZE, CLASSES, STEPS = 8, 4, 20
_CLEAR_EVERY = 25  # cells
_DONE = itertools.count(1)
_CELLS_A_WORKER = 250  # TensorFlow keeps compiled functions: a worker of many cells grows by several MB each
_SPARSE = ("sparse_categorical_crossentropy", "sparse_softmax_cross_entropy_with_logits")

Cell = tuple[str, str, str, bool, str]
"""(activation, attachment, loss, from_logits, execution)"""


def experiment_of(cell: Cell) -> Experiment:
    """The configuration of a cell; ExperimentError where the vocabulary has none."""
    activation, attachment, loss, from_logits, execution = cell
    sparse = loss in _SPARSE
    return Experiment(
        model={"filters": 4, "depth": 0},
        head={"activation": activation, "attachment": attachment},
        target={
            "encoding": "sparse" if sparse else "one_hot",
            "layout": "flat" if attachment in ("after_reshape", "then_reshape") else "spatial",
            "dtype": "int32" if sparse else "float32",
        },
        loss={
            "name": loss,
            "from_logits": from_logits,
            **({"class_weights": [1, 2, 1, 5], "weighting": "in_loss"} if loss == "weighted_bce_dice" else {}),
        },
        metric={"name": "binary_accuracy"},  # the cheapest to build: it takes no part in the loss
        training={"size": SIZE, "steps": STEPS, "optimizer": "sgd", "learning_rate": 0.1, "execution": execution},
    )


def cells(executions: list[str]) -> tuple[list[Cell], int]:
    """All cells in an order that is random but always the same, executions in turn; and how many combinations
    the vocabulary itself does not have."""
    impossible = 0
    by_execution: list[list[Cell]] = []
    for execution in executions:
        found: list[Cell] = []
        for activation in ACTIVATIONS:
            for attachment in ATTACHMENTS:
                for loss in LOSSES:
                    for from_logits in (False, True):
                        cell = (activation, attachment, loss, from_logits, execution)
                        try:
                            experiment_of(cell)
                            found.append(cell)
                        except ExperimentError:
                            impossible += 1
        random.Random(0).shuffle(found)
        by_execution.append(found)
    return [cell for cells_in_turn in zip(*by_execution, strict=True) for cell in cells_in_turn], impossible


def _begin_worker(root: str) -> None:
    sys.path.insert(0, root)
    os.nice(10)
    os.environ.update(
        TF_NUM_INTRAOP_THREADS="1",
        TF_NUM_INTEROP_THREADS="1",
        OMP_NUM_THREADS="1",
        CUDA_VISIBLE_DEVICES="-1",
        TF_CPP_MIN_LOG_LEVEL="3",
    )
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # XLA logs a line for every function that it compiles
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)


def _picture() -> Any:
    import numpy as np

    from tests.fidelity.reference import Picture

    rng = np.random.default_rng(0)
    image = rng.random((SIZE, SIZE, 3), np.float32)
    ids = rng.choice(CLASSES, (SIZE, SIZE), p=[0.5, 0.3, 0.15, 0.05])
    return Picture(image, ids, CLASSES, np.ones((SIZE, SIZE), bool), stated=tuple(range(CLASSES)))


def run_cell(cell: Cell) -> dict[str, Any]:
    """Both sides of one cell, with the seconds that each took."""
    import keras

    from tests.fidelity.sides import compared, ours, reference, scene_of

    picture = _picture()
    experiment = experiment_of(cell)
    if next(_DONE) % _CLEAR_EVERY == 0:
        keras.backend.clear_session()  # walks every object alive: a third of the time, were it done for each cell
    started = time.perf_counter()
    mine = ours(experiment, scene_of(picture))
    between = time.perf_counter()
    theirs = reference(experiment, picture, one_epoch=True)
    ended = time.perf_counter()
    verdict = compared(mine, theirs)
    return {
        "cell": list(cell),
        "verdict": verdict.word,
        "what": verdict.what,
        "same_reason": verdict.same_reason,
        "ours_s": round(between - started, 3),
        "fit_s": round(ended - between, 3),
        "pid": os.getpid(),
        **({"ours": mine.losses, "fit": theirs.losses} if verdict.word == "differ" else {}),
        **({"ours_says": mine.refusal[:600], "fit_says": theirs.refusal[:600]} if not verdict.same_reason else {}),
    }


def _results(todo: list[Cell], jobs: int) -> Iterator[dict[str, Any]]:
    # Not concurrent.futures: its max_tasks_per_child can wait for ever for a worker that has gone (Python 3.11).
    context = multiprocessing.get_context("spawn")
    root = str(Path(__file__).resolve().parent.parent)
    with context.Pool(jobs, _begin_worker, (root,), maxtasksperchild=_CELLS_A_WORKER) as pool:
        yield from pool.imap_unordered(run_cell, todo)


def _known(file: Path | None) -> list[dict[str, Any]]:
    if file is None or not file.exists():
        return []
    return [json.loads(line) for line in file.read_text().splitlines()]


def main() -> int:
    """Run what is not yet in the file and count; 1 where a cell differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--execution", default=",".join(EXECUTIONS))
    parser.add_argument("--limit", type=int, help="only the first N cells: an even sample over executions")
    parser.add_argument("--json", type=Path, help="results, one a line; cells that it has are not run again")
    arguments = parser.parse_args()

    all_cells, impossible = cells(arguments.execution.split(","))
    wanted = all_cells[: arguments.limit]
    known = {tuple(row["cell"]): row for row in _known(arguments.json)}
    session, before = time.time(), sorted({row["session"] for row in known.values()})
    todo = [cell for cell in wanted if cell not in known]
    print(
        f"{len(all_cells)} cells; {impossible} combinations are none (no such layer class, no from_logits). "
        f"{len(todo)} to run.",
        file=sys.stderr,
    )
    for done, row in enumerate(_results(todo, arguments.jobs), 1):
        row |= {"session": session, "at": round(time.time() - session, 1)}
        known[tuple(row["cell"])] = row
        if arguments.json:
            with arguments.json.open("a") as file:
                file.write(json.dumps(row) + "\n")
        if row["verdict"] == "differ":
            print("DIFFER", *row["cell"], row["what"], file=sys.stderr)
        if done % 50 == 0 or done == len(todo):
            left = (time.time() - session) / done * (len(todo) - done) / 60
            print(f"{done} of {len(todo)}, about {left:.0f} min left", file=sys.stderr)
    rows = [known[cell] for cell in wanted if cell in known]
    return _count(rows, len([*before, session]))


def _count(rows: list[dict[str, Any]], sessions: int) -> int:
    words = collections.Counter(row["verdict"] for row in rows)
    agree = [row for row in rows if row["verdict"] != "differ"]
    by_execution = collections.Counter(row["cell"][4] for row in agree)
    last_of_session: dict[float, float] = {}
    for row in rows:
        last_of_session[row["session"]] = max(last_of_session.get(row["session"], 0), row["at"])
    for execution in by_execution:
        times = [row["ours_s"] + row["fit_s"] for row in rows if row["cell"][4] == execution]
        print(f"{execution}: {1000 * sum(times) / len(times):.0f} ms a cell", file=sys.stderr)
    unlike = sum(not row["same_reason"] for row in rows)
    if unlike:
        print(f"{unlike} of those refused give different reasons", file=sys.stderr)
    if sessions > 1:
        print(f"in {len(last_of_session)} sittings", file=sys.stderr)
    counts = ", ".join(f"{n} {execution}" for execution, n in by_execution.items())
    print(
        f"{len(agree)} of {len(rows)} cells agree ({counts}; {words['refused']} of them refused by Keras on both "
        f"sides), in {sum(last_of_session.values()) / 60:.1f} min"
    )
    return 0 if len(agree) == len(rows) and not unlike else 1


if __name__ == "__main__":
    sys.exit(main())
