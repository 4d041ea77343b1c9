"""One pixel's numbers: the run's own at its step, and the formulas in float64 against automatic differentiation."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest

from segdebug import Experiment, overfit
from segdebug.errors import ExperimentError
from segdebug.pixel import along_logit, moment, path_of
from tests.pixel.test_shares import PIXELWISE, configured, looked_into
from tests.scenes import blocks, discs, striped

SMALL = {"training.size": 16, "training.steps": 6, "model.depth": 1, "model.filters": 4}


@pytest.mark.parametrize(
    "changes",
    [
        {"head.attachment": "then_dropout", "training.container": "tf_data"},
        {"training.precision": "mixed_float16", "training.execution": "eager"},
    ],
    ids=["dropout", "half precision"],
)
def test_a_moment_is_the_runs_own_step(changes: dict[str, str]) -> None:
    scene, experiment = blocks(), Experiment.preset("softmax_cce").changed({**SMALL, **changes})
    run = overfit(scene, experiment, diagnosed=False)
    step = run.trace.snapshots[-2].step
    found = looked_into(scene, experiment, step)
    tolerance = 2e-3 if "training.precision" in changes else 2e-5
    assert found.loss == pytest.approx(float(run.trace.loss[step]), rel=tolerance)
    shot = run.trace.snapshots[-2]
    assert shot.pixel_loss is not None
    assert found.values is not None
    np.testing.assert_allclose(found.values[..., 0], shot.pixel_loss, rtol=50 * tolerance, atol=50 * tolerance)
    np.testing.assert_allclose(np.linalg.norm(found.gradient, axis=-1), shot.gradient, rtol=0.05, atol=1e-5)


@pytest.mark.parametrize("name", PIXELWISE)
def test_the_curve_goes_through_what_keras_gave(name: str) -> None:
    found = looked_into(blocks(size=8), configured(name), 1)
    path = path_of(found, 3, 6)
    assert path.checked < 1e-5
    curve = along_logit(found, 3, 6, 2)
    assert np.interp(curve.here, curve.logit, curve.loss) == pytest.approx(curve.loss_here, rel=0.02, abs=1e-6)
    assert np.interp(curve.here, curve.logit, curve.gradient) == pytest.approx(curve.gradient_here, rel=0.05, abs=1e-6)
    slope = np.gradient(curve.loss, curve.logit)
    smooth = np.abs(curve.logit - curve.here) < 1
    if name not in ("mean_absolute_error", "categorical_hinge"):
        np.testing.assert_allclose(curve.gradient[smooth], slope[smooth], atol=0.02 * np.abs(slope).max() + 1e-9)


@pytest.mark.parametrize(
    "name", ["dice", "tversky", "jaccard", "lovasz", "negative_dice", "cce_dice", "weighted_bce_dice"]
)
def test_the_curve_of_a_region_loss_goes_through_what_keras_gave(name: str) -> None:
    weights = {"loss.class_weights": [1, 2, 3, 4], "loss.weighting": "in_loss", "head.activation": "sigmoid"}
    found = looked_into(blocks(size=8), configured(name, **(weights if name.startswith("weighted") else {})), 1)
    curve = along_logit(found, 3, 6, 2)
    assert curve.of == "printed loss"
    assert np.interp(curve.here, curve.logit, curve.loss) == pytest.approx(found.loss, rel=1e-3)
    assert np.interp(curve.here, curve.logit, curve.gradient) == pytest.approx(curve.gradient_here, rel=0.1)
    meant = path_of(found, 3, 6).stages[-1].meant
    assert meant is not None
    if name in ("dice", "cce_dice"):  # sound ones: what was meant is what Keras did
        np.testing.assert_allclose(meant.numbers, found.gradient[3, 6], rtol=1e-3, atol=1e-9)


def test_the_stages_of_a_double_softmax() -> None:
    experiment = Experiment.preset("softmax_reshape_cce_logits").changed(SMALL)
    path = path_of(looked_into(blocks(), experiment, 3), 5, 9)
    by_key = {stage.key: stage for stage in path.stages}
    assert path.true_class == "band 2"
    assert "2 (uint8)" in by_key["file"].done.text
    assert by_key["label"].done.numbers == (0, 0, 1, 0)
    u = np.array(by_key["activation"].done.numbers)
    np.testing.assert_allclose(by_key["read"].done.numbers, u)
    log = u - np.log(np.exp(u).sum())
    np.testing.assert_allclose(by_key["log"].done.numbers, log, rtol=1e-6)
    assert by_key["loss"].done.numbers[0] == pytest.approx(-log[2], rel=1e-5)
    z = np.array(by_key["logits"].done.numbers)
    wanted = np.log(np.exp(z).sum()) - z[2]
    assert by_key["loss"].meant is not None
    assert by_key["loss"].meant.numbers[0] == pytest.approx(wanted, rel=1e-6)
    assert by_key["share"].done.numbers[0] == pytest.approx(-log[2] / 256, rel=1e-5)
    q = np.exp(z - z.max()) / np.exp(z - z.max()).sum()
    assert by_key["gradient"].meant is not None
    np.testing.assert_allclose(by_key["gradient"].meant.numbers, (q - [0, 0, 1, 0]) / 256, rtol=1e-5)


def test_a_dead_pixel_lies_in_the_shaded_zone() -> None:
    far_off = {"training.input_range": "0..255", "training.initializer": "he_normal"}
    experiment = Experiment.preset("softmax_reshape_cce").changed({**SMALL, **far_off})
    found = looked_into(blocks(), experiment, 2)
    wrong = found.output.argmax(axis=-1) != found.truth
    row, column = np.argwhere((found.gradient == 0).all(axis=-1) & wrong)[0]
    assert "dead" in path_of(found, row, column).stages[-1].done.text
    label = int(found.truth[row, column])
    curve = along_logit(found, row, column, label)
    assert any(low <= curve.here <= high for low, high in curve.dead)


@pytest.mark.parametrize("scene", [striped(), discs(), blocks(void=True)], ids=["binary", "overlapping", "void"])
@pytest.mark.parametrize("name", ["sigmoid_bce", "thread_004", "softmax_dice", "linear_scce_logits"])
def test_any_pixel_of_any_scene_has_a_path(scene: object, name: str) -> None:
    experiment = Experiment.preset(name).changed({**SMALL, "training.execution": "eager"})
    if name == "thread_004" and scene.n_classes != 2:  # type: ignore[attr-defined]
        experiment = experiment.changed({"target.encoding": "one_hot"})
    if scene.overlapping:  # type: ignore[attr-defined]
        experiment = experiment.changed({"target.encoding": "raw", "target.dtype": "float32"})
        if name == "linear_scce_logits":
            pytest.skip("ids do not overlap")
    found = looked_into(scene, experiment, 1)  # type: ignore[arg-type]
    for place in ((0, 0), (15, 15), (7, 3)):
        path = path_of(found, *place)
        assert [stage.key for stage in path.stages][-1] == "gradient"
        assert all(field.name for field in fields(path))
    with pytest.raises(IndexError):
        path_of(found, 16, 0)


def test_steps_that_a_run_does_not_have_are_refused() -> None:
    with pytest.raises(ExperimentError, match="steps 0 to 2"):
        moment(blocks(size=8), configured("categorical_crossentropy"), 3)
    assert moment(blocks(size=8), configured("categorical_crossentropy"), 2, cancel=lambda: True) is None
