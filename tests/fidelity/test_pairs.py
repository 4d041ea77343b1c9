"""Every pair of values of any two fields of the Experiment, on the U-Net: our losses are those of fit.

The cases stand in pairs.json; covering.py makes it. Here every case runs on both sides, and the file is held
against the vocabulary, so that a new value of any field fails until it has cases.
"""

from __future__ import annotations

import importlib.util
import json
from typing import Any

import pytest

from segdebug.errors import SegdebugError
from segdebug.experiment import Experiment
from tests.fidelity.covering import FILE, all_pairs, pairs_of, words_of
from tests.fidelity.pictures import PICTURES
from tests.fidelity.reference import fit_losses
from tests.fidelity.sides import compared, ours, reference, scene_of

_HELD = json.loads(FILE.read_text())
_CASES: list[dict[str, Any]] = _HELD["cases"]
_REFUSED: list[dict[str, Any]] = _HELD["refused"]
_REFUSED_AT_ONCE = 8  # cases a test: they take milliseconds each


def _name(case: dict[str, Any]) -> str:
    words = ("loss.name", "head.activation", "head.attachment", "target.encoding", "training.execution")
    return "-".join(str(case[field]) for field in ("scene", *words))


def test_readers_are_installed() -> None:
    missing = [name for name in ("cv2", "matplotlib", "PIL") if importlib.util.find_spec(name) is None]
    assert not missing, f"{missing} not installed: their readers would be refused on both sides"


def test_every_pair_is_in_a_case() -> None:
    covered = set().union(*(pairs_of(case) for case in _CASES))
    refused = {tuple(map(tuple, row["pair"])) for row in _REFUSED}
    wanted = set(all_pairs())
    assert not wanted - covered - refused, "run python -m tests.fidelity.covering"
    assert not refused & covered
    assert not refused - wanted


@pytest.mark.parametrize("case", _CASES, ids=map(_name, _CASES))
def test_losses_are_those_of_fit(case: dict[str, Any]) -> None:
    picture = PICTURES[case["scene"]]()
    experiment = Experiment(**words_of(case))
    mine = ours(experiment, scene_of(picture))
    theirs = reference(experiment, picture, one_epoch=case["loss.weighting"] != "class_weight")
    verdict = compared(mine, theirs)
    assert verdict.word == "agree", f"{verdict.what}\n{json.dumps(case)}"


@pytest.mark.parametrize("start", range(0, len(_REFUSED), _REFUSED_AT_ONCE))
def test_refused_pairs_are_refused_by_both(start: int) -> None:
    for row in _REFUSED[start : start + _REFUSED_AT_ONCE]:
        picture, words = PICTURES[row["case"]["scene"]](), words_of(row["case"])
        with pytest.raises(Exception):  # noqa: B017, PT011 - whatever Keras or the signature raises
            fit_losses(words, picture, 2, one_epoch=True)
            pytest.fail(f"fit takes {row['pair']}", pytrace=False)
        try:
            refusal = ours(Experiment(**words), scene_of(picture)).refusal
        except SegdebugError as error:
            refusal = str(error)
        assert refusal, f"segdebug takes {row['pair']}"
