"""Folders and files that appear whole or not at all, whatever ends the process that writes them."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

__all__ = ["discard", "sweep", "whole_folder", "write_whole"]

_UNFINISHED, _DISCARDED = ".new-", ".old-"
_ABANDONED = 3600.0  # seconds: nothing here takes nearly as long to write


@contextlib.contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """A folder to write into, beside `folder`, that takes its name (and its place) when the block ends well."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    unfinished = folder.parent / f"{_UNFINISHED}{secrets.token_hex(8)}"
    unfinished.mkdir()
    try:
        yield unfinished
        for path in unfinished.iterdir():
            _flush(path)
        _flush(unfinished)
        with _out_of_the_way(folder):
            unfinished.rename(folder)
        _flush(folder.parent)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def write_whole(path: Path, data: bytes) -> None:
    """Write a file, or replace it: whoever reads it meanwhile gets the old one or the new one."""
    unfinished = path.parent / f"{_UNFINISHED}{secrets.token_hex(8)}"
    try:
        unfinished.write_bytes(data)
        _flush(unfinished)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def discard(folder: Path) -> None:
    """Delete a folder that nobody may find half deleted."""
    with _out_of_the_way(folder):
        pass


def sweep(parent: Path) -> None:
    """Delete what a process that was killed left unfinished in there, once it is old enough to be nobody's."""
    for path in (*parent.glob(f"{_UNFINISHED}*"), *parent.glob(f"{_DISCARDED}*")):
        with contextlib.suppress(OSError):
            if time.time() - path.stat().st_mtime > _ABANDONED:
                shutil.rmtree(path) if path.is_dir() else path.unlink()


@contextlib.contextmanager
def _out_of_the_way(folder: Path) -> Iterator[None]:
    """Its name is free inside; what had it is deleted afterwards."""
    doomed = folder.parent / f"{_DISCARDED}{secrets.token_hex(8)}"
    with contextlib.suppress(FileNotFoundError):
        folder.rename(doomed)
    yield
    shutil.rmtree(doomed, ignore_errors=True)


def _flush(path: Path) -> None:
    """Have the system write it to disk now, where the file system can."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
