"""A class's answers: counts without names, for whoever holds the key, and the same after a restart."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from segdebug.lessons import Answers, class_of, new_key


def test_answers_are_counted_changed_and_kept(tmp_path: Path) -> None:
    answers, key = Answers(tmp_path), new_key()
    class_id = answers.start(key, "a-lesson", 3)
    assert class_id == class_of(key)
    assert key not in class_id
    assert answers.answer(class_id, "a-lesson", 0)
    assert answers.answer(class_id, "a-lesson", 2)
    assert answers.answer(class_id, "a-lesson", 1, before=0)
    again = Answers(tmp_path).tally(class_id, "a-lesson")
    assert again is not None
    assert (again.counts, again.opened) == ((0, 1, 1), False)
    files = list(tmp_path.iterdir())
    assert len(files) == 1
    assert json.loads(files[0].read_text()) == {"counts": [0, 1, 1], "opened": False, "held": True}
    assert key not in files[0].name


def test_nothing_changes_once_the_reveal_is_open_and_only_the_key_opens_it(tmp_path: Path) -> None:
    answers, key = Answers(tmp_path), new_key()
    class_id = answers.start(key, "a-lesson", 2)
    answers.open_reveal(class_id, "a-lesson")  # the id is no key
    assert answers.answer(class_id, "a-lesson", 0)
    answers.open_reveal(key, "a-lesson")
    assert not answers.answer(class_id, "a-lesson", 1, before=0)
    tally = answers.tally(class_id, "a-lesson")
    assert tally is not None
    assert tally == ((1, 0), True, True)


def test_the_reveal_waits_until_the_key_says_otherwise(tmp_path: Path) -> None:
    answers, key = Answers(tmp_path), new_key()
    class_id = answers.start(key, "a-lesson", 2)

    def withheld() -> bool:
        tally = Answers(tmp_path).tally(class_id, "a-lesson")
        assert tally is not None
        return tally.withheld

    assert withheld()
    answers.hold(class_id, "a-lesson", held=False)  # the id is no key
    assert answers.answer(class_id, "a-lesson", 0)
    assert withheld()
    answers.hold(key, "a-lesson", held=False)
    assert not withheld()
    answers.hold(key, "a-lesson", held=True)
    answers.open_reveal(key, "a-lesson")
    assert not withheld()


@pytest.mark.parametrize(
    ("class_id", "lesson", "choice"),
    [("unknown-class-id-000000", "a-lesson", 0), ("../../etc", "a-lesson", 0), ("", "", 0), ("x" * 22, "../b", 0)],
)
def test_a_class_that_nobody_started_is_not_counted(tmp_path: Path, class_id: str, lesson: str, choice: int) -> None:
    answers = Answers(tmp_path)
    assert not answers.answer(class_id, lesson, choice)
    assert answers.tally(class_id, lesson) is None
    assert list(tmp_path.iterdir()) == []


def test_choices_that_there_are_not_and_files_that_are_broken(tmp_path: Path) -> None:
    answers, key = Answers(tmp_path), new_key()
    class_id = answers.start(key, "a-lesson", 2)
    assert not answers.answer(class_id, "a-lesson", 2)
    assert not answers.answer(class_id, "a-lesson", -1)
    assert answers.answer(class_id, "a-lesson", 0, before=99)
    next(tmp_path.iterdir()).write_text("{", encoding="utf-8")
    assert Answers(tmp_path).tally(class_id, "a-lesson") is None


def test_there_are_so_many_files_at_most(tmp_path: Path) -> None:
    answers = Answers(tmp_path, most_files=3)
    for _ in range(5):
        answers.start(new_key(), "a-lesson", 2)
    assert len(list(tmp_path.iterdir())) == 3


def test_thirty_answers_at_once_are_thirty(tmp_path: Path) -> None:
    answers = Answers(tmp_path)
    class_id = answers.start(new_key(), "a-lesson", 2)
    threads = [threading.Thread(target=answers.answer, args=(class_id, "a-lesson", n % 2)) for n in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    tally = Answers(tmp_path).tally(class_id, "a-lesson")
    assert tally is not None
    assert tally.counts == (15, 15)
