"""Reports, pictures and logs of a run: read by a parser, by TensorBoard's own reader, and nothing fetched."""

from __future__ import annotations

import html.parser
import io
import json
import re
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from segdebug import Experiment, Run
from segdebug.compare import differences
from segdebug.errors import StoreError
from segdebug.losses_figure import losses_curve, overlaid
from segdebug.pictures import maps_zip
from segdebug.report import report_html, write_report
from segdebug.scene import Scene
from segdebug.tensorboard import tensorboard_zip
from segdebug.trace import SCALARS
from tests.scenes import blocks, discs
from tests.store.made_up import whole_run

EVIL = "</script><script>alert(1)</script><b onload=x>"
SMALL = Experiment().changed({"training.size": 16, "training.steps": 5})


class _Reader(html.parser.HTMLParser):
    """Tags with their attributes, and the text outside of scripts and styles."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.scripts: list[str] = []
        self._inside = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._inside = tag
        if tag == "script":
            self.scripts.append("")

    def handle_endtag(self, tag: str) -> None:  # noqa: ARG002
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside == "script":
            self.scripts[-1] += data
        elif self._inside != "style":
            self.text += data


@pytest.fixture(params=["classes", "planes"])
def scene(request: pytest.FixtureRequest) -> Scene:
    made = blocks(4, void=True) if request.param == "classes" else discs()
    return made.with_classes({0: EVIL})


@pytest.fixture
def run(scene: Scene) -> Run:
    return whole_run(scene, SMALL)


def test_a_report_has_verdict_findings_curves_maps_configuration_and_code(run: Run, scene: Scene) -> None:
    read = _Reader(report_html([run], scene))
    assert run.diagnosis is not None
    finding = run.diagnosis.findings[0]
    for words in ("broken", run.diagnosis.sentence, finding.title, finding.explanation, "ß ⟂ <i>", "training.size"):
        assert words in read.text
    assert "keras.utils.set_random_seed(0)" in read.text
    assert "tensorflow 2" in read.text
    figures = json.loads(next(script for script in read.scripts if script.startswith("{")))
    assert len(figures) == 2
    maps = [json.loads(attributes["data-map"] or "") for tag, attributes in read.tags if "data-map" in attributes]
    assert [len(shown["frames"]) for shown in maps] == [1, 1, 3, 3, 3, 3]
    assert all(shown["shown"] == [0, 1, 2] for shown in maps[2:])


def test_a_report_is_one_file_in_which_text_stays_text(run: Run, scene: Scene) -> None:
    text = report_html([run, run], scene)
    read = _Reader(text)
    assert EVIL in read.text
    assert not [tag for tag, attributes in read.tags if "onload" in attributes]
    assert [tag for tag, _ in read.tags].count("script") == 3
    assert text.count("* plotly.js v") == 1
    for tag, attributes in read.tags:
        assert tag not in ("link", "iframe", "object")
        assert (attributes.get("src") or "data:").startswith("data:")
    policy = next(a["content"] for tag, a in read.tags if a.get("http-equiv") == "Content-Security-Policy")
    assert policy is not None
    assert policy.startswith("default-src 'none'")


def test_a_comparison_shows_what_differs_on_one_slider_and_one_scale(scene: Scene) -> None:
    experiments = [SMALL, SMALL.changed({"loss.from_logits": True}), SMALL.changed({"training.seed": 3})]
    runs = [whole_run(scene, experiment) for experiment in experiments]
    assert differences(experiments) == {"loss.from_logits": [False, True, False], "training.seed": [0, 0, 3]}
    read = _Reader(report_html(runs, scene))
    assert sum(attributes.get("type") == "range" for _, attributes in read.tags) == 1
    assert "loss.from_logits" in read.text
    figures = json.loads(next(script for script in read.scripts if script.startswith("{")))
    assert [line["name"] for line in figures["losses"]["figure"]["data"]] == ["A", "B", "C"]


def test_losses_side_by_side_are_told_apart_and_each_axis_says_what_it_shows() -> None:
    falls, blows_up = 0.5 ** np.arange(10), np.array([4.0, 8.0, np.inf])
    losses, floors = {"A": falls, "B": falls, "C": blows_up}, {"A": 0.001, "B": None, "C": -1.0}
    for axis, unit, title in (
        ("linear", 1, "loss"),
        ("log", 1, "loss (log)"),
        ("relative", 4, "loss ÷ loss at step 0"),
    ):
        figure = losses_curve(overlaid(losses, floors, axis), steps=10)
        assert figure.layout.yaxis.title.text == title
        for line, loss in zip(figure.data, losses.values(), strict=True):
            np.testing.assert_allclose(line.customdata[:2], loss[:2])
        np.testing.assert_allclose(figure.data[2].y, [4 / unit, 8 / unit, np.nan])
        assert figure.data[0].line.width > figure.data[1].line.width  # B lies on A, which is seen around it
        assert len({line.line.color for line in figure.data}) == len({line.line.dash for line in figure.data}) == 3
        told = {words.text.partition("<b>")[2]: words for words in figure.layout.annotations}
        assert set(told) == {"A 0.00195</b>", "B 0.00195</b>", "C 8.00</b>"}
        assert told["C 8.00</b>"].x == 1
        heights = sorted(words.y for words in told.values())
        low, high = figure.layout.yaxis.range
        assert min(np.diff(heights)) > 0.05 * (high - low)
        assert [line.y0 for line in figure.layout.shapes] == {"linear": [0.001, -1.0], "log": [0.001]}.get(
            axis, [0.001, -0.25]
        )
    flat = overlaid({"A": np.zeros(3)}, {}, "log")
    assert (flat.log, flat.title) == (False, "loss")
    assert "No logarithm" in flat.told
    assert losses_curve(overlaid({"A": np.zeros(0)}, {"A": 1.0}, "relative"), steps=10).layout.xaxis.range == (0, 10)


def test_a_report_is_written_whole_or_refused_in_one_line(run: Run, tmp_path: Path) -> None:
    run.report(tmp_path / "run.html")
    assert "broken" in (tmp_path / "run.html").read_text()
    with pytest.raises(StoreError, match="cannot be written"):
        write_report(tmp_path / "nowhere" / "run.html", [run])
    assert [path.name for path in tmp_path.iterdir()] == ["run.html"]


def test_tensorboard_reads_every_finite_scalar_and_every_map(run: Run, scene: Scene, tmp_path: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(tensorboard_zip(run, scene))) as archive:
        archive.extractall(tmp_path)
    (folder,) = tmp_path.iterdir()
    assert folder.name.startswith("image-softmax")
    events = EventAccumulator(str(folder), size_guidance={"images": 0, "scalars": 0})
    events.Reload()
    for name in SCALARS:
        values = run.trace.scalar(name)
        finite = np.flatnonzero(np.isfinite(values))
        read = events.Scalars(name) if name in events.Tags()["scalars"] else []
        assert [event.step for event in read] == finite.tolist()
        np.testing.assert_array_equal(np.float32([event.value for event in read]), values[finite])
    iou = {name for name in events.Tags()["scalars"] if name.startswith("iou/")}
    assert len(iou) == 1 + scene.n_classes
    assert set(events.Tags()["images"]) == {"picture", "truth", "prediction", "pixel_loss", "gradient", "dead"}
    images = events.Images("gradient")
    assert [image.step for image in images] == [0, 1, 4]
    with Image.open(io.BytesIO(images[0].encoded_image_string)) as picture:
        assert picture.size == (16, 16)


def test_maps_come_as_pictures_of_one_cell_a_pixel(run: Run, scene: Scene) -> None:
    with zipfile.ZipFile(io.BytesIO(maps_zip(run, scene))) as archive:
        names = archive.namelist()
        assert {re.sub(r"\d+", "N", name) for name in names} == {
            "picture.png", "truth.png", "prediction-stepN.png", "pixel_loss-stepN.png", "gradient-stepN.png",
            "dead-stepN.png",
        }  # fmt: skip
        dead = np.asarray(Image.open(io.BytesIO(archive.read("dead-step0004.png"))))
    assert dead.shape == (16, 16, 3)
    np.testing.assert_array_equal(dead[..., 0] > 128, run.trace.snapshots[-1].dead)
