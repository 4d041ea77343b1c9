"""The command line, as a person calls it: what it prints where, and with which status it ends."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from segdebug import Experiment, Run
from segdebug.rules import catalogue
from tests.scenes import blocks_mask

ROOT = Path(__file__).parents[1]


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    mask = blocks_mask(3, 48)
    Image.fromarray(mask).save(tmp_path / "mask.png")
    Image.fromarray(np.stack([mask * 100] * 3, axis=-1)).save(tmp_path / "photo.png")
    return tmp_path / "photo.png", tmp_path / "mask.png"


def segdebug(*arguments: Any) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "segdebug", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_read_prints_the_scene_as_json(files: tuple[Path, Path]) -> None:
    done = segdebug("read", *files, "--classes", "sky, road, tree", "--json")
    assert done.returncode == 0, done.stderr
    read = json.loads(done.stdout)
    assert {key: read[key] for key in ("width", "height", "n_classes", "ignored_pixels", "overlapping")} == {
        "width": 48,
        "height": 48,
        "n_classes": 3,
        "ignored_pixels": 0,
        "overlapping": False,
    }
    counts = np.bincount(blocks_mask(3, 48).ravel())
    names = zip(["sky", "road", "tree"], counts, strict=True)
    assert [(c["name"], c["pixels"]) for c in read["classes"]] == [(n, int(c)) for n, c in names]
    assert read["encoding"] == "index"
    assert 0 < read["confidence"] <= 1


def test_overfit_prints_one_json_object(files: tuple[Path, Path], tmp_path: Path) -> None:
    config = tmp_path / "config.json"
    tiny = {"model.filters": 4, "model.depth": 1, "training.size": 32}
    config.write_text(Experiment.preset("softmax_cce").changed(tiny).to_json())
    image, mask = files
    out, report = tmp_path / "run", tmp_path / "run.html"
    arguments = ["--image", image, "--mask", mask, "--config", config, "--steps", 12, "--out", out, "--report", report]
    done = segdebug("overfit", *arguments, "--json")
    assert done.returncode == 0, done.stderr
    run = json.loads(done.stdout)
    assert Run.load(out).to_json() == {key: run[key] for key in Run.load(out).to_json()}
    assert "keras.utils.set_random_seed" in report.read_text()
    assert run["steps"] == 12
    assert len(run["loss"]) == 12
    assert all(np.isfinite(run["loss"]))
    assert set(run["iou"]) == {"background", "class 1", "class 2"}
    assert len(run["mean_iou"]) == 12
    assert {"keras", "tensorflow", "numpy", "python", "segdebug"} <= set(run["versions"])
    assert run["seconds"] > 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["read", "nowhere.png", "nowhere.png"], "nowhere.png"),
        (["read", "README.md", "README.md"], "README.md"),
        (["overfit", "--image", "IMAGE", "--mask", "MASK", "--preset", "softmax_cc"], "softmax_cce"),
        (["overfit", "--image", "IMAGE", "--mask", "MASK", "--config", "nowhere.json"], "nowhere.json"),
        (["overfit", "--image", "IMAGE", "--mask", "MASK", "--steps", "0"], "training.steps"),
        (["overfit", "--image", "IMAGE", "--mask", "MASK", "--config", "a", "--preset", "b"], "not both"),
        (["read", "IMAGE", "MASK", "--encoding", "wrong"], "wrong"),
        (["check", "--image", "IMAGE"], "--mask"),
        (["check", "--mask", "MASK"], "--image"),
        (["check", "--preset", "softmax_cc"], "softmax_cce"),
        (["overfit", "--image", "IMAGE", "--mask", "MASK", "--out", "tests"], "something else"),
        (["overfit", "--image", "IMAGE", "--mask", "MASK", "--report", "nowhere/run.html"], "nowhere/run.html"),
        (["compare", "--image", "IMAGE", "--mask", "MASK", "--preset", "softmax_cce"], "two configurations"),
        (["explain", "H0"], "H01"),
        (["explain", "wrong"], "no rule"),
    ],
)
def test_bad_input_is_one_clear_line_and_status_2(files: tuple[Path, Path], arguments: list[str], words: str) -> None:
    named = {"IMAGE": str(files[0]), "MASK": str(files[1])}
    done = segdebug(*(named.get(argument, argument) for argument in arguments))
    assert done.returncode == 2
    assert done.stdout == ""
    assert len(done.stderr.strip().splitlines()) == 1
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_what_keras_refuses_is_bad_input_too(files: tuple[Path, Path], tmp_path: Path) -> None:
    config = tmp_path / "config.json"
    config.write_text('{"target": {"encoding": "sparse"}, "model": {"depth": 1}, "training": {"size": 32}}')
    done = segdebug("overfit", "--image", files[0], "--mask", files[1], "--config", config, "--json")
    assert done.returncode == 2
    assert done.stdout == ""
    assert "Keras says" in done.stderr.strip().splitlines()[-1]


def test_a_sound_configuration_is_told_so_with_status_0(files: tuple[Path, Path]) -> None:
    done = segdebug("check", "--preset", "softmax_cce", "--image", files[0], "--mask", files[1], "--json")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert set(said) >= {"verdict", "computes", "findings", "fix"}
    assert (said["verdict"], said["computes"], said["fix"]) == ("sound", "intended", None)
    assert "error" not in {finding["severity"] for finding in said["findings"]}


def test_a_broken_configuration_has_status_1_and_its_fix_status_0(tmp_path: Path) -> None:
    done = segdebug("check", "--preset", "softmax_reshape_cce_logits", "--json")
    assert done.returncode == 1, done.stderr
    assert len(done.stdout.splitlines()) == 1
    said = json.loads(done.stdout)
    assert (said["verdict"], said["computes"]) == ("broken", "double_activation")
    worst = said["findings"][0]
    assert worst["severity"] == "error"
    assert worst["evidence"]
    assert worst["code"] in catalogue()
    config = tmp_path / "fix.json"
    config.write_text(json.dumps(said["fix"]))
    again = segdebug("check", "--config", config, "--json")
    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout)["verdict"] == "sound"


def test_a_check_can_be_read_by_a_person() -> None:
    done = segdebug("check", "--preset", "linear_cce")
    assert done.returncode == 1, done.stderr
    first, *rest = done.stdout.splitlines()
    assert first.startswith("broken: ")
    assert any(" error " in line for line in rest)
    assert any(line.startswith("fix: ") and " → " in line for line in rest)


def test_explain_prints_the_whole_rule_without_tensorflow() -> None:
    rule = catalogue()["H01"]
    script = """
import sys
from segdebug.cli import app
app(["explain", "h01"], standalone_mode=False)
assert not {"tensorflow", "keras"} & set(sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for text in (rule.title, rule.checks, rule.matters, rule.example, rule.instead, rule.silent, *rule.references):
        assert text in done.stdout


def test_overfit_says_what_a_check_says_and_ends_with_the_same_status(files: tuple[Path, Path], tmp_path: Path) -> None:
    config = tmp_path / "config.json"
    tiny = {"model.filters": 4, "model.depth": 1, "training.size": 32, "training.steps": 3}
    config.write_text(Experiment.preset("softmax_reshape_cce_logits").changed(tiny).to_json())
    done = segdebug("overfit", "--image", files[0], "--mask", files[1], "--config", config, "--json")
    assert done.returncode == 1, done.stderr
    run = json.loads(done.stdout)
    assert len(run["loss"]) == 3
    assert (run["verdict"], run["computes"]) == ("broken", "double_activation")
    assert run["findings"][0]["severity"] == "error"
    assert run["fix"] is not None


def test_compare_says_what_differs_and_what_became_of_each(files: tuple[Path, Path], tmp_path: Path) -> None:
    tiny = {"model.filters": 4, "model.depth": 0, "training.size": 32}
    configs = []
    for name in ("softmax_reshape_cce", "softmax_reshape_cce_logits"):
        configs += ["--config", tmp_path / f"{name}.json"]
        configs[-1].write_text(Experiment.preset(name).changed(tiny).to_json())
    report = tmp_path / "both.html"
    arguments = ["--image", files[0], "--mask", files[1], *configs, "--steps", 3, "--report", report]
    done = segdebug("compare", *arguments, "--json")
    assert done.returncode == 1, done.stderr
    said = json.loads(done.stdout)
    assert said["differences"] == {"loss.from_logits": [False, True]}
    assert [run["computes"] for run in said["runs"]] == ["intended_clipped", "double_activation"]
    assert [len(run["loss"]) for run in said["runs"]] == [3, 3]
    assert "Side by side" in report.read_text()
    told = segdebug("compare", *arguments)
    assert told.returncode == 1
    assert "loss.from_logits" in told.stdout
    assert "double activation" in told.stdout
