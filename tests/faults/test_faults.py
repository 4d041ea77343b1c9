"""Reported faults, diagnosed: the first finding must stand at the cause's stage and name the cause."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from segdebug import Experiment, check
from segdebug.decoding import channels_of
from segdebug.parts.targets import label_tensor
from tests.faults.case import FAMILY_STAGES, Case
from tests.faults.cases import CASES, LEFT_OUT
from tests.faults.judging import diagnose, every_finding, judge
from tests.faults.pictures import SCENES, SIZE, drawing, scene

REPORTS = 137
"""How many reports were collected; each is a case or left out."""

MISSES: dict[str, str] = {
    "GH-artem-2": "the cause is named, at the labels' stage: Keras refuses the integer labels before the loss is asked",
    "GH-akirasosa-24": "a negative Dice is called sound, with a note on its floor: it has the gradient of 1 - dice",
    "GH-deeplab-9844": "all pixels given one class is found, and not that the metric hides it",
}
"""Case → why the diagnosis is wrong there. A case that is right must not stand here."""

MOST_MISSES = 0.05


def _label(case: Case) -> str:
    return case.id


def test_every_report_is_either_a_case_or_left_out() -> None:
    names = [case.id for case in CASES] + list(LEFT_OUT)
    assert len(names) == len(set(names)) == REPORTS


def test_the_cases_cover_the_families_and_pictures() -> None:
    assert {case.family[0] for case in CASES} == set(FAMILY_STAGES) - {"H"}
    assert {case.picture for case in CASES} == set(SCENES)
    assert all(bool(case.codes) == bool(case.stages) for case in CASES)


@pytest.mark.parametrize("name", [name for name in SCENES if name.startswith(("binary", "three_", "five_street"))])
def test_a_scene_is_the_drawing_whatever_its_file_holds(name: str) -> None:
    read = scene(name)
    drawn = drawing({"binary": 2, "three": 3, "five": 5}[name.partition("_")[0]])
    wrong = np.count_nonzero(read.labels[read.valid] != drawn[read.valid])
    assert wrong <= 0.01 * SIZE**2  # a smoothed edge may be cut a pixel beside the drawn one


_IN_THE_LABELS = [
    case for case in CASES if case.family[0] == "B" and case.family != "B4" and "head.channels" not in case.changes
]
"""Not those where the labels are right but the loss should leave some out, or the head's channels are too few."""


@pytest.mark.parametrize("case", _IN_THE_LABELS, ids=_label)
def test_the_fault_is_in_the_labels_as_fed(case: Case) -> None:
    """The labels as fed are not those of a right loader: one-hot rows, ids, or zeros and ones."""
    experiment, classes, size = case.experiment, case.scene.n_classes, case.experiment.training.size
    fed = label_tensor(case.scene, experiment.target, channels_of(experiment, classes), size)
    ids = case.scene.at(size).labels
    has_rows = experiment.target.encoding in ("one_hot", "summed_planes")
    right: NDArray[Any] = np.eye(classes)[ids] if has_rows else ids
    assert fed.size != right.size or not np.array_equal(fed.ravel(), right.ravel())


@pytest.mark.parametrize("case", CASES, ids=_label)
def test_the_diagnosis_names_the_reported_cause(case: Case) -> None:
    diagnosis = diagnose(case)
    said = [(finding.code, finding.stage) for finding in diagnosis.findings]
    right = judge(case, diagnosis).right
    assert right != (case.id in MISSES), f"{diagnosis.verdict} {said}; {sorted(case.codes)} at {sorted(case.stages)}"


_OF_THE_MASKS = [case for case in CASES if case.family[0] in "BC"]


@pytest.mark.parametrize("case", _OF_THE_MASKS, ids=_label)
def test_the_same_head_and_loss_on_sound_masks_are_not_accused_of_it(case: Case) -> None:
    """The twin: the drawing in a file of ids, read as stored, encoded as the loss takes it."""
    twin = case.experiment.changed({**{f: Experiment()[f] for f in _READING}, **_encoded(case)})
    clean = scene({2: "binary_01", 3: "three"}.get(case.scene.n_classes, "five"))
    said = {finding.code for finding in every_finding(check(twin, clean)) if finding.severity != "note"}
    assert not said & {code for code in case.codes if code[0] in "MT"}  # what is wrong in the head still may be said


_READING = ("target.reader", "target.scale", "target.resize", "target.dtype", "target.layout", "head.channels")


def _encoded(case: Case) -> dict[str, Any]:
    """The encoding that the case's loss takes, in the layout of its head."""
    name, before = case.experiment.loss.name, case.experiment.target.encoding
    binary = name.startswith(("binary", "sigmoid", "bce", "weighted_bce"))
    encoding = "sparse" if name.startswith("sparse") else before if binary and before == "single_channel" else "one_hot"
    if binary and case.scene.n_classes == 2:
        encoding = "single_channel"
    flat = case.experiment.head.attachment in ("after_reshape", "then_reshape")
    return {"target.encoding": encoding, "target.layout": "flat" if flat else "spatial"}


def test_nineteen_of_twenty_are_right() -> None:
    """Each case above is right or a miss, so the misses alone make the fraction."""
    assert set(MISSES) <= {case.id for case in CASES}
    assert len(MISSES) <= MOST_MISSES * len(CASES)
