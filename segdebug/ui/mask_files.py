"""What each mask file holds: a table of the files, and the values of one of them, counted."""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go
import streamlit as st

from segdebug.export import file_name
from segdebug.scene import FileReport, Scene
from segdebug.ui.take_away import figure_config, figure_format
from segdebug.ui.text import plain

__all__ = ["chosen", "histogram", "table", "values_figure"]

_NO_CLASS = "#8a919e"  # a value that no class has
_CASING = "#787f8c"
_HEIGHT = 260
_DECADES = 100  # largest over smallest count from which on the axis is logarithmic
_LABELLED_AT_MOST = 16  # bars whose count is written over them


def table(scene: Scene) -> None:
    """One row a file: what it is, and what it was taken for."""
    st.dataframe(
        [_row(file) for file in scene.report],
        hide_index=True,
        height=min(38 + 35 * len(scene.report), 250),
        column_config={"sure": st.column_config.NumberColumn(format="percent")},
        alt="Mask files: format, mode, dtype, size, distinct values, and what each was read as",
    )


def _row(file: FileReport) -> dict[str, Any]:
    return {
        "file": file.name,
        "format": file.format,
        "mode": file.mode,
        "dtype": file.dtype,
        "W × H": f"{file.size[0]} × {file.size[1]}",
        "distinct values": file.n_distinct,
        "read as": file.encoding,
        "sure": file.confidence,
        "pixels repaired": file.repaired,
    }


def chosen(scene: Scene) -> int:
    """The number of the file that is looked at closely; a select box where there are several."""
    if len(scene.report) == 1:
        return 0
    numbers = list(range(len(scene.report)))
    key = f"mask_file {scene.digest}"
    return int(st.selectbox("File", numbers, format_func=lambda n: plain(scene.report[n].name), key=key))


def histogram(scene: Scene, file: FileReport) -> None:
    """The file's commonest values and how many pixels hold each; why it was read as it was."""
    if file.reasons:
        st.markdown(f"Read as **{plain(file.encoding)}**: {plain('; '.join(file.reasons))}")
    if not file.histogram:
        st.caption(plain(f"Values, the commonest first: {', '.join(map(str, file.distinct))}"))
        return
    figure = values_figure(file, {c.encoded_as: c.colour for c in scene.classes if c.encoded_as is not None})
    told = ", ".join(f"{value}: {pixels:,} pixels" for value, pixels in file.histogram[:8])
    config, alt = figure_config(file_name(file.name), "values"), f"Values of {file.name}, the commonest first: {told}"
    st.plotly_chart(figure, key="histogram", config=config, alt=alt)
    rest = file.n_distinct - len(file.histogram)
    more = f" {rest:,} rarer values are left out." if rest > 0 else ""
    st.caption(f"Each bar is one value of the file, in its class's colour; grey is a value without a class.{more}")
    figure_format()


def values_figure(file: FileReport, colours: dict[int | str, str]) -> go.Figure:
    """Pixels of each value, in the values' order; logarithmic where they span more than two decades."""
    pairs = sorted(file.histogram, key=lambda pair: (isinstance(pair[0], str), pair[0]))
    counts = [pixels for _, pixels in pairs]
    log = max(counts) > _DECADES * max(1, min(counts))
    figure = go.Figure(
        go.Bar(
            x=[str(value) for value, _ in pairs],
            y=counts,
            marker={"color": [colours.get(value, _NO_CLASS) for value, _ in pairs], "line": {"color": _CASING}},
            text=[f"{n:,}" for n in counts] if len(pairs) <= _LABELLED_AT_MOST else None,
            textposition="outside",
            cliponaxis=False,
            hovertemplate="value %{x}: %{y:,} pixels<extra></extra>",
        )
    )
    figure.update_layout(
        height=_HEIGHT, margin={"l": 60, "r": 12, "t": 24, "b": 44}, font={"size": 13}, showlegend=False, bargap=0.25
    )
    figure.update_xaxes(title="value in the file", type="category")
    figure.update_yaxes(title="pixels (log)" if log else "pixels", type="log" if log else "linear")
    return figure
