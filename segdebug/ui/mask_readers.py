"""What the readers that people use deliver of a file, side by side, and the labels that result under a target."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import streamlit as st

from segdebug.experiment import Experiment
from segdebug.figures import number
from segdebug.forensics import KEEPS, Delivery, Examination, Fed, Value
from segdebug.scene import VOID, Scene
from segdebug.ui import maps
from segdebug.ui.sources import grid_of
from segdebug.ui.text import plain
from segdebug.vocabulary import READERS

__all__ = ["deliveries", "label_maps", "labels"]

_MARKS = {
    "codes": ":green[✓] as stored",
    "renamed": ":orange[!] other numbers",
    "lost": ":red[✕] classes lost",
    "unknown": ":gray[·] not compared",
    "shape": ":red[✕] another shape",
    "error": ":red[✕] not read",
}
_VALUES_SHOWN = 6
_NO_CLASS_COLOUR = "#ff00ff"
_MARKED = (0.902, 0.624, 0.0)  # the orange of every map of yes and no
_DIMMED = 0.35


def deliveries(scene: Scene, found: Sequence[Delivery]) -> None:
    """One row a reader: the array it gives of one file, and what becomes of the classes in it."""
    rows = [
        {
            "reader": f"**{plain(one.reader)}**",
            "array": "" if one.error else plain(f"{one.dtype} {_shape(one.shape)}"),
            "values (pixels)": plain(one.error or _values(one)),
            "the classes": _kept(scene, one),
        }
        for one in found
    ]
    st.table(rows, hide_index=True, border="horizontal", alt="What each reader delivers of the file")
    st.caption(plain("; ".join(f"{reader}: {READERS[reader]}" for reader in dict.fromkeys(d.reader for d in found))))


def _shape(shape: tuple[int, ...]) -> str:
    return f"({', '.join(map(str, shape))})"


def _values(one: Delivery) -> str:
    told = ", ".join(f"{_value(value)} ({pixels:,})" for value, pixels in one.values[:_VALUES_SHOWN])
    more = one.n_distinct - min(_VALUES_SHOWN, len(one.values))
    return f"{told} and {more:,} more" if more else told


def _value(value: Value) -> str:
    if isinstance(value, tuple):
        return f"({', '.join(map(_value, value))})"
    return number(value) if isinstance(value, float) else str(value)


def _kept(scene: Scene, one: Delivery) -> str:
    told = _MARKS[one.keeps]
    if one.keeps == "lost":
        told += plain(f", {one.lost:.1%} of the labelled pixels")
        pairs = [f"{_class(scene, a)} = {_class(scene, b)}" for a, b in one.together]
        told += " " + plain(f"({', '.join(pairs[:3])})") if pairs else ""
    return told


def _class(scene: Scene, class_id: int) -> str:
    return scene.classes[class_id].name if class_id < scene.n_classes else f"class {class_id}"


def labels(found: Sequence[Fed], experiment: Experiment) -> None:
    """One row a reader: the label tensor under the configuration's scale, encoding and layout. The first is the
    right loader's; the configuration's own is named."""
    rows = [
        {
            "reader": f"**{plain(one.reader)}**{' (yours)' if one.reader == experiment.target.reader else ''}",
            "labels": plain(f"{one.facts.dtype} {_shape(one.facts.shape)}" if one.facts.error is None else "none"),
            "what they hold": plain(_holding(one)),
            "out of range": _share(one, one.facts.out_of_range),
            "another class": _share(one, one.facts.wrong),
            "": _verdict(one),
        }
        for one in found
    ]
    st.table(rows, hide_index=True, border="horizontal", alt="The labels that each reader gives")
    st.caption("Out of range and another class: of the labelled pixels, at the training size.")


def _holding(one: Fed) -> str:
    facts = one.facts
    if facts.error is not None:
        return facts.error
    if facts.row_sums:
        return "row sums " + ", ".join(f"{number(total)} ({share:.1%})" for total, share in facts.row_sums.items())
    shown = ", ".join(number(value) for value in facts.distinct[:_VALUES_SHOWN])
    more = facts.n_distinct - min(_VALUES_SHOWN, len(facts.distinct))
    return f"{shown} and {more:,} more" if more > 0 else shown


def _share(one: Fed, value: float) -> str:
    no_pixel = one.facts.error is not None or one.facts.kind == "mismatch"
    return "·" if no_pixel or math.isnan(value) else f"{value:.1%}"


def _verdict(one: Fed) -> str:
    if one.facts.error is not None:
        return ":red[✕] cannot be made"
    if one.facts.kind == "mismatch":
        return ":red[✕] does not fit the output"
    if one.exact:
        return ":green[✓] right"
    if one.facts.wrong > 0 or one.facts.out_of_range > 0:
        return ":red[✕] wrong"
    return ":orange[!] not 0 and 1"


def label_maps(scene: Scene, experiment: Experiment, one: Fed) -> None:
    """Truth and labels as fed on the training grid, and the pixels where they disagree on the picture."""
    size = experiment.training.size
    grid = grid_of(scene, size)
    names, colours = [c.name for c in scene.classes], [c.colour for c in scene.classes]
    truth = grid.labels if grid.planes is None else grid.planes
    panels = [maps.class_panel("what the masks say", truth, names, colours, "unlabelled pixels are left empty")]
    if one.said is not None:
        known = (one.said >= 0) & (one.said < scene.n_classes)
        shown = np.where(one.said < 0, VOID, np.where(known, one.said, scene.n_classes))
        panels.append(
            maps.class_panel(
                "labels as fed",
                shown,
                [*names, "no class of the scene"],
                [*colours, _NO_CLASS_COLOUR],
                "empty: a row of zeros; magenta: no class of the scene",
            )
        )
    if one.wrong is not None:
        marked = maps.picture_panel("where they disagree", _marked(grid.image, one.wrong))
        how = "orange: the label says another class than the mask" if one.wrong.any() else "nowhere"
        panels.append(replace(marked, how=how))
    maps.draw(panels, size, scene.width / scene.height, key="label_maps")
    if one.wrong is None:
        st.caption("These labels cannot be compared with the masks pixel by pixel.")
        return
    pixels = int(one.wrong.sum())
    st.caption(
        f"{pixels:,} of {int(grid.valid.sum()):,} labelled pixels say another class than the mask"
        + (", marked in orange on the dimmed picture." if pixels else ".")
    )


def _marked(image: np.ndarray, wrong: np.ndarray) -> np.ndarray:
    """The picture in dim grey, wrong pixels in orange; as it is where none are wrong."""
    if not wrong.any():
        return image
    grey = np.repeat(image.mean(axis=-1, keepdims=True) * _DIMMED, 3, axis=-1)
    return np.where(wrong[..., None], np.array(_MARKED), grey).astype(np.float32)


def meanings() -> str:
    """What the signs in the table mean."""
    return "; ".join(f"{_MARKS[kind]}: {plain(words)}" for kind, words in KEEPS.items())


def of_file(examination: Examination, name: str) -> list[Delivery]:
    """The deliveries of one file."""
    return [one for one in examination.deliveries if one.file == name]
