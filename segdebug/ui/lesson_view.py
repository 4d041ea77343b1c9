"""One lesson on the page: the story, what to predict, the runs, the reveal, and what to change next."""

from __future__ import annotations

from functools import partial

import streamlit as st

from segdebug.errors import SegdebugError
from segdebug.jobs import Job
from segdebug.lessons import Lesson, Side
from segdebug.run import Run
from segdebug.scene import Scene
from segdebug.ui import lesson_class, lesson_present, lesson_reveal, lesson_runs, maps
from segdebug.ui.engine import find, submit, watch
from segdebug.ui.lesson_link import CHOICE, GO, Link
from segdebug.ui.lesson_shelf import answers, as_upload, scene_of
from segdebug.ui.links import whole
from segdebug.ui.run_panel import in_words
from segdebug.ui.sources import grid_of
from segdebug.ui.text import error, note, plain

__all__ = ["done", "show"]

_DONE = "lessons_done"
_JOBS = "lesson_jobs"  # in the session: picture and configurations → ids of the runs, in that order
_GIVEN = "lesson_answers"  # in the session: (class, lesson) → the choice that was counted
_SMALL = 128  # pixels on a side, of the picture beside the story

Jobs = dict[str, Job]


def done() -> set[str]:
    """The lessons whose reveal this session has seen."""
    seen: set[str] = st.session_state.setdefault(_DONE, set())
    return seen


def show(lesson: Lesson, link: Link) -> None:
    """The whole lesson; in a room, one thing of it at a time."""
    try:
        scene = scene_of(lesson)
        sides = lesson.with_changes(link.changes)
    except SegdebugError as refusal:
        st.title(plain(lesson.title), anchor=False)
        error(str(refusal))
        return
    jobs = _jobs(sides, scene)
    watch(*jobs.values())
    parts = Parts(lesson, link, scene, sides, jobs)
    if link.present:
        lesson_present.show(lesson, parts.slides())
        return
    if not link.quiet:
        st.button(
            "All lessons",
            key="all_lessons",
            type="tertiary",
            icon=":material/arrow_back:",
            on_click=st.query_params.clear,
        )
    st.title(plain(lesson.title), anchor=False)
    st.markdown(f"**{plain(lesson.summary)}**")
    parts.story()
    parts.question()
    if parts.revealed and len(parts.results()) == len(sides):
        lesson_reveal.answer(lesson, parts.chosen)
        st.caption("What your runs show, and why, is below the figures.")
    parts.runs(link.panels or lesson.look)
    parts.reveal()
    if link.key or not link.quiet:
        lesson_class.for_teachers(lesson, link)


class Parts:
    """The parts of a lesson, each of which can be drawn where it is wanted."""

    def __init__(self, lesson: Lesson, link: Link, scene: Scene, sides: tuple[Side, ...], jobs: Jobs) -> None:
        self.lesson, self.link, self.scene, self.sides, self.jobs = lesson, link, scene, sides, jobs

    def story(self) -> None:
        """The text, and the picture with its truth beside it."""
        text, picture = st.columns([3, 2], gap="large")
        with text, st.container(key="story"):
            st.markdown(self.lesson.story)
        with picture:
            self.picture()

    def picture(self) -> None:
        """What is trained on."""
        grid = grid_of(self.scene, _SMALL)
        truth = grid.labels if grid.planes is None else grid.planes
        names, colours = [c.name for c in self.scene.classes], [c.colour for c in self.scene.classes]
        panels = [
            maps.picture_panel("picture", grid.image),
            maps.class_panel("truth", truth, names, colours, "what the masks say; point at it for the class"),
        ]
        maps.draw(panels, _SMALL, self.scene.width / self.scene.height, key="lesson_picture")

    def question(self) -> None:
        """What to predict, and the button that runs it; the choice is kept in the address, and counted once."""
        question = self.lesson.question
        if not self.jobs:
            for column, side in zip(st.columns(len(self.sides)), self.sides, strict=True):
                column.markdown(f"**{side.name}** {plain(side.label)}", help=plain(in_words(side.experiment)))
        st.subheader(f"Predict: {plain(question.ask)}", anchor=False)
        key = f"choice {self.lesson.id}"
        asked = whole(CHOICE) or 0
        before = asked - 1 if 1 <= asked <= len(question.choices) else None
        chosen = st.radio(
            question.ask,
            range(len(question.choices)),
            index=before,
            key=key,
            format_func=lambda n: plain(question.choices[n]),
            on_change=_choose,
            args=(self.lesson.id, self.link.class_id, key),
            label_visibility="collapsed",
            disabled=self.revealed,
        )
        if self.jobs:
            return
        st.button(
            "Run it",
            type="primary",
            key="run_lesson",
            disabled=chosen is None and not self.link.key,
            on_click=_ask_for_runs,
            help="Choose first." if chosen is None and not self.link.key else None,
        )

    @property
    def chosen(self) -> int | None:
        """The choice that was made; None before."""
        asked = whole(CHOICE)
        return asked - 1 if asked else None

    @property
    def ended(self) -> bool:
        """Whether all runs have ended, in whatever way."""
        return bool(self.jobs) and not any(job.active for job in self.jobs.values())

    @property
    def withheld(self) -> bool:
        """Whether the reveal waits for the teacher; it never does for the teacher."""
        tally = None if self.link.key else lesson_class.counted(self.lesson, self.link)
        return tally is not None and tally.withheld

    @property
    def revealed(self) -> bool:
        """Whether the reveal is on the page."""
        return self.ended and not self.withheld

    def runs(self, panels: tuple[str, ...]) -> None:
        """The runs, live or ended; nothing before they were asked for."""
        if self.jobs:
            lesson_runs.show(self.jobs, self.sides, self.scene, panels, large=self.link.present)

    def reveal(self) -> None:
        """What the runs have shown, once they have ended and the teacher has nothing against it."""
        if not self.ended:
            return
        if self.withheld:
            lesson_class.wait(self.lesson, self.link)
            return
        runs = self.results()
        if len(runs) < len(self.sides):
            note("A run did not end by itself, so there is nothing to reveal. Load the page again to have it run anew.")
            return
        done().add(self.lesson.id)
        lesson_reveal.claims(self.lesson, runs)
        lesson_reveal.text(self.lesson, runs)
        if "findings" in (self.link.panels or self.lesson.look):
            lesson_reveal.findings(self.lesson, self.sides, runs)
        if not self.link.quiet:
            lesson_reveal.next_steps(self.lesson, as_upload(self.lesson, self.scene))
        lesson_reveal.references(self.lesson)

    def results(self) -> dict[str, Run]:
        """The runs that were carried through, by side."""
        return {name: job.result for name, job in self.jobs.items() if isinstance(job.result, Run)}

    def slides(self) -> list[lesson_present.Slide]:
        """What a room is shown, one after another."""
        slides = [
            lesson_present.Slide("The question", self.story),
            lesson_present.Slide("Predict", self._ask_the_room),
        ]
        for panel in self.link.panels or self.lesson.look:
            if panel != "findings":
                slides.append(lesson_present.Slide("The runs", partial(self._panel, panel)))
        slides.append(lesson_present.Slide("What they show", self._claims))
        slides.append(lesson_present.Slide("Why", self._why))
        return slides

    def _ask_the_room(self) -> None:
        """With a class, its answers stand in place of a choice of one's own."""
        if not self.link.key:
            self.question()
            return
        st.subheader(plain(self.lesson.question.ask), anchor=False)
        lesson_class.tally(self.lesson, self.link)

    def _panel(self, panel: str) -> None:
        if not self.jobs:
            st.button("Run it", type="primary", key="run_lesson", on_click=_ask_for_runs)
        self.runs((panel,))

    def _claims(self) -> None:
        if len(runs := self.results()) < len(self.sides):
            note("Run it first.")
            return
        lesson_reveal.answer(self.lesson, self.chosen)
        lesson_reveal.claims(self.lesson, runs)

    def _why(self) -> None:
        if len(runs := self.results()) < len(self.sides):
            note("Run it first.")
            return
        lesson_reveal.text(self.lesson, runs)


def _jobs(sides: tuple[Side, ...], scene: Scene) -> Jobs:
    """The lesson's runs, once they were asked for, here or in the address. The same runs are shared by all who ask
    for them."""
    if st.query_params.get(GO) != "1":
        return {}
    held: dict[tuple[str, ...], list[str]] = st.session_state.setdefault(_JOBS, {})
    key = (scene.digest, *(side.experiment.to_json() for side in sides))  # a lesson's file may be edited meanwhile
    kept = [find(job_id) for job_id in held.get(key, ())]
    jobs = [job for job in kept if job is not None]
    if len(jobs) < len(sides):
        try:
            jobs = [submit(scene, side.experiment, remembered=False) for side in sides]
        except SegdebugError as refusal:
            error(str(refusal))
            st.query_params.pop(GO, None)
            return {}
        held[key] = [job.id for job in jobs]
    return {side.name: job for side, job in zip(sides, jobs, strict=True)}


def _ask_for_runs() -> None:
    st.query_params[GO] = "1"


def _choose(lesson_id: str, class_id: str, key: str) -> None:
    """Keep the choice in the address, and count it for the class: in place of the one that this session gave before.

    The address's own choice is no such: the link may be somebody else's.
    """
    choice = st.session_state[key]
    st.query_params[CHOICE] = str(choice + 1)
    given: dict[tuple[str, str], int] = st.session_state.setdefault(_GIVEN, {})
    if class_id and answers().answer(class_id, lesson_id, choice, given.get((class_id, lesson_id))):
        given[class_id, lesson_id] = choice
