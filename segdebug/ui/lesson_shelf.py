"""The lessons that this server has, read again when a file has changed, and the classes that answer."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import streamlit as st

from segdebug.lessons import Answers, Lesson, Shelf, find_lessons
from segdebug.lessons.shelf import OWN
from segdebug.painting import png
from segdebug.scene import Scene
from segdebug.ui import sources
from segdebug.ui.kept import store_folder

__all__ = ["answers", "as_upload", "scene_of", "shelf"]


def shelf() -> Shelf:
    """All lessons: the package's, and those in the folder `lessons` of the store."""
    return _shelf(_stamp())


@st.cache_resource(show_spinner=False, max_entries=2)
def _shelf(stamp: tuple[tuple[str, int], ...]) -> Shelf:  # noqa: ARG001 - what makes it to be read again
    return find_lessons(_folder())


def _folder() -> Path:
    return store_folder() / "lessons"


def _stamp() -> tuple[tuple[str, int], ...]:
    """Every file that the lessons are made of, and when it was changed."""
    files = [file for folder in (OWN, _folder()) for file in (*folder.glob("*.*"), *folder.glob("*/*.*"))]
    return tuple(sorted((str(file), file.stat().st_mtime_ns) for file in files if file.is_file()))


def scene_of(lesson: Lesson) -> Scene:
    """The lesson's scene, read once. Raises LessonError."""
    if lesson.is_sample and lesson.picture.sample is not None:
        return sources.sample_scene(lesson.picture.sample)
    return _scene(lesson.id, _stamp(), lesson)


@st.cache_resource(show_spinner=False, max_entries=16)
def _scene(lesson_id: str, stamp: tuple[tuple[str, int], ...], _lesson: Lesson) -> Scene:  # noqa: ARG001
    return _lesson.scene()


def as_upload(lesson: Lesson, scene: Scene) -> dict[str, str]:
    """Parameters by which the other pages show the lesson's scene."""
    if lesson.is_sample:
        return {"sample": scene.name}
    image = (f"{lesson.id}.png", png(np.rint(scene.image * 255).astype(np.uint8)))
    upload = sources.Upload(image, tuple((file.name, file.data) for file in scene.mask_files))
    query = {"source": "your files", "upload": sources.keep(upload), "masks_are": lesson.picture.encoding}
    if lesson.picture.ignore is not None:
        query["ignore"] = str(lesson.picture.ignore)
    return query


@st.cache_resource(show_spinner=False)
def answers() -> Answers:
    """What the classes of this server have answered."""
    return Answers(store_folder() / "classes")
