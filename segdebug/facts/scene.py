"""The scene's truth at the training grid, counted."""

from __future__ import annotations

import numpy as np

from segdebug.rules.known import SceneFacts
from segdebug.scene import GridScene, Scene

__all__ = ["scene_facts"]


def scene_facts(scene: Scene, grid: GridScene) -> SceneFacts:
    """What the scene holds, counted on `grid`, which is `scene.at(size)`."""
    pixels = np.zeros(scene.n_classes, np.int64)
    if grid.planes is not None:
        counts = np.count_nonzero(grid.planes[grid.valid], axis=0)
    else:
        counts = np.bincount(grid.labels[grid.valid], minlength=scene.n_classes)
    pixels[: len(counts)] = counts
    labelled = int(np.count_nonzero(grid.valid))
    noted = [*scene.warnings, *(warning for file in scene.report for warning in file.warnings)]
    return SceneFacts(
        names=tuple(c.name for c in scene.classes),
        pixels=pixels,
        pixels_in_file=np.array([c.pixels for c in scene.classes], np.int64),
        void=1 - labelled / grid.valid.size,
        overlapping=scene.overlapping,
        encoding=scene.encoding,
        confidence=scene.confidence,
        warnings=tuple(dict.fromkeys(warning.code for warning in noted)),
        labelled=labelled,
        codes=tuple(c.encoded_as for c in scene.classes),
        files=scene.report,
        rim=_rim(grid, scene.n_classes),
    )


def _rim(grid: GridScene, n_classes: int) -> tuple[float, ...]:
    """Each class's share of the labelled pixels along the four edges; nothing where classes overlap."""
    if grid.planes is not None:
        return ()
    edges = np.concatenate([grid.labels[0], grid.labels[-1], grid.labels[1:-1, 0], grid.labels[1:-1, -1]])
    labelled = edges[edges >= 0]
    counts = np.bincount(labelled, minlength=n_classes)
    return tuple(float(n) / max(1, labelled.size) for n in counts)
