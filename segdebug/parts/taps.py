"""Taps: seeing a tensor on its way through real Keras objects, without changing what they compute.

A tap replaces a callable attribute of a layer or loss by one that calls the original and keeps what went in
(or came out). The tensor that goes on is the same object, with everything that Keras has attached to it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = ["Tap"]


class Tap:
    """Keeps the first argument, or the result, of the latest call of `function`."""

    def __init__(self, function: Callable[..., Any], result: bool) -> None:
        self._function = function
        self._result = result
        self.tensor: Any = None

    @classmethod
    def on(cls, owner: Any, attribute: str, *, result: bool = False) -> Tap:
        """Put a tap on one attribute of a layer or loss object."""
        tap = cls(getattr(owner, attribute), result)
        setattr(owner, attribute, tap)
        return tap

    def __call__(self, first: Any, *rest: Any, **named: Any) -> Any:
        passed_on = self._function(first, *rest, **named)
        self.tensor = passed_on if self._result else first
        return passed_on
