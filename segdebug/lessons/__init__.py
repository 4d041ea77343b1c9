"""Lessons: predict, run, reveal. One plain file each; README.md beside this file says how to write one.

No streamlit here, and no TensorFlow: a lesson says what to run, and what the runs must show.
"""

from segdebug.lessons.answers import Answers, Tally, class_of, new_key
from segdebug.lessons.claims import Claim, Shown
from segdebug.lessons.lesson import GROUPS, PANELS, Lesson, Next, Picture, Question, Side
from segdebug.lessons.making import lesson_file, lesson_name, lesson_of
from segdebug.lessons.quantities import QUANTITIES, filled
from segdebug.lessons.reading import load_lesson, read_lesson
from segdebug.lessons.shelf import Shelf, find_lessons

__all__ = [
    "GROUPS",
    "PANELS",
    "QUANTITIES",
    "Answers",
    "Claim",
    "Lesson",
    "Next",
    "Picture",
    "Question",
    "Shelf",
    "Shown",
    "Side",
    "Tally",
    "class_of",
    "filled",
    "find_lessons",
    "lesson_file",
    "lesson_name",
    "lesson_of",
    "load_lesson",
    "new_key",
    "read_lesson",
]
