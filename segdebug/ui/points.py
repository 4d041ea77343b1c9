"""The points of charts that are drawn again and again, as an Arrow table, which goes to the browser as it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

__all__ = ["points"]

_AT_MOST = 400  # a line: more than a chart has pixels for


def points(lines: Mapping[str, NDArray[np.floating[Any]]], value: str, of: str) -> pa.Table:
    """Points enough of each line, the finite ones. Columns: step, `value`, and `of`, the line's name."""
    steps, values, names = [], [], []
    for name, line in lines.items():
        every = np.linspace(0, max(len(line) - 1, 0), min(len(line), _AT_MOST))
        kept = np.unique(every.astype(np.int64))
        kept = kept[np.isfinite(line[kept])]
        steps.append(kept)
        values.append(line[kept])
        names += [name] * len(kept)
    nothing = [np.zeros(0)]
    columns = {"step": np.concatenate(steps or nothing), value: np.concatenate(values or nothing)}
    return pa.table({**columns, of: pa.array(names, pa.string())})
