"""What is said about a scene's files: class names, one report a file, warnings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from segdebug.errors import SceneError
from segdebug.scene.codes import Codes, code_name
from segdebug.scene.decode import Raster
from segdebug.scene.limits import MAX_MASK_FILES, display_text
from segdebug.scene.model import Alternative, FileReport, SceneWarning

__all__ = ["check_names", "distinct_names", "file_report", "merged", "named"]

_MOST_SHOWN = 64  # distinct values of a file's report
_REPEATS_SHOWN = 3  # warnings of one kind, before they are counted instead


def check_names(classes: Sequence[str] | None) -> list[str] | None:
    """Class names as they may be shown. Raises SceneError for none, too many, empty or doubled ones."""
    if classes is None:
        return None
    if isinstance(classes, (str, bytes)) or not isinstance(classes, Iterable):
        raise SceneError(f"Expected classes to be a list of names, but got {type(classes).__name__}.")
    names = [display_text(str(name), "") for name in classes]
    if not 1 <= len(names) <= MAX_MASK_FILES + 1:
        raise SceneError(f"Expected 1 to {MAX_MASK_FILES + 1} class names, but got {len(names)}.")
    for number, name in enumerate(names):
        if not name:
            raise SceneError(f"The name of class {number} is empty.")
        if name in names[:number]:
            raise SceneError(f'Two classes are named "{name}". Give each its own name.')
    return names


def distinct_names(names: Sequence[str]) -> list[str]:
    """The same names, later doubles with a number: "sky", "sky (2)"."""
    taken: set[str] = set()
    result = []
    for name in names:
        unique, number = name, 1
        while unique in taken:
            number += 1
            unique = f"{name} ({number})"
        taken.add(unique)
        result.append(unique)
    return result


def named(given: list[str] | None, inferred: list[str], what: str, *, may_skip_background: bool) -> list[str]:
    """The names given, one a class (the background, class 0, may be left out), or those inferred."""
    if given is None:
        return inferred
    if may_skip_background and len(given) == len(inferred) - 1 and "background" not in given:
        return ["background", *given]
    if len(given) != len(inferred):
        raise SceneError(
            f"{what}: {len(given)} class names were given, but there are {len(inferred)} classes "
            f"({', '.join(inferred[:8])}{', …' if len(inferred) > 8 else ''}). Give one name a class."
        )
    return given


def file_report(
    raster: Raster,
    codes: Codes,
    encoding: str,
    confidence: float,
    warnings: Iterable[SceneWarning],
    *,
    reasons: Iterable[str] = (),
    alternatives: Iterable[Alternative] = (),
    repaired: int = 0,
    threshold: float | None = None,
) -> FileReport:
    """What one mask file holds: its distinct values the commonest first, ties by value. `codes`: as in the file."""
    order = np.argsort(-codes.counts, kind="stable")[:_MOST_SHOWN]
    return FileReport(
        name=raster.name,
        format=raster.format,
        mode=raster.mode,
        dtype=str(raster.values.dtype),
        size=raster.size,
        distinct=tuple(code_name(codes.kind, int(code)) for code in codes.distinct[order]),
        histogram=tuple(
            (code_name(codes.kind, int(code)), int(count))
            for code, count in zip(codes.distinct[order], codes.counts[order], strict=True)
        ),
        n_distinct=len(codes.distinct),
        encoding=encoding,
        confidence=round(confidence, 2),
        warnings=tuple(warnings),
        reasons=tuple(reasons),
        alternatives=tuple(alternatives),
        repaired=repaired,
        threshold=threshold,
    )


def merged(warnings: Sequence[SceneWarning]) -> list[SceneWarning]:
    """Warnings of many files, at most three of a kind; the rest of them as a count."""
    by_code: dict[str, list[SceneWarning]] = {}
    for warning in warnings:
        by_code.setdefault(warning.code, []).append(warning)
    result = []
    for code, same in by_code.items():
        result += same[:_REPEATS_SHOWN]
        if len(same) > _REPEATS_SHOWN:
            rest = len(same) - _REPEATS_SHOWN
            result.append(SceneWarning(code, f"The same of {rest} more file{'s' if rest > 1 else ''}."))
    return result
