"""The Masks page without a browser: what it shows, what it keeps, and that it imports no TensorFlow."""

from __future__ import annotations

import io
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from PIL import Image

from segdebug import Experiment, Scene, read_scene
from segdebug.errors import SceneError
from segdebug.forensics import Delivery, Examination, Fed
from segdebug.questions import Readers
from segdebug.rules import LabelFacts
from segdebug.scene import load_sample, sample_names
from segdebug.scene.repaired import REPAIRED_VOID, reading_code, repaired_name, repaired_png
from segdebug.ui.mask_files import values_figure
from tests.scenes import blocks, discs, striped
from tests.ui.conftest import ROOT, Open
from tests.ui.fakes import FakeEngine, sound

SIZE = 32


def made_up(scene: Scene, question: Experiment | Readers) -> Any:
    """One reader that keeps the codes, one that loses classes, one that refuses; two sets of labels."""
    if not isinstance(question, Readers):
        return sound(scene, question)
    size = question.experiment.training.size
    name = scene.mask_files[0].name
    wrong = np.zeros((size, size), bool)
    wrong[0, :3] = True
    right = LabelFacts(shape=(size, size, 2), dtype="float32", kind="rows", row_sums={1.0: 1.0}, wrong=0.0)
    bad = LabelFacts(shape=(size, size, 2), dtype="float32", kind="rows", row_sums={0.0: 1.0}, wrong=3 / size**2)
    return Examination(
        (
            Delivery(name, "pillow", "uint8", (200, 300), ((0, 7), (1, 2)), 2, "codes", 0.0),
            Delivery(name, "pillow_l", "uint8", (200, 300), ((38, 9),), 1, "lost", 0.25, ((0, 1),)),
            Delivery(name, "tensorflow", error="mask.png: reader tensorflow cannot *read* it."),
        ),
        (
            Fed("scene", right, np.zeros((size, size), np.int64), np.zeros_like(wrong), exact=True),
            Fed("pillow_l", bad, np.full((size, size), 255), wrong),
            Fed("tensorflow", LabelFacts(error="tensorflow cannot read it")),
        ),
    )


@pytest.fixture
def masks(open_app: Open, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(FakeEngine, "diagnose", staticmethod(made_up))

    def masks(**query: str) -> Any:
        app = open_app(**query)
        app.switch_page("pages/masks.py").run()
        assert not app.exception, app.exception
        return app

    return masks


def _cells(table: Any) -> str:
    return " ".join(str(cell) for row in table.value.itertuples(index=False) for cell in row).replace("\\", "")


@pytest.mark.parametrize("sample", sample_names())
def test_every_sample_is_shown_with_its_own_masks(masks: Any, sample: str) -> None:
    app = masks(sample=sample, size="16")
    assert app.selectbox(key="sample").value == sample
    files = next(frame.value for frame in app.dataframe if "read as" in frame.value)
    assert len(files) == len(load_sample(sample).report)
    assert not app.error


def test_readers_are_marked_with_sign_and_word(masks: Any) -> None:
    app = masks(sample="coffee", size="16")
    delivered, labels = (_cells(table) for table in app.table)
    assert ":green[✓] as stored" in delivered
    assert ":red[✕] classes lost, 25.0% of the labelled pixels (table = saucer)" in delivered
    assert ":red[✕] not read" in delivered
    assert "cannot *read* it" in delivered
    assert ":green[✓] right" in labels
    assert "**scene** (yours)" in labels
    assert ":red[✕] wrong" in labels
    assert ":red[✕] cannot be made" in labels


def test_the_labels_of_any_reader_can_be_looked_at(masks: Any) -> None:
    app = masks(sample="coffee", size="16")
    app.selectbox(key="looked_at").select("pillow_l").run()
    told = " ".join(caption.value for caption in app.caption)
    assert "3 of 256 labelled pixels say another class than the mask, marked in orange" in told
    app.selectbox(key="looked_at").select("tensorflow").run()
    assert [note.value for note in app.info] == ["tensorflow cannot read it"]


def test_the_target_is_chosen_here_and_kept(masks: Any) -> None:
    app = masks(sample="cell", size="16")
    app.selectbox(key="reader").select("opencv_gray").run()
    assert app.session_state["current_experiment"].target.reader == "opencv_gray"
    assert app.session_state["current_experiment"].training.size == 16
    assert "**pillow" in _cells(app.table[0])


def test_other_samples_can_be_chosen_after_arriving_with_one(masks: Any) -> None:
    app = masks(sample="cell", size="16")
    app.selectbox(key="sample").select(sample_names()[0]).run()
    assert app.selectbox(key="sample").value == sample_names()[0]


@pytest.mark.parametrize("name", [name for name in sample_names() if not load_sample(name).overlapping])
def test_a_repaired_mask_reads_as_the_scene(name: str) -> None:
    scene = load_sample(name)
    data = repaired_png(scene)
    image = Image.open(io.BytesIO(data))
    assert image.mode == "P"
    expected = np.where(scene.valid, scene.labels, REPAIRED_VOID)
    np.testing.assert_array_equal(np.array(image), expected)
    colours = np.array(image.convert("RGB"))[scene.labels == 1]
    assert {tuple(colour) for colour in colours.tolist()} == {tuple(bytes.fromhex(scene.classes[1].colour[1:]))}
    names = [c.name for c in scene.classes]
    picture = np.zeros((scene.height, scene.width, 3), np.uint8)
    again = read_scene(picture, [("mask.png", data)], classes=names, encoding="palette", ignore=REPAIRED_VOID)
    np.testing.assert_array_equal(again.labels, scene.labels)


def test_overlapping_classes_have_no_index_mask() -> None:
    with pytest.raises(SceneError, match="overlap"):
        repaired_png(discs())


def test_the_code_reads_the_repaired_mask(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    scene = blocks(void=True)
    (tmp_path / repaired_name(scene)).write_bytes(repaired_png(scene))
    monkeypatch.chdir(tmp_path)
    found: dict[str, Any] = {}
    exec(reading_code(scene), found)
    y, weight = found["y"].numpy(), found["weight"]
    np.testing.assert_array_equal(y, np.eye(4)[np.maximum(scene.labels, 0)] * (scene.labels >= 0)[..., None])
    np.testing.assert_array_equal(weight, scene.labels >= 0)


def test_the_histogram_counts_and_is_logarithmic_where_needed() -> None:
    scene = striped()
    figure = values_figure(scene.report[0], {255: "#e69f00"})
    bars = figure.data[0]
    assert dict(zip(bars.x, bars.y, strict=True)) == {"0": SIZE * SIZE * 3 // 4, "255": SIZE * SIZE // 4}
    assert figure.layout.yaxis.type == "linear"
    assert bars.marker.color[1] == "#e69f00"
    rare = np.zeros((SIZE, SIZE), np.uint8)
    rare[0, 0] = 255
    scene = read_scene(np.full((SIZE, SIZE, 3), 9, np.uint8), rare)
    assert values_figure(scene.report[0], {}).layout.yaxis.type == "log"


def test_the_page_imports_no_tensorflow() -> None:
    script = """
import sys
from streamlit.testing.v1 import AppTest
from segdebug.ui import engine
from tests.ui.fakes import FakeEngine
viewer = engine.Viewer()
engine.Engine, engine._viewer = FakeEngine, lambda: viewer
app = AppTest.from_file("app.py", default_timeout=60)
app.run()
app.switch_page("pages/masks.py").run()
assert not app.exception, app.exception
print(sorted({"tensorflow", "keras"} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["[]"]
