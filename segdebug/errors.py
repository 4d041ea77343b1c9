"""Every error that a person can cause, in one tree.

    SegdebugError
    ├── SceneError          a picture or mask file that cannot be used
    ├── ExperimentError     a configuration that is not in the vocabulary, or contradicts itself
    │   └── KerasRefusal    a configuration that Keras itself refuses, with Keras's reason
    ├── StoreError          a run on disk that cannot be read or written
    └── JobError            a run that could not be carried out
        ├── QueueFull       too many runs are waiting
        ├── TimeLimit       the run took longer than it may
        └── WorkerDied      the process that trained it ended (killed, out of memory)

One message says what was wrong, in which file or field, what was found, and what to do. It is shown to
the person as it is: no traceback, no markup.
"""

from __future__ import annotations

__all__ = [
    "ExperimentError",
    "JobError",
    "KerasRefusal",
    "QueueFull",
    "SceneError",
    "SegdebugError",
    "StoreError",
    "TimeLimit",
    "WorkerDied",
]


class SegdebugError(Exception):
    """Base of all errors that a person can cause and mend. `str(error)` is one message for them."""


class SceneError(SegdebugError):
    """A picture or mask file that cannot be used. `file` names it, where one file is at fault."""

    def __init__(self, message: str, file: str | None = None) -> None:
        super().__init__(message)
        self.file = file

    def __reduce__(self) -> tuple[type[SceneError], tuple[str, str | None]]:
        return type(self), (str(self), self.file)


class ExperimentError(SegdebugError):
    """A configuration outside the vocabulary. `field` is its dotted name, such as `loss.from_logits`."""

    def __init__(self, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field

    def __reduce__(self) -> tuple[type[ExperimentError], tuple[str, str | None]]:
        return type(self), (str(self), self.field)


class KerasRefusal(ExperimentError):
    """Keras (or TensorFlow) refuses the configuration. `original` is its own message, unabridged."""

    def __init__(self, message: str, field: str | None = None, original: str = "") -> None:
        super().__init__(message, field)
        self.original = original

    def __reduce__(self) -> tuple[type[KerasRefusal], tuple[str, str | None, str]]:  # type: ignore[override]
        return type(self), (str(self), self.field, self.original)


class StoreError(SegdebugError):
    """A run or scene on disk that cannot be read or written: damaged, of a newer version, no room."""


class JobError(SegdebugError):
    """A run that could not be carried out, through no fault of the configuration."""


class QueueFull(JobError):
    """Too many runs are waiting already."""


class TimeLimit(JobError):
    """The run took longer than one run may, and was ended."""


class WorkerDied(JobError):
    """The process that trained ended before the run did: killed, or out of memory."""
