"""The lessons that this server has, read again when a file has changed, and the classes that answer."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import numpy as np
import streamlit as st

from segdebug.errors import SceneError
from segdebug.lessons import Answers, Lesson, Shelf, find_lessons
from segdebug.lessons.shelf import OWN
from segdebug.painting import png
from segdebug.scene import Scene
from segdebug.ui import mask_reading, scene_panel, sources
from segdebug.ui.classes import renamed
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
    upload, query = _upload(lesson.id, _stamp(), lesson, scene)
    upload_id = query[scene_panel.UPLOAD]
    if sources.uploaded(upload_id) is None:
        sources.keep(upload)
    return query


@st.cache_resource(show_spinner=False, max_entries=16)
def _upload(
    lesson_id: str,  # noqa: ARG001
    stamp: tuple[tuple[str, int], ...],  # noqa: ARG001
    _lesson: Lesson,
    _scene: Scene,
) -> tuple[sources.Upload, dict[str, str]]:
    """The lesson's files as if they had been uploaded, and the parameters that have them read as the lesson does."""
    picture = _lesson.picture
    image = (f"{_lesson.id}.png", png(np.rint(_scene.image * 255).astype(np.uint8)))
    upload = sources.Upload(image, tuple((file.name, file.data) for file in _scene.mask_files))
    query = {"source": "your files", scene_panel.UPLOAD: upload.id, mask_reading.ENCODING: picture.encoding}
    if picture.ignore is not None:
        query[mask_reading.IGNORE] = str(picture.ignore)
    legend = json.dumps(dict(picture.legend), ensure_ascii=False)
    if picture.legend and len(legend) <= mask_reading.LEGEND_AT_MOST:
        query[mask_reading.LEGEND] = legend
    reading = mask_reading.Reading(picture.encoding, picture.ignore, legend=query.get(mask_reading.LEGEND, ""))
    with contextlib.suppress(SceneError):
        query |= renamed(sources.upload_scene(upload.id, reading, upload), _scene)
    return upload, query


@st.cache_resource(show_spinner=False)
def answers() -> Answers:
    """What the classes of this server have answered."""
    return Answers(store_folder() / "classes")
