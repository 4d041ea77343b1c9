"""The five threads' first cases, run from the page. Each must show what `segdebug.overfit` computes elsewhere."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from segdebug import Experiment, load_sample, overfit
from segdebug.figures import number
from tests.browser.app import View

_SIZE, _STEPS = 32, 20


def _shows_the_same(view: View, sample: str, experiment: Experiment) -> None:
    """The page comes to the same line. A loss that becomes NaN ends a run before its last step."""
    trace = overfit(load_sample(sample), experiment, diagnosed=False).trace
    expected = f"loss {number(trace.loss[0])} → {number(trace.loss[-1])}, mean IoU {number(trace.mean_iou()[-1])}"
    view.sees(expected)
    assert view.headline(trace.steps).endswith(expected)
    view.check()


def test_the_four_combinations_of_softmax_and_from_logits(view: View) -> None:
    view.open(f"/?sample=coffee&size={_SIZE}&steps={_STEPS}")
    for activation in ("linear", "softmax"):
        view.choose("activation", activation)
        for from_logits in (False, True):
            if view.key("from_logits").locator("input[type=checkbox]").is_checked() != from_logits:
                view.toggle("from_logits")
            view.sees(f"{activation} [layer] → categorical_crossentropy(from_logits={from_logits}) on one_hot labels")
            view.settled().overfit()
            experiment = Experiment(
                head={"activation": activation},
                loss={"from_logits": from_logits},
                training={"size": _SIZE, "steps": _STEPS},
            )
            _shows_the_same(view, "coffee", experiment)


@pytest.mark.parametrize(
    ("sample", "preset", "classes"),
    [("mosaic", "thread_003", 33), ("coffee", "thread_002", 5), ("coins", "thread_004", 2)],
)
def test_a_thread_on_its_kind_of_scene(view: View, sample: str, preset: str, classes: int) -> None:
    experiment = Experiment.preset(preset).changed({"training.size": _SIZE, "training.steps": _STEPS})
    view.open(f"/?sample={sample}").preset(preset).number("size", _SIZE).number("steps", _STEPS)
    view.sees(f"{_STEPS} steps at {_SIZE} px")
    view.settled().overfit()
    _shows_the_same(view, sample, experiment)
    view.key("study").get_by_text("IoU of each class").click()
    names = view.key("study_iou").locator(".ytick")
    expect(names).to_have_count(classes)
    assert sorted(names.all_text_contents()) == sorted(c.name for c in load_sample(sample).classes)
