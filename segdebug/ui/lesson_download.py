""" "Make a lesson of this", beside a run."""

from __future__ import annotations

import streamlit as st

from segdebug.errors import LessonError
from segdebug.lessons import lesson_file
from segdebug.run import Run
from segdebug.scene import Scene

__all__ = ["button"]


def button(run: Run, scene: Scene) -> None:
    """The lesson's file, to be put into the folder of lessons; why not, on hover, where there can be none."""
    name, data, refusal = _made(
        scene.digest, tuple(c.name for c in scene.classes), run.experiment.to_json(), run, scene
    )
    st.download_button(
        "A lesson of this (Markdown)" if name.endswith(".md") else "A lesson of this (with its pictures)",
        data,
        name or "lesson.md",
        "application/zip" if name.endswith(".zip") else "text/markdown",
        on_click="ignore",
        width="stretch",
        disabled=bool(refusal),
        help=refusal or "Put it into the folder “lessons” of the app's store; README.md of segdebug/lessons says more.",
        key="make_lesson",
    )


@st.cache_data(show_spinner=False, max_entries=32)
def _made(digest: str, names: tuple[str, ...], experiment: str, _run: Run, _scene: Scene) -> tuple[str, bytes, str]:  # noqa: ARG001
    """Name, bytes, and why there are none; once for a run, since the scene is read back to be sure."""
    try:
        return (*lesson_file(_run, _scene), "")
    except LessonError as refusal:
        return "", b"", str(refusal)
