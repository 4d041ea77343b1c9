"""Tiny cases for what surprises people about Keras: scenes, configurations, and everything that is said of them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from segdebug import Experiment, Scene, read_scene
from segdebug.diagnosis import Diagnosis
from segdebug.finding import Finding
from tests.rules.configured import configured
from tests.scenes import png_bytes

__all__ = ["GREY", "PIXELS", "SHARES", "W", "codes", "drawn", "every", "tiny"]

_COLOURS = np.array([[200, 60, 60], [60, 200, 60], [60, 60, 200], [220, 220, 60]], np.uint8)

PIXELS = 32 * 32


def tiny(preset: str | None = None, /, **changes: Any) -> Experiment:
    """A configuration on 32 × 32 pixels and a single convolution, unless told otherwise."""
    return configured(preset, **{"model__depth": 0, **changes})


def drawn(ids: NDArray[Any], image: NDArray[np.uint8] | None = None) -> Scene:
    """A scene of these ids; without an image each class has its own colour."""
    shown = _COLOURS[np.minimum(ids, 3)] if image is None else image
    names = [f"class {k}" for k in range(int(ids.max()) + 1)]
    mask = [("mask.png", png_bytes(ids.astype(np.uint8)))]
    return read_scene(("image.png", png_bytes(shown)), mask, classes=names, encoding="index")


def every(diagnosis: Diagnosis | None) -> dict[str, Finding]:
    """All findings by code, consequences too."""
    assert diagnosis is not None
    pending, found = list(diagnosis.findings), {}
    while pending:
        finding = pending.pop()
        found[finding.code] = finding
        pending.extend(finding.consequences)
    return found


def codes(diagnosis: Diagnosis | None) -> set[str]:
    return set(every(diagnosis))


SHARES = np.array([717, 163, 132, 12])
"""Pixels of four classes."""

W = float(1 - SHARES[0] / PIXELS)
"""Fraction of wrong pixels where all are given the commonest class."""

GREY = drawn(np.repeat(np.arange(4), SHARES).reshape(32, 32), np.full((32, 32, 3), 128, np.uint8))
"""An image that shows nothing: a network can say the same of every pixel only, so w is known beforehand."""
