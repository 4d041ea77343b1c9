"""What else a mask could be: the questions to ask, in words, for what was inferred."""

from __future__ import annotations

import numpy as np

from segdebug.scene.combined import FACTORS, likely_factor
from segdebug.scene.data_sets import set_of_codes
from segdebug.scene.known_codes import KNOWN
from segdebug.scene.outline import edge_share
from segdebug.scene.reading import Reading
from segdebug.scene.soft import is_soft

__all__ = ["ask"]

_INVERTED_EDGE = 0.9  # of the outermost pixels are what was taken for foreground
_INVERTED_SHARE = 0.6  # and of all pixels
_CAMVID_VOID = 11
_PRIMARIES = (0xFF0000, 0x00FF00, 0x0000FF)
_MOST_LISTED = 256


def ask(reading: Reading) -> None:
    """Add what else the mask could be to `reading`, unless the person said what it is."""
    if reading.stated:
        return
    if not reading.void_stated:
        _about_void(reading)
    encoding = reading.encoding
    if len(reading.values) == 1:
        _about_one_value(reading)
    elif encoding == "binary":
        _about_binary(reading)
    elif encoding == "soft":
        _about_soft(reading)
    elif encoding == "colour":
        _about_colours(reading)
    elif encoding in FACTORS or encoding in KNOWN:
        _about_known(reading)
    else:
        _about_ids(reading)


def _about_void(reading: Reading) -> None:
    """The void value could be a class; −1 is stated instead, because the file does not hold it."""
    if len(reading.void) != 1 or reading.source.kind == "colour":
        return
    value, kind = reading.void[0], reading.source.kind
    if value == -1:
        return
    others = [int(v) for v in reading.values]
    if others == [0]:
        words = f"{value} is the class (a thin object), and 0 is background"
        reading.ask("binary", -1, words, 0.9)
    else:
        words = f"{value} is a class of its own, not unlabelled"
        reading.ask("palette" if kind == "palette" else "index", -1, words, 0.6)


def _about_one_value(reading: Reading) -> None:
    value = int(reading.values[0])
    if reading.source.kind == "colour":
        return
    if value == 0 and not reading.void:
        reading.because(
            "all zero: a picture without any object, or a mask of 0 and 1 that was divided by 255 once more and "
            "rounded down when it was saved"
        )
        reading.ask("binary", None, "no object in this picture: all of it is background", 0.6)
    elif value and not reading.void:
        reading.because(f"all pixels are {value}: one class covers the whole picture")
        reading.ask("binary", None, f"{value} is the object, and it fills the whole picture", 0.5)


def _about_binary(reading: Reading) -> None:
    values = reading.values
    low, high = int(values[0]), int(values[-1])
    if len(values) == 2:
        foreground = reading.source.values == high
        edge = edge_share(np.asarray(foreground))
        share = float(reading.counts[-1] / reading.counts.sum())
        turned = ((high, "background"), (low, "foreground"))
        if edge >= _INVERTED_EDGE and share >= _INVERTED_SHARE:
            reading.doubt(0.6)
            reading.because(
                f"but {high} has {100 * edge:.0f} % of the picture's edge and {100 * share:.0f} % of it all"
            )
            reading.warn(
                "inverted_binary",
                f"{high} was taken as the class, yet it fills {100 * share:.0f} % of the picture and "
                f"{100 * edge:.0f} % of its edge: the object may be {low} (black) instead. Nothing was turned round.",
            )
            reading.ask("binary", None, f"the object is black: {low} is the class, {high} is background", 0.9, turned)
        else:
            reading.ask("binary", None, f"the object is black: {low} is the class, {high} is background", 0.2, turned)
        if high in (255, 254, 65535) and not reading.void:
            reading.ask("index", high, f"{low} is a class, and {high} marks unlabelled pixels", 0.3)
        if high == 1 or high not in (255, 65535):
            words = f"{low} and {high} are two of several class ids; the others are absent here"
            reading.ask("index", None, words, 0.5 if high > 1 else 0.2, _whole_range(high))
    else:
        reading.ask("soft", None, "one class in degrees (a matte or a probability): choose the threshold", 0.6)
        if len(values) <= _MOST_LISTED:
            reading.ask("index", None, f"each of the {len(values)} values is a class", 0.2)


def _about_soft(reading: Reading) -> None:
    if len(reading.values) <= _MOST_LISTED:
        reading.ask("index", None, f"each of the {len(reading.values)} values is a class or an object", 0.2)
    reading.ask("instances", None, "each value is the number of an object: all but 0 are one class", 0.3)


def _about_colours(reading: Reading) -> None:
    values = [int(v) for v in reading.values]
    for key, share in set_of_codes(values, colours=True):
        title = KNOWN[key].title
        reading.ask(key, None, f"{title}'s colours: its {len(KNOWN[key].names)} classes by name", 0.8 * share)
    if set(values) <= {0, *_PRIMARIES} and len(set(values) & set(_PRIMARIES)) > 1:
        order = [(f"#{code:06x}", f"class {k}") for k, code in enumerate(_PRIMARIES)]
        order += [("#000000", "void")] if 0 in values else []
        reading.because("only pure red, green and blue: three one-hot channels times 255, perhaps")
        words = "one-hot channels times 255: red is class 0, green class 1, blue class 2" + (
            ", black unlabelled" if 0 in values else ""
        )
        reading.ask("colour", None, words, 0.9, order)
    elif len(values) > 2 and _mixes_primaries(values):
        reading.because(
            "red, green and blue are each 0 or 255 and occur together: three overlapping classes in one file, perhaps. "
            "Save each channel as a file of its own to have them so"
        )
    if 0 in values and len(values) > 2:
        reading.ask("colour", 0, "black is unlabelled, not a class", 0.4)
    if values and values[-1] == 0xFFFFFF and len(values) > 2:
        reading.ask("colour", 255, "white is unlabelled, not a class", 0.3)


def _mixes_primaries(values: list[int]) -> bool:
    """Whether every channel is 0 or 255, and two pure ones occur with their mixture."""
    pure = set(values) & set(_PRIMARIES)
    mixed = {one | other for one in pure for other in pure if one != other}
    whole = all(value >> shift & 255 in (0, 255) for value in values for shift in (16, 8, 0))
    return whole and bool(mixed & set(values))


def _about_known(reading: Reading) -> None:
    kind = reading.source.kind
    n = len(reading.source.distinct)
    plain = "colour" if kind == "colour" else "palette" if kind == "palette" else "index"
    if n <= _MOST_LISTED:
        what = "colour" if kind == "colour" else "value"
        reading.ask(plain, None, f"each of the {n} {what}s is a class of its own", 0.6)
    if reading.encoding in FACTORS and (found := likely_factor(reading.values)) is not None:
        other = next(name for name in FACTORS if name != reading.encoding)
        if found[1] < 0.9:
            reading.ask(other, None, f"class · {FACTORS[other]} + object number", 0.3)
    if reading.encoding in FACTORS:
        reading.ask("instances", None, "each value is an object, all of one class", 0.2)


def _about_ids(reading: Reading) -> None:
    values = [int(v) for v in reading.values]
    low, high, n = values[0], values[-1], len(values)
    plain = "palette" if reading.source.kind == "palette" else "index"
    for key, share in set_of_codes(values, colours=False):
        names = KNOWN[key].names
        reading.ask(key, None, f"{KNOWN[key].title}: its {len(names)} classes by name", share)
    if any(warning.code == "edge_values" for warning in reading.warnings):
        reading.ask("binary", None, "one class with smoothed edges: cut at half grey", 1.0)
    elif n > 8 and is_soft(reading.values, reading.counts, reading.source.full):
        reading.ask("soft", None, "one class in degrees (a matte or a probability): choose the threshold", 0.8)
    if n == 3 and low == 0 and high == 255:
        middle = values[1]
        reading.ask("binary", middle, f"a trimap: 255 is the class, {middle} is unlabelled", 0.9)
    if reading.void_stated or reading.void:
        pass
    elif high == _CAMVID_VOID and n > 4:
        reading.ask(plain, high, "11 is unlabelled, as in CamVid", 0.6)
    elif high in (254, 255, 65535):
        reading.ask(plain, high, f"{high} is unlabelled, not a class", 0.7)
    if low == 0 and n > 2 and not reading.void_stated and not reading.void:
        others = "0 means other or unlabelled (reduce zero): the classes start at 1"
        reading.ask(plain, 0, others, 0.5)
    if (low != 0 or high - low != n - 1) and high < _MOST_LISTED - 1 and reading.encoding != "grey_levels":
        words = f"the values are the ids: {high + 1} classes, of which {high + 1 - n} are absent here"
        reading.ask(plain, None, words, 0.7, _whole_range(high))
    if n > 8 and low == 0 and reading.source.kind == "grey":
        reading.ask("instances", None, "each value is the number of an object: all but 0 are one class", 0.2)
    if reading.encoding == "grey_levels":
        reading.ask("soft", None, "one class in degrees: choose the threshold", 0.3)


def _whole_range(high: int) -> list[tuple[int | str, str]]:
    return [(k, f"class {k}" if k else "background") for k in range(high + 1)] if high < _MOST_LISTED else []
