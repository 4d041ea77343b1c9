"""A lesson's file to a Lesson: TOML between two lines of +++, then Markdown. What is wrong is one line."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from segdebug.errors import ExperimentError, LessonError
from segdebug.experiment import Experiment
from segdebug.finding import STAGES
from segdebug.lessons.claims import Claim
from segdebug.lessons.lesson import GROUPS, PANELS, Lesson, Next, Picture, Question, Side
from segdebug.lessons.quantities import gaps

__all__ = ["LONGEST", "load_lesson", "read_lesson"]

LONGEST = 100_000
"""Bytes of a lesson's file at most."""

_FENCE = "+++"
_REVEAL = re.compile(r"^## +Reveal *$", re.MULTILINE | re.IGNORECASE)
_CODE = re.compile(r"```.*?```|`[^`\n]*`|\{[^}\n]*\}|<?https?://\S+", re.DOTALL)
_QUOTED = re.compile(
    r"^```(?!`)[^`\n]*\n.*?^ {0,3}`{3,} *$|(?<![`\\])(`+)(?!`)[^\n]*?(?<!`)\1(?!`)", re.DOTALL | re.MULTILINE
)
"""Fenced and back-ticked code, where Markdown surely takes it for code: what looks like more of it is text."""
_GAP = re.compile(r"\{[^}\n]*\}")
_DECIMAL = re.compile(r"\b\d+\.\d{2,}\b")
_FROM_OUTSIDE = re.compile(r"!\[|<\s*(?:img|script|iframe|link|style)\b", re.IGNORECASE)
_SIDES = "ABCD"


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _Settings(_Table):
    """A configuration as changes by group: head.activation = "softmax" is {"head": {"activation": …}}."""

    model: dict[str, Any] = {}
    head: dict[str, Any] = {}
    target: dict[str, Any] = {}
    loss: dict[str, Any] = {}
    metric: dict[str, Any] = {}
    training: dict[str, Any] = {}

    def changes(self) -> dict[str, Any]:
        groups = ("model", "head", "target", "loss", "metric", "training")
        return {f"{group}.{name}": value for group in groups for name, value in getattr(self, group).items()}


class _Run(_Settings):
    label: str = Field(min_length=1, max_length=120)
    preset: str | None = None


class _Scene(_Table):
    sample: str | None = None
    image: str | None = None
    masks: list[str] = Field(default=[], max_length=64)
    encoding: str = "auto"
    ignore: int | None = None
    classes: list[str] | None = None
    legend: dict[str, str] = {}


class _Question(_Table):
    ask: str = Field(min_length=1, max_length=400)
    choices: list[str] = Field(min_length=2, max_length=8)
    right: int


class _Next(_Settings):
    label: str = Field(min_length=1, max_length=200)
    run: str = "A"


class _File(_Table):
    title: str = Field(min_length=1, max_length=120)
    summary: str = Field(min_length=1, max_length=300)
    group: str = "own"
    stage: str
    scene: _Scene
    all_runs: _Settings = _Settings()
    runs: dict[str, _Run] = Field(min_length=1, max_length=len(_SIDES))
    question: _Question
    look: list[str] = ["loss", "iou", "maps", "findings"]
    claims: list[str] = Field(min_length=1, max_length=20)
    references: list[str] = Field(default=[], max_length=20)
    next: list[_Next] = Field(default=[], max_length=8)


def load_lesson(path: str | Path) -> Lesson:
    """The lesson in a file. Raises LessonError: which file and field, what was found, what to do."""
    path = Path(path)
    try:
        with path.open("rb") as file:
            data = file.read(LONGEST + 1)
    except OSError as error:
        raise LessonError(f"{path.name}: the lesson cannot be read: {error.strerror}.", path.name) from None
    return read_lesson(data, path.name, path.parent)


def read_lesson(data: bytes | str, name: str, folder: str | Path) -> Lesson:
    """The lesson in a text. name: the file's; folder: where the files are that stand beside it."""
    text = _text(data, name)
    table, story, reveal = _parts(text, name)
    try:
        file = _File.model_validate(table)
    except ValidationError as error:
        raise _explained(error, name) from None
    sides = _sides(file, name)
    lesson = Lesson(
        id=_id(name),
        folder=Path(folder),
        title=file.title,
        summary=file.summary,
        group=_one_of(file.group, GROUPS, name, "group"),
        stage=_one_of(file.stage, STAGES, name, "stage"),
        picture=_picture(file.scene, name),
        sides=sides,
        question=_question(file.question, name),
        look=tuple(_one_of(panel, PANELS, name, "look") for panel in file.look),
        claims=tuple(Claim(claim) for claim in file.claims),
        story=story,
        reveal=reveal,
        references=tuple(file.references),
        next=tuple(_next(one, n, sides, name) for n, one in enumerate(file.next, 1)),
    )
    _check_text(lesson, name)
    return lesson


def _text(data: bytes | str, name: str) -> str:
    if len(data) > LONGEST:
        raise LessonError(f"{name}: the file is longer than {LONGEST:,} bytes. Shorten it.", name)
    if isinstance(data, str):
        return data
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        where = f"byte {error.start}"
        raise LessonError(f"{name}: the file is not UTF-8 text ({where}). Save it as UTF-8.", name) from None


def _id(name: str) -> str:
    stem = name.removesuffix(".md")
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,79}", stem):
        raise LessonError(
            f"{name}: a lesson's file is called by small letters, digits and hyphens, such as my-lesson.md. Rename it.",
            name,
        )
    return stem


def _parts(text: str, name: str) -> tuple[dict[str, Any], str, str]:
    """The table, the story, and the reveal."""
    lines = text.strip().splitlines()
    fences = [n for n, line in enumerate(lines) if line.strip() == _FENCE]
    if len(fences) < 2 or fences[0] != 0:
        raise LessonError(
            f"{name}: the file must begin with a line {_FENCE}, then its fields as TOML, then a line {_FENCE}.", name
        )
    try:
        table = tomllib.loads("\n".join(lines[1 : fences[1]]))
    except tomllib.TOMLDecodeError as error:
        raise LessonError(
            f"{name}: the fields are not TOML: {error} (counted from the line after {_FENCE}).", name
        ) from None
    prose = "\n".join(lines[fences[1] + 1 :])
    found = list(_REVEAL.finditer(prose))
    if len(found) != 1:
        raise LessonError(
            f'{name}: there must be one line "## Reveal" between the story and what is revealed, and {len(found)} '
            "were found.",
            name,
            "reveal",
        )
    story, reveal = prose[: found[0].start()].strip(), prose[found[0].end() :].strip()
    for field, part in (("story", story), ("reveal", reveal)):
        if not part:
            raise LessonError(f"{name}: {field}: there is no text. Write a few sentences.", name, field)
    return table, story, reveal


def _sides(file: _File, name: str) -> tuple[Side, ...]:
    expected = list(_SIDES[: len(file.runs)])
    if list(file.runs) != expected:
        raise LessonError(
            f"{name}: runs: they are called {', '.join(expected)}, in that order, and not {', '.join(file.runs)}.",
            name,
            "runs",
        )
    sides = []
    for letter, run in file.runs.items():
        try:
            base = Experiment.preset(run.preset) if run.preset is not None else Experiment()
            experiment = base.changed({**file.all_runs.changes(), **run.changes()})
        except ExperimentError as error:
            raise LessonError(f"{name}: runs.{letter}: {error}", name, f"runs.{letter}") from None
        sides.append(Side(letter, run.label, experiment))
    return tuple(sides)


def _next(one: _Next, n: int, sides: tuple[Side, ...], name: str) -> Next:
    field = f"next {n}"
    base = next((side for side in sides if side.name == one.run), None)
    if base is None:
        raise LessonError(f"{name}: {field}: there is no run {one.run!r:.20}.", name, field)
    try:
        return Next(one.label, base.experiment.changed(one.changes()))
    except ExperimentError as error:
        raise LessonError(f"{name}: {field}: {error}", name, field) from None


def _question(question: _Question, name: str) -> Question:
    if not 1 <= question.right <= len(question.choices):
        raise LessonError(
            f"{name}: question.right: expected the number of the right choice, from 1 to {len(question.choices)}, "
            f"but got {question.right}.",
            name,
            "question.right",
        )
    return Question(question.ask, tuple(question.choices), question.right - 1)


def _picture(scene: _Scene, name: str) -> Picture:
    given = scene.sample is not None, scene.image is not None
    if given == (True, True) or given == (False, False):
        raise LessonError(
            f"{name}: scene: name either a sample, or an image beside this file, but not both.", name, "scene"
        )
    if scene.image is not None and not scene.masks:
        raise LessonError(f"{name}: scene.masks: name the mask files of {scene.image}.", name, "scene.masks")
    for file in [*([scene.image] if scene.image else []), *scene.masks]:
        if Path(file).name != file or file in ("", ".", ".."):
            raise LessonError(
                f"{name}: scene: {file!r:.60} must be the name of a file in this lesson's own folder.", name, "scene"
            )
    classes = None if scene.classes is None else tuple(scene.classes)
    return Picture(scene.sample, scene.image, tuple(scene.masks), scene.encoding, scene.ignore, classes, scene.legend)


def _check_text(lesson: Lesson, name: str) -> None:
    """Claims that can be checked, gaps that can be filled, and no number that a run could give."""
    sides = tuple(side.name for side in lesson.sides)
    for n, claim in enumerate(lesson.claims, 1):
        if wrong := claim.wrong(sides):
            raise LessonError(f"{name}: claim {n}, {claim.text!r:.80}: {wrong}.", name, f"claim {n}")
    texts: Mapping[str, str] = {
        "title": lesson.title,
        "summary": lesson.summary,
        "question": " ".join((lesson.question.ask, *lesson.question.choices)),
        "story": lesson.story,
        "reveal": lesson.reveal,
    }
    for field, text in texts.items():
        if wrong := gaps(text, sides):
            raise LessonError(f"{name}: {field}: {wrong}.", name, field)
        if found := _DECIMAL.search(_CODE.sub(" ", text)):
            raise LessonError(
                f"{name}: {field}: {found[0]} is a number that a run can give. Write {{A.last_loss}} or the like, or "
                "leave it out.",
                name,
                field,
            )
        shown = _QUOTED.sub(" ", text)
        if found := _FROM_OUTSIDE.search(shown) or _FROM_OUTSIDE.search(_GAP.sub("", shown)):  # a gap may be empty
            raise LessonError(f"{name}: {field}: {found[0]} is not allowed: pages load nothing.", name, field)


def _one_of(word: str, words: Any, name: str, field: str) -> str:
    if word not in words:
        raise LessonError(f"{name}: {field}: expected one of {', '.join(words)}, but got {word!r:.60}.", name, field)
    return word


def _explained(error: ValidationError, name: str) -> LessonError:
    first = error.errors(include_url=False)[0]
    field = ".".join(str(part) for part in first["loc"])
    if first["type"] == "missing":
        said = "it is missing. Add it"
    elif first["type"] == "extra_forbidden":
        said = "there is no such field. Take it out, or correct its name"
    else:
        said = f"{first['msg'].rstrip('.')}, but got {str(first['input'])!r:.60}"
    return LessonError(f"{name}: {field}: {said}.", name, field)
