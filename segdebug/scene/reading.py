"""What one mask was taken for, while it is being found out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from segdebug.errors import SceneError
from segdebug.scene.codes import Codes, code_name
from segdebug.scene.model import VOID, Alternative, SceneWarning

__all__ = ["MAX_AUTO_VALUES", "Reading", "some"]

MAX_AUTO_VALUES = 64
"""More distinct grey values than this are not taken for classes unless the person says so."""

_MOST_ASKED = 5


@dataclass
class Reading:
    """One mask being read. `stated`: the person named the encoding. n_names: of class names given, or None.

    keep: which distinct codes are not void; `values` and `counts` are those, ascending, with their pixels.
    codes, names: the code and the name of each class; shown: the code as it is shown. labels: the class of each
    distinct code, or `VOID`. reasons: why. threshold: where a soft mask was cut, as a fraction. void_stated: the
    person named the void value.
    """

    source: Codes
    encoding: str
    stated: bool
    n_names: int | None
    keep: NDArray[np.bool_]
    confidence: float = 1.0
    codes: list[int] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    shown: list[int | str] = field(default_factory=list)
    labels: NDArray[np.int32] = field(default_factory=lambda: np.zeros(0, np.int32))
    warnings: list[SceneWarning] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    threshold: float | None = None
    void_stated: bool = False
    _asked: list[Alternative] = field(default_factory=list)

    @property
    def values(self) -> NDArray[np.int64]:
        return self.source.distinct[self.keep]

    @property
    def counts(self) -> NDArray[np.int64]:
        return self.source.counts[self.keep]

    @property
    def void(self) -> list[int]:
        """The distinct codes that were taken for void before any class was settled."""
        return [int(code) for code in self.source.distinct[~self.keep]]

    def settle(
        self,
        codes: Iterable[int],
        names: Iterable[str],
        labels: NDArray[np.int32],
        shown: Iterable[int | str] | None = None,
    ) -> None:
        """The classes, and the class (or `VOID`) of each of `values`."""
        self.codes, self.names = [int(code) for code in codes], list(names)
        self.shown = [code_name(self.source.kind, code) for code in self.codes] if shown is None else list(shown)
        self.labels = np.full(len(self.keep), VOID, np.int32)
        self.labels[self.keep] = labels

    def doubt(self, confidence: float) -> None:
        """No surer than this, unless the person said so."""
        if not self.stated:
            self.confidence = min(self.confidence, confidence)

    def because(self, reason: str) -> None:
        """Add to why it was taken so."""
        self.reasons.append(reason)

    def ask(
        self,
        encoding: str,
        ignore: int | None,
        words: str,
        weight: float,
        legend: Iterable[tuple[int | str, str]] = (),
    ) -> None:
        """Add what else it could be; `weight` is how likely, against the others asked."""
        self._asked.append(Alternative(encoding, ignore, words, weight, tuple(legend)))

    def alternatives(self) -> tuple[Alternative, ...]:
        """What else it could be, the likeliest first: they share what the confidence leaves, and none is surer than
        what was chosen. Nothing where the person said it."""
        if self.stated:
            return ()
        asked = sorted(self._asked, key=lambda one: -one.confidence)[:_MOST_ASKED]
        total = sum(one.confidence for one in asked)
        rest = min(1 - self.confidence, self.confidence)
        return tuple(
            Alternative(one.encoding, one.ignore, one.words, round(rest * one.confidence / total, 3), one.legend)
            for one in asked
        )

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
