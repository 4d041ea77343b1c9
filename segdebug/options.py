"""One kind of table row for every field of an Experiment: from it come the widget, the address, the
validation and the documentation.

An `Option` knows its bounds, how its value is written in an address, and what to say when a value does not
fit. The rows themselves stand where the fields are declared, in experiment.py.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

__all__ = ["Kind", "Option"]

Kind = Literal["choice", "integer", "number", "flag", "numbers"]


@dataclass(frozen=True)
class Option:
    """What one field may hold.

    label: the words beside its widget; meaning: one line of documentation.
    kind: choice (a word of `choices`), integer, number, flag (true or false), numbers (a list).
    low, high: inclusive bounds of integer and number.
    none: what leaving it empty (null) means, where that is allowed.
    param: its name in the address; empty for the field's own name.
    """

    label: str
    meaning: str
    kind: Kind
    choices: Mapping[str, str] = field(default_factory=dict)
    low: float = -math.inf
    high: float = math.inf
    none: str | None = None
    param: str = ""

    def check(self, value: Any) -> Any:
        """The value in its own type; ValueError says what was expected and what came."""
        if value is None:
            if self.none is None:
                raise ValueError(f"expected {self.expected}, but got nothing")
            return None
        checked = {
            "choice": self._choice,
            "integer": self._integer,
            "number": self._number,
            "flag": self._flag,
            "numbers": self._numbers,
        }[self.kind](value)
        if checked is None:
            raise ValueError(f"expected {self.expected}, but got {_shown(value)}{self._nearest(value)}")
        return checked

    @property
    def expected(self) -> str:
        """What the field takes, in words for a message or the documentation."""
        if self.kind == "choice":
            words = "one of " + ", ".join(self.choices)
        elif self.kind == "flag":
            words = "true or false"
        elif self.kind == "numbers":
            words = "a list of numbers, one a class"
        else:
            words = "a whole number" if self.kind == "integer" else "a number"
            if math.isfinite(self.low) and math.isfinite(self.high):
                words += f" from {self.low:g} to {self.high:g}"
        return words if self.none is None else f"{words}, or null ({self.none})"

    def write(self, value: Any) -> str:
        """The value as it stands in an address."""
        if value is None:
            return ""
        if self.kind == "flag":
            return "true" if value else "false"
        if self.kind == "numbers":
            return ",".join(f"{number:g}" if number == float(f"{number:g}") else repr(number) for number in value)
        return str(value)

    def read(self, text: str) -> Any:
        """The value that an address holds; ValueError as in `check`."""
        text = text.strip()
        if text == "" and self.none is not None:
            return None
        try:
            if self.kind == "flag":
                return self.check({"true": True, "false": False}[text.lower()])
            if self.kind == "integer":
                return self.check(float(text))
            if self.kind == "number":
                return self.check(float(text))
            if self.kind == "numbers":
                return self.check([float(part) for part in text.strip("[]").split(",")])
        except (KeyError, ValueError):
            raise ValueError(f"expected {self.expected}, but got {_shown(text)}") from None
        return self.check(text)

    def _choice(self, value: Any) -> str | None:
        return value if isinstance(value, str) and value in self.choices else None

    def _integer(self, value: Any) -> int | None:
        number = self._number(value)
        return int(number) if number is not None and number == int(number) else None

    def _number(self, value: Any) -> float | None:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return None
        return float(value) if math.isfinite(value) and self.low <= value <= self.high else None

    @staticmethod
    def _flag(value: Any) -> bool | None:
        return value if isinstance(value, bool) else None

    def _numbers(self, value: Any) -> tuple[float, ...] | None:
        if not isinstance(value, list | tuple) or not 1 <= len(value) <= 1024:
            return None
        numbers = [self._number(number) for number in value]
        return tuple(n for n in numbers if n is not None) if None not in numbers else None

    def _nearest(self, value: Any) -> str:
        from difflib import get_close_matches

        close = get_close_matches(str(value), self.choices, n=1)
        return f"; did you mean {close[0]}" if close else ""


def _shown(value: Any) -> str:
    """A value as a message shows it, cut to a readable length."""
    try:
        text = json.dumps(value)
    except (TypeError, ValueError):
        text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
