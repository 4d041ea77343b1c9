"""All lessons that there are: those of the package, and those of a folder that teachers add to."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from segdebug.errors import LessonError
from segdebug.lessons.lesson import GROUPS, Lesson
from segdebug.lessons.reading import load_lesson

__all__ = ["OWN", "Shelf", "find_lessons"]

OWN = Path(__file__).parent / "files"
"""The package's own lessons."""

_MOST = 200  # files of a folder


class Shelf(NamedTuple):
    """lessons: by id, in the order of the list; refused: one line for each file that is no lesson."""

    lessons: dict[str, Lesson]
    refused: tuple[str, ...]


def find_lessons(extra: str | Path | None = None) -> Shelf:
    """Read the package's lessons, and those in `extra` or in folders in it; a file of a name taken is refused."""
    found: dict[str, Lesson] = {}
    refused: list[str] = []
    for folder in (OWN, extra):
        for file in _files(folder):
            try:
                lesson = load_lesson(file)
                if lesson.id in found:
                    raise LessonError(f"{file.name}: there is a lesson of that name. Rename the file.", file.name)
            except LessonError as error:
                refused.append(str(error))
            else:
                found[lesson.id] = lesson
    order = list(GROUPS)
    ranked = sorted(found.values(), key=lambda lesson: (order.index(lesson.group), lesson.id))
    return Shelf({lesson.id: lesson for lesson in ranked}, tuple(refused))


def _files(folder: str | Path | None) -> list[Path]:
    if folder is None:
        return []
    folder = Path(folder)
    files = [*folder.glob("*.md"), *folder.glob("*/*.md")]
    return sorted(file for file in files if file.name != "README.md")[:_MOST]
