"""How often each rule was right on reported faults, and how often it cried wolf: what `benchmarks.rules` measured."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path

__all__ = ["measured"]

_FIGURES = Path(__file__).parent / "figures.json"


def measured(code: str = "all") -> str:
    """One sentence on a rule, or on all of them together; "" where nothing was measured."""
    figure = _figures().get(code)
    if figure is None:
        return ""
    alarms = f"of {figure['of_sound']} sound configurations it warned on {figure['false_alarms']}"
    if code == "all":
        return f"Of {figure['of']} reported faults it named {figure['hits']} at the right stage and cause; {alarms}."
    if not figure["of"]:
        return f"It stood first on none of the reported faults; {alarms}."
    return (
        f"Of the {figure['of']} reported faults on which it stood first it was the cause in {figure['hits']}; {alarms}."
    )


@lru_cache(maxsize=1)
def _figures() -> dict[str, dict[str, int]]:
    if not _FIGURES.is_file():
        return {}
    figures: dict[str, dict[str, int]] = json.loads(_FIGURES.read_text(encoding="utf-8"))
    return figures
