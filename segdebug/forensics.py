"""What each reader delivers of each mask file, and the labels that result: facts side by side, none of them mended.

Making them needs TensorFlow, which decodes and encodes; importing this does not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segdebug.errors import SegdebugError
from segdebug.experiment import Experiment
from segdebug.rules.known import LabelFacts
from segdebug.scene import Scene, SourceFile
from segdebug.scene.values import count_values, relabel
from segdebug.vocabulary import READERS

__all__ = ["KEEPS", "MOST_FILES", "Delivery", "Examination", "Fed", "Value", "delivered", "examined", "fed"]

Value = int | float | bool | tuple[int | float | bool, ...]
"""One pixel's value as a reader gives it: a number, or one for each channel."""

KEEPS = {
    "codes": "the file's own codes",
    "renamed": "other numbers than the codes, but the classes stay apart",
    "lost": "classes that no table can tell apart any more",
    "unknown": "not compared: the file alone does not say the class of each pixel",
    "shape": "another shape than the scene",
    "error": "the library refuses the file",
}
"""What becomes of the classes in a reader's array."""

MOST_FILES = 8
"""Mask files that every reader is tried on; of further ones nothing is said."""

_SHOWN = 16  # commonest values
_TABLE_AT_MOST = 1 << 24  # cells of a table of classes by values


@dataclass(frozen=True)
class Delivery:
    """One mask file through one reader, as the library gives it.

    dtype, shape: of the array. values: the commonest, at most 16, each with its pixels; n_distinct: of all.
    keeps: a key of `KEEPS`. lost: of the labelled pixels, the fraction that even the best table from values to
    classes would give another class; NaN where it cannot be said. together: classes whose commonest value is the
    same, at most 8 pairs. error: the library's words, where it refuses.
    """

    file: str
    reader: str
    dtype: str = ""
    shape: tuple[int, ...] = ()
    values: tuple[tuple[Value, int], ...] = ()
    n_distinct: int = 0
    keeps: str = "error"
    lost: float = np.nan
    together: tuple[tuple[int, int], ...] = ()
    error: str | None = None


@dataclass(frozen=True)
class Fed:
    """The labels that one reader gives under a configuration's scale, encoding and layout.

    facts: their shape, dtype, row sums and the rest; without a remedy. said: (S, S) the class that each label says,
    -1 for a row of zeros, or None where that cannot be said. wrong: (S, S), labelled pixels whose label says
    another class than the scene, or None. exact: every labelled pixel says the scene's own class, as 0 and 1 or as id.
    """

    reader: str
    facts: LabelFacts
    said: NDArray[np.int64] | None = None
    wrong: NDArray[np.bool_] | None = None
    exact: bool = False


@dataclass(frozen=True)
class Examination:
    """Everything that the readers make of a scene's files. left_out: files beyond the first `MOST_FILES`."""

    deliveries: tuple[Delivery, ...]
    fed: tuple[Fed, ...]
    left_out: int = 0


def examined(
    scene: Scene,
    experiment: Experiment,
    *,
    on_progress: Callable[[object], None] | None = None,  # noqa: ARG001 - the signature of every job
    cancel: Callable[[], bool] | None = None,
) -> Examination:
    """Deliveries and labels, as a job that the engine can carry out. Cancelled, it ends with what it has."""
    stop = cancel or (lambda: False)
    files = tuple(delivered(scene, stop))
    labels = tuple(fed(scene, experiment, stop))
    return Examination(files, labels, max(0, len(scene.mask_files) - MOST_FILES))


def delivered(scene: Scene, stop: Callable[[], bool] = lambda: False) -> list[Delivery]:
    """Each of the first `MOST_FILES` mask files through every reader, file by file. stop: asked before each."""
    found: list[Delivery] = []
    for file in scene.mask_files[:MOST_FILES]:
        for reader in _LIBRARIES:
            if stop():
                return found
            found.append(_delivery(scene, file, reader))
    return found


def fed(scene: Scene, experiment: Experiment, stop: Callable[[], bool] = lambda: False) -> list[Fed]:
    """The labels by every reader, the right loader first; of more than `MOST_FILES` files, by that one and the
    configuration's own."""
    few = len(scene.mask_files) <= MOST_FILES
    readers = [reader for reader in READERS if few or reader in ("scene", experiment.target.reader)]
    found: list[Fed] = []
    for reader in readers:
        if stop():
            break
        found.append(_fed(scene, experiment, reader))
    return found


_LIBRARIES = tuple(reader for reader in READERS if reader != "scene")


def _delivery(scene: Scene, file: SourceFile, reader: str) -> Delivery:
    from segdebug.parts.readers import read_file

    try:
        array = read_file(file, reader)
    except SegdebugError as error:
        return Delivery(file.name, reader, error=str(error))
    told = Delivery(file.name, reader, str(array.dtype), array.shape, keeps="shape")
    if array.ndim not in (2, 3) or not array.size:
        return told
    codes, levels = _coded(array)
    distinct, counts = count_values(codes)
    order = np.argsort(-counts, kind="stable")[:_SHOWN]
    shown = tuple((_value(int(distinct[n]), levels), int(counts[n])) for n in order)
    told = replace(told, values=shown, n_distinct=len(distinct))
    if array.shape[:2] != scene.labels.shape:
        return told
    return _kept(
        told, scene, file, relabel(codes, distinct, np.arange(len(distinct), dtype=np.int32)), distinct, levels
    )


def _coded(array: NDArray[Any]) -> tuple[NDArray[Any], list[NDArray[Any]]]:
    """(H, W) whole numbers, one for each distinct pixel value, and each channel's levels, in its own dtype."""
    channels = [array] if array.ndim == 2 else [array[..., c] for c in range(array.shape[2])]
    parts = [_levels(channel) for channel in channels]
    codes: NDArray[Any] = parts[0][0]
    for numbers, levels in parts[1:]:
        codes = codes.astype(np.int64) * len(levels) + numbers
    return codes, [levels for _, levels in parts]


def _levels(channel: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """The channel as indices into its levels."""
    if channel.dtype == np.bool_:
        return channel.astype(np.uint8), np.array([False, True])
    if channel.dtype == np.uint8:
        return channel, np.arange(256, dtype=np.uint8)
    if channel.dtype.kind in "iu":
        distinct, _ = count_values(channel)
        return relabel(channel, distinct, np.arange(len(distinct), dtype=np.int32)), distinct.astype(channel.dtype)
    for top in (255, 65535):  # as matplotlib divides them; sorting millions of floats is slow
        table = np.arange(top + 1, dtype=channel.dtype) / channel.dtype.type(top)
        with np.errstate(invalid="ignore"):
            numbers = np.clip(np.nan_to_num(np.rint(channel * top)), 0, top).astype(np.int32)
        if np.array_equal(table[numbers], channel):
            return numbers, table
    levels, numbers = np.unique(channel, return_inverse=True)
    return numbers.reshape(channel.shape).astype(np.int32), levels


def _value(code: int, levels: list[NDArray[Any]]) -> Value:
    """The pixel value of a code."""
    parts = []
    for table in reversed(levels):
        code, index = divmod(code, len(table))
        parts.append(table[index].item())
    return parts[0] if len(parts) == 1 else tuple(reversed(parts))


def _kept(
    told: Delivery,
    scene: Scene,
    file: SourceFile,
    numbers: NDArray[np.int32],
    distinct: NDArray[np.int64],
    levels: list[NDArray[Any]],
) -> Delivery:
    """What becomes of the classes. numbers (H, W): each pixel's place in `distinct`."""
    truth, codes = _truth(scene, file)
    if truth is None or len(codes) * len(distinct) > _TABLE_AT_MOST:
        return replace(told, keeps="unknown")
    labelled = (truth >= 0) & scene.valid
    table = np.bincount(
        truth[labelled].astype(np.int64) * len(distinct) + numbers[labelled], minlength=len(codes) * len(distinct)
    ).reshape(len(codes), len(distinct))
    total = int(table.sum())
    lost = 1 - table.max(axis=0).sum() / total if total else np.nan
    present = [int(c) for c in np.flatnonzero(table.any(axis=1))]
    commonest = {c: int(table[c].argmax()) for c in present}
    pairs = [(a, b) for n, a in enumerate(present) for b in present[n + 1 :] if commonest[a] == commonest[b]]
    if lost > 0:
        return replace(told, keeps="lost", lost=float(lost), together=tuple(pairs[:8]))
    as_stored = all(
        np.count_nonzero(table[c]) == 1 and _value(int(distinct[commonest[c]]), levels) == codes[c]
        for c in present
        if codes[c] is not None
    )
    return replace(told, keeps="codes" if as_stored else "renamed", lost=float(lost))


def _truth(scene: Scene, file: SourceFile) -> tuple[NDArray[Any] | None, list[Value | None]]:
    """What the file's pixels say, as classes, and how it writes each; None where one file holds classes that
    overlap, or several files one class. For one file a class: 0 for the others and 1 for its own."""
    if file.class_id is not None:
        if sum(other.class_id == file.class_id for other in scene.mask_files) > 1:
            return None, []
        own = scene.labels == file.class_id if scene.planes is None else scene.planes[..., file.class_id]
        return own.astype(np.int8), [None, None]
    if scene.planes is not None:
        return None, []
    return scene.labels, [_as_delivered(c.encoded_as) for c in scene.classes]


def _as_delivered(code: int | str | None) -> Value | None:
    """A code as a reader that keeps it would give it: red, green and blue of a colour."""
    if isinstance(code, str):
        is_colour = len(code) == 7 and code.startswith("#")
        return tuple(bytes.fromhex(code[1:])) if is_colour else None
    return code


def _fed(scene: Scene, experiment: Experiment, reader: str) -> Fed:
    from segdebug.decoding import channels_of
    from segdebug.facts.labels import made, measured
    from segdebug.facts.view import LabelView, Truth

    own = experiment.changed({"target.reader": reader})
    channels, size = channels_of(own, scene.n_classes), own.training.size
    grid = scene.at(size)
    try:
        labels = made(scene, own, channels)
        facts, exact = measured(labels, scene, grid, own, channels)
    except SegdebugError as error:
        return Fed(reader, LabelFacts(error=str(error), error_field=getattr(error, "field", None) or "target.reader"))
    if facts.kind == "mismatch":
        return Fed(reader, facts)
    truth = Truth.of(grid, scene.n_classes)
    view = LabelView(labels, facts.kind, truth, channels, own.loss.ignore_class)
    said = None if view.said is None else view.said.reshape(size, size)
    wrong = None if view.wrong is None else (view.wrong & truth.valid).reshape(size, size)
    return Fed(reader, facts, said, wrong, exact)
