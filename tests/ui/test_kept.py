"""What outlives the server: runs found again by their link, by what was asked, and their scenes with them."""

from __future__ import annotations

from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from segdebug.errors import WorkerDied
from segdebug.scene import Scene
from segdebug.ui import engine, kept
from tests.scenes import blocks
from tests.ui.conftest import Open
from tests.ui.fakes import FakeEngine, made_up_run


def told(app: AppTest) -> str:
    elements = (*app.markdown, *app.caption, *app.info, *app.error, *app.warning)
    return " ".join(element.value for element in elements).replace("\\", "")


def run_of(app: AppTest) -> str:
    value = app.query_params["run"]
    return value if isinstance(value, str) else value[0]


def restart() -> None:
    """Everything that the server held in memory is gone, and nothing can be trained any more."""
    engine.keeper().flush()
    st.cache_resource.clear()
    FakeEngine.refuse = WorkerDied("Nothing trains here.")


def keep(scene: Scene, id: str = "kept-run") -> None:
    run = made_up_run(scene, engine.Experiment().changed({"training.size": 16, "training.steps": 5}))
    store = kept.Store(kept.store_folder())
    store.put(run, scene, id=id, key=f"of {id}")
    store.close()


def test_a_link_reopens_its_run_after_a_restart_and_it_is_not_trained_again(open_app: Open) -> None:
    app = open_app(sample="cell", size="16", steps="9")
    app.button(key="overfit").click().run()
    run = run_of(app)
    restart()
    again = open_app(sample="cell", size="16", steps="9", run=run)
    assert "The run of this configuration" in told(again)
    assert "5 steps in 0.500 s: loss 2.00 → 0.125" in told(again)
    restart()
    asked = open_app(sample="cell", size="16", steps="9")
    asked.button(key="overfit").click().run()
    assert run_of(asked) == run
    assert not asked.error


def test_other_versions_are_another_run(open_app: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    open_app(sample="cell", size="16").button(key="overfit").click().run()
    restart()
    monkeypatch.setattr(engine, "computed_by", lambda: "another Keras")
    app = open_app(sample="cell", size="16")
    app.button(key="overfit").click().run()
    assert "Nothing trains here." in told(app)


def test_an_uploaded_scene_opens_with_its_run_where_the_files_are_gone(open_app: Open) -> None:
    keep(blocks())
    for query in ({"source": "your files"}, {"source": "your files", "upload": "gone"}):
        app = open_app(**query, run="kept-run", size="16", steps="5")
        assert "image: kept with the run." in told(app)
        assert list(app.dataframe[0].value["class"]) == ["band 0", "band 1", "band 2", "band 3"]
        assert "The run of this configuration" in told(app)
        assert "no longer held" not in told(app)


def test_a_link_with_nothing_but_a_run_opens_its_picture_and_its_configuration(open_app: Open) -> None:
    keep(blocks())
    app = open_app(run="kept-run")
    assert "The run of this configuration" in told(app)
    assert app.number_input(key="size").value == 16
    assert app.dataframe[0].value["class"].iloc[0] == "band 0"


def test_a_run_that_cannot_be_read_says_why(open_app: Open) -> None:
    keep(blocks())
    words = kept.store_folder() / "runs" / "kept-run" / "run.json"
    words.write_text(words.read_text().replace('"format": 1', '"format": 9'))
    app = open_app(run="kept-run")
    assert "written by a newer segdebug" in told(app)
    assert "An example, until you press Overfit" in told(app)


def test_without_a_place_for_runs_the_app_goes_on(
    open_app: Open, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("SEGDEBUG_STORE", str(tmp_path / "file" / "runs"))
    app = open_app(sample="cell", size="16")
    app.button(key="overfit").click().run()
    assert "The run of this configuration" in told(app)
    assert "cannot be kept here" in engine.keeper().trouble
