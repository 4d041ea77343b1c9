"""The Compare and Pixel pages without a browser: what they show, what the address keeps, and bad addresses."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from segdebug import Experiment, load_sample
from segdebug.comparisons import COMPARISONS, MOST, common, configurations, differing
from segdebug.errors import ExperimentError
from segdebug.experiment import OPTIONS
from segdebug.scene import sample_info, sample_names
from segdebug.ui import engine
from tests.ui.conftest import ROOT, Open

SCENES = {name: load_sample(name) for name in sample_names()}


def _told(elements: Any) -> str:
    return " ".join(element.value for element in elements).replace("\\", "")


def _html(app: Any) -> str:
    return " ".join(element.proto.body for element in app.get("html"))


def _page(open_app: Open, page: str, **query: str) -> Any:
    app = open_app()
    app.query_params.clear()
    for name, value in query.items():
        app.query_params[name] = value
    app.switch_page(f"pages/{page}.py").run()
    assert not app.exception, app.exception
    return app


@pytest.mark.parametrize("sample", sample_names())
@pytest.mark.parametrize("name", [name for name in COMPARISONS if name != "fix"])
def test_every_comparison_has_valid_configurations_that_differ(name: str, sample: str) -> None:
    scene, base = SCENES[sample], Experiment().changed(sample_info(sample).experiment)
    unfit = "overlap" if COMPARISONS[name].exclusive and scene.overlapping else ""
    if COMPARISONS[name].black_white and sample != "overlap":  # the only one whose files are of 0 and 255
        unfit = "0 and 255"
    if unfit:
        with pytest.raises(ExperimentError, match=unfit):
            configurations(name, base, scene)
        return
    found = configurations(name, base, scene)
    assert 2 <= len(found) <= MOST
    assert len(set(found)) == len(found)
    assert len({one.training.seed for one in found}) == 1
    assert set(differing(found)) | set(common(found)) <= set(OPTIONS)
    assert not set(differing(found)) & set(common(found))


def test_what_may_be_compared_is_made_ready_before_it_is_asked_for(open_app: Open) -> None:
    app = _page(open_app, "compare", sample="cell")
    prepared, ahead = engine.engine().prepared, engine.engine().ahead
    assert len(prepared) >= ahead
    assert len(set(prepared[-ahead:])) == ahead
    app.button(key="compare").click().run()
    before = len(prepared)
    app.run()
    assert len(prepared) == before, "they are there"


def test_the_first_screen_shows_an_example(open_app: Open) -> None:
    app = _page(open_app, "compare")
    shown = _html(app)
    assert shown.count("<tr>") == 5
    assert "sound" in shown
    assert "the initial weights" in _told(app.caption)
    assert "runs" not in app.query_params


def test_runs_are_in_the_address_and_open_again(open_app: Open) -> None:
    app = _page(open_app, "compare", sample="coins", comparison="execution")
    app.button(key="compare").click().run()
    assert not app.exception
    ids = app.query_params["runs"][0] if isinstance(app.query_params["runs"], list) else app.query_params["runs"]
    assert len(ids.split(",")) == 3
    assert all(word in _html(app) for word in ("graph", "eager", "xla"))
    saved = json.loads(app.get("plotly_chart")[0].proto.config)["toImageButtonOptions"]
    assert (saved["format"], saved["filename"]) == ("png", "coins-graph-eager-xla-loss")
    assert "Report (HTML)" in [button.proto.label for button in app.get("download_button")]
    app.selectbox(key="compare execution").select("input_range").run()
    assert "runs" not in app.query_params
    assert "0..255" in _html(app)


def test_a_configuration_can_be_changed_and_the_address_has_it(open_app: Open) -> None:
    two = [{"loss": "dice", "size": "16"}, {"size": "16"}]
    app = _page(open_app, "compare", sample="cell", **{"with": json.dumps(two)})
    assert "dice" in _html(app)
    assert not app.error


@pytest.mark.parametrize("text", ["nonsense", "[1]", "[]", "[" * 20000, '[{"loss":"none such"},{}]', '{"a":1}'])
def test_bad_configurations_are_one_line(open_app: Open, text: str) -> None:
    app = _page(open_app, "compare", sample="cell", **{"with": text})
    assert len(app.error) == 1


def test_runs_that_are_gone_are_said_to_be(open_app: Open) -> None:
    app = _page(open_app, "compare", sample="cell", runs="one,two", step="-7", map="none")
    assert "no longer kept" in _told(app.info)


def test_a_pixel_is_shown_stage_by_stage(open_app: Open) -> None:
    app = open_app(sample="coffee", size="16")
    app.button(key="overfit").click().run()
    app.switch_page("pages/pixel.py").run()
    assert not app.exception, app.exception
    told = _told(app.markdown)
    for words in (
        "bytes in the mask",
        "label as fed",
        "logits",
        "logarithm",
        "share of the printed number",
        "gradient",
    ):
        assert words in told
    assert "Its loss is **1.00**; it adds **0.00391** to the printed **1**" in told
    assert "All 256 shares add up to 1; fit prints 1." in _told(app.caption)
    numbers = {field.label: field for field in app.number_input}
    numbers["Row"].set_value(3).run()
    assert app.query_params["row"] in ("3", ["3"])
    assert "Row 3, column" in _told(app.markdown)


@pytest.mark.parametrize("address", [{"run": "nobody"}, {"run": "nobody", "row": "x", "col": "9" * 5000, "step": "-1"}])
def test_a_pixel_of_a_run_that_is_gone_falls_back(open_app: Open, address: dict[str, str]) -> None:
    app = _page(open_app, "pixel", **address)
    assert "no longer kept" in _told(app.info)
    assert "Its way, stage by stage" in _told(app.subheader)


def test_the_pages_import_no_tensorflow() -> None:
    script = """
import sys
from streamlit.testing.v1 import AppTest
from segdebug.ui import engine
from tests.ui.fakes import FakeEngine
viewer = engine.Viewer()
engine.Engine, engine._viewer = FakeEngine, lambda: viewer
app = AppTest.from_file("app.py", default_timeout=60)
app.run()
for page in ("compare", "pixel"):
    app.switch_page(f"pages/{page}.py").run()
    assert not app.exception, app.exception
print(sorted({"tensorflow", "keras"} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["[]"]
