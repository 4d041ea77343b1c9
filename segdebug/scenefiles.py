"""A scene in a folder of open formats.

scene.json      names, classes, how the masks were read, and the names of the mask files
image.npy       (H, W, 3) uint8 where the picture had 8 bits (then value / 255), uint16 (value / 65535), or float32
labels.npy      (H, W), the smallest integer type that holds them; -1 where not labelled
valid.npy       (H, W) bool, where a pixel takes part in scores
planes.npy      (H, W, K) bool, only where classes overlap
mask-0.png …    the mask files as they were uploaded
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segdebug.errors import SegdebugError, StoreError
from segdebug.plainly import from_plain, to_plain
from segdebug.scene import Alternative, FileReport, Scene, SceneClass, SceneWarning, SourceFile

__all__ = ["SCENE_FORMAT", "format_refusal", "load_scene", "mask_file_name", "reason_of", "write_scene"]

SCENE_FORMAT = 1

_TYPES = {kind.__name__: kind for kind in (Alternative, FileReport, SceneClass, SceneWarning)}
_WORDS = ("name", "classes", "encoding", "confidence", "report", "warnings", "digest")


def write_scene(scene: Scene, folder: Path) -> None:
    """Write the scene into an existing, empty folder."""
    files = []
    for n, file in enumerate(scene.mask_files):
        stored = mask_file_name(file.name, n)
        (folder / stored).write_bytes(file.data)
        files.append({"name": file.name, "class_id": file.class_id, "file": stored})
    words = {name: to_plain(getattr(scene, name)) for name in _WORDS}
    text = json.dumps({"format": SCENE_FORMAT, **words, "mask_files": files}, allow_nan=False, indent=1)
    (folder / "scene.json").write_text(text, encoding="utf-8")
    arrays: dict[str, NDArray[Any]] = {
        "image": _compact_image(scene.image),
        "labels": _compact_labels(scene.labels),
        "valid": scene.valid,
    }
    if scene.planes is not None:
        arrays["planes"] = scene.planes
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array, allow_pickle=False)


def load_scene(folder: Path) -> Scene:
    """The scene in a folder, with the digest that it had. Raises StoreError where there is none that can be read."""
    try:
        words = json.loads((folder / "scene.json").read_text(encoding="utf-8"))
        if refusal := format_refusal(words, SCENE_FORMAT):
            raise StoreError(f"{folder}: {refusal}")
        image = np.load(folder / "image.npy", allow_pickle=False)
        if image.dtype.kind == "u":
            image = np.divide(image, np.float32(np.iinfo(image.dtype).max), dtype=np.float32)
        planes = folder / "planes.npy"
        return Scene(
            image=image,
            labels=np.load(folder / "labels.npy", allow_pickle=False).astype(np.int32),
            valid=np.load(folder / "valid.npy", allow_pickle=False),
            planes=np.load(planes, allow_pickle=False) if planes.exists() else None,
            mask_files=tuple(
                SourceFile(file["name"], (folder / Path(file["file"]).name).read_bytes(), file["class_id"])
                for file in words["mask_files"]
            ),
            **{name: from_plain(words[name], _TYPES) for name in _WORDS},
        )
    except StoreError:
        raise
    except (OSError, ValueError, KeyError, TypeError, EOFError, SegdebugError) as error:
        raise StoreError(f"{folder}: the scene cannot be read: {reason_of(error)}.") from error


def mask_file_name(name: str, n: int) -> str:
    """What the n-th mask file is called on disk: a name of ours, with its own ending where that is harmless."""
    ending = Path(name).suffix.lower()
    return f"mask-{n}{ending if re.fullmatch(r'[.][a-z0-9]{1,8}', ending) else ''}"


def format_refusal(words: Any, known: int) -> str:
    """Why something of that format cannot be read here; empty where it can."""
    found = words.get("format") if isinstance(words, dict) else None
    if not isinstance(found, int):
        return "there is no format number in it, so it was not written by segdebug."
    if found > known:
        return f"it was written by a newer segdebug (format {found}; this one reads up to {known}). Open it with that."
    return ""


def reason_of(error: Exception) -> str:
    """An error in a few words, on one line."""
    if isinstance(error, FileNotFoundError) and error.filename:
        return f"{Path(str(error.filename)).name} is missing"
    if isinstance(error, KeyError):
        return f"{error.args[0]!r} is missing or unknown"
    told = " ".join(str(error).split()).rstrip(".")
    return told[:200] or type(error).__name__


def _compact_image(image: NDArray[np.float32]) -> NDArray[Any]:
    """The picture's own integers, where it is nothing but them over their largest value."""
    for kind in (np.uint8, np.uint16):
        top = np.float32(np.iinfo(kind).max)
        levels = np.rint(image * top).astype(kind)
        if np.array_equal(np.divide(levels, top, dtype=np.float32), image):
            return levels
    return image


def _compact_labels(labels: NDArray[np.int32]) -> NDArray[Any]:
    low, high = (int(labels.min()), int(labels.max())) if labels.size else (0, 0)
    for kind in (np.int8, np.int16):
        if np.iinfo(kind).min <= low and high <= np.iinfo(kind).max:
            return labels.astype(kind)
    return labels
