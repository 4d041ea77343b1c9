"""A lesson is one file; what is wrong with a file is one line that names it, the field, and what to do."""

from __future__ import annotations

import shutil
import zipfile
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest

from segdebug import Experiment, Run, load_sample, overfit, read_scene
from segdebug.errors import LessonError
from segdebug.lessons import Claim, find_lessons, lesson_file, lesson_name, lesson_of, load_lesson, read_lesson
from segdebug.scene import Scene
from tests.lessons.written import LESSON
from tests.scenes import png_bytes


def test_a_lesson_is_added_by_one_file(tmp_path: Path) -> None:
    (tmp_path / "my-lesson.md").write_text(LESSON, encoding="utf-8")
    shelf = find_lessons(tmp_path)
    assert shelf.refused == ()
    lesson = shelf.lessons["my-lesson"]
    assert (lesson.group, lesson.question.right, len(lesson.next)) == ("own", 0, 1)
    assert lesson.next[0].experiment == lesson.sides[1].experiment.changed({"loss.from_logits": False})
    runs = {side.name: overfit(lesson.scene(), side.experiment) for side in lesson.sides}
    shown = [claim.shown_by(runs) for claim in lesson.claims]
    assert [one.holds for one in shown] == [True, True, True], shown
    assert "below its first loss" in shown[1].words


def test_a_claim_that_a_run_does_not_show_is_said_not_to_be() -> None:
    coins = load_sample("coins")
    tiny = Experiment.preset("softmax_cce").changed({"model.depth": 0, "training.size": 16, "training.steps": 2})
    runs = {"A": overfit(coins, tiny)}
    for text in ("A is broken", "A computes rescued", "A finds T01", 'A warns "Softmax"', "A.last_loss > 5"):
        claim = Claim(text)
        assert claim.wrong(("A",)) is None
        assert not claim.shown_by(runs).holds, text
    for text in ("A is not broken", "A does not find T01", "A does not warn", "A prints the losses of A"):
        assert Claim(text).shown_by(runs).holds, text


@pytest.mark.parametrize(
    ("there", "instead", "said"),
    [
        ("+++\ntitle", "title", "must begin with a line +++"),
        ('stage = "head"', 'stage = "tail"', "stage: expected one of masks"),
        ('stage = "head"', "stage = head", "not TOML"),
        ('stage = "head"', "", "stage: it is missing"),
        ('stage = "head"', 'stage = "head"\nauthor = "me"', "author: there is no such field"),
        ('sample = "coins"', "", "name either a sample, or an image"),
        ('sample = "coins"', 'sample = "coins"\nmasks = ["../x.png"]', "file in this lesson's own folder"),
        ("[runs.B]", "[runs.C]", "runs: they are called A, B"),
        ('preset = "softmax_cce"', 'preset = "softmax_ce"', "runs.A: There is no preset"),
        ("training.size = 16", "training.sise = 16", "Did you mean training.size?"),
        ("right = 1", "right = 3", "question.right: expected the number of the right choice, from 1 to 2"),
        ('choices = ["A", "B"]', 'choices = ["A"]', "question.choices"),
        ('"A is sound"', '"A is fine"', "fine is no verdict"),
        ('"A is sound"', '"C is sound"', "there is no run C"),
        ('"A is sound"', '"A finds Z99"', "there is no rule Z99"),
        ('"A is sound"', '"A.meaniou > 0"', "did you mean mean_iou?"),
        ('"A is sound"', '"A might learn"', "it is none of"),
        ('look = ["loss", "iou"]', 'look = ["losses"]', "look: expected one of loss"),
        ("{B.last_loss}", "{B.last_los}", "did you mean last_loss?"),
        ("{B.last_loss}", "{D.last_loss}", "asks for run D"),
        ("{B.last_loss}", "0.905", "0.905 is a number that a run can give"),
        ("A story", "A ![picture](http://example.org/x.png)", "not allowed: pages load nothing"),
        ("A story", "A {![x](https://example.org/p.png)}", "not allowed: pages load nothing"),
        ("A story", "A !{A.warning}[x](https://example.org/p.png)", "not allowed: pages load nothing"),
        ("A story", "A ``` b\n\n![x](https://example.org/p.png)\n\nc ```", "not allowed: pages load nothing"),
        ("A story", r"A \`![x](https://example.org/p.png)\`", "not allowed: pages load nothing"),
        ("## Reveal", "## Answer", 'there must be one line "## Reveal"'),
        ('run = "B"', 'run = "Z"', "next 1: there is no run"),
    ],
)
def test_what_is_wrong_is_one_line(there: str, instead: str, said: str) -> None:
    assert there in LESSON
    with pytest.raises(LessonError) as refusal:
        read_lesson(LESSON.replace(there, instead, 1), "my-lesson.md", ".")
    assert str(refusal.value).startswith("my-lesson.md: ")
    assert said in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("code", ["`![x](u)`", "\n\n```html\n<style>![x](u)</style>\n```\n\n"])
def test_code_may_hold_what_would_load_something(code: str) -> None:
    assert code.strip() in read_lesson(LESSON.replace("A story", f"A {code} story"), "my-lesson.md", ".").story


@pytest.mark.parametrize(
    "data", [b"", b"\xff\xfe\x00", b"+++\n" * 3, b"x" * 200_000, b"+++\na = 1\n+++\n\n## Reveal\n"]
)
def test_what_is_no_lesson_is_one_line_too(data: bytes) -> None:
    with pytest.raises(LessonError) as refusal:
        read_lesson(data, "my-lesson.md", ".")
    assert "\n" not in str(refusal.value)


def test_a_bad_file_hides_no_good_one(tmp_path: Path) -> None:
    (tmp_path / "bad.md").write_text("no lesson", encoding="utf-8")
    (tmp_path / "log-softmax.md").write_text(LESSON, encoding="utf-8")
    (tmp_path / "Good Name.md").write_text(LESSON, encoding="utf-8")
    shelf = find_lessons(tmp_path)
    assert set(shelf.lessons) == set(find_lessons().lessons)
    assert [line.partition(":")[0] for line in shelf.refused] == ["Good Name.md", "bad.md", "log-softmax.md"]


def _run(scene: Scene) -> Run:
    changes = {"model.depth": 0, "training.size": 16, "training.steps": 3}
    return overfit(scene, Experiment.preset("softmax_reshape_cce_logits").changed(changes))


def test_any_run_of_a_sample_becomes_a_lesson(tmp_path: Path) -> None:
    coins = load_sample("coins")
    run = _run(coins)
    name, data = lesson_file(run, coins)
    assert name.endswith(".md")
    assert name == lesson_name(run, coins)
    (tmp_path / name).write_bytes(data)
    lesson = load_lesson(tmp_path / name)
    assert lesson.sides[0].experiment == run.experiment
    again = {"A": overfit(lesson.scene(), lesson.sides[0].experiment)}
    assert all(claim.shown_by(again).holds for claim in lesson.claims)
    assert any("H01" in claim.text for claim in lesson.claims)


def test_a_run_of_ones_own_files_takes_them_along(tmp_path: Path) -> None:
    ids = np.zeros((24, 32), np.uint8)
    ids[4:12, 4:20], ids[14:20, 10:30], ids[:2] = 1, 2, 255
    image = np.random.default_rng(0).integers(0, 255, (24, 32, 3), np.uint8)
    scene = read_scene(
        ("a.png", png_bytes(image)), ("ids.p\nn g", png_bytes(ids)), classes=["x", "y [z]", '"q"'], ignore=255
    )
    run = _run(scene)
    name, data = lesson_file(run, scene)
    assert name == lesson_name(run, scene)
    with zipfile.ZipFile(BytesIO(data)) as archive:
        stem = name.removesuffix(".zip")
        assert archive.namelist() == [f"{stem}/{file}" for file in (f"{stem}.md", "image.png", "mask-1")]
        archive.extractall(tmp_path)
    found = [lesson for lesson in find_lessons(tmp_path).lessons.values() if lesson.group == "own"]
    assert len(found) == 1
    again = found[0].scene()
    np.testing.assert_array_equal(again.labels, scene.labels)
    assert [c.name for c in again.classes] == [c.name for c in scene.classes]
    runs = {"A": overfit(again, found[0].sides[0].experiment)}
    assert all(claim.shown_by(runs).holds for claim in found[0].claims)
    shutil.rmtree(tmp_path / found[0].id)
    assert lesson_of(run, scene, tmp_path).sides == found[0].sides


def test_a_run_without_a_diagnosis_makes_no_lesson() -> None:
    coins = load_sample("coins")
    changes = {"model.depth": 0, "training.size": 16, "training.steps": 1}
    run = overfit(coins, Experiment().changed(changes), diagnosed=False)
    for asked in (lesson_name, lesson_file):
        with pytest.raises(LessonError, match="no diagnosis"):
            asked(run, coins)
