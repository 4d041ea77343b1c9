"""Lessons from their links alone: predict, run, reveal; a class and its teacher; a room."""

from __future__ import annotations

import contextlib
import re

from playwright.sync_api import Browser, TimeoutError, expect

from segdebug.lessons import Lesson, find_lessons
from tests.browser.app import LONG, Server, View, viewing

LESSONS = find_lessons().lessons
SMALL = "&steps=2&size=16&depth=0"
"""What a link may fix for all runs: here so little that a lesson takes seconds. What the runs really show is checked
in tests/lessons."""


def test_every_lesson_runs_from_its_link(view: View) -> None:
    for lesson in LESSONS.values():
        view.open(f"/lessons?lesson={lesson.id}{SMALL}")
        expect(view.key("run_lesson").get_by_role("button")).to_be_disabled()
        _predict(view, lesson, lesson.question.right)
        view.key("run_lesson").get_by_role("button").click()
        _revealed(view, lesson)
        assert "go=1" in view.page.url
        view.sees("You were right")
        view.check()


def test_a_lesson_shows_what_it_claims_and_leads_on(view: View) -> None:
    lesson = LESSONS["reshape-breaks-it"]
    view.open("/lessons").page.get_by_role("button", name=lesson.title).click()
    view.sees(lesson.question.ask)
    _predict(view, lesson, 0)
    view.key("run_lesson").get_by_role("button").click()
    _revealed(view, lesson)
    view.sees("You chose:")
    expect(view.page.get_by_text("not shown by this run")).to_have_count(0)
    link = view.page.url
    view.open(link.removeprefix(view.base))  # as after a reload, or from a link: the choice and the runs are there
    _revealed(view, lesson)
    view.sees("You chose:")
    view.page.get_by_role("link", name=lesson.next[0].label).click()
    view.sees("softmax [then_reshape] → categorical_crossentropy(from_logits=False)")
    assert "sample=coffee" in view.page.url or "sample=" not in view.page.url


def _predict(view: View, lesson: Lesson, choice: int) -> None:
    view.page.get_by_text(lesson.question.choices[choice], exact=True).click()
    view.page.wait_for_url(re.compile(rf"choice={choice + 1}\b"))
    view.settled()


def _revealed(view: View, lesson: Lesson) -> None:
    """Wait for the reveal, with a line for each claim."""
    view.sees("What your runs show")
    signs = view.page.get_by_text(re.compile(r"^✓|^! not shown")).locator("visible=true")
    expect(view.page.locator("li", has=signs)).to_have_count(len(lesson.claims))


def test_a_class_answers_and_its_teacher_opens_the_reveal(view: View, browser: Browser, server: Server) -> None:
    lesson = LESSONS["one-channel-softmax"]
    view.open(f"/lessons?lesson={lesson.id}{SMALL}")
    view.page.locator("summary", has_text="For teachers").click()
    view.key("teach").get_by_role("button").click()
    view.sees("0 answers")
    given = view.key("teacher").locator("code")
    for_students, for_the_room = given.nth(0).inner_text(), given.nth(1).inner_text()
    assert "teacher=" not in for_students
    with viewing(browser, server) as student:
        student.open(for_students.removeprefix(server.url))
        expect(student.page.get_by_text("All lessons")).to_have_count(0)
        _predict(student, lesson, 0)
        _predict(student, lesson, 1)
        student.key("run_lesson").get_by_role("button").click()
        student.sees("Your teacher opens the reveal")
        expect(student.page.get_by_text("What your runs show")).to_have_count(0)
        view.sees("1 answer")
        view.key("open_reveal").get_by_role("button").click()
        _revealed(student, lesson)
        expect(student.page.get_by_text("Change one thing")).to_have_count(0)
    with viewing(browser, server) as room:
        room.open(for_the_room.removeprefix(server.url))
        expect(room.page.get_by_test_id("stHeader")).to_be_hidden()
        room.sees("1 of 6: The question")
        _turn(room, "ArrowRight", "2 of 6: Predict")
        room.sees("1 answer")
        _turn(room, "PageDown", "3 of 6: The runs")
        _turn(room, "ArrowLeft", "2 of 6: Predict")
        assert "slide=2" in room.page.url


def _turn(room: View, key: str, title: str) -> None:
    """Press a key, and once more if nothing comes of it, as a person would: what listens for keys may be there last."""
    shown = room.page.get_by_text(title).first
    for patience in (8_000, LONG):
        room.settled().page.keyboard.press(key)
        with contextlib.suppress(TimeoutError):
            shown.wait_for(timeout=patience)
            break
    room.settled()


def test_no_page_loads_anything_from_outside(view: View) -> None:
    """The browser resolves no name but this machine's; and nothing else is asked for, which every test checks."""
    for page in ("/", "/compare", "/pixel", "/masks", "/lessons", "/runs", "/findings", "/words"):
        view.open(page).painted()
        assert view.outside == []
