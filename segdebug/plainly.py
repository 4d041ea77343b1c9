"""Values as JSON and back, unchanged.

A JSON array stands for a tuple, an object for a mapping with text keys. What JSON has no word for is an object with
one key: {"$float": "nan"}, {"$list": [...]}, {"$map": [[key, value], ...]}; a dataclass, or a configuration, is an
object of its fields with their class's name in "$type".
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from segdebug.experiment import Experiment

__all__ = ["from_plain", "to_plain"]


def to_plain(value: Any) -> Any:
    """The value in what JSON knows. Raises TypeError for anything that is not data."""
    if isinstance(value, np.generic | np.ndarray):
        value = value.tolist()
    if isinstance(value, float) and not math.isfinite(value):
        return {"$float": str(value)}
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, tuple):
        return [to_plain(inner) for inner in value]
    if isinstance(value, list):
        return {"$list": [to_plain(inner) for inner in value]}
    if isinstance(value, Experiment):
        return {"$type": "Experiment", **value.model_dump(mode="json")}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {field.name: to_plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
        return {"$type": type(value).__name__, **fields}
    if isinstance(value, Mapping):
        if all(isinstance(key, str) and not key.startswith("$") for key in value):
            return {key: to_plain(inner) for key, inner in value.items()}
        return {"$map": [[to_plain(key), to_plain(inner)] for key, inner in value.items()]}
    raise TypeError(f"a {type(value).__name__} cannot be written as JSON")


def from_plain(value: Any, types: Mapping[str, type]) -> Any:
    """What `to_plain` was given. types: the dataclasses that may be met, by name.

    Raises ValueError, TypeError or KeyError for what it did not write, ExperimentError for a configuration that this
    version does not know.
    """
    if isinstance(value, list):
        return tuple(from_plain(inner, types) for inner in value)
    if not isinstance(value, dict):
        return value
    if "$float" in value:
        return float(value["$float"])
    if "$list" in value:
        return [from_plain(inner, types) for inner in value["$list"]]
    if "$map" in value:
        return {from_plain(key, types): from_plain(inner, types) for key, inner in value["$map"]}
    name = value.get("$type")
    if name == "Experiment":
        return Experiment(**{key: inner for key, inner in value.items() if key != "$type"})
    fields = {key: from_plain(inner, types) for key, inner in value.items() if key != "$type"}
    return fields if name is None else types[name](**fields)
