"""Below a pixel's way: what would move it, how all pixels make one number, and how all this is known."""

from __future__ import annotations

import numpy as np
import streamlit as st

from segdebug.errors import ExperimentError
from segdebug.figures import number
from segdebug.pixel import Moment, PixelPath, along_logit, class_shares
from segdebug.pixel.figure import HOW_TO_READ, logit_figure, logit_words
from segdebug.ui.links import whole
from segdebug.ui.take_away import figure_config, figure_format
from segdebug.ui.text import note, plain

__all__ = ["all_together", "known", "one_logit"]

_CHANNEL = "channel"
"""The address's parameter that names the logit that varies."""


def _asked(channels: int) -> int | None:
    number = whole(_CHANNEL)
    return number if number is not None and number < channels else None


def one_logit(moment: Moment, path: PixelPath, stem: str) -> None:
    """The curve of one logit. stem: of the file that the figure is saved as."""
    st.subheader("What would move it", anchor=False)
    names = list(path.channels)
    true = names.index(path.true_class) if path.true_class in names else 0
    asked = _asked(len(names))
    channel = st.selectbox(
        "Vary the logit of",
        range(len(names)),
        index=true if asked is None else asked,
        format_func=lambda n: names[n],
        key=f"channel of {path.row} {path.column}",
        width=320,
    )
    if channel != true or asked is not None:
        st.query_params[_CHANNEL] = str(channel)
    try:
        curve = along_logit(moment, path.row, path.column, channel)
    except ExperimentError as refusal:
        note(f"There is no curve of one logit: {str(refusal).partition(': ')[2]}")
        return
    name = f"logit-step{moment.step}-row{path.row}-col{path.column}"
    st.plotly_chart(
        logit_figure(curve, names[channel]),
        key="logit",
        alt=logit_words(curve, names[channel]),
        config=figure_config(stem, name),
    )
    st.caption(HOW_TO_READ)
    figure_format()


def all_together(moment: Moment) -> None:
    """How pixel, class, sample and weight make the one number."""
    st.subheader("How all pixels make the one number", anchor=False)
    try:
        rows = class_shares(moment)
    except ExperimentError as refusal:
        note(f"{str(refusal).partition(': ')[2]} Its gradient is in the table above all the same.")
        return
    st.markdown(
        r"$L = \sum_i \frac{w_i\,\ell_i}{N}$: first the mean over a pixel's channels, then its weight, then one sum "
        r"over all pixels. There is no mean for each class, so a class of few pixels hardly shows in it."
    )
    table = [
        {
            "class": one.name,
            "pixels": one.pixels,
            "of the pixels": 100 * one.pixels / moment.truth.size,
            "of the loss": 100 * one.fraction if np.isfinite(one.fraction) else None,
            "adds": number(one.share),
            "mean pixel loss": number(one.mean),
            "found": _found(moment, one.name),
        }
        for one in rows
    ]
    st.dataframe(
        table,
        hide_index=True,
        key="class_shares",
        column_config={
            "of the pixels": st.column_config.ProgressColumn(min_value=0, max_value=100, format="%.2f %%"),
            "of the loss": st.column_config.ProgressColumn(min_value=0, max_value=100, format="%.2f %%"),
            "found": st.column_config.ProgressColumn(
                "of its pixels decoded right", min_value=0.0, max_value=1.0, format="percent"
            ),
        },
        alt="Each class: its pixels, what it adds to the printed loss, its mean pixel loss, how much of it is found",
    )
    st.caption(
        plain(
            f"All {moment.size**2:,} shares add up to {sum(one.share for one in rows):.7g}; fit prints "
            f"{moment.loss:.7g}."
        )
    )


def _found(moment: Moment, name: str) -> float | None:
    """Of a class's pixels, how many the output decodes to it, by argmax; None where that cannot be said."""
    if moment.channels == 1 or moment.planes is not None:
        return None
    true = [c.id for c in moment.classes if c.name == name]
    mine = (moment.truth == true[0]) & moment.valid if true else np.zeros(0, bool)
    return float((moment.output.argmax(axis=-1)[mine] == true[0]).mean()) if mine.any() else None


def known(moment: Moment, path: PixelPath) -> None:
    """What the numbers rest on, behind one click."""
    with st.expander("How this is known", key="known"):
        seen = moment.semantics
        lines = [
            f"The run was done again from its seed to step {moment.step}, and printed {moment.loss:.7g} there.",
            f"Of all formulas tried, the one that reads {seen.reads.replace('_', ' ') or 'the whole picture'} fits "
            f"what the installed Keras computes, to {number(seen.match)} of its largest value.",
            "What a pixel's loss is multiplied by was measured, by differentiating Keras's own reduction.",
        ]
        if np.isfinite(path.checked):
            lines.append(
                f"At this pixel that formula and Keras's own number differ by {number(path.checked)}, relative."
            )
        st.markdown("\n".join(f"- {plain(line)}" for line in lines))
