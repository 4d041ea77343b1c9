"""What a run records, without a run."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segdebug.trace import SCALARS, Progress, Snapshot, Trace, snapshot_steps


def progress(first: int, counts: list[list[list[int]]], snapshots: tuple[Snapshot, ...] = ()) -> Progress:
    array = np.array(counts, np.int32)
    scalars = np.zeros((len(array), len(SCALARS)), np.float32)
    scalars[:, 0] = np.arange(first, first + len(array))
    return Progress(first, scalars, array, array, snapshots)


def test_iou_is_undefined_for_a_class_that_is_nowhere() -> None:
    trace = Trace()
    trace.append(progress(0, [[[2, 0, 0], [3, 0, 1], [4, 0, 0]]]))  # right, predicted, true
    np.testing.assert_allclose(trace.iou()[0], [2 / 5, np.nan, 0])
    np.testing.assert_allclose(trace.mean_iou(), [0.2])


def test_an_empty_trace_has_no_steps() -> None:
    trace = Trace()
    assert trace.steps == 0
    assert trace.loss.shape == (0,)
    assert trace.iou().shape == (0, 0)
    assert trace.at(5) is None


def test_steps_must_follow_each_other() -> None:
    trace = Trace()
    trace.append(progress(0, [[[1], [1], [1]]]))
    with pytest.raises(ValueError, match="expected step 1 next, but got 3"):
        trace.append(progress(3, [[[1], [1], [1]]]))


def test_the_maps_of_a_step_are_the_latest_before_it() -> None:
    flat = np.zeros((2, 2), np.float32)
    shots = tuple(Snapshot(s, flat.astype(np.int16), flat, flat, flat > 0) for s in (0, 2))
    trace = Trace([progress(0, [[[1], [1], [1]]] * 3, shots)])
    at_one, at_nine = trace.at(1), trace.at(9)
    assert at_one is not None
    assert at_nine is not None
    assert (at_one.step, at_nine.step) == (0, 2)


@given(st.integers(1, 5000), st.integers(8, 1024))
def test_maps_are_kept_of_first_and_last_and_never_too_many(steps: int, size: int) -> None:
    kept = snapshot_steps(steps, size)
    assert kept == sorted(set(kept))
    assert kept[0] == 0
    assert kept[-1] == steps - 1
    assert len(kept) <= 26
    assert len(kept) * size * size * 11 <= 128 * 2**20
