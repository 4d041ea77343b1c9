""" "Make a lesson of this", beside a run. As all files of a run, it is made when it is asked for."""

from __future__ import annotations

import io
import zipfile

import streamlit as st

from segdebug.errors import LessonError
from segdebug.lessons import lesson_file, lesson_name
from segdebug.run import Run
from segdebug.scene import Scene

__all__ = ["button", "made"]

_HELP = "Put it into the folder “lessons” of the app's store; README.md of segdebug/lessons says more."


def button(run: Run, scene: Scene) -> None:
    """The lesson's file, to be put into the folder of lessons; why not, on hover, where there can be none."""
    try:
        name, refusal = lesson_name(run, scene), ""
    except LessonError as error:
        name, refusal = "lesson.md", str(error)
    packed = name.endswith(".zip")
    st.download_button(
        "A lesson of this (with its pictures)" if packed else "A lesson of this (Markdown)",
        lambda: made(run, scene),
        name,
        "application/zip" if packed else "text/markdown",
        on_click="ignore",
        width="stretch",
        disabled=bool(refusal),
        help=refusal or _HELP,
        key="make_lesson",
    )


def made(run: Run, scene: Scene) -> bytes:
    """The file; where the masks were read in a way that it cannot say, an archive that holds the reason alone."""
    try:
        return lesson_file(run, scene)[1]
    except LessonError as refusal:
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr("why-there-is-no-lesson.txt", f"{refusal}\n")
        return packed.getvalue()
