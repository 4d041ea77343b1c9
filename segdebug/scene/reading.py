"""What one mask was taken for, while it is being found out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from segdebug.errors import SceneError
from segdebug.scene.codes import Codes
from segdebug.scene.model import VOID, SceneWarning

__all__ = ["MAX_AUTO_VALUES", "Reading", "some"]

MAX_AUTO_VALUES = 64
"""More distinct grey values than this are not taken for classes unless the person says so."""


@dataclass
class Reading:
    """One mask being read. `stated`: the person named the encoding. n_names: of class names given, or None.

    keep: which distinct codes are not void; `values` and `counts` are those, ascending, with their pixels.
    codes, names: the code and the name of each class. labels: the class of each distinct code, or `VOID`.
    """

    source: Codes
    encoding: str
    stated: bool
    n_names: int | None
    keep: NDArray[np.bool_]
    confidence: float = 1.0
    codes: list[int] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    labels: NDArray[np.int32] = field(default_factory=lambda: np.zeros(0, np.int32))
    warnings: list[SceneWarning] = field(default_factory=list)

    @property
    def values(self) -> NDArray[np.int64]:
        return self.source.distinct[self.keep]

    @property
    def counts(self) -> NDArray[np.int64]:
        return self.source.counts[self.keep]

    def settle(self, codes: Iterable[int], names: Iterable[str], labels: NDArray[np.int32]) -> None:
        """The classes, and the class of each of `values`."""
        self.codes, self.names = list(codes), list(names)
        self.labels = np.full(len(self.keep), VOID, np.int32)
        self.labels[self.keep] = labels

    def doubt(self, confidence: float) -> None:
        """No surer than this, unless the person said so."""
        if not self.stated:
            self.confidence = min(self.confidence, confidence)

    def warn(self, code: str, message: str) -> None:
        """Add something to ask about, under the file's name."""
        self.warnings.append(SceneWarning(code, f"{self.source.name}: {message}"))

    def refusal(self, message: str) -> SceneError:
        """The error for a mask that cannot be read so, under the file's name."""
        return SceneError(f"{self.source.name}: {message}", self.source.name)


def some(values: Iterable[int]) -> str:
    """The first eight values and the last, to be read out."""
    numbers = [int(v) for v in values]
    shown = ", ".join(map(str, numbers[:8]))
    return shown if len(numbers) <= 8 else f"{shown}, … {numbers[-1]}"
