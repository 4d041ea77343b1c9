"""What a lesson's address says: which lesson, for which class, what is shown, and how far one has come."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

import streamlit as st

from segdebug.experiment import OPTIONS, Experiment
from segdebug.lessons import PANELS, class_of

__all__ = ["CHOICE", "CLASS", "GO", "KEY", "LESSON", "PRESENT", "QUIET", "SHOW", "SLIDE", "Link", "address"]

LESSON, CHOICE, GO = "lesson", "choice", "go"
"""The lesson's id; the choice that was made, from 1; whether its runs were asked for."""

CLASS, KEY = "class", "teacher"
"""The class's id, for everybody; the teacher's key, from which the id is made."""

QUIET, SHOW = "quiet", "show"
"""Whether only the lesson itself is there; the panels, with commas."""

PRESENT, SLIDE = "present", "slide"
"""Whether it is shown to a room, one thing at a time; which of the slides, from 1."""

_YES = "1"


@dataclass(frozen=True)
class Link:
    """The address, read. class_id, key: empty where there are none. panels: empty for the lesson's own.
    changes: fields that every run of the lesson is given instead of its own."""

    lesson: str
    class_id: str = ""
    key: str = ""
    quiet: bool = False
    present: bool = False
    panels: tuple[str, ...] = ()
    changes: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def read(cls) -> Link:
        """The address of the page; what is malformed counts as not said. Raises ExperimentError for a field that
        cannot have the value that is given."""
        query = st.query_params
        key = query.get(KEY, "")[:200]
        wanted = query.get(SHOW, "").split(",")
        return cls(
            lesson=query.get(LESSON, ""),
            class_id=class_of(key) if key else query.get(CLASS, ""),
            key=key,
            quiet=query.get(QUIET) == _YES,
            present=query.get(PRESENT) == _YES,
            panels=tuple(panel for panel in PANELS if panel in wanted),
            changes=Experiment.changes_in(dict(query.items())),
        )

    def query(self, **more: str) -> dict[str, str]:
        """Parameters that say the same, without the teacher's key and how far anybody has come."""
        told = {LESSON: self.lesson, CLASS: self.class_id, SHOW: ",".join(self.panels)}
        told |= {QUIET: _YES} if self.quiet else {}
        told |= {OPTIONS[name].param: OPTIONS[name].write(value) for name, value in self.changes.items()}
        return {name: value for name, value in {**told, **more}.items() if value}


def address(query: Mapping[str, str]) -> str:
    """The whole address of the page under these parameters, to be handed on."""
    here = urlsplit(st.context.url or "")
    return urlunsplit((here.scheme, here.netloc, here.path, urlencode(query), ""))
