"""A run as a folder: what is read is what was written, and what cannot be read says why."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import segdebug
from segdebug import Experiment, Run
from segdebug.errors import StoreError
from segdebug.scene import Scene
from tests.scenes import blocks, discs
from tests.store.made_up import same, whole_run

SMALL = Experiment().changed({"training.size": 16, "training.steps": 5, "loss.class_weights": [1, 2, 0.1, 1e-7]})


@pytest.mark.parametrize("scene", [blocks(4, void=True), discs()], ids=["classes", "planes"])
@pytest.mark.parametrize("pixel_loss", [True, False])
def test_a_run_is_read_as_it_was_written(tmp_path: Path, scene: Scene, pixel_loss: bool) -> None:
    run = whole_run(scene, SMALL, pixel_loss=pixel_loss)
    run.save(tmp_path / "run")
    again = Run.load(tmp_path / "run")
    assert same(again, run)
    assert same(again.to_json(), run.to_json())


def test_the_smallest_run_is_read_as_it_was_written(tmp_path: Path) -> None:
    run = whole_run(blocks(), SMALL)
    run.trace, run.diagnosis = segdebug.Trace(), None
    run.save(tmp_path / "run")
    assert same(Run.load(tmp_path / "run"), run)


def test_a_trained_run_is_read_as_it_was_written(tmp_path: Path) -> None:
    tiny = {"model.depth": 0, "model.filters": 4, "training.size": 16, "training.steps": 4}
    run = segdebug.overfit(blocks(), Experiment.preset("softmax_cce_logits").changed(tiny))
    assert run.diagnosis is not None
    run.save(tmp_path / "run")
    again = Run.load(tmp_path / "run")
    assert same(again.trace, run.trace)
    assert again.diagnosis is not None
    assert same(again.diagnosis.to_json(), run.diagnosis.to_json())
    assert same(again.diagnosis.semantics, run.diagnosis.semantics)


def test_the_folder_is_of_open_formats(tmp_path: Path) -> None:
    run = whole_run(blocks(), SMALL)
    run.save(tmp_path / "run")
    names = {path.name for path in (tmp_path / "run").iterdir()}
    words = json.loads((tmp_path / "run" / "run.json").read_text(), parse_constant=pytest.fail)
    assert names - {"run.json"} == {
        f"{name}.npy"
        for name in ("scalars", "counts", "threshold_counts", "prediction", "gradient", "dead", "pixel_loss")
    }
    assert words["experiment"]["training"]["size"] == 16
    losses = np.load(tmp_path / "run" / "scalars.npy", allow_pickle=False)[:, 0]
    np.testing.assert_array_equal(losses, run.trace.loss)


def test_a_run_replaces_a_run_and_nothing_else(tmp_path: Path) -> None:
    place = tmp_path / "run"
    place.mkdir()
    run = whole_run(blocks(), SMALL)
    run.save(place)
    run.seconds = 9.0
    run.save(place)
    assert Run.load(place).seconds == 9.0
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(StoreError, match="something else"):
        run.save(tmp_path)
    with pytest.raises(StoreError, match="something else"):
        run.save(tmp_path / "mine.txt")
    with pytest.raises(StoreError, match="cannot be written"):
        run.save(tmp_path / "mine.txt" / "run")
    assert {path.name for path in tmp_path.iterdir()} == {"run", "mine.txt"}


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda folder: (folder / "run.json").unlink(), "no run here"),
        (lambda folder: (folder / "run.json").write_text("{"), "cannot be read"),
        (lambda folder: (folder / "run.json").write_text("[1]"), "format"),
        (lambda folder: _edit(folder, format=99), "newer segdebug"),
        (lambda folder: _edit(folder, experiment={"$type": "Experiment", "head": {"activation": "gelu"}}), "gelu"),
        (lambda folder: _edit(folder, diagnosis={"$type": "Path"}), "Path"),
        (lambda folder: _edit(folder, trace={}), "outcome"),
        (lambda folder: (folder / "gradient.npy").unlink(), "gradient.npy is missing"),
        (lambda folder: (folder / "scalars.npy").write_bytes(b""), "cannot be read"),
        (lambda folder: np.save(folder / "scalars.npy", np.zeros((3, 9), np.float32)), "5 steps"),
        (lambda folder: np.save(folder / "dead.npy", np.array([{}], object), allow_pickle=True), "cannot be read"),
    ],
)
def test_what_cannot_be_read_says_why_in_one_line(tmp_path: Path, damage: object, words: str) -> None:
    whole_run(blocks(), SMALL).save(tmp_path / "run")
    damage(tmp_path / "run")  # type: ignore[operator]
    with pytest.raises(StoreError) as refused:
        Run.load(tmp_path / "run")
    assert words in str(refused.value)
    assert len(str(refused.value).splitlines()) == 1


def _edit(folder: Path, **changes: object) -> None:
    words = json.loads((folder / "run.json").read_text())
    (folder / "run.json").write_text(json.dumps({**words, **changes}))
