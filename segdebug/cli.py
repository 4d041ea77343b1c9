"""The command line: the library's functions, by the same names.

With --json one JSON object goes to standard output and nothing else; progress and notes go to standard error.
Exit status: 0, 1 where a finding is an error, 2 for bad input with one line that says what to do.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from segdebug.compare import differences
from segdebug.diagnosis import Diagnosis
from segdebug.errors import ExperimentError, SceneError, SegdebugError, StoreError
from segdebug.experiment import Experiment
from segdebug.presets import PRESETS
from segdebug.run import Run
from segdebug.scene import ENCODINGS, Scene, read_scene

__all__ = ["app", "main"]

app = typer.Typer(
    help="What a Keras segmentation loss really computes, on your own picture.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
_notes = Console(stderr=True)
_out = Console()

Encoding = Annotated[str, typer.Option(help="how the masks are encoded: " + ", ".join(ENCODINGS))]
Ignore = Annotated[int | None, typer.Option(help="the mask value that means unlabelled")]
Config = Annotated[Path | None, typer.Option(help="a configuration as JSON")]
Preset = Annotated[str | None, typer.Option(help="a named configuration: " + ", ".join(PRESETS))]
Classes = Annotated[str | None, typer.Option(help="class names in id order, separated by commas")]
Steps = Annotated[int | None, typer.Option(help="optimizer steps, instead of the configuration's")]
Report = Annotated[Path | None, typer.Option(help="an HTML file to write: figures, maps, findings and Keras code")]
AsJson = Annotated[bool, typer.Option("--json", help="print one JSON object")]


@app.command()
def read(
    image: Annotated[Path, typer.Argument(help="the picture")],
    masks: Annotated[list[Path], typer.Argument(help="its mask file, or one file a class")],
    encoding: Encoding = "auto",
    ignore: Ignore = None,
    classes: Classes = None,
    as_json: AsJson = False,
) -> None:
    """Say what the masks hold: classes, pixel counts, what was inferred and how surely."""
    scene = _scene(image, masks, encoding, ignore, classes)
    if as_json:
        _print_json(_scene_json(scene))
    else:
        _show_scene(scene)


@app.command()
def check(
    config: Config = None,
    preset: Preset = None,
    image: Annotated[Path | None, typer.Option(help="the picture; without one only the configuration")] = None,
    mask: Annotated[list[Path] | None, typer.Option(help="its mask; once for each file")] = None,
    encoding: Encoding = "auto",
    ignore: Ignore = None,
    classes: Classes = None,
    as_json: AsJson = False,
) -> None:
    """Say what a configuration really computes, and what is wrong with it, without training."""
    from segdebug.diagnosis import check as look
    from segdebug.telling import show_diagnosis

    experiment = _experiment(config, preset, None)
    if (image is None) != (not mask):
        raise SceneError("Give --image and --mask together, or neither.")
    scene = None if image is None else _scene(image, mask or [], encoding, ignore, classes)
    _import_tensorflow_quietly()
    diagnosis = look(experiment, scene)
    if as_json:
        _print_json(diagnosis.to_json())
    else:
        show_diagnosis(diagnosis, experiment)
    _end(diagnosis)


@app.command()
def explain(code: Annotated[str, typer.Argument(help="a finding's code, such as L01")]) -> None:
    """Print one rule: what it checks, why it matters, what to write instead."""
    from segdebug.telling import show_rule

    show_rule(code)


@app.command()
def overfit(
    image: Annotated[Path, typer.Option(help="the picture")],
    mask: Annotated[list[Path], typer.Option(help="its mask; once for each file")],
    config: Config = None,
    preset: Preset = None,
    encoding: Encoding = "auto",
    ignore: Ignore = None,
    classes: Classes = None,
    steps: Steps = None,
    as_json: AsJson = False,
    out: Annotated[Path | None, typer.Option(help="a folder for the whole run, as JSON and NumPy files")] = None,
    report: Report = None,
) -> None:
    """Overfit the one image as model.fit would, and report loss and IoU of every step."""
    experiment = _experiment(config, preset, steps)
    _check_places(out, report)
    scene = _scene(image, mask, encoding, ignore, classes)
    with _progress_bar() as bar:
        task = bar.add_task("starting TensorFlow", total=experiment.training.steps)
        _import_tensorflow_quietly()
        from segdebug.overfit import overfit as train

        run = train(scene, experiment, on_progress=lambda progress: _advance(bar, task, progress))
    if out is not None:
        run.save(out)
    if report is not None:
        run.report(report, scene)
    diagnosis = run.diagnosis
    if as_json:
        _print_json(_run_json(run))
    else:
        if diagnosis is not None:
            from segdebug.telling import show_diagnosis

            show_diagnosis(diagnosis, experiment)
        _show_run(run)
    _end(diagnosis)


@app.command()
def compare(
    image: Annotated[Path, typer.Option(help="the picture")],
    mask: Annotated[list[Path], typer.Option(help="its mask; once for each file")],
    config: Annotated[list[Path] | None, typer.Option(help="a configuration as JSON; once for each")] = None,
    preset: Annotated[list[str] | None, typer.Option(help="a named configuration; once for each")] = None,
    encoding: Encoding = "auto",
    ignore: Ignore = None,
    classes: Classes = None,
    steps: Steps = None,
    as_json: AsJson = False,
    report: Report = None,
) -> None:
    """Overfit the one image under several configurations, and say in what they differ and what became of them."""
    experiments = [_experiment(path, None, steps) for path in config or []]
    experiments += [_experiment(None, name, steps) for name in preset or []]
    if len(experiments) < 2:
        raise ExperimentError("Give two configurations or more: --config FILE or --preset NAME, once for each.")
    _check_places(None, report)
    scene = _scene(image, mask, encoding, ignore, classes)
    runs = _compared(scene, experiments)
    differ = differences(experiments)
    if report is not None:
        from segdebug.report import write_report

        write_report(report, runs, scene)
    if as_json:
        _print_json({"runs": [_run_json(run) for run in runs], "differences": differ})
    else:
        from segdebug.telling import show_comparison

        show_comparison(runs, differ)
    if any(run.diagnosis is not None and "error" in run.diagnosis.status().values() for run in runs):
        raise typer.Exit(1)


def _compared(scene: Scene, experiments: list[Experiment]) -> list[Run]:
    from segdebug.compare import compare as run_all

    with _progress_bar() as bar:
        tasks = [bar.add_task(e.in_words().partition(" on ")[0], total=e.training.steps) for e in experiments]
        _import_tensorflow_quietly()
        return run_all(scene, experiments, on_progress=lambda n, progress: _advance(bar, tasks[n], progress))


def main() -> None:
    """Run the command line; bad input ends it with status 2 and one line on standard error."""
    try:
        app()
    except SegdebugError as error:
        one_line = " ".join(str(error).split())
        _notes.print(f"segdebug: {one_line}", style="bold red", markup=False, highlight=False, soft_wrap=True)
        sys.exit(2)


def _end(diagnosis: Diagnosis | None) -> None:
    """Status 1 where a finding, or what it explains, is an error."""
    if diagnosis is not None and "error" in diagnosis.status().values():
        raise typer.Exit(1)


def _scene(image: Path, masks: list[Path], encoding: str, ignore: int | None, classes: str | None) -> Scene:
    names = [name.strip() for name in classes.split(",")] if classes else None
    return read_scene(image, list(masks), classes=names, encoding=encoding, ignore=ignore)


def _experiment(config: Path | None, preset: str | None, steps: int | None) -> Experiment:
    if config and preset:
        raise ExperimentError("Give --config or --preset, not both.")
    experiment = Experiment.load(config) if config else Experiment.preset(preset or "softmax_cce")
    return experiment if steps is None else experiment.changed({"training.steps": steps})


def _check_places(out: Path | None, report: Path | None) -> None:
    """What cannot be written is refused before anything is trained."""
    if out is not None:
        from segdebug.runfiles import check_place

        check_place(out)
    if report is not None and (report.is_dir() or not report.absolute().parent.is_dir()):
        raise StoreError(f"{report}: the report cannot be written there; name a file in a folder that there is.")


def _progress_bar() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=_notes, transient=True)


def _advance(bar: Progress, task: TaskID, progress: Any) -> None:
    done = progress.first_step + len(progress.scalars)
    bar.update(task, completed=done, description=f"loss {progress.scalars[-1, 0]:.4g}")


def _run_json(run: Run) -> dict[str, Any]:
    undiagnosed: dict[str, Any] = {"verdict": None, "computes": None, "findings": [], "fix": None}
    return {**(undiagnosed if run.diagnosis is None else run.diagnosis.to_json()), **run.to_json()}


def _import_tensorflow_quietly() -> None:
    """TensorFlow's libraries write greetings to standard error before anything can ask them not to."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.stderr.flush()
    kept = os.dup(2)
    with Path(os.devnull).open("wb") as nowhere:
        os.dup2(nowhere.fileno(), 2)
        try:
            import tensorflow  # noqa: F401
        finally:
            os.dup2(kept, 2)
            os.close(kept)


def _print_json(value: dict[str, Any]) -> None:
    print(json.dumps(value, allow_nan=False, ensure_ascii=False))


def _scene_json(scene: Scene) -> dict[str, Any]:
    return {
        "width": scene.width,
        "height": scene.height,
        "n_classes": scene.n_classes,
        "classes": [
            {"id": c.id, "name": c.name, "encoded_as": c.encoded_as, "pixels": c.pixels} for c in scene.classes
        ],
        "ignored_pixels": scene.ignored_pixels,
        "overlapping": scene.overlapping,
        "encoding": scene.encoding,
        "confidence": scene.confidence,
        "warnings": [{"code": w.code, "message": w.message} for w in scene.warnings],
    }


def _show_scene(scene: Scene) -> None:
    table = Table("id", "class", "in the file", "pixels", "share")
    for c in scene.classes:
        stored = "" if c.encoded_as is None else str(c.encoded_as)
        table.add_row(str(c.id), c.name, stored, f"{c.pixels:,}", f"{c.pixels / scene.labels.size:.2%}")
    _out.print(
        f"{scene.width} × {scene.height} px, {scene.n_classes} classes, read as {scene.encoding} "
        f"(confidence {scene.confidence:.0%}), {scene.ignored_pixels:,} px unlabelled"
    )
    _out.print(table)
    for warning in scene.warnings:
        _notes.print(f"note: {warning.message}", markup=False, soft_wrap=True)


def _show_run(run: Run) -> None:
    trace = run.trace
    _out.print(
        f"{trace.steps} steps in {run.seconds:.1f} s, {trace.outcome}: loss {trace.loss[0]:.4g} → "
        f"{trace.loss[-1]:.4g}, mean IoU {trace.mean_iou()[-1]:.3f}"
    )
    table = Table("class", "IoU")
    for name, iou in zip(run.class_names(), trace.iou()[-1], strict=True):
        table.add_row(name, f"{iou:.3f}")
    _out.print(table)
    for warning in run.keras_warnings:
        _notes.print(f"Keras warned: {warning}", markup=False, soft_wrap=True)
