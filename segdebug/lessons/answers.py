"""What a class answers: a count for each choice, and whether the reveal waits for the teacher. Nobody's name.

A teacher holds a key; the class's id is a digest of it, so that the id proves nothing and can be given to everyone.
One small file for each class and lesson, written whole or not at all.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import re
import secrets
import threading
from collections import OrderedDict
from pathlib import Path
from typing import NamedTuple

from segdebug.atomic import sweep, write_whole

__all__ = ["Answers", "Tally", "class_of", "new_key"]

_MOST_FILES = 2000
_MOST_ANSWERS = 10_000  # of one choice
_ID = re.compile(r"[A-Za-z0-9_-]{22}")
_LESSON = re.compile(r"[a-z0-9][a-z0-9-]{0,79}")


def new_key() -> str:
    """A teacher's key: unguessable."""
    return secrets.token_urlsafe(24)


def class_of(key: str) -> str:
    """The id of the class that this key is the teacher's of."""
    return base64.urlsafe_b64encode(hashlib.sha256(key.encode()).digest()).decode()[:22]


class Tally(NamedTuple):
    """counts: answers for each choice, in order; opened: whether the teacher has opened the reveal; held: whether it
    waits for that."""

    counts: tuple[int, ...]
    opened: bool = False
    held: bool = True

    @property
    def withheld(self) -> bool:
        """Whether the class may not see the reveal yet."""
        return self.held and not self.opened


class Answers:
    """The answers of all classes, in memory and in a folder. Thread-safe.

    folder: where the files are; made when the first is written. most_files: the oldest make room for the newest.
    """

    def __init__(self, folder: str | Path, most_files: int = _MOST_FILES) -> None:
        self.folder = Path(folder)
        self.most_files = most_files
        self._known: OrderedDict[tuple[str, str], Tally] = OrderedDict()
        self._lock = threading.Lock()

    def start(self, key: str, lesson: str, choices: int) -> str:
        """Let the class of this key answer; its id. What it has answered before stays."""
        class_id = class_of(key)
        with self._lock:
            before = self._get(class_id, lesson)
            if before is None or len(before.counts) != choices:
                self._put(class_id, lesson, Tally((0,) * choices))
        return class_id

    def tally(self, class_id: str, lesson: str) -> Tally | None:
        """What has been answered so far; None for a class that no teacher has started with this lesson."""
        with self._lock:
            return self._get(class_id, lesson)

    def answer(self, class_id: str, lesson: str, choice: int, before: int | None = None) -> bool:
        """Count an answer, in place of the one that this person gave before; whether it was counted.

        It is not where there is no such class or choice, and once the reveal is open.
        """
        with self._lock:
            tally = self._get(class_id, lesson)
            if tally is None or tally.opened or not 0 <= choice < len(tally.counts):
                return False
            counts = list(tally.counts)
            if before is not None and 0 <= before < len(counts):
                counts[before] = max(0, counts[before] - 1)
            counts[choice] = min(_MOST_ANSWERS, counts[choice] + 1)
            self._put(class_id, lesson, tally._replace(counts=tuple(counts)))
        return True

    def open_reveal(self, key: str, lesson: str, *, opened: bool = True) -> None:
        """Show the reveal to the whole class, or take it back; for whoever holds the key."""
        class_id = class_of(key)
        with self._lock:
            tally = self._get(class_id, lesson)
            if tally is not None:
                self._put(class_id, lesson, tally._replace(opened=opened))

    def hold(self, key: str, lesson: str, *, held: bool) -> None:
        """Let the reveal wait for the teacher, or not; for whoever holds the key."""
        class_id = class_of(key)
        with self._lock:
            tally = self._get(class_id, lesson)
            if tally is not None:
                self._put(class_id, lesson, tally._replace(held=held))

    def _get(self, class_id: str, lesson: str) -> Tally | None:
        if not _ID.fullmatch(class_id) or not _LESSON.fullmatch(lesson):
            return None
        if (class_id, lesson) not in self._known and (read := _read(self._file(class_id, lesson))) is not None:
            self._remember(class_id, lesson, read)
        return self._known.get((class_id, lesson))

    def _put(self, class_id: str, lesson: str, tally: Tally) -> None:
        if not _LESSON.fullmatch(lesson):
            return
        self._remember(class_id, lesson, tally)
        text = json.dumps(tally._asdict())
        with contextlib.suppress(OSError):  # a full disk ends no lesson: the memory has it
            self.folder.mkdir(parents=True, exist_ok=True)
            file = self._file(class_id, lesson)
            if not file.exists():
                self._make_room()
            write_whole(file, text.encode())

    def _remember(self, class_id: str, lesson: str, tally: Tally) -> None:
        self._known[class_id, lesson] = tally
        self._known.move_to_end((class_id, lesson))
        while len(self._known) > self.most_files:
            self._known.popitem(last=False)

    def _file(self, class_id: str, lesson: str) -> Path:
        return self.folder / f"{class_id}.{lesson}.json"

    def _make_room(self) -> None:
        sweep(self.folder)
        files = sorted(self.folder.glob("*.json"), key=lambda file: file.stat().st_mtime)
        for file in files[: max(0, len(files) - self.most_files + 1)]:
            file.unlink(missing_ok=True)


def _read(file: Path) -> Tally | None:
    try:
        said = json.loads(file.read_text(encoding="utf-8"))
        counts = tuple(int(count) for count in said["counts"])
        if len(counts) > 8 or min(counts) < 0:
            return None
        return Tally(counts, bool(said["opened"]), bool(said["held"]))
    except (OSError, ValueError, TypeError, KeyError):
        return None
