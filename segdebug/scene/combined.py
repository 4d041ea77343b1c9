"""Codes that hold a class and the number of an object in one: class · 1000 + object, class · 256 + object, ADE20K."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from segdebug.scene.limits import MAX_CLASSES
from segdebug.scene.reading import Reading, some

__all__ = ["FACTORS", "likely_ade20k", "likely_factor", "read_ade20k", "read_combined"]

FACTORS = {"label_times_1000": 1000, "label_times_256": 256}
"""What the class is multiplied by, for each such encoding."""

_MOST_LABELS = 200
_MOST_OBJECTS = 200  # of one class in one picture
_ADE_LARGEST_RED = 150


def likely_factor(values: NDArray[np.int64]) -> tuple[str, float] | None:
    """The encoding that these values suggest, and how surely; None where neither does.

    Object numbers of a class then run from 0 or 1 without a gap. Cut pictures lose some, so small numbers count too,
    but less.
    """
    if len(values) < 2 or values[0] < 0 or values[-1] < 1000 or values[-1] >= _MOST_LABELS * 1000:
        return None
    found = []
    for name, factor in FACTORS.items():
        labels, objects = np.divmod(values, factor)
        if name == "label_times_1000":  # below 1000 the value is the class itself
            plain = values < factor
            if (values[plain] > _MOST_LABELS).any():
                continue
            labels, objects = np.where(plain, values, labels), np.where(plain, 0, objects)
        if objects.max() > _MOST_OBJECTS or labels.max() > _MOST_LABELS:
            continue
        numbered = values >= factor
        groups = [np.sort(objects[numbered & (labels == label)]) for label in np.unique(labels[numbered])]
        whole = [g[0] in (0, 1) and g[-1] - g[0] == len(g) - 1 for g in groups]
        # One object of each class says little, and values that are all multiples could be grey levels.
        telling = any(len(g) > 1 for g in groups) or name == "label_times_1000"
        if all(whole):
            found.append((name, 0.92 if telling else 0.6))
        elif sum(whole) >= 0.5 * len(whole) and telling:
            found.append((name, 0.6))
    return max(found, key=lambda item: item[1], default=None)


def read_combined(reading: Reading) -> None:
    """One class a label; the object numbers are dropped."""
    values, factor = reading.values, FACTORS[reading.encoding]
    if reading.source.kind == "colour" or values[0] < 0:
        raise reading.refusal(f"{reading.encoding} needs one channel of whole numbers from 0.")
    labels = values // factor
    if factor == 1000:
        labels = np.where(values < factor, values, labels)
    ids, numbers = np.unique(labels, return_inverse=True)
    _check(reading, len(ids))
    objects = int(np.count_nonzero(values >= factor))
    reading.because(
        f"the values divided by {factor} give {len(ids)} classes ({some(ids)}); the remainders number "
        f"{objects} objects from {int((values % factor).min())} up"
    )
    reading.settle(ids, [_name(int(i)) for i in ids], numbers.astype(np.int32))


def likely_ade20k(colours: NDArray[np.int64]) -> bool:
    """Whether these packed colours look like ADE20K's: all reds are multiples of 10, of several steps."""
    red = colours >> 16
    steps = np.unique(red)
    return bool(len(colours) >= 5 and len(steps) >= 3 and (red % 10 == 0).all() and red.max() <= _ADE_LARGEST_RED)


def read_ade20k(reading: Reading) -> None:
    """ADE20K's colours (Zhou et al. 2017): class = R // 10 · 256 + G, object = B; class 0 is void."""
    values = reading.values
    classes = (values >> 16) // 10 * 256 + (values >> 8 & 255)
    ids = np.unique(classes[classes > 0])
    _check(reading, len(ids))
    if not len(ids):
        raise reading.refusal("read as ADE20K, every pixel is void (R // 10 * 256 + G is 0).")
    labels = np.where(classes > 0, np.searchsorted(ids, classes), -1)
    void = int(reading.counts[classes == 0].sum())
    reading.because(
        f"{len(values):,} colours give {len(ids)} classes as R // 10 * 256 + G; blue numbers the objects"
        + (f"; class 0 is void ({void:,} pixels)" if void else "")
    )
    reading.settle(ids, [f"class {int(i)}" for i in ids], labels.astype(np.int32), shown=[int(i) for i in ids])


def _check(reading: Reading, n: int) -> None:
    if n > MAX_CLASSES:
        raise reading.refusal(f"read as {reading.encoding}, it holds {n:,} classes; at most {MAX_CLASSES} are trained.")


def _name(number: int) -> str:
    return f"class {number}" if number else "background"
