"""The stages of a pixel's way side by side: formula, numbers, and where the columns part."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np
import streamlit as st

from segdebug.figures import number
from segdebug.pixel import Cell, Moment, PixelPath, Stage
from segdebug.ui.text import plain

__all__ = ["stages"]

_COMPARED = ("label", "log", "loss", "weight", "share", "gradient")
"""Stages whose numbers mean the same in each column, so that a difference is a fault."""

_APART = 1e-3  # relative: well beyond float32's rounding
_SHOWN = 6  # channels; of more, those that matter most


def stages(moment: Moment, path: PixelPath, other: PixelPath | None, other_name: str) -> None:
    """One row a stage, from the bytes in the mask down to the gradient."""
    widths = [5, 11, 11, 11] if other is not None else [4, 11, 11]
    heads = ["", "as Keras did it", "as intended", *([other_name] if other is not None else [])]
    for column, head in zip(st.columns(widths), heads, strict=True):
        column.markdown(f"**{plain(head)}**" if head else "")
    channels = _most_telling(path)
    parts = _first_apart(path)
    for stage in path.stages:
        with st.container(key=f"stage_{stage.key}"):
            columns = st.columns(widths)
            title = f"**{stage.title}**"
            columns[0].markdown(f"{title}  \n:orange-badge[! differs from here on]" if stage.key == parts else title)
            cells: list[Cell | None] = [stage.done, stage.meant]
            if other is not None:
                theirs = other.stage(stage.key)
                cells.append(theirs.done if theirs else None)
            for column, cell in zip(columns[1:], cells, strict=True):
                with column:
                    _draw(cell, moment, path, channels)


def _first_apart(path: PixelPath) -> str:
    """The key of the first stage at which what Keras did and what was meant are not the same; "" for none."""
    return next((stage.key for stage in path.stages if stage.key in _COMPARED and _apart(stage)), "")


def _apart(stage: Stage) -> bool:
    if stage.meant is None or not stage.meant.numbers or len(stage.meant.numbers) != len(stage.done.numbers):
        return False
    done, meant = np.array(stage.done.numbers), np.array(stage.meant.numbers)
    if not np.isfinite(meant).all():
        return False
    scale = max(float(np.abs(meant).max()), 1e-9)
    return bool(not np.isfinite(done).all() or np.abs(done - meant).max() > _APART * scale)


def _most_telling(path: PixelPath) -> list[int]:
    """The channels to show: all of few, else the true class, and the largest logits."""
    k = len(path.channels)
    if k <= _SHOWN:
        return list(range(k))
    logits = path.stage("logits")
    assert logits is not None
    order = [int(n) for n in np.argsort(logits.done.numbers)[::-1]]
    true = [n for n, name in enumerate(path.channels) if name == path.true_class]
    return sorted(dict.fromkeys([*true, *order]), key=lambda n: (n not in true, order.index(n)))[:_SHOWN]


def _draw(cell: Cell | None, moment: Moment, path: PixelPath, channels: Sequence[int]) -> None:
    if cell is None:
        st.markdown(":gray[–]")
        return
    if cell.formula:
        st.markdown(f"${cell.formula}$")
    if cell.numbers:
        st.html(_numbers(cell, moment, path, channels))
    for line in filter(None, cell.text.split("\n")):
        st.caption(plain(line))


def _numbers(cell: Cell, moment: Moment, path: PixelPath, channels: Sequence[int]) -> str:
    """One number, or one for each channel after its colour and name."""
    kind = "numbers" if cell.measured else "numbers worked"
    if len(cell.numbers) != len(path.channels) or len(cell.numbers) == 1:
        told = " ".join(_exact(value) for value in cell.numbers[:12])
        return f'<div class="{kind}"><span><b>{told}</b></span></div>'
    colours = moment.colours()
    parts = [
        f'<span><i style="background:{colours[n]}"></i>{escape(path.channels[n][:14])} '
        f"<b>{_exact(cell.numbers[n])}</b></span>"
        for n in channels
    ]
    more = len(path.channels) - len(channels)
    return f'<div class="{kind}">{"".join(parts)}{f"<span>… {more} more</span>" if more else ""}</div>'


def _exact(value: float) -> str:
    """Five digits: enough to follow the arithmetic with a pocket calculator."""
    if value == 0 or not np.isfinite(value):
        return number(value)
    if float(value).is_integer() and abs(value) < 1e6:
        return f"{value:.0f}"
    return f"{value:.5g}".replace("e-0", "e-").replace("e+0", "e").replace("e+", "e").replace("-", "−")
