"""Finished runs on disk, found again by id, by key and by search.

    index.sqlite       what a list of runs shows; made again from the folders whenever it does not fit them
    runs/ID/           one run, as `runfiles` describes it, and beside it
        entry.json     its id, key, name and date
        thumbnail.png  its last prediction over the picture
    scenes/DIGEST/     one scene, as `scenefiles` describes it, shared by its runs

The folders are the truth: each appears whole or not at all, so that a process killed at any moment leaves nothing half
written to be found. Written by one process; thread-safe.
"""

from __future__ import annotations

import contextlib
import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

from segdebug.atomic import discard, sweep, whole_folder, write_whole
from segdebug.errors import StoreError
from segdebug.index import Index
from segdebug.run import Run, SceneSummary
from segdebug.runfiles import digest_of, entry_words, load_run, write_run
from segdebug.scene import Scene
from segdebug.scenefiles import load_scene, write_scene
from segdebug.thumbnail import thumbnail

__all__ = ["Entry", "Store"]

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_NAME_AT_MOST = 120


@dataclass(frozen=True)
class Entry:
    """What a list shows of a run.

    name: given by people, at first the scene's. when: time.time() of the run's end. verdict and computes: empty where
    it has no diagnosis. configuration: in one line; experiment: the same as JSON. mean_iou: at the last step, None
    where no class occurs. seconds: of building and training. bytes: on disk, without its scene. thumbnail: a PNG of at
    most 160 × 96.
    """

    id: str
    key: str
    name: str
    when: float
    scene: str
    digest: str
    verdict: str
    computes: str
    configuration: str
    experiment: str
    steps: int
    mean_iou: float | None
    seconds: float
    bytes: int
    thumbnail: Path


class Store:
    """keep: runs that stay, at most. keep_bytes: what they and their scenes may take on disk.

    held: whether a run, by id, is being looked at; such a one is never dropped for want of room.
    Raises StoreError where the folder cannot be written.
    """

    def __init__(
        self,
        folder: Path,
        *,
        keep: int = 500,
        keep_bytes: int = 4 * 2**30,
        held: Callable[[str], bool] = lambda _: False,
    ) -> None:
        self.folder = folder
        self._runs, self._scenes = folder / "runs", folder / "scenes"
        self.keep, self.keep_bytes, self._held = keep, keep_bytes, held
        self._writing = threading.RLock()  # one writer of folders at a time
        self._open_scenes: WeakValueDictionary[tuple[Any, ...], Scene] = WeakValueDictionary()
        with _refusing(folder, "the runs cannot be kept here"):
            for place in (self._runs, self._scenes):
                place.mkdir(parents=True, exist_ok=True)
            self._index = Index(folder / "index.sqlite")
            self._catch_up()

    def put(self, run: Run, scene: Scene, *, id: str, key: str) -> None:
        """Keep a finished run and its scene; nothing happens where the run of this id is kept already.

        The oldest runs go where there are more than may stay, or they take more room than they may.
        Raises StoreError where it cannot be written.
        """
        if not _ID.fullmatch(id):
            raise StoreError(f"{id!r} cannot name a run: use letters, digits, - and _, 64 at most.")
        with self._writing, _refusing(self._runs / id, "the run cannot be kept"):
            if (self._runs / id).exists():
                return
            if not (self._scenes / scene.digest).exists():
                with whole_folder(self._scenes / scene.digest) as unfinished:
                    write_scene(scene, unfinished)
            with whole_folder(self._runs / id) as unfinished:
                write_run(run, unfinished)
                (unfinished / "thumbnail.png").write_bytes(thumbnail(run, scene))
                (unfinished / "entry.json").write_bytes(_card(id, key, scene.name, time.time()))
            self._index.put(_row(self._runs / id))
            self._trim(id)

    def entry(self, id: str) -> Entry | None:
        """What is known of the run with this id; None where it is not kept."""
        return self._entry(self._index.row("id", id))

    def by_key(self, key: str) -> Entry | None:
        """The latest run of this key; None where none is kept."""
        return self._entry(self._index.row("key", key))

    def load(self, id: str, scene: Scene | None = None) -> tuple[Run, Scene]:
        """The run and its scene, under the names that it had in this run. scene: is given back where it is the run's
        own, instead of being read again. Raises StoreError with the reason where they cannot be read."""
        entry = self.entry(id)
        if entry is None:
            raise StoreError("This run is no longer kept.")
        run = load_run(self._runs / id)
        if scene is not None and scene.digest == entry.digest:
            return run, scene
        return run, self._scene(entry.digest, run.scene)

    def entries(self, search: str = "") -> list[Entry]:
        """Those in which every word of the search occurs (in name, scene, configuration, verdict), newest first."""
        words = search.casefold().replace("_", " ").split()
        found = []
        for row in self._index.rows():
            entry = self._entry(row)
            if entry is not None and all(word in _searched(entry) for word in words):
                found.append(entry)
        return found

    def rename(self, id: str, name: str) -> None:
        """Give it another name, cut to 120 signs; the scene's where nothing is left. Raises StoreError."""
        with self._writing, _refusing(self._runs / id, "the run cannot be renamed"):
            entry = self.entry(id)
            if entry is None:
                raise StoreError("This run is no longer kept.")
            name = " ".join(name.split())[:_NAME_AT_MOST] or entry.scene
            write_whole(self._runs / id / "entry.json", _card(id, entry.key, name, entry.when))
            self._index.rename(id, name)

    def delete(self, id: str) -> None:
        """Delete the run, and its scene with the last of its runs. Nothing happens where there is none."""
        with self._writing, _refusing(self._runs / id, "the run cannot be deleted"):
            self._drop(id)
            self._drop_scenes()

    def close(self) -> None:
        """Close the index. Nothing else is open."""
        self._index.close()

    def _entry(self, row: dict[str, Any] | None) -> Entry | None:
        return None if row is None else Entry(**row, thumbnail=self._runs / row["id"] / "thumbnail.png")

    def _scene(self, digest: str, summary: SceneSummary) -> Scene:
        """The scene, once in memory for all who look at it."""
        key = digest, summary.name, summary.classes
        scene = self._open_scenes.get(key)
        if scene is None:
            scene = load_scene(self._scenes / digest)
            if (scene.name, scene.classes) != (summary.name, summary.classes):
                scene = replace(scene, name=summary.name, classes=summary.classes)
            self._open_scenes[key] = scene
        return scene

    def _catch_up(self) -> None:
        """Make the index fit the folders, and clear away what a killed process left."""
        sweep(self._runs)
        sweep(self._scenes)
        there = {path.name for path in self._runs.iterdir() if _ID.fullmatch(path.name) and path.is_dir()}
        known = self._index.ids()
        for id in known - there:
            self._index.delete(id)
        for id in there - known:
            with contextlib.suppress(StoreError, OSError, ValueError, KeyError, TypeError):
                self._index.put(_row(self._runs / id))  # one that cannot be read stays on disk, unlisted
        self._drop_scenes()

    def _trim(self, newest: str) -> None:
        """Drop the oldest beyond the bounds, but for the newest and those that are being looked at."""
        sweep(self._runs)
        sizes = {row["id"]: row["bytes"] for row in reversed(self._index.rows())}  # the oldest first
        for id in [id for id in sizes if id != newest]:
            taken = sum(sizes.values()) + self._scene_bytes()
            if len(sizes) <= self.keep and taken <= self.keep_bytes:
                return
            if not self._held(id):
                self._drop(id)
                self._drop_scenes()
                del sizes[id]

    def _scene_bytes(self) -> int:
        return sum(_size(folder) for folder in self._scenes.iterdir())

    def _drop(self, id: str) -> None:
        if _ID.fullmatch(id):
            discard(self._runs / id)
        self._index.delete(id)

    def _drop_scenes(self) -> None:
        """Those that no run is of any more; runs that are not listed, as of a newer version, count too."""
        listed = self._index.ids()
        unlisted = [path for path in self._runs.iterdir() if _ID.fullmatch(path.name) and path.name not in listed]
        used = self._index.digests() | {digest_of(path) for path in unlisted}
        for folder in self._scenes.iterdir():
            if folder.name not in used and not folder.name.startswith("."):
                discard(folder)


def _card(id: str, key: str, name: str, when: float) -> bytes:
    return json.dumps({"id": id, "key": key, "name": name, "when": when}, indent=1).encode()


def _row(folder: Path) -> dict[str, Any]:
    """A run's row in the index, from its folder. Raises what reading raises."""
    card = json.loads((folder / "entry.json").read_text(encoding="utf-8"))
    return {
        **{name: card[name] for name in ("id", "key", "name", "when")},
        **entry_words(folder),
        "bytes": _size(folder),
    }


def _size(folder: Path) -> int:
    """Bytes of its files, but for the card, which changes with the name."""
    total = 0
    with contextlib.suppress(FileNotFoundError):
        total = sum(path.stat().st_size for path in folder.iterdir() if path.name != "entry.json")
    return total


def _searched(entry: Entry) -> str:
    text = " ".join((entry.name, entry.scene, entry.configuration, entry.verdict, entry.computes, entry.digest))
    return text.casefold().replace("_", " ")


@contextlib.contextmanager
def _refusing(place: Path, what: str) -> Iterator[None]:
    """A disk that is full or not ours leaves as one line for people."""
    try:
        yield
    except OSError as error:
        raise StoreError(f"{place}: {what}: {error.strerror or error}.") from error
