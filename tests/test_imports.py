"""Arrows point one way: who may import whom, and what an import costs."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MODULES = sorted((ROOT / "segdebug").rglob("*.py"))


def imported(path: Path) -> set[str]:
    """Every module that a file imports, anywhere in it."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module or "")
    return names


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_streamlit_stays_in_ui_and_the_web_process_free_of_tensorflow(path: Path) -> None:
    tops = {name.split(".")[0] for name in imported(path)}
    in_ui = "ui" in path.relative_to(ROOT).parts
    assert in_ui or "streamlit" not in tops
    assert not in_ui or not tops & {"tensorflow", "keras"}


def test_scene_and_experiment_know_nothing_of_anyone() -> None:
    above = ("parts", "step", "overfit", "jobs", "ui", "figures", "cli", "run", "export")
    for path in MODULES:
        relative = path.relative_to(ROOT / "segdebug").parts
        if relative[0] in ("scene", "experiment.py", "options.py", "stages.py", "vocabulary.py"):
            ours = {name for name in imported(path) if name.startswith("segdebug.")}
            assert not [name for name in ours if name.split(".")[1] in above], path


@pytest.mark.parametrize(
    "statement",
    [
        "import segdebug",
        "import segdebug.cli",
        "import segdebug.jobs",
        "import segdebug.figures, segdebug.export, segdebug.painting",
        "import segdebug.store, segdebug.report, segdebug.codebook, segdebug.pictures, segdebug.tensorboard",
        "import segdebug; segdebug.load_sample('coffee')",
    ],
)
def test_tensorflow_is_not_imported_until_something_is_trained(statement: str) -> None:
    code = f"import sys; {statement}; print([m for m in ('tensorflow', 'keras', 'streamlit') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_continuous_integration_runs_the_test_command_of_the_readme() -> None:
    commands = [line for line in (ROOT / "README.md").read_text().splitlines() if "python -m tests" in line]
    assert len(commands) == 1
    assert commands[0].strip() in (ROOT / ".ci" / "run").read_text()


def test_ignored_by_git_is_what_tools_leave() -> None:
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    tops = {name.split("/")[0] for name in tracked}
    allowed = {
        "app.py", "segdebug", "pages", "tests", "requirements.txt", "README.md", ".ci", ".streamlit", "pyproject.toml",
        "LICENSE", "benchmarks", ".gitignore",
    }  # fmt: skip
    assert tops <= allowed
