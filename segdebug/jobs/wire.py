"""What travels between the app, the workers and their children, and how it is packed."""

from __future__ import annotations

import io
import pickle
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from segdebug.errors import JobError, SegdebugError

__all__ = ["Failure", "Outcome", "Parcel", "dumps", "dumps_after", "failure_of", "loads", "loads_after"]


def dumps(value: object) -> bytes:
    """`value` as bytes."""
    return pickle.dumps(value, protocol=5)


def loads(data: bytes | memoryview) -> Any:
    """The value again. Only ever given bytes that this package's own processes wrote."""
    return pickle.loads(data)


def dumps_after(told: Sequence[object], value: object) -> bytes:
    """`value` as bytes, without those of its parts that have gone ahead as progress: a run's result holds all maps
    that it has told of, and they need not travel twice."""
    buffer = io.BytesIO()
    _After(buffer, told).dump(value)
    return buffer.getvalue()


def loads_after(told: Sequence[object], data: bytes) -> Any:
    """The value again, with the very objects that have been told of."""
    unpickler = _Recalling(io.BytesIO(data))
    unpickler.told = told
    return unpickler.load()


class _After(pickle.Pickler):
    def __init__(self, buffer: io.BytesIO, told: Sequence[object]) -> None:
        super().__init__(buffer, protocol=5)
        self._numbers = {id(value): n for n, value in enumerate(told)}

    def persistent_id(self, obj: object) -> int | None:
        return self._numbers.get(id(obj))


class _Recalling(pickle.Unpickler):
    told: Sequence[object] = ()

    def persistent_load(self, number: int) -> object:
        return self.told[number]


@dataclass(frozen=True)
class Parcel:
    """A pickled value whose large arrays are carried beside it, uncopied, as they lie in memory.

    A scene of 24 megapixels is some 400 MB: copying it at every hand-over would cost more than a short run.
    """

    head: bytes
    buffers: tuple[pickle.PickleBuffer, ...]

    @classmethod
    def of(cls, value: object) -> Parcel:
        buffers: list[pickle.PickleBuffer] = []
        head = pickle.dumps(value, protocol=5, buffer_callback=buffers.append)
        return cls(head, tuple(buffers))

    def parts(self) -> list[memoryview]:
        """The pickle, then its buffers, each as flat bytes."""
        return [memoryview(self.head), *(pickle.PickleBuffer(buffer).raw() for buffer in self.buffers)]

    @staticmethod
    def value(parts: Sequence[bytearray]) -> Any:
        """What `parts()` were made from. Its arrays lie in the given memory and can be written to."""
        head, *buffers = parts
        return pickle.loads(head, buffers=buffers)


@dataclass(frozen=True)
class Failure:
    """Why a run failed: what people are told, and the traceback that only the log gets ("" where none)."""

    error: SegdebugError
    traceback: str = ""


@dataclass(frozen=True)
class Outcome:
    """How one execution of a run ended: a pickled result (see `dumps_after`), or a failure; neither where it was
    stopped.

    execution names it; sent: how many progress values went ahead of this, None where it never began. With
    them the engine can tell whether it has heard everything that came before the end.
    """

    result: bytes | None = None
    failure: Failure | None = None
    execution: str = ""
    sent: int | None = None


def failure_of(error: BaseException, traceback: str) -> Failure:
    """A Failure for any exception: our own errors as they are, all others as one line for people."""
    if isinstance(error, SegdebugError):
        try:
            if type(loads(dumps(error))) is type(error):
                return Failure(error)
        except Exception:
            return Failure(JobError(str(error)), traceback)
    if isinstance(error, MemoryError) or type(error).__name__ == "ResourceExhaustedError":
        # TensorFlow's own class, known by its name so that this module needs no TensorFlow.
        message = "The run needs more memory than there is. Try a smaller training size or a smaller model."
    else:
        first = next((line.strip() for line in str(error).splitlines() if line.strip()), "")
        said = f": {first[:300]}" if first else ""
        message = f"The run stopped on an unexpected error ({type(error).__name__}{said}); the log has details."
    return Failure(JobError(message), traceback)
