"""The scene's classes written as one sound mask file, and the code that reads it."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from segdebug.errors import SceneError
from segdebug.scene.model import VOID, Scene

__all__ = ["REPAIRED_VOID", "reading_code", "repaired_name", "repaired_png"]

REPAIRED_VOID = 255
"""What the repaired mask holds where nothing is labelled."""

_VOID_COLOUR = (224, 224, 192)  # Pascal VOC's own, which no class colour is close to


def repaired_png(scene: Scene) -> bytes:
    """An index PNG: class ids from 0, 255 where nothing is labelled, the classes' colours as its palette.

    Raises SceneError where classes overlap, which one index a pixel cannot say, or where there are more than 255.
    """
    if scene.planes is not None:
        raise SceneError(
            "The classes overlap, and an index mask holds one class a pixel: keep one file a class, 0 and 255."
        )
    if scene.n_classes > REPAIRED_VOID:
        raise SceneError(f"{scene.n_classes} classes and the void value do not fit into 8 bits: keep ids of 16 bits.")
    ids = np.where((scene.labels == VOID) | ~scene.valid, REPAIRED_VOID, scene.labels).astype(np.uint8)
    image = Image.fromarray(ids)
    palette = bytearray(3 * 256)
    for c in scene.classes:
        palette[3 * c.id : 3 * c.id + 3] = bytes.fromhex(c.colour[1:])
    palette[3 * REPAIRED_VOID :] = bytes(_VOID_COLOUR)
    image.putpalette(bytes(palette))
    buffer = io.BytesIO()
    image.save(buffer, "PNG", optimize=False, compress_level=6)
    return buffer.getvalue()


def repaired_name(scene: Scene) -> str:
    """What to call the file: the scene's name, of letters, digits, points, dashes and underscores."""
    kept = "".join(c if c.isalnum() or c in "._-" else "_" for c in scene.name).strip("._")
    return f"{kept or 'scene'}_mask.png"


def reading_code(scene: Scene) -> str:
    """Lines of Keras loading code for the file that `repaired_png` makes."""
    lines = [
        "import numpy as np",
        "import tensorflow as tf",
        "from PIL import Image",
        "",
        f'mask = np.array(Image.open("{repaired_name(scene)}"))  # ids 0 to {scene.n_classes - 1}, not colours',
        f"y = tf.one_hot(mask, {scene.n_classes})",
    ]
    if scene.ignored_pixels:
        lines.append(f"weight = (mask != {REPAIRED_VOID}).astype('float32')  # sample_weight: 0 where unlabelled")
    return "\n".join(lines)
