"""A lesson as data: what to read, what to predict, what to run, and what the runs must show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from segdebug.errors import LessonError, SceneError
from segdebug.experiment import Experiment
from segdebug.lessons.claims import Claim
from segdebug.scene import Scene, load_sample, read_scene, sample_names

__all__ = ["GROUPS", "PANELS", "Lesson", "Next", "Picture", "Question", "Side"]

GROUPS = {
    "thread": "Five questions that many people asked",
    "report": "Faults that people reported",
    "own": "Lessons of this server",
}
"""Where a lesson stands in the list, and the words above it there."""

PANELS = {
    "loss": "the losses against step",
    "iou": "the overlap of each class at the end",
    "maps": "the truth and what each run predicts",
    "findings": "what was found, with its evidence",
}
"""What a lesson may ask to look at."""


@dataclass(frozen=True)
class Side:
    """One configuration to run. name: a capital letter; label: what it is, in a few words."""

    name: str
    label: str
    experiment: Experiment


@dataclass(frozen=True)
class Picture:
    """What is trained on: a sample, files beside the lesson, or a sample's image under masks beside the lesson.

    image, masks: names of files in the lesson's folder. encoding, ignore, classes, legend: as `read_scene` takes them.
    """

    sample: str | None = None
    image: str | None = None
    masks: tuple[str, ...] = ()
    encoding: str = "auto"
    ignore: int | None = None
    classes: tuple[str, ...] | None = None
    legend: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Question:
    """What to predict. right: which of the choices, from 0."""

    ask: str
    choices: tuple[str, ...]
    right: int


@dataclass(frozen=True)
class Next:
    """One thing to change afterwards: the configuration that it leads to, from one of the lesson's own."""

    label: str
    experiment: Experiment


@dataclass(frozen=True)
class Lesson:
    """One lesson, as its file says it.

    id: the file's name without its ending, and its name in the address. folder: where the files beside it are.
    group: a key of GROUPS; stage: of the pipeline, where the fault sits. sides: what is run, in order.
    story, reveal: Markdown; the reveal's values are filled in from the runs. look: keys of PANELS, in order.
    """

    id: str
    folder: Path
    title: str
    summary: str
    group: str
    stage: str
    picture: Picture
    sides: tuple[Side, ...]
    question: Question
    look: tuple[str, ...]
    claims: tuple[Claim, ...]
    story: str
    reveal: str
    references: tuple[str, ...] = ()
    next: tuple[Next, ...] = ()

    def scene(self) -> Scene:
        """The picture and masks. Raises LessonError, naming the lesson's file, for any that cannot be read."""
        try:
            return _scene(self)
        except SceneError as error:
            raise LessonError(f"{self.id}.md: scene: {error}", f"{self.id}.md", "scene") from None

    @property
    def is_sample(self) -> bool:
        """Whether the scene is a sample as it stands, which an address can name."""
        return self.picture.sample is not None and not self.picture.masks

    def with_changes(self, changes: Mapping[str, Any]) -> tuple[Side, ...]:
        """The sides with some fields of all of them changed, as a teacher's link may say."""
        return tuple(Side(side.name, side.label, side.experiment.changed(changes)) for side in self.sides)


def _scene(lesson: Lesson) -> Scene:
    picture = lesson.picture
    if picture.sample is not None and picture.sample not in sample_names():
        raise SceneError(f"There is no sample {picture.sample!r:.40}. Samples: {', '.join(sample_names())}.")
    if picture.sample is not None and not picture.masks:
        return load_sample(picture.sample)
    image: Any = lesson.folder / str(picture.image)
    if picture.sample is not None:
        image = np.rint(load_sample(picture.sample).image * 255).astype(np.uint8)
    return read_scene(
        image,
        [lesson.folder / name for name in picture.masks],
        encoding=picture.encoding,
        ignore=picture.ignore,
        classes=picture.classes,
        legend=dict(picture.legend) or None,
        name=lesson.id,
    )
