"""One file an object: which files are one class, by what their names say."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from segdebug.scene.limits import stem
from segdebug.scene.model import FileReport, SceneWarning
from segdebug.scene.planes import Plane

__all__ = ["Groups", "group_by_name", "group_planes", "looks_like_objects"]

_MANY = 10  # numbered files of one name are objects from here on; fewer may be classes
_HASH = re.compile(r"[0-9a-f]{16,}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_NUMBERED = re.compile(r"(?P<name>.*?[^\W\d_].*?|)[\s_.\-]*\(?[0-9]+\)?")
_SAYS_NO_CLASS = {"", "mask", "masks", "object", "objects", "instance", "instances", "img", "image", "file", "label"}
_CLASS_WORDS = {"class", "channel", "ch", "c", "k", "cls", "category", "plane", "layer"}


@dataclass(frozen=True)
class Groups:
    """names: one a class, in the order in which they come. of_file: the class of each file. sure: [0, 1]."""

    names: tuple[str, ...]
    of_file: tuple[int, ...]
    sure: float


def group_by_name(files: list[str]) -> Groups:
    """The classes that the files' names state: "car_1.png" and "car_2.png" are objects of class "car".

    Names that are hashes, or numbers alone, or "mask 7", say no class: they are objects of one, "foreground".
    """
    found = [_class_name(file) for file in files]
    names = tuple(dict.fromkeys(found))
    return Groups(names, tuple(names.index(name) for name in found), 0.9 if "foreground" in names else 0.8)


def looks_like_objects(files: list[str]) -> bool:
    """Whether the names of these files say one file an object, rather than one a class.

    Hashes do, and ten or more numbered files of one name, and names of which several are numbered and one comes
    twice or more. Numbers after a word that means class do not.
    """
    if len(files) < 2:
        return False
    stems = [stem(file) for file in files]
    if all(_HASH.fullmatch(one) for one in stems):
        return True
    matches = [_NUMBERED.fullmatch(one) for one in stems]
    if any(match is None for match in matches):
        return False
    words = [match["name"].strip(" _.-").casefold() for match in matches if match is not None]
    if any(_CLASS_WORDS & set(re.split(r"[\s_.\-]+", word)) for word in words):
        return False
    if len(set(words)) == 1:
        return len(files) >= _MANY
    return len(set(words)) < len(words)


def _class_name(file: str) -> str:
    one = stem(file)
    if _HASH.fullmatch(one):
        return "foreground"
    match = _NUMBERED.fullmatch(one)
    name = (match["name"] if match is not None else one).strip(" _.-")
    return "foreground" if name.casefold() in _SAYS_NO_CLASS else name


def group_planes(groups: Groups, read: Callable[[int], Plane], reports: list[FileReport]) -> Iterator[Plane]:
    """One plane a class: the union of its files, which `read` gives by number. Reports go to `reports` by file.

    Where objects of one class overlap, a warning of the class's report says how many pixels do.
    """
    found: dict[int, FileReport] = {}
    for number, name in enumerate(groups.names):
        members = [index for index, group in enumerate(groups.of_file) if group == number]
        union: Plane | None = None
        twice = 0
        for index in members:
            plane = read(index)
            found[index] = plane.report
            if union is None:
                said = plane.report.name if len(members) == 1 else f"{len(members)} files"
                union = Plane(name, plane.covered.copy(), plane.void, plane.report, said)
                continue
            twice += int(np.count_nonzero(union.covered & plane.covered))
            np.logical_or(union.covered, plane.covered, out=union.covered)
            void = plane.void if union.void is None else union.void
            if void is not None and plane.void is not None:
                void = void | plane.void
            surety = min(union.report.confidence, plane.report.confidence)
            union = replace(union, void=void, report=replace(union.report, confidence=surety))
        if union is None:
            continue
        if twice:
            text = f"{name}: {twice:,} pixels are in more than one object; the class is their union."
            first = found[members[0]]
            found[members[0]] = replace(first, warnings=(*first.warnings, SceneWarning("objects_overlap", text)))
        yield union
    reports += [found[index] for index in sorted(found)]
