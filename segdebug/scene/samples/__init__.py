"""The scenes that come with segdebug: a folder each, whose `sample.json` says what and whose it is."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from segdebug.errors import SceneError
from segdebug.scene.model import Scene
from segdebug.scene.read import read_scene

__all__ = ["SampleInfo", "load_sample", "sample_info", "sample_names"]

_FOLDER = Path(__file__).parent
_FIRST = "coffee"


@dataclass(frozen=True)
class SampleInfo:
    """A sample in words. classes: names by id. experiment: what trains well on it, as Experiment JSON."""

    name: str
    title: str
    description: str
    classes: tuple[str, ...]
    source: str
    licence: str
    experiment: dict[str, Any]

    @property
    def n_classes(self) -> int:
        return len(self.classes)


@lru_cache(maxsize=1)
def sample_names() -> tuple[str, ...]:
    """Names of all samples, the one that is shown first being the first."""
    names = sorted(file.parent.name for file in _FOLDER.glob("*/sample.json"))
    return tuple(sorted(names, key=lambda name: name != _FIRST))


def sample_info(name: str) -> SampleInfo:
    """What is known of a sample, nothing decoded. Raises SceneError, naming them all, for an unknown one."""
    about = _about(name)
    return SampleInfo(
        name=name,
        title=about["title"],
        description=about["description"],
        classes=tuple(about["classes"]),
        source=about["source"],
        licence=about["licence"],
        experiment=about["experiment"],
    )


def load_sample(name: str) -> Scene:
    """The scene of a sample. Raises SceneError, naming them all, for an unknown one."""
    about = _about(name)
    folder = _FOLDER / name
    return read_scene(
        folder / about["image"],
        [folder / mask for mask in about["masks"]],
        classes=about["classes"],
        encoding=about["encoding"],
        ignore=about["ignore"],
        name=name,
    )


def _about(name: str) -> dict[str, Any]:
    """A fresh copy of what `sample.json` says."""
    if name not in sample_names():
        raise SceneError(f"There is no sample {name!r:.40}. Samples: {', '.join(sample_names())}.")
    about: dict[str, Any] = json.loads((_FOLDER / name / "sample.json").read_text(encoding="utf-8"))
    return about
