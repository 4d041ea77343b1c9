"""Codes read by a table: a public data set's, or the person's own legend."""

from __future__ import annotations

import numpy as np

from segdebug.scene.codes import code_name
from segdebug.scene.known_codes import Table
from segdebug.scene.model import VOID
from segdebug.scene.reading import Reading

__all__ = ["read_table"]

_SIXTEEN_BITS = 256  # Vistas' instance files hold the index times this


def read_table(reading: Reading, table: Table, *, colours: bool) -> None:
    """The table's classes, all of them and in its order. What is void in it is void; so are codes that it does not
    have, with a warning that counts them. Raises SceneError where no pixel has a code of the table."""
    codes = table.colours if colours else table.ids
    values = reading.values
    if not codes:
        raise reading.refusal(f"{table.title} has no {'colours' if colours else 'ids'} to read this file by.")
    if reading.encoding == "vistas" and not colours and values[-1] >= _SIXTEEN_BITS:
        values = values // _SIXTEEN_BITS
        reading.because(f"values above 255: the index is the value divided by {_SIXTEEN_BITS}")
    labels = np.array([codes.get(int(value), VOID) for value in values], np.int32)
    strange = np.array([int(value) not in codes for value in values], np.bool_)
    if not (labels >= 0).any():
        found = ", ".join(str(code_name(reading.source.kind, int(v))) for v in values[:5])
        raise reading.refusal(f"no pixel has a class of {table.title} (the file holds {found}).")
    pixels = int(reading.counts[strange].sum())
    if pixels:
        found = ", ".join(str(code_name(reading.source.kind, int(v))) for v in values[strange][:8])
        reading.warn(
            "unlisted_codes", f"{pixels:,} pixels hold codes that {table.title} does not name ({found}): void."
        )
    n_void = int(reading.counts[(labels < 0) & ~strange].sum())
    present = len(np.unique(labels[labels >= 0]))
    reading.because(
        f"{present} of the {len(table.names)} classes of {table.title} occur"
        + (f"; {n_void:,} pixels are void" if n_void else "")
    )
    firsts = table.codes(colours=colours)
    kind = "colour" if colours else "grey"
    reading.settle(firsts, table.names, labels, shown=[code_name(kind, code) for code in firsts])  # type: ignore[arg-type]
