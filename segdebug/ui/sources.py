"""Where the page's scene comes from: a sample, or files that this server holds for as long as it has room."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from dataclasses import dataclass

import streamlit as st

from segdebug.scene import GridScene, Scene, load_sample, read_scene
from segdebug.ui.mask_reading import Reading

__all__ = ["Upload", "grid_of", "keep", "sample_scene", "upload_scene", "uploaded"]

_HELD_AT_MOST = 512 * 2**20  # bytes of all uploads together


@dataclass(frozen=True)
class Upload:
    """One picture and its masks as uploaded, and the mask that says which pixels count: (name, bytes) each."""

    image: tuple[str, bytes]
    masks: tuple[tuple[str, bytes], ...]
    validity: tuple[str, bytes] | None = None

    @property
    def files(self) -> tuple[tuple[str, bytes], ...]:
        return (self.image, *self.masks, *([self.validity] if self.validity else []))

    @property
    def id(self) -> str:
        """Names the upload in an address: only who has the files could guess it."""
        digest = hashlib.sha256(b"validity" if self.validity else b"")
        for name, data in self.files:
            digest.update(f"{name}\0{len(data)}\0".encode())
            digest.update(data)
        return digest.hexdigest()[:24]

    @property
    def bytes(self) -> int:
        return sum(len(data) for _, data in self.files)


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
def upload_scene(upload_id: str, reading: Reading, _upload: Upload) -> Scene:  # noqa: ARG001 - remembered by its id
    """The scene in uploaded files, read once for each id and way of reading. Raises SceneError."""
    return read_scene(
        _upload.image,
        list(_upload.masks),
        encoding=reading.encoding,
        ignore=reading.ignore,
        threshold=reading.threshold,
        page=reading.page,
        legend=reading.legend.encode() or None,  # bytes: a text could be taken for the path of a file of the server's
        validity=_upload.validity,
    )


def grid_of(scene: Scene, size: int) -> GridScene:
    """The scene at the training size, stretched once and not at every look at a run."""
    return _grid(scene.digest, size, scene)


@st.cache_resource(show_spinner=False, max_entries=32)
def _grid(digest: str, size: int, _scene: Scene) -> GridScene:  # noqa: ARG001
    return _scene.at(size)
