"""What the pages show, as far as it needs no browser."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from segdebug.errors import KerasRefusal, WorkerDied
from segdebug.scene import load_sample
from tests.ui.conftest import ROOT, Open
from tests.ui.fakes import FakeEngine


def _told(elements: object) -> str:
    return " ".join(element.value for element in elements).replace("\\", "")  # type: ignore[attr-defined]


def test_the_first_screen_shows_an_example(open_app: Open) -> None:
    app = open_app()
    assert "An example, until you press Overfit: coffee" in _told(app.caption)
    assert "5 steps in 0.500 s: loss 2.00 → 0.125, mean IoU 1.00" in _told(app.markdown)
    assert not app.get("cancel"), "it is not this visitor's to end"


def test_a_run_is_in_the_address_and_opens_again(open_app: Open) -> None:
    app = open_app(sample="cell")
    app.button(key="overfit").click().run()
    assert not app.exception
    assert "The run of this configuration" in _told(app.caption)
    assert "run" in app.query_params
    app.number_input(key="steps").set_value(77).run()
    assert "Changed since: training.steps 200 → 77" in _told(app.caption)
    app.selectbox(key="sample").select("coins").run()
    assert "run" not in app.query_params
    app.selectbox(key="sample").select("cell").run()
    assert "The last run of this picture" in _told(app.caption)


def test_the_step_stays_in_the_address_until_the_next_run(open_app: Open) -> None:
    app = open_app(sample="cell", study="|dL/dz|")
    app.button(key="overfit").click().run()
    assert "Study step 4" in [control.label for control in app.segmented_control]
    app.query_params["step"] = "0"
    app.number_input(key="steps").set_value(77).run()
    assert "Study step 0" in [control.label for control in app.segmented_control]
    app.button(key="overfit").click().run()
    assert "step" not in app.query_params
    assert "Study step 4" in [control.label for control in app.segmented_control]


@pytest.mark.parametrize("sample", ["mosaic", "overlap", "retina"])
@pytest.mark.parametrize("study", ["pixel loss", "|dL/dz|", "IoU of each class"])
def test_every_kind_of_scene_can_be_studied(open_app: Open, sample: str, study: str) -> None:
    app = open_app(sample=sample, size="16")
    app.button(key="overfit").click().run()
    app.segmented_control(key="study").set_value(study).run()
    assert not app.exception


def test_a_refusal_is_one_line_with_the_example_below(open_app: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    app = open_app(sample="cell")
    monkeypatch.setattr(FakeEngine, "refuse", KerasRefusal("loss.name: no *good*.", "loss.name", "Keras's own words"))
    app.button(key="overfit").click().run()
    assert [error.value for error in app.error] == ["loss\\.name\\: no \\*good\\*\\."]
    assert [code.value for code in app.code] == ["Keras's own words"]
    assert "An example" in _told(app.caption)
    monkeypatch.setattr(FakeEngine, "refuse", WorkerDied("The process was killed."))
    app.number_input(key="steps").set_value(9).run()
    app.button(key="overfit").click().run()
    assert [error.value for error in app.error] == ["The process was killed\\."]


def test_a_run_that_is_gone_is_said_to_be(open_app: Open) -> None:
    app = open_app(run="nothing", sample="cell")
    assert "no longer kept" in _told(app.info)


def test_names_and_colours_come_from_the_address(open_app: Open) -> None:
    digest = load_sample("coffee").digest[:8]
    edits = [digest, {"2": "mug *", "9": "none such"}, {"2": "#ABCDEF", "3": "red"}]
    app = open_app(sample="coffee", classes=json.dumps(edits))
    rows = app.dataframe[0].value
    assert list(rows["class"]) == ["table", "saucer", "mug *", "coffee", "spoon"]
    assert "%23abcdef" in rows["swatch"][2]
    app.button(key="overfit").click().run()
    assert not app.exception


@pytest.mark.parametrize("classes", ["{bad", "[]", "[1, 2, 3]", '["x", {}, {}]', "null", '[null, {"a": 1}, 7]'])
def test_malformed_edits_are_left_alone(open_app: Open, classes: str) -> None:
    app = open_app(sample="coffee", classes=classes)
    assert app.dataframe[0].value["class"].iloc[0] == "table"


def test_words_can_be_searched(open_app: Open) -> None:
    app = open_app()
    app.switch_page("pages/words.py").run()
    assert not app.exception
    assert len(app.table) == 3
    app.text_input(key="find").set_value("thread_003").run()
    assert len(app.table) == 1
    app.text_input(key="find").set_value("no such word").run()
    assert "No field" in _told(app.info)


def test_no_page_imports_tensorflow() -> None:
    script = """
import sys
from streamlit.testing.v1 import AppTest
from segdebug.ui import engine
from tests.ui.fakes import FakeEngine
viewer = engine.Viewer()
engine.Engine, engine._viewer = FakeEngine, lambda: viewer
app = AppTest.from_file("app.py", default_timeout=60)
app.query_params["size"] = "16"
app.run()
app.button(key="overfit").click().run()
app.switch_page("pages/runs.py").run()
import segdebug.jobs
from segdebug.codebook import script_zip
from segdebug.report import report_html
from segdebug.tensorboard import tensorboard_zip
for job in engine.engine().jobs.values():
    for make in (script_zip, tensorboard_zip, lambda run, scene: report_html([run], scene)):
        make(job.result, job.scene)
assert not app.exception, app.exception
print(sorted({"tensorflow", "keras"} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["[]"]
