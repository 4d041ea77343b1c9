"""What people's loading code makes of a mask file: the real libraries on the uploaded bytes.

Each reader returns the array that its library returns; nothing is repaired.
"""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segdebug.errors import SceneError
from segdebug.scene import SourceFile

__all__ = ["read_file"]

Array = NDArray[Any]


def read_file(file: SourceFile, reader: str) -> Array:
    """One mask file through one reader: (H, W) or (H, W, C) in the library's own dtype.

    Raises SceneError with the library's reason where it cannot read the file.
    """
    try:
        return _READERS[reader](file)
    except SceneError:
        raise
    except ImportError as error:
        raise SceneError(
            f"Reader {reader}: {error.name} is not installed here; choose another reader.", file.name
        ) from None
    except Exception as error:  # whatever the library raises on a file is its answer to the person
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise SceneError(
            f"{file.name}: reader {reader} cannot read it: {reason} Choose another reader, or `scene`.",
            file.name,
        ) from error


def _pillow(file: SourceFile) -> Array:
    from PIL import Image

    return np.array(Image.open(io.BytesIO(file.data)))


def _pillow_l(file: SourceFile) -> Array:
    from PIL import Image

    return np.array(Image.open(io.BytesIO(file.data)).convert("L"))


def _opencv(file: SourceFile, colour: bool) -> Array:
    import cv2

    flag = cv2.IMREAD_COLOR if colour else cv2.IMREAD_GRAYSCALE
    decoded = cv2.imdecode(np.frombuffer(file.data, np.uint8), flag)
    if decoded is None:  # imread says nothing either: people get None and an error much later
        raise SceneError(
            f"{file.name}: OpenCV cannot read it (cv2.imread returns None). Choose another reader.", file.name
        )
    return np.asarray(decoded)


def _tensorflow(file: SourceFile) -> Array:
    import tensorflow as tf

    grey = tf.io.decode_image(file.data, channels=1, expand_animations=False).numpy()
    return np.asarray(grey)[..., 0]


def _keras_load_img(file: SourceFile) -> Array:
    import keras

    loaded = keras.utils.load_img(io.BytesIO(file.data), color_mode="grayscale")
    return np.asarray(loaded)


def _matplotlib(file: SourceFile) -> Array:
    from matplotlib import image

    with tempfile.TemporaryDirectory() as folder:  # imread chooses its decoder by the file's ending
        path = Path(folder) / ("mask" + (Path(file.name).suffix.lower() or ".png"))
        path.write_bytes(file.data)
        return np.asarray(image.imread(path))


_READERS: dict[str, Callable[[SourceFile], Array]] = {
    "pillow": _pillow,
    "pillow_l": _pillow_l,
    "opencv_gray": lambda file: _opencv(file, colour=False),
    "opencv_color": lambda file: _opencv(file, colour=True),
    "tensorflow": _tensorflow,
    "keras_load_img": _keras_load_img,
    "matplotlib": _matplotlib,
}
