"""The page Lessons, as far as it needs no browser: the list, odd addresses, odd files, and room for everybody."""

from __future__ import annotations

import io
import re
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from segdebug import Experiment, load_sample, read_scene
from segdebug.errors import QueueFull
from segdebug.experiment import OPTIONS
from segdebug.lessons import class_of, find_lessons, new_key
from segdebug.ui import engine, lesson_download
from segdebug.ui.lesson_link import CHOICE, CLASS, GO, KEY, LESSON, PRESENT, QUIET, SHOW, SLIDE
from segdebug.ui.lesson_shelf import as_upload, scene_of, shelf
from tests.lessons.written import LESSON as WRITTEN
from tests.scenes import png_bytes
from tests.ui.conftest import ROOT, Open
from tests.ui.fakes import FakeJob, made_up_run, sound


@pytest.fixture(autouse=True)
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SEGDEBUG_STORE", str(tmp_path))
    return tmp_path


def _open(**query: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60).run()
    app.switch_page("pages/lessons.py")
    for name, value in query.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception, app.exception
    return app


def _told(elements: object) -> str:
    return " ".join(element.value for element in elements).replace("\\", "")  # type: ignore[attr-defined]


def test_the_list_has_every_lesson_and_those_of_the_store(store: Path) -> None:
    folder = store / "lessons"
    folder.mkdir()
    (folder / "mine.md").write_text(WRITTEN, encoding="utf-8")
    (folder / "bad.md").write_text("nothing", encoding="utf-8")
    app = _open()
    told = _told(app.markdown)
    assert all(lesson.summary in told for lesson in find_lessons().lessons.values())
    assert "Written by a teacher." in told
    assert "bad.md: the file must begin" in _told(app.warning)
    (folder / "bad.md").unlink()
    assert not app.run().warning


@pytest.mark.parametrize(
    "query",
    [
        {"lesson": "no-such *lesson*"},
        {"lesson": "log-softmax", "steps": "many"},
        {"lesson": "log-softmax", "choice": "99", "class": "../../x", "show": "a,b", "slide": "-1", "present": "1"},
        {"lesson": "log-softmax", "choice": "x", "hold": "1", "class": "nobody", "go": "1"},
    ],
)
def test_odd_addresses_break_nothing(query: dict[str, str]) -> None:
    app = _open(**query)
    assert app.title or app.subheader


def test_a_choice_comes_before_the_run_and_is_counted_once(store: Path) -> None:
    key = new_key()
    teacher = _open(lesson="log-softmax", teacher=key)
    assert teacher.button(key="run_lesson").disabled is False
    assert not (store / "classes").exists(), "an address alone starts no class"
    teacher.button(key="teach").click().run()
    app = _open(lesson="log-softmax", **{"class": class_of(key)})
    assert app.button(key="run_lesson").disabled
    radio = app.radio(key="choice log-softmax")
    radio.set_value(1).run()
    app.radio(key="choice log-softmax").set_value(2).run()
    assert not app.button(key="run_lesson").disabled
    assert '"counts": [0, 0, 1, 0]' in next((store / "classes").iterdir()).read_text()
    classmate = _open(lesson="log-softmax", **{"class": class_of(key), "choice": "3"})  # by the first one's address
    classmate.radio(key="choice log-softmax").set_value(0).run()
    assert '"counts": [1, 0, 1, 0]' in next((store / "classes").iterdir()).read_text()
    app.button(key="run_lesson").click().run()
    assert "What your runs show" not in _told(app.subheader), "the reveal waits for the teacher"
    teacher.toggle(key="give_hold").set_value(False).run()
    app.run()
    assert "What your runs show" in _told(app.subheader)
    assert "not shown by this run" in _told(app.markdown), "made-up runs show nothing of what is claimed"


def test_a_lesson_edited_after_its_runs_is_run_as_it_is_now(store: Path) -> None:
    file = store / "lessons" / "mine.md"
    file.parent.mkdir()
    file.write_text(WRITTEN, encoding="utf-8")
    app = _open(lesson="mine", go="1")
    told = _told(app.markdown)
    assert "twice" in told
    shorter = re.sub(r"\[runs\.B\].*?(?=\[question\])", "", WRITTEN, flags=re.DOTALL).replace('run = "B"', 'run = "A"')
    shorter = shorter.replace(', "B computes double_activation"', "").replace("{B.last_loss}", "{A.last_loss}")
    file.write_text(shorter.replace("training.steps = 30", "training.steps = 31"), encoding="utf-8")
    app.query_params.clear()
    app.query_params.update(lesson="mine", go="1")
    app.run()
    assert not app.exception, app.exception
    assert "twice" not in _told(app.markdown)
    assert {job.experiment.training.steps for job in engine.engine().jobs.values()} >= {30, 31}


def test_a_lesson_that_cannot_be_is_told_in_the_file_that_was_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    degrees = np.arange(256, dtype=np.uint8).reshape(16, 16)
    image = np.zeros((16, 16, 3), np.uint8)
    scene = read_scene(("a.png", png_bytes(image)), ("mask.png", png_bytes(degrees)), encoding="binary", threshold=0.9)
    run = replace(made_up_run(scene, Experiment()), diagnosis=sound(scene, Experiment()))
    with zipfile.ZipFile(io.BytesIO(lesson_download.made(run, scene))) as archive:
        (name,) = archive.namelist()
        assert "in a way that the file cannot say" in archive.read(name).decode()
    monkeypatch.setattr("segdebug.lessons.making.png", None)  # a page that is drawn makes nothing
    lesson_download.button(run, scene)


def test_no_field_of_a_configuration_is_called_as_the_links_parts_are() -> None:
    parts = {LESSON, CHOICE, GO, CLASS, KEY, QUIET, SHOW, PRESENT, SLIDE}
    assert parts.isdisjoint(option.param for option in OPTIONS.values())


def test_one_session_leaves_room_for_others(monkeypatch: pytest.MonkeyPatch) -> None:
    class Slow(FakeJob):
        active, state = True, "running"

    scene, viewer = load_sample("coins"), engine._viewer()
    monkeypatch.setattr(viewer, "asked", [Slow(scene, Experiment(), str(n), None, None) for n in range(8)])
    with pytest.raises(QueueFull, match="8 of your runs"):
        engine.submit(scene, Experiment())
    viewer.asked[0].active = False
    assert engine.submit(scene, Experiment()).state == "finished"


def test_what_to_change_has_the_legend_of_the_lesson(
    open_app: Open, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = store / "lessons"
    folder.mkdir()
    ids = np.zeros((24, 32), np.uint8)
    ids[4:12], ids[14:20] = 7, 3
    (folder / "a.png").write_bytes(png_bytes(np.zeros((24, 32, 3), np.uint8)))
    (folder / "ids.png").write_bytes(png_bytes(ids))
    picture = 'image = "a.png"\nmasks = ["ids.png"]\nlegend = {7 = "sky *", 0 = "road", 3 = "tree"}'
    (folder / "mine.md").write_text(WRITTEN.replace('sample = "coins"', picture).replace("[coin]", "[tree]"))
    lesson = shelf().lessons["mine"]
    query = as_upload(lesson, scene_of(lesson))
    monkeypatch.setattr("segdebug.ui.lesson_shelf.png", None)
    assert as_upload(lesson, scene_of(lesson)) == query, "the picture is written once"
    assert list(open_app(**query).dataframe[0].value["class"]) == ["sky *", "road", "tree"]


@pytest.mark.parametrize("name", ["jpeg-mask", "masks-of-255", "log-softmax"])
def test_what_to_change_opens_in_diagnose_on_the_same_picture(open_app: Open, name: str) -> None:
    lesson = find_lessons().lessons[name]
    scene = scene_of(lesson)
    app = open_app(**as_upload(lesson, scene), **lesson.next[0].experiment.to_query())
    assert list(app.dataframe[0].value["class"]) == [c.name for c in scene.classes]
    assert app.selectbox(key="encoding").value == lesson.next[0].experiment.target.encoding
    assert not app.error
    if not lesson.is_sample:
        assert "Still here" in _told(app.caption)
