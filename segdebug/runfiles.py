"""A run in a folder of open formats: JSON, and NumPy arrays without pickle.

    run.json               configuration, scene, versions, diagnosis, and the steps that have maps
    scalars.npy            (steps, 9) float32, in the order of `trace.SCALARS`: the loss first
    counts.npy             (steps, 3, C) int32: pixels right, predicted and true of each class
    threshold_counts.npy   the same, with every channel cut at p = 0.5 on its own
    prediction.npy         (maps, S, S) int16, or (maps, S, S, K) bool where classes overlap
    gradient.npy           (maps, S, S) float32: |dL/dz|
    dead.npy               (maps, S, S) bool: dL/dz exactly 0
    pixel_loss.npy         (maps, S, S) float32, only where pixels have a loss of their own

How values stand in run.json is said in `plainly`. "format" is the number of this layout.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segdebug.atomic import whole_folder
from segdebug.diagnosis import Diagnosis
from segdebug.errors import SegdebugError, StoreError
from segdebug.finding import Finding, Fix
from segdebug.plainly import from_plain, to_plain
from segdebug.rules import Semantics
from segdebug.run import Run, SceneSummary
from segdebug.scene import SceneClass
from segdebug.scenefiles import format_refusal, reason_of
from segdebug.trace import Progress, Snapshot, Trace

__all__ = ["RUN_FORMAT", "check_place", "digest_of", "entry_words", "load_run", "save_run", "write_run"]

RUN_FORMAT = 1

_FILE = "run.json"
_PER_STEP = ("scalars", "counts", "threshold_counts")
_MAPS = ("prediction", "gradient", "dead", "pixel_loss")
_TYPES = {kind.__name__: kind for kind in (Diagnosis, Finding, Fix, SceneClass, SceneSummary, Semantics)}


def save_run(run: Run, folder: Path) -> None:
    """Write the run as a folder, whole or not at all; a run that was there before is replaced.

    Raises StoreError where something else is there, or it cannot be written.
    """
    check_place(folder)
    try:
        with whole_folder(folder.absolute()) as unfinished:
            write_run(run, unfinished)
    except OSError as error:
        raise StoreError(f"{folder}: the run cannot be written: {error.strerror or error}.") from error


def check_place(folder: Path) -> None:
    """Raises StoreError where something else than a run is in that place."""
    if folder.exists() and not (folder / _FILE).is_file() and (not folder.is_dir() or any(folder.iterdir())):
        raise StoreError(f"{folder}: there is something else in this place; name a folder that is new or empty.")


def write_run(run: Run, folder: Path) -> None:
    """Write the run into an existing folder."""
    trace = run.trace
    arrays: dict[str, NDArray[Any]] = {}
    if trace.parts:
        arrays |= {name: np.concatenate([getattr(part, name) for part in trace.parts]) for name in _PER_STEP}
    for name in _MAPS:
        maps = [getattr(shot, name) for shot in trace.snapshots if getattr(shot, name) is not None]
        if maps:
            arrays[name] = np.stack(maps)
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array, allow_pickle=False)
    (folder / _FILE).write_text(json.dumps(_words(run), allow_nan=False, indent=1), encoding="utf-8")


def load_run(folder: Path) -> Run:
    """The run in a folder, as it was saved. Raises StoreError with the reason where it cannot be read."""
    try:
        words = _words_of(folder)
        return Run(
            from_plain(words["experiment"], _TYPES),
            from_plain(words["scene"], _TYPES),
            _trace(folder, words["trace"]),
            words["seconds"],
            dict(words["versions"]),
            tuple(words["keras_warnings"]),
            from_plain(words["diagnosis"], _TYPES),
        )
    except StoreError:
        raise
    except (OSError, ValueError, KeyError, TypeError, EOFError, SegdebugError) as error:
        raise StoreError(f"{folder}: the run cannot be read: {reason_of(error)}.") from error


def digest_of(folder: Path) -> str:
    """Which scene a run of any version is of; "" where that cannot be read."""
    try:
        return str(json.loads((folder / _FILE).read_text(encoding="utf-8"))["scene"]["digest"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def entry_words(folder: Path) -> dict[str, Any]:
    """What a list shows of the run, read without its maps. Raises StoreError, or what reading files raises."""
    words = _words_of(folder)
    experiment, diagnosis = from_plain(words["experiment"], _TYPES), words["diagnosis"] or {}
    trace = _trace(folder, {**words["trace"], "maps": [], "reports": _without_maps(words["trace"]["reports"])})
    mean_iou = float(trace.mean_iou()[-1]) if trace.steps else np.nan
    return {
        "scene": words["scene"]["name"],
        "digest": words["scene"]["digest"],
        "verdict": diagnosis.get("verdict", ""),
        "computes": diagnosis.get("computes", ""),
        "configuration": experiment.in_words(),
        "experiment": experiment.to_json(),
        "steps": trace.steps,
        "mean_iou": mean_iou if np.isfinite(mean_iou) else None,
        "seconds": words["seconds"],
    }


def _without_maps(reports: list[dict[str, int]]) -> list[dict[str, int]]:
    return [{"steps": report["steps"], "maps": 0} for report in reports]


def _words_of(folder: Path) -> dict[str, Any]:
    """What run.json says. Raises StoreError where it is of no format that can be read here."""
    try:
        text = (folder / _FILE).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise StoreError(f"{folder}: there is no run here (no {_FILE}).") from None
    words: dict[str, Any] = json.loads(text)
    if refusal := format_refusal(words, RUN_FORMAT):
        raise StoreError(f"{folder}: {refusal}")
    return words


def _words(run: Run) -> dict[str, Any]:
    trace = run.trace
    return {
        "format": RUN_FORMAT,
        "experiment": to_plain(run.experiment),
        "scene": to_plain(run.scene),
        "seconds": run.seconds,
        "versions": run.versions,
        "keras_warnings": list(run.keras_warnings),
        "trace": {
            "outcome": trace.outcome,
            "no_pixel_loss": trace.no_pixel_loss,
            "metric_error": trace.metric_error,
            "reports": [{"steps": len(part.scalars), "maps": len(part.snapshots)} for part in trace.parts],
            "maps": [
                {"step": shot.step, "metric": to_plain(shot.metric), "pixel_loss": shot.pixel_loss is not None}
                for shot in trace.snapshots
            ],
        },
        "diagnosis": to_plain(run.diagnosis),
    }


def _trace(folder: Path, words: dict[str, Any]) -> Trace:
    trace = Trace(outcome=words["outcome"], no_pixel_loss=words["no_pixel_loss"], metric_error=words["metric_error"])
    reports = words["reports"]
    if not reports:
        return trace
    per_step = [np.load(folder / f"{name}.npy", allow_pickle=False) for name in _PER_STEP]
    steps = sum(report["steps"] for report in reports)
    if {len(array) for array in per_step} != {steps}:
        raise ValueError(f"its arrays do not all have {steps} steps")
    shots = _snapshots(folder, words["maps"])
    for report in reports:
        here = slice(trace.steps, trace.steps + report["steps"])
        maps = tuple(next(shots) for _ in range(report["maps"]))
        scalars, counts, threshold_counts = (array[here] for array in per_step)
        trace.append(Progress(here.start, scalars, counts, threshold_counts, maps))
    return trace


def _snapshots(folder: Path, rows: list[dict[str, Any]]) -> Iterator[Snapshot]:
    """The maps, one step after the other."""
    n = {name: len(rows) for name in _MAPS} | {"pixel_loss": sum(row["pixel_loss"] for row in rows)}
    maps = {name: np.load(folder / f"{name}.npy", allow_pickle=False) for name in _MAPS if n[name]}
    if any(len(array) != n[name] for name, array in maps.items()):
        raise ValueError(f"its maps are not of {len(rows)} steps")
    losses = iter(maps.get("pixel_loss", ()))
    for k, row in enumerate(rows):
        yield Snapshot(
            row["step"],
            maps["prediction"][k],
            next(losses) if row["pixel_loss"] else None,
            maps["gradient"][k],
            maps["dead"][k],
            from_plain(row["metric"], _TYPES),
        )
