"""The address that opens a run on Diagnose, with its picture and its configuration."""

from __future__ import annotations

from segdebug.scene import sample_names
from segdebug.ui import sources

__all__ = ["of_the_scene"]


def of_the_scene(name: str, digest: str) -> dict[str, str]:
    """The address's parameters that show the scene of a run: a sample by its name, any other as kept with its run."""
    if name in sample_names() and sources.sample_scene(name).digest == digest:
        return {"sample": name}
    return {"source": "your files"}
