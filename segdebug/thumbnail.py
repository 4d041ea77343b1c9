"""A run as a small picture: what it predicts at its end, over what it saw."""

from __future__ import annotations

import numpy as np
from PIL import Image

from segdebug.painting import class_image, class_levels, png
from segdebug.run import Run
from segdebug.scene import Scene

__all__ = ["thumbnail"]

_SIZE = (160, 96)
_OPACITY = 0.65


def thumbnail(run: Run, scene: Scene) -> bytes:
    """A PNG of at most 160 × 96, in the picture's own proportions; the picture alone where nothing was predicted."""
    step = max(1, scene.height // (2 * _SIZE[1]), scene.width // (2 * _SIZE[0]))  # enough left to be averaged
    picture = Image.fromarray(np.rint(scene.image[::step, ::step] * 255).astype(np.uint8))
    scale = min(_SIZE[0] / scene.width, _SIZE[1] / scene.height)
    size = max(1, round(scene.width * scale)), max(1, round(scene.height * scale))
    picture = picture.resize(size, Image.Resampling.BILINEAR)
    shots = run.trace.snapshots
    if shots:
        levels = class_levels(shots[-1].prediction)
        colours = Image.fromarray(class_image(levels, run.scene.classes)).resize(size, Image.Resampling.NEAREST)
        alpha = colours.getchannel("A").point(lambda value: value * _OPACITY)
        picture.paste(colours.convert("RGB"), mask=alpha)
    return png(np.asarray(picture))
