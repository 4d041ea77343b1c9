"""Where the page's scene comes from: a sample, or files that this server holds for as long as it has room."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from dataclasses import dataclass

import streamlit as st

from segdebug.scene import GridScene, Scene, load_sample, read_scene

__all__ = ["Upload", "grid_of", "keep", "sample_scene", "upload_scene", "uploaded"]

_HELD_AT_MOST = 512 * 2**20  # bytes of all uploads together


@dataclass(frozen=True)
class Upload:
    """One picture and its masks as uploaded: (name, bytes) each."""

    image: tuple[str, bytes]
    masks: tuple[tuple[str, bytes], ...]

    @property
    def id(self) -> str:
        """Names the upload in an address: only who has the files could guess it."""
        digest = hashlib.sha256()
        for name, data in (self.image, *self.masks):
            digest.update(f"{name}\0{len(data)}\0".encode())
            digest.update(data)
        return digest.hexdigest()[:24]

    @property
    def bytes(self) -> int:
        return sum(len(data) for _, data in (self.image, *self.masks))


class _Shelf:
    """Uploads by id; the least recently used go first."""

    def __init__(self) -> None:
        self._held: OrderedDict[str, Upload] = OrderedDict()
        self._lock = threading.Lock()

    def put(self, upload: Upload) -> None:
        with self._lock:
            self._held[upload.id] = upload
            self._held.move_to_end(upload.id)
            while len(self._held) > 1 and sum(u.bytes for u in self._held.values()) > _HELD_AT_MOST:
                self._held.popitem(last=False)

    def get(self, upload_id: str) -> Upload | None:
        with self._lock:
            if upload_id in self._held:
                self._held.move_to_end(upload_id)
            return self._held.get(upload_id)


@st.cache_resource(show_spinner=False)
def _shelf() -> _Shelf:
    return _Shelf()


def keep(upload: Upload) -> str:
    """Hold the files; the id is what an address needs to find them again."""
    _shelf().put(upload)
    return upload.id


def uploaded(upload_id: str) -> Upload | None:
    """The files of that id, or None where the server no longer has them."""
    return _shelf().get(upload_id)


@st.cache_resource(show_spinner=False, max_entries=32)
def sample_scene(name: str) -> Scene:
    """A built-in scene; SceneError for a name that there is not."""
    return load_sample(name)


@st.cache_resource(show_spinner="Reading the files …", max_entries=8)
def upload_scene(
    upload_id: str,  # noqa: ARG001 - by this and what follows it is remembered
    encoding: str,
    ignore: int | None,
    _upload: Upload,
    legend: tuple[tuple[int | str, str], ...] = (),
) -> Scene:
    """The scene in uploaded files, read once for each id and way of reading. Raises SceneError."""
    masks = list(_upload.masks)
    return read_scene(_upload.image, masks, encoding=encoding, ignore=ignore, legend=legend or None)


def grid_of(scene: Scene, size: int) -> GridScene:
    """The scene at the training size, stretched once and not at every look at a run."""
    return _grid(scene.digest, size, scene)


@st.cache_resource(show_spinner=False, max_entries=32)
def _grid(digest: str, size: int, _scene: Scene) -> GridScene:  # noqa: ARG001
    return _scene.at(size)
