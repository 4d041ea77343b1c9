"""Scripts run where nothing of ours can be imported: their first losses are the run's."""

from __future__ import annotations

import ast
import io
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

import segdebug
from segdebug.codebook import keras_script, script_zip
from segdebug.errors import SegdebugError
from tests.codebook.configurations import CONFIGURATIONS

_RTOL = 1e-6
_RUN = list(CONFIGURATIONS) if os.environ.get("SEGDEBUG_ALL_SCRIPTS") else list(CONFIGURATIONS)[:18]
"""Running one takes two seconds: the rarer ones at the end of the table only when asked for."""

_DRIVER = """
import keras, os, runpy, sys, traceback
for folder in sys.argv[1:]:
    os.chdir(folder)
    keras.config.set_dtype_policy("float32")
    print("##", os.path.basename(folder))
    try:
        runpy.run_path("train.py")
    except Exception:
        print(traceback.format_exc().replace("\\n", " | "))
"""


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """What the script of each configuration prints, all of them run in one isolated Python."""
    root = tmp_path_factory.mktemp("scripts")
    folders = []
    for n, name in enumerate(_RUN):
        experiment, scene = CONFIGURATIONS[name]
        folders.append(root / str(n))
        with zipfile.ZipFile(io.BytesIO(script_zip(experiment, scene))) as archive:
            archive.extractall(folders[-1])
    settings = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [sys.executable, "-I", "-c", _DRIVER, *map(str, folders)]
    done = subprocess.run(command, cwd=root, env=settings, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    parts = done.stdout.split("## ")[1:]
    lines = {int(part.partition("\n")[0]): part.splitlines()[1:] for part in parts}
    return {name: lines[n] for n, name in enumerate(_RUN)}


@pytest.mark.parametrize("name", _RUN)
def test_the_script_prints_the_first_losses_of_the_run(name: str, printed: dict[str, list[str]]) -> None:
    experiment, scene = CONFIGURATIONS[name]
    run = segdebug.overfit(scene, experiment, diagnosed=False)
    assert printed[name]
    losses = [float(line.rpartition(" ")[2]) for line in printed[name] if line.startswith("step ")]
    assert len(losses) == 20, printed[name]
    np.testing.assert_allclose(losses[: run.trace.steps], run.trace.loss, rtol=_RTOL)


def test_a_run_s_script_asks_for_the_run_s_threads_and_names_its_losses() -> None:
    experiment, scene = CONFIGURATIONS["softmax"]
    run = segdebug.overfit(scene, experiment.changed({"training.steps": 2}), diagnosed=False)
    run.versions["threads"] = "3+2"
    code = keras_script(run, scene)
    assert 'TF_NUM_INTRAOP_THREADS="3", TF_NUM_INTEROP_THREADS="2"' in code
    assert code.index("os.environ") < code.index("import keras")
    assert str(run.trace.loss[0]) in ast.get_docstring(ast.parse(code), clean=False)  # type: ignore[operator]


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_only_what_is_needed_is_in_the_script(name: str) -> None:
    experiment, scene = CONFIGURATIONS[name]
    code = keras_script(experiment, scene)
    assert "segdebug" not in code
    lists = ("class_weights = [", "CLASS_WEIGHTS = ", "class_weights = np.array(")
    assert max(len(line) for line in code.splitlines() if not line.startswith(lists)) <= 120
    tree = ast.parse(code)
    modules = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    readers = {"opencv_gray": {"cv2"}, "opencv_color": {"cv2"}, "matplotlib": {"matplotlib.image"}}
    assert modules <= {"functools", "keras", "numpy", "os", "tensorflow"} | readers.get(experiment.target.reader, set())
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
    given = {alias.asname or alias.name.partition(".")[0] for node in tree.body
             if isinstance(node, ast.Import | ast.ImportFrom) for alias in node.names}  # fmt: skip
    defined = {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    assert given | defined <= used
    with zipfile.ZipFile(io.BytesIO(script_zip(experiment, scene))) as archive:
        for file in set(archive.namelist()) - {"train.py"}:
            assert f'"{file}"' in code


def test_every_preset_has_a_script_that_is_python() -> None:
    for preset in segdebug.PRESETS:
        for sample in ("coffee", "cell", "overlap"):
            scene = segdebug.load_sample(sample)
            experiment = segdebug.Experiment.preset(preset)
            try:
                ast.parse(keras_script(experiment, scene))
            except SegdebugError as refused:
                pytest.fail(f"{preset} on {sample}: {refused}")


def test_writing_a_script_imports_no_tensorflow() -> None:
    code = """
import sys, segdebug
from segdebug.codebook import script_zip
script_zip(segdebug.Experiment.preset("thread_002"), segdebug.load_sample("coffee"))
print({"tensorflow", "keras"} & set(sys.modules))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=Path(__file__).parents[2], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "set()"
