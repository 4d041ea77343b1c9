"""The index of kept runs: one SQLite table, which can be made again from the folders at any time."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from pathlib import Path
from typing import Any

from segdebug.errors import StoreError

__all__ = ["Index"]

_LAYOUT = 2  # of the table; an index of another one is thrown away
_COLUMNS = {
    "id": "TEXT PRIMARY KEY",
    "key": "TEXT",
    "name": "TEXT",
    "when": "REAL",
    "scene": "TEXT",
    "digest": "TEXT",
    "verdict": "TEXT",
    "computes": "TEXT",
    "configuration": "TEXT",
    "experiment": "TEXT",
    "steps": "INTEGER",
    "mean_iou": "REAL",
    "seconds": "REAL",
    "bytes": "INTEGER",
}


class Index:
    """Rows of `_COLUMNS` as dicts. An index that is damaged, or of another version, begins anew, empty.

    Every method raises StoreError where SQLite cannot do it.
    """

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        try:
            self._connection = _opened(path)
        except sqlite3.DatabaseError:
            for ending in ("", "-wal", "-shm"):
                path.with_name(path.name + ending).unlink(missing_ok=True)
            self._connection = _opened(path)

    def rows(self) -> list[dict[str, Any]]:
        """All rows, the newest first."""
        return self._asked('SELECT * FROM runs ORDER BY "when" DESC, id')

    def row(self, column: str, value: str) -> dict[str, Any] | None:
        """The newest row with this value."""
        found = self._asked(f'SELECT * FROM runs WHERE "{column}" = ? ORDER BY "when" DESC LIMIT 1', value)
        return found[0] if found else None

    def ids(self) -> set[str]:
        return {row["id"] for row in self._asked("SELECT id FROM runs")}

    def digests(self) -> set[str]:
        """Of every scene that some run is of."""
        return {row["digest"] for row in self._asked("SELECT DISTINCT digest FROM runs")}

    def put(self, row: dict[str, Any]) -> None:
        """Add a row, or replace the one of its id."""
        places = ", ".join("?" * len(_COLUMNS))
        self._asked(f"INSERT OR REPLACE INTO runs VALUES ({places})", *(row[name] for name in _COLUMNS))

    def rename(self, id: str, name: str) -> None:
        self._asked("UPDATE runs SET name = ? WHERE id = ?", name, id)

    def delete(self, id: str) -> None:
        self._asked("DELETE FROM runs WHERE id = ?", id)

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    def _asked(self, statement: str, *values: Any) -> list[dict[str, Any]]:
        try:
            with self._lock, self._connection:
                return [dict(row) for row in self._connection.execute(statement, values)]
        except sqlite3.Error as error:
            raise StoreError(f"The index of kept runs does not answer: {error}.") from error


def _opened(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, check_same_thread=False)
    try:
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")  # the folders are the truth
        if connection.execute("PRAGMA user_version").fetchone()[0] != _LAYOUT:
            with contextlib.suppress(sqlite3.OperationalError):
                connection.execute("DROP TABLE runs")
        columns = ", ".join(f'"{name}" {kind}' for name, kind in _COLUMNS.items())
        with connection:
            connection.execute(f"CREATE TABLE IF NOT EXISTS runs ({columns})")
            connection.execute('CREATE INDEX IF NOT EXISTS by_key ON runs (key, "when")')
            connection.execute(f"PRAGMA user_version = {_LAYOUT}")
    except sqlite3.DatabaseError:
        connection.close()
        raise
    return connection
