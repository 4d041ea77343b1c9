"""Every pair of values of any two fields of the Experiment: our losses are those of fit.

The cases stand in pairs.json; covering.py makes it. Here every case runs on both sides, and the file is held
against the vocabulary, so that a new value of any field fails until it has cases. Tracing the U-Net is most of what
a case costs, and compiling it under XLA more: every sixth case not under XLA has the one that stands in the file, the
others depth 0, a single convolution. With SEGDEBUG_UNET_PAIRS=1 all of them have the file's.
"""

from __future__ import annotations

import importlib.util
import json
import os
from collections.abc import Callable

import numpy as np
import pytest

from segdebug.experiment import Experiment
from segdebug.overfit import overfit
from tests.fidelity.covering import Case, all_pairs, load, pairs_of, words_of
from tests.fidelity.pictures import PICTURES
from tests.fidelity.reference import fit_losses
from tests.fidelity.sides import compared, ours, reference, scene_of

_CASES, _REFUSED = load()
_ALL_UNET = bool(os.environ.get("SEGDEBUG_UNET_PAIRS"))
_RUN = [
    case if _ALL_UNET or (n % 6 == 0 and case["training.execution"] != "xla") else {**case, "model.depth": 0}
    for n, case in enumerate(_CASES)
]
_REFUSED_AT_ONCE = 8  # cases a test: they take milliseconds each


def _short(case: Case) -> dict[str, bool]:
    return {"one_epoch": case["loss.weighting"] != "class_weight", "built_first": True}


def _name(case: Case) -> str:
    words = ("loss.name", "head.activation", "head.attachment", "target.encoding", "training.execution")
    return "-".join(str(case[field]) for field in ("scene", *words))


def test_readers_are_installed() -> None:
    missing = [name for name in ("cv2", "matplotlib", "PIL") if importlib.util.find_spec(name) is None]
    assert not missing, f"{missing} not installed: their readers would be refused on both sides"


def test_every_pair_is_in_a_case() -> None:
    covered = set().union(*(pairs_of(case) for case in _CASES))
    refused = {pair for pair, _ in _REFUSED}
    wanted = set(all_pairs())
    assert not wanted - covered - refused, "run python -m tests.fidelity.covering"
    assert not refused & covered
    assert not refused - wanted


@pytest.mark.parametrize("case", _RUN, ids=map(_name, _RUN))
def test_losses_are_those_of_fit(case: Case) -> None:
    picture = PICTURES[case["scene"]]()
    experiment = Experiment(**words_of(case))
    mine = ours(experiment, scene_of(picture))
    theirs = reference(experiment, picture, **_short(case))
    verdict = compared(mine, theirs)
    assert verdict.word == "agree", f"{verdict.what}\n{json.dumps(case)}"


@pytest.mark.parametrize("case", _CASES[::60], ids=map(_name, _CASES[::60]))
def test_short_ways_through_fit_change_no_bit(case: Case) -> None:
    picture, words = PICTURES[case["scene"]](), words_of(case)
    np.testing.assert_array_equal(fit_losses(words, picture, **_short(case)), fit_losses(words, picture), strict=True)


@pytest.mark.parametrize("start", range(0, len(_REFUSED), _REFUSED_AT_ONCE))
def test_refused_pairs_are_refused_by_both(start: int) -> None:
    for pair, case in _REFUSED[start : start + _REFUSED_AT_ONCE]:
        assert set(pair) <= set(case.items())
        picture, words = PICTURES[case["scene"]](), words_of(case)
        assert _refuses(lambda: fit_losses(words, picture, 2, one_epoch=True)), f"fit takes {pair}"  # noqa: B023
        ours = lambda: overfit(scene_of(picture), Experiment(**words), diagnosed=False)  # noqa: B023, E731
        assert _refuses(ours), f"segdebug takes {pair}"


def _refuses(run: Callable[[], object]) -> bool:
    try:
        run()
    except Exception:  # whatever Keras, TensorFlow or a signature raises; segdebug its own
        return True
    return False
