"""From any run to a lesson's file: the configuration, its picture, and claims that the run has just shown."""

from __future__ import annotations

import io
import json
import re
import tempfile
import zipfile
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from segdebug.errors import LessonError, SegdebugError
from segdebug.experiment import Experiment
from segdebug.finding import SEVERITIES, VERDICTS, Finding
from segdebug.lessons.claims import Claim, findings_of
from segdebug.lessons.lesson import Lesson
from segdebug.lessons.reading import load_lesson
from segdebug.painting import png
from segdebug.run import Run
from segdebug.scene import Scene, load_sample, sample_names
from segdebug.scenefiles import mask_file_name

__all__ = ["lesson_file", "lesson_name", "lesson_of"]

_BY_LEGEND = ("index", "palette", "colour", "grey_levels", "binary")


def lesson_name(run: Run, scene: Scene) -> str:
    """What the lesson's file is to be called, found without making it: .md, or .zip where the picture goes with it.

    Raises LessonError for a run without a diagnosis, and for a scene of arrays alone.
    """
    if run.diagnosis is None:
        raise LessonError("A lesson needs a run that was carried through: this one has no diagnosis.")
    if not _is_sample(scene) and not scene.mask_files:
        raise LessonError("A lesson needs mask files, and this scene was made from arrays. Save them as PNG first.")
    return _id(scene, run.experiment) + (".md" if _is_sample(scene) else ".zip")


def lesson_file(run: Run, scene: Scene) -> tuple[str, bytes]:
    """Name and bytes of the lesson: a Markdown file, or, where the picture is not a sample, a zip archive with the
    picture and its masks beside it, to be unpacked into the folder of lessons.

    Raises LessonError as `lesson_name`, and for a scene that a lesson's file cannot say.
    """
    full_name = lesson_name(run, scene)
    name = Path(full_name).stem
    text, files = _written(run, scene)
    _read_back(name, text, files, scene)
    if not files:
        return full_name, text.encode()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for file, data in {f"{name}.md": text.encode(), **files}.items():
            archive.writestr(f"{name}/{file}", data)
    return full_name, packed.getvalue()


def lesson_of(run: Run, scene: Scene, folder: str | Path) -> Lesson:
    """Write the lesson into `folder` (a folder of its own where files go with it), and read it back. Raises
    LessonError as `lesson_file`."""
    name = Path(lesson_name(run, scene)).stem
    text, files = _written(run, scene)
    place = Path(folder) / name if files else Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    for file, data in files.items():
        (place / file).write_bytes(data)
    (place / f"{name}.md").write_text(text, encoding="utf-8")
    return load_lesson(place / f"{name}.md")


def _id(scene: Scene, experiment: Experiment) -> str:
    words = f"{scene.name}-{experiment.head.activation}-{experiment.loss.name}".lower()
    return re.sub(r"[^a-z0-9]+", "-", words).strip("-")[:60] or "lesson"


def _written(run: Run, scene: Scene) -> tuple[str, dict[str, bytes]]:
    """The file's text, and the files beside it by name."""
    assert run.diagnosis is not None
    files, about = _scene_of(scene)
    verdicts = list(VERDICTS)
    worst = min(findings_of(run).values(), key=lambda f: SEVERITIES.index(f.severity), default=None)
    changes = {field: value for field, (_, value) in Experiment().difference(run.experiment).items()}
    lines = [
        "+++",
        f"title = {_toml(f'What becomes of {run.experiment.head.activation} and {run.experiment.loss.name}?')}",
        f"summary = {_toml(f'A run of {scene.name}, made into a lesson.')}",
        'group = "own"',
        f"stage = {_toml(worst.stage if worst else 'loss')}",
        'look = ["loss", "iou", "maps", "findings"]',
        f"claims = {_toml([claim.text for claim in _claims(run)])}",
        f"references = {_toml(list(worst.references) if worst else [])}",
        "",
        "[scene]",
        *(f"{key} = {_toml(value)}" for key, value in about.items()),
        "",
        "[runs.A]",
        'label = "the configuration"',
        *(f"{field} = {_toml(value)}" for field, value in changes.items()),
        "",
        "[question]",
        'ask = "What will be said of this configuration?"',
        f"choices = {_toml([_choice(verdict) for verdict in verdicts])}",
        f"right = {verdicts.index(run.diagnosis.verdict) + 1}",
        "+++",
        "",
        "Look at the configuration, and at the picture. What do you expect?",
        "",
        "## Reveal",
        "",
        "{A.sentence}",
        "",
        "The loss went from {A.first_loss} to {A.last_loss}, and the mean IoU ended at {A.mean_iou}.",
        "",
    ]
    return "\n".join(lines), files


def _choice(verdict: str) -> str:
    return f"{verdict.replace('_', ' ')}: {VERDICTS[verdict]}"


def _claims(run: Run) -> list[Claim]:
    assert run.diagnosis is not None
    told: list[Finding] = [f for f in findings_of(run).values() if f.severity != "note"]
    texts = [f"A is {run.diagnosis.verdict}", f"A computes {run.diagnosis.computes}"]
    return [Claim(text) for text in [*texts, *(f"A finds {finding.code}" for finding in told[:6])]]


def _is_sample(scene: Scene) -> bool:
    return scene.name in sample_names() and _digest_of_sample(scene.name) == scene.digest


@cache
def _digest_of_sample(name: str) -> str:
    return load_sample(name).digest


def _scene_of(scene: Scene) -> tuple[dict[str, bytes], dict[str, Any]]:
    if _is_sample(scene):
        return {}, {"sample": scene.name}
    names = [mask_file_name(file.name, n) for n, file in enumerate(scene.mask_files, 1)]
    files = {"image.png": png(np.rint(scene.image * 255).astype(np.uint8))}
    files |= {name: file.data for name, file in zip(names, scene.mask_files, strict=True)}
    about: dict[str, Any] = {"image": "image.png", "masks": names, "encoding": scene.encoding}
    codes = [c.encoded_as for c in scene.classes]
    if len(names) == 1 and scene.encoding in _BY_LEGEND and None not in codes:
        about["legend"] = {str(c.encoded_as): c.name for c in scene.classes}
    else:
        about["classes"] = [c.name for c in scene.classes]
    return files, about


def _read_back(name: str, text: str, files: dict[str, bytes], scene: Scene) -> None:
    """The file must say the same scene; LessonError where it cannot."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        for file, data in files.items():
            (place / file).write_bytes(data)
        (place / f"{name}.md").write_text(text, encoding="utf-8")
        try:
            again = load_lesson(place / f"{name}.md").scene()
        except SegdebugError as error:
            raise LessonError(f"This run cannot be made into a lesson: {error}") from None
        same = again.labels.shape == scene.labels.shape and bool((again.labels == scene.labels).all())
    if not same:
        raise LessonError(
            "This run cannot be made into a lesson: its masks were read in a way that the file cannot say. Take the "
            "repaired mask of the page Masks, and run on that."
        )


def _toml(value: Any) -> str:
    """A value as TOML writes it; JSON's strings are TOML's."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_toml(key)} = {_toml(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
