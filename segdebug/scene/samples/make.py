"""Draw the samples `overlap` and `mosaic` again: `python -m segdebug.scene.samples.make`. Seeded; CC0.

Every picture is drawn `_FINE` times as large and averaged, so that edges look like those of a photograph;
masks take the middle of each pixel, so that they have no soft edges.
"""

from __future__ import annotations

import colorsys
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

__all__ = ["draw_mosaic", "draw_overlap", "main"]

Plane = NDArray[np.bool_]
Field = NDArray[np.float64]

_FINE = 4
_LICENCE = "own work: CC0"
_PANES = ((0.0, 1), (0.27, 8), (0.52, 12), (0.86, 12))  # rings of the rose window: radius, panes; 33 in all


def draw_overlap(width: int = 192, height: int = 160, seed: int = 5) -> tuple[Field, dict[str, Plane]]:
    """Leaves on sand, glass discs and a shadow over both: (H, W, 3) in [0, 1], and (H, W) bool a class."""
    rng = np.random.default_rng(seed)
    y, x = _grid(height, width)
    grain = _noise(rng, y.shape, 1.0) * 0.05 + _noise(rng, y.shape, 6.0) * 0.05 + _noise(rng, y.shape, 40.0) * 0.06
    picture = np.array([0.80, 0.70, 0.53]) * (1 + grain[..., np.newaxis])

    leaf = np.zeros(y.shape, np.bool_)
    for cx, cy, angle, length, hue in (
        (45, 52, 0.5, 46, 0.30), (112, 38, -0.5, 38, 0.25),
        (148, 108, 2.2, 48, 0.28), (70, 122, 2.8, 42, 0.33),
    ):  # fmt: skip
        u, v = _turned(x - cx, y - cy, angle)
        half = 0.30 * length * np.clip(1 - (u / length) ** 2, 0, None) ** 0.8 * (1 - 0.35 * u / length)
        blade = (np.abs(u) < length) & (np.abs(v) < half)
        vein = np.exp(-((v / 0.9) ** 2)) + 0.5 * np.exp(-((((np.abs(v) * 1.1 - u) % 9.0) - 4.5) ** 2) / 0.8)
        green = np.array(colorsys.hsv_to_rgb(hue, 0.72, 0.46))
        shade = 1 + 0.16 * v / (0.3 * length) + 0.35 * vein + 0.8 * grain
        picture = np.where(blade[..., np.newaxis], green * shade[..., np.newaxis], picture)
        leaf |= blade

    u, v = _turned(x - 96, y - 80, -0.62)
    shadow = np.abs(v + 7 * np.sin(u / 21) + 16) < 13 + 4 * np.sin(u / 11 + 1)
    shadow |= (np.abs(u - 24) < 7) & (v > -20)
    picture = np.where(shadow[..., np.newaxis], picture * np.array([0.50, 0.50, 0.60]), picture)

    glass = np.zeros(y.shape, np.bool_)
    for cx, cy, radius in ((62, 82, 25), (134, 62, 29), (104, 126, 18)):
        r = np.hypot(x - cx, y - cy) / radius
        disc = r < 1
        tint = 0.62 * picture + 0.38 * np.array([0.25, 0.62, 0.95])
        rim = 0.20 * np.clip((r - 0.86) / 0.14, 0, 1) - 0.12 * np.exp(-(((r - 0.83) / 0.03) ** 2))
        gleam = 0.55 * np.exp(-(((x - cx + 0.4 * radius) ** 2 + (y - cy + 0.45 * radius) ** 2) / (0.13 * radius) ** 2))
        lit = tint + (rim + gleam)[..., np.newaxis]
        picture = np.where(disc[..., np.newaxis], lit, picture)
        glass |= disc
    middle = slice(_FINE // 2, None, _FINE)
    planes = {"leaf": leaf, "shadow": shadow, "glass": glass}
    return _averaged(picture), {name: plane[middle, middle] for name, plane in planes.items()}


def draw_mosaic(size: int = 160, seed: int = 33) -> tuple[Field, NDArray[np.uint8]]:
    """A rose window of 33 panes, each its own colour and texture: (S, S, 3) in [0, 1], (S, S) ids 0..32."""
    rng = np.random.default_rng(seed)
    y, x = (axis / size * 2 - 1 for axis in _grid(size, size))
    seeds = [
        (radius * np.cos(angle), radius * np.sin(angle), ring, k / n)
        for ring, (radius, n) in enumerate(_PANES)
        for k, angle in enumerate(2 * np.pi * (np.arange(n) + 0.5 * (ring % 2)) / n + rng.normal(0, 0.05, n))
    ]
    distance = np.stack([np.hypot(x - sx, y - sy) - 0.08 * (ring == 0) for sx, sy, ring, _ in seeds])
    nearest = np.sort(distance, axis=0)[:2]
    ids = distance.argmin(axis=0)
    picture = np.zeros((*y.shape, 3))
    for number, (_, _, ring, turn) in enumerate(seeds):
        lightness, saturation = ((0.93, 0.10), (0.66, 0.75), (0.52, 0.82), (0.31, 0.65))[ring]
        colour = np.array(colorsys.hls_to_rgb((turn + 0.04 * ring) % 1, lightness, saturation))
        u, v = _turned(x, y, np.pi * number * 0.382)
        period = 0.045 + 0.02 * (number % 4)
        weave = np.sin(2 * np.pi * u / period) * (np.sin(2 * np.pi * v / period) if number % 3 == 0 else 1)
        pane = colour * (1 + 0.13 * weave[..., np.newaxis])
        picture = np.where((ids == number)[..., np.newaxis], pane, picture)
    picture *= (1 + 0.05 * _noise(rng, y.shape, 2.0) + 0.08 * _noise(rng, y.shape, 30.0))[..., np.newaxis]
    picture *= (1.08 - 0.22 * np.hypot(x + 0.2, y + 0.3))[..., np.newaxis]  # light from the upper left
    lead = np.clip((nearest[1] - nearest[0]) / 0.030, 0.25, 1.0)
    middle = slice(_FINE // 2, None, _FINE)
    return _averaged(picture * lead[..., np.newaxis]), ids[middle, middle].astype(np.uint8)


def main() -> None:
    """Write both samples beside this file."""
    folder = Path(__file__).parent
    picture, planes = draw_overlap()
    files = {name: plane.astype(np.uint8) * 255 for name, plane in planes.items()}
    _save(folder / "overlap", picture, files, {
        "title": "Overlap",
        "description": "Drawn leaves under glass discs and a shadow: one file a class, and a pixel may have "
        "none, one, two or all three of them.",
        "encoding": "planes",
        "classes": list(planes),
        "source": "drawn by segdebug/scene/samples/make.py, draw_overlap()",
    })  # fmt: skip
    picture, ids = draw_mosaic()
    _save(folder / "mosaic", picture, {"mask": ids}, {
        "title": "Rose window",
        "description": "Drawn stained glass with 33 classes of similar size, each a pane of its own colour "
        "and texture: an index mask for sparse losses.",
        "encoding": "index",
        "classes": [f"pane {number}" for number in range(int(ids.max()) + 1)],
        "source": "drawn by segdebug/scene/samples/make.py, draw_mosaic()",
    })  # fmt: skip


def _grid(height: int, width: int) -> tuple[Field, Field]:
    """y and x of fine pixels' centres, in pixels: both (H · _FINE, W · _FINE)."""
    y, x = np.mgrid[: height * _FINE, : width * _FINE]
    return (y + 0.5) / _FINE, (x + 0.5) / _FINE


def _turned(x: Field, y: Field, angle: float) -> tuple[Field, Field]:
    c, s = np.cos(angle), np.sin(angle)
    return c * x + s * y, c * y - s * x


def _noise(rng: np.random.Generator, shape: tuple[int, ...], width: float) -> Field:
    """Smooth noise with a standard deviation of 1; `width` in fine pixels."""
    raw = Image.fromarray(rng.integers(0, 256, shape, dtype=np.uint8))
    smooth = np.asarray(raw.filter(ImageFilter.GaussianBlur(width)), np.float64)
    noise: Field = (smooth - smooth.mean()) / max(smooth.std(), 1e-9)
    return noise


def _averaged(picture: Field) -> Field:
    height, width, _ = picture.shape
    blocks = np.clip(picture, 0, 1).reshape(height // _FINE, _FINE, width // _FINE, _FINE, 3)
    mean: Field = blocks.mean(axis=(1, 3))
    return mean


def _save(folder: Path, picture: Field, masks: dict[str, NDArray[np.uint8]], about: dict[str, Any]) -> None:
    """Pixels and `sample.json`; what was written there by hand (the experiment) stays."""
    folder.mkdir(exist_ok=True)
    Image.fromarray(np.rint(picture * 255).astype(np.uint8)).save(folder / "image.png", optimize=True)
    for name, mask in masks.items():
        Image.fromarray(mask).save(folder / f"{name}.png", optimize=True)
    file = folder / "sample.json"
    experiment = json.loads(file.read_text(encoding="utf-8"))["experiment"] if file.exists() else {}
    words = about | {
        "image": "image.png",
        "masks": [f"{name}.png" for name in masks],
        "ignore": None,
        "licence": _LICENCE,
        "mask_method": "drawn with the picture",
        "experiment": experiment,
    }
    file.write_text(json.dumps(words, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
