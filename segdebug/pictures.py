"""A run's maps as pictures: in a report, in a TensorBoard log, as PNG files. All steps on one scale."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from plotly.colors import hex_to_rgb

from segdebug.painting import Scale, class_image, class_levels, magma, png, scale_of
from segdebug.run import Run
from segdebug.scene import Scene, SceneClass

__all__ = ["MapPictures", "map_pictures", "maps_zip", "scales_of", "scene_pictures"]

_SPARE_COLOUR = "#b0b0b0"  # of a channel that the scene has no class for, as on the pages
_ALIVE, _DEAD = "#20242d", "#e69f00"


@dataclass(frozen=True)
class MapPictures:
    """One map at every kept step. name: as a file is called; how: one line on how to read it; pictures: (S, S, 3 or 4)
    uint8, one a step."""

    name: str
    title: str
    how: str
    pictures: tuple[NDArray[np.uint8], ...]


def scales_of(runs: Sequence[Run]) -> dict[str, Scale]:
    """One scale for each scalar map of all these runs."""
    shots = [shot for run in runs for shot in run.trace.snapshots]
    losses = [shot.pixel_loss for shot in shots if shot.pixel_loss is not None]
    return {"pixel_loss": scale_of(losses), "gradient": scale_of([shot.gradient for shot in shots])}


def map_pictures(run: Run, scales: dict[str, Scale] | None = None) -> list[MapPictures]:
    """The maps of a run, painted as on the pages; scales: those of `scales_of`, where several are compared."""
    scales = scales or scales_of([run])
    shots = run.trace.snapshots
    classes = _every_class(run)
    made = [
        MapPictures(
            "prediction",
            "prediction",
            "what the output decodes to",
            tuple(class_image(class_levels(shot.prediction), classes) for shot in shots),
        )
    ]
    losses = [shot.pixel_loss for shot in shots if shot.pixel_loss is not None]
    if shots and len(losses) == len(shots):
        pictures = tuple(_scalar(values, scales["pixel_loss"]) for values in losses)
        made.append(
            MapPictures("pixel_loss", "pixel loss", f"bright: costs most; {_ends(scales['pixel_loss'])}", pictures)
        )
    gradients = tuple(_scalar(shot.gradient, scales["gradient"]) for shot in shots)
    made.append(MapPictures("gradient", "|dL/dz|", f"bright: pulled hardest; {_ends(scales['gradient'])}", gradients))
    dead = tuple(_two(shot.dead) for shot in shots)
    made.append(MapPictures("dead", "dead pixels", "orange: dL/dz exactly 0", dead))
    return made


def scene_pictures(scene: Scene, size: int) -> dict[str, NDArray[np.uint8]]:
    """The picture as it is trained on, and the truth, at the training grid."""
    grid = scene.at(size)
    truth = class_image(class_levels(grid.labels if grid.planes is None else grid.planes), scene.classes)
    return {"picture": np.rint(grid.image * 255).astype(np.uint8), "truth": truth}


def maps_zip(run: Run, scene: Scene) -> bytes:
    """Every map as a PNG, named after map and step, with picture and truth, in a ZIP archive."""
    buffer = io.BytesIO()
    steps = [shot.step for shot in run.trace.snapshots]
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, picture in scene_pictures(scene, run.experiment.training.size).items():
            archive.writestr(f"{name}.png", png(picture))
        for made in map_pictures(run):
            for step, picture in zip(steps, made.pictures, strict=True):
                archive.writestr(f"{made.name}-step{step:04d}.png", png(picture))
    return buffer.getvalue()


def _every_class(run: Run) -> tuple[SceneClass, ...]:
    """With a class for each channel that the scene has none for."""
    spare = range(len(run.scene.classes), len(run.class_names()) if run.trace.steps else 0)
    return (*run.scene.classes, *(SceneClass(k, f"channel {k}", _SPARE_COLOUR, None, 0) for k in spare))


def _ends(scale: Scale) -> str:
    from segdebug.figures import number

    told = f"{number(scale.low)} to {number(scale.high)}"
    return f"{told}{', logarithmic' if scale.log else ''}{', clipped above' if scale.clipped else ''}"


def _scalar(values: NDArray[np.floating], scale: Scale) -> NDArray[np.uint8]:
    return _table(tuple(magma()))[scale.levels(values)]


def _two(mask: NDArray[np.bool_]) -> NDArray[np.uint8]:
    return _table((_ALIVE, _DEAD))[mask.astype(np.uint8)]


@cache
def _table(colours: tuple[str, ...]) -> NDArray[np.uint8]:
    return np.array([hex_to_rgb(colour) for colour in colours], np.uint8)
