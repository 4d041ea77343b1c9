"""The timing benchmarks run, and count as they say; how fast anything is, no test asserts."""

from __future__ import annotations

import pytest

from benchmarks.growth import exponent
from benchmarks.speed import loops
from benchmarks.speed.work import Case, experiments, scene

TINY = Case(configurations=2, size=16, classes=3, steps=4)


@pytest.mark.parametrize("kind", loops.KINDS)
def test_a_persons_loop_is_counted_on_to_all_steps(kind: str) -> None:
    found = loops.timed(kind, TINY, epochs=3)
    assert found["seconds"] == pytest.approx(found["first_point"] + 3 * found["step_ms"] / 1000)
    assert found["cpu"] > 0


def test_the_step_is_timed_on_the_operations_of_the_default_network() -> None:
    found = loops.step(TINY, 2)
    assert found["step_cpu_ms"] > 0
    # By hand, at one position of the finest level: the first layer's kernel has 3 * 3 * 3 * 8 numbers.
    model = loops.compiled_model(Case(1, 16, 3, 1))
    first, last = model.layers[1], model.layers[-1]
    assert (first.kernel.shape, last.kernel.shape) == ((3, 3, 3, 8), (1, 1, 8, 3))
    assert found["flop"] > 16 * 16 * 2 * (2 * 27 * 8 + 3 * 24)


def test_configurations_are_all_different_and_the_picture_has_every_class() -> None:
    assert len(set(experiments(Case(6, 16, 3, 1)))) == 6
    assert len(scene(64, 33).classes) == 33


def test_an_exponent_is_a_slope() -> None:
    assert exponent([1, 10, 20], [5.0, 1.0, 4.0]) == pytest.approx(2)
