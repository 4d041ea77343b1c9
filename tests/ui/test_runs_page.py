"""The Runs page: what is listed, found, picked, renamed and deleted."""

from __future__ import annotations

from urllib.parse import parse_qs

import pytest
from streamlit.testing.v1 import AppTest

from segdebug import Experiment, load_sample
from segdebug.scene import Scene
from segdebug.ui import engine, kept, runs_page
from tests.scenes import blocks
from tests.ui.conftest import Open
from tests.ui.fakes import FakeJob, made_up_run
from tests.ui.test_kept import told


def keep(id: str, scene: Scene, **changes: object) -> None:
    fields = {"training.size": 16, **{name.replace("__", "."): value for name, value in changes.items()}}
    store = kept.Store(kept.store_folder())
    store.put(made_up_run(scene, Experiment().changed(fields)), scene, id=id, key=id)
    store.close()


@pytest.fixture
def runs(open_app: Open) -> AppTest:
    """Three runs of two pictures, one with a name that is markup."""
    scene = blocks().with_classes({0: "<b>"})
    keep("one", scene)
    keep("two", scene, loss__name="dice")
    keep("three", load_sample("cell"), training__seed=7)
    app = open_app()
    app.switch_page("pages/runs.py").run()
    assert not app.exception, app.exception
    return app


def links(app: AppTest) -> dict[str, dict[str, list[str]]]:
    """Labels of the links on the page, and their addresses' parameters."""
    return {link.proto.label: parse_qs(link.proto.query_string) for link in app.get("page_link")}


def test_without_a_run_there_is_something_to_begin_with(open_app: Open) -> None:
    app = open_app()
    engine.keeper().flush()
    store = engine.keeper().store
    assert store is not None
    for entry in store.entries():  # the front page's example
        store.delete(entry.id)
    app.switch_page("pages/runs.py").run()
    assert not app.exception
    assert "No run is kept yet" in told(app)
    assert "Run it" in links(app)


def test_every_run_is_listed_and_can_be_searched(runs: AppTest) -> None:
    assert told(runs).index("seed 7") < told(runs).index("dice on one_hot labels")
    assert "2 steps" not in told(runs)
    assert "5 steps in 0.500 s · mean IoU 1.00" in told(runs)
    runs.text_input(key="find_run").set_value("DICE").run()
    assert "dice on one_hot labels" in told(runs)
    assert "categorical_crossentropy" not in told(runs)
    runs.text_input(key="find_run").set_value("no such run").run()
    assert "No run has that in it." in told(runs)


def test_a_run_opens_with_its_picture_and_its_configuration(runs: AppTest) -> None:
    addresses = [parse_qs(link.proto.query_string) for link in runs.get("page_link") if link.proto.label == "Open"]
    three = next(address for address in addresses if address["run"] == ["three"])
    assert three == {"sample": ["cell"], "run": ["three"], "size": ["16"], "seed": ["7"]}
    two = next(address for address in addresses if address["run"] == ["two"])
    assert two == {"source": ["your files"], "run": ["two"], "size": ["16"], "loss": ["dice"]}


def test_runs_of_one_picture_are_picked_for_a_comparison(runs: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs_page, "_COMPARE", kept.store_folder() / "none")
    assert "Pick two to six runs" in told(runs)
    runs.checkbox(key="pick one").check().run()
    runs.checkbox(key="pick three").check().run()
    assert "Pick runs of one picture only." in told(runs)
    runs.checkbox(key="pick three").uncheck().run()
    runs.checkbox(key="pick two").check().run()
    assert "Picked: image, image." in told(runs)
    runs.button(key="pick_none").click().run()
    assert not any(box.value for box in runs.checkbox)


def test_a_run_gets_a_name_and_is_deleted_for_good(runs: AppTest) -> None:
    runs.text_input(key="name one").set_value("*My* <b>first</b>").run()
    assert "**\\*My\\* \\<b\\>first\\<\\/b\\>**" in " ".join(element.value for element in runs.markdown)
    runs.button(key="delete one").click().run()
    assert "*My* <b>first</b> is deleted." in told(runs)
    store = engine.keeper().store
    assert store is not None
    assert {"two", "three"} <= {entry.id for entry in store.entries()}
    assert store.entry("one") is None


def test_what_others_look_at_is_not_deleted(runs: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    assert engine.find("two") is not None
    monkeypatch.setattr(FakeJob, "viewers", 1)
    runs.button(key="delete two").click().run()
    assert "is not deleted: somebody else is looking at it." in told(runs)
    store = engine.keeper().store
    assert store is not None
    assert store.entry("two") is not None


def test_many_runs_come_a_page_at_a_time(open_app: Open) -> None:
    for n in range(23):
        keep(f"kept-{n}", blocks(), training__seed=n)
    app = open_app()
    engine.keeper().flush()
    app.switch_page("pages/runs.py").run()
    first = len(app.checkbox)
    app.number_input(key="runs_page").set_value(2).run()
    assert not app.exception
    assert (first, len(app.checkbox)) == (20, 4)  # and the front page's example
