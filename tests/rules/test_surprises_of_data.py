"""What surprises people about labels, weights and metrics: each is found, with its evidence, and silent on its
sound twin. Each number is worked out here by its own formula."""

from __future__ import annotations

import math

import numpy as np
import pytest

from segdebug import Experiment, Run, Scene, check, overfit, read_scene
from segdebug.diagnosis import Diagnosis
from segdebug.errors import KerasRefusal
from tests.rules.surprising import PIXELS, codes, drawn, every, tiny
from tests.scenes import blocks, blocks_mask, png_bytes, striped

K = 4
BANDS = blocks()
VOID = blocks(void=True)


def bands_from_files(first: int = 0) -> Scene:
    """Four bands, one 0/255 file for each class from `first` on; without one, class 0 is the rest."""
    ids = blocks_mask()
    files = [(f"{k}.png", png_bytes((ids == k) * np.uint8(255))) for k in range(first, K)]
    image = np.array([[200, 60, 60], [60, 200, 60], [60, 60, 200], [220, 220, 60]], np.uint8)[ids]
    return read_scene(("image.png", png_bytes(image)), files, encoding="planes")


def is_sound(diagnosis: Diagnosis | None) -> bool:
    return diagnosis is not None and diagnosis.verdict == "sound" and not codes(diagnosis) - {"D01", "G11"}


def test_10_masks_of_255_print_one_loss_and_minimise_another() -> None:
    scene = bands_from_files()
    fused = tiny("linear_cce_logits", target__reader="pillow_l", target__encoding="summed_planes", model__depth=1)
    clipped = fused.changed(
        {
            "head.activation": "softmax",
            "head.attachment": "then_reshape",
            "target.layout": "flat",
            "loss.from_logits": False,
        }
    )
    evidence = every(check(fused, scene))["T01"].evidence
    assert evidence["cross entropy at a uniform start, S ln K"] == pytest.approx(255 * math.log(K))
    assert evidence["sum over the classes of dL/dz at such a pixel, 1 - S (right: 0)"] == -254
    first = {"training.steps": 1, "training.initializer": "zeros"}
    right, others = np.array([1.0, 0, 0, 0]), np.full(K, 1 / K)
    for experiment, gradient in ((fused, others - 255 * right), (clipped, 255 * (others - right))):
        trace = overfit(scene, experiment.changed(first)).trace
        assert trace.loss[0] == pytest.approx(255 * math.log(K))
        np.testing.assert_allclose(trace.snapshots[0].gradient * PIXELS, np.linalg.norm(gradient), rtol=1e-4)
    diverges, learns = (overfit(scene, e.changed({"training.steps": 120})) for e in (fused, clipped))
    assert {"T01", "G04"} <= codes(diverges.diagnosis)
    assert diverges.trace.scalar("logit_max")[-1] > 1e6
    assert learns.trace.mean_iou()[-1] > 0.9
    assert "G04" not in codes(learns.diagnosis)
    assert is_sound(check(fused.changed({"target.scale": "divide_255"}), scene))


def test_11_rows_of_zeros_cost_nothing_and_pull_all_the_same() -> None:
    wrong = tiny("linear_cce_logits", loss__void="as_fed")
    diagnosis = check(wrong, VOID)
    assert diagnosis.verdict == "broken"
    evidence = every(diagnosis)["T02"].evidence
    assert evidence["sum over the classes of dL/dz at a row of zeros (right: 0)"] == 1
    assert evidence["unlabelled pixels that take part with a row of zeros, of all pixels"] == 2 / 32
    first = overfit(VOID, wrong.changed({"training.steps": 1, "training.initializer": "zeros"})).trace.snapshots[0]
    assert first.pixel_loss is not None
    assert not first.pixel_loss[:2].any()
    np.testing.assert_allclose(first.gradient[:2] * PIXELS, math.sqrt(K / K**2), rtol=1e-4)  # p, all of it
    assert is_sound(check(wrong.changed({"loss.void": "zero_weight"}), VOID))
    no_background = tiny("linear_cce_logits", target__encoding="summed_planes", model__depth=1)
    scene = bands_from_files(first=1)
    run = overfit(scene, no_background.changed({"training.steps": 150, "training.learning_rate": 0.01}))
    assert {"T02", "G04"} <= codes(run.diagnosis)
    assert run.trace.scalar("logit_min")[-1] < -1e6
    assert is_sound(check(no_background.changed({"target.encoding": "one_hot"}), scene))


@pytest.mark.parametrize("activation", ["softmax", "linear"])
def test_16_one_channel_prints_0_while_its_bias_runs_away(activation: str) -> None:
    ids = (np.arange(PIXELS) < 320).astype(np.uint8).reshape(32, 32)
    scene = drawn(ids, np.zeros((32, 32, 3), np.uint8))  # of a black image only the last bias is learnt
    one = tiny("sigmoid_bce_binary", head__activation=activation, loss__name="categorical_crossentropy")
    one = one.changed({"loss.from_logits": activation == "linear"})
    evidence = every(check(one, scene))["H09"].evidence
    assert evidence["loss that fit prints on the probe"] == 0
    assert "binary_crossentropy" in str(evidence["Keras warns"])
    run = overfit(scene, one.changed({"training.optimizer": "sgd", "training.learning_rate": 1, "training.steps": 200}))
    assert not run.trace.loss.any()
    background = 1 - 320 / PIXELS
    assert run.trace.scalar("logit_max")[-1] == pytest.approx(-199 * background)  # the last step's own comes after
    assert {"H09", "G06"} <= codes(run.diagnosis)
    assert is_sound(check(tiny("sigmoid_bce_binary"), scene))


def _with_specks() -> Scene:
    """Four bands and, where nothing in the image shows it, ten pixels of a fifth class."""
    ids = blocks_mask()
    colours = np.array([[200, 60, 60], [60, 200, 60], [60, 60, 200], [220, 220, 60]], np.uint8)[ids]
    ids.flat[np.random.default_rng(1).choice(PIXELS, 10, replace=False)] = 4
    return drawn(ids, colours)


def test_17_a_rare_class_costs_next_to_nothing_and_at_a_thousand_is_painted_everywhere() -> None:
    scene, f = _with_specks(), 10 / PIXELS
    plain = tiny("sigmoid_bce", training__steps=150, training__learning_rate=0.1)
    run = overfit(scene, plain)
    price = -(f * math.log(f) + (1 - f) * math.log(1 - f)) / 5
    missed = every(run.diagnosis)["G07"].evidence
    assert missed["IoU 0"] == ["class 4"]
    assert missed["price of ignoring them"] == [pytest.approx(price, rel=1e-3)]
    assert run.trace.iou()[-1, 4] == 0
    assert run.trace.iou()[-1, :4].min() > 0.95
    heavy = plain.changed({"loss.class_weights": [1, 1, 1, 1, 1000]})
    painted = every(overfit(scene, heavy).diagnosis)
    assert painted["L20"].evidence["weight times pixels, against all other classes"] == pytest.approx(
        1000 * f / (1 - f)
    )
    assert painted["G16"].evidence["missed"] == 0
    assert painted["G16"].evidence["false"] > 500
    as_in_thread = heavy.changed({"loss.name": "weighted_bce_dice", "loss.weighting": "in_loss"})
    thread = overfit(scene, as_in_thread)
    floor = -2 * (1 + 999 * f)
    assert every(thread.diagnosis)["L11"].evidence["floor"] == pytest.approx(floor)
    assert floor < thread.trace.loss[-1] < thread.trace.loss[0] < 0  # falling, and no sign of success
    assert thread.trace.iou()[-1, 4] < 0.2
    assert is_sound(overfit(BANDS, plain).diagnosis)
    assert codes(check(plain, scene)).isdisjoint({"L20", "G16", "L11"})


WEIGHTS = (1.0, 2.0, 3.0, 10.0)


def _weighted(preset: str, **changes: object) -> Experiment:
    how = {"loss__class_weights": WEIGHTS, "loss__weighting": "class_weight", "training__steps": 2}
    return tiny(preset, **how, **changes)


def test_18_class_weight_is_refused_on_arrays() -> None:
    arrays = _weighted("softmax_cce")
    diagnosis = check(arrays, BANDS)
    assert diagnosis.verdict == "broken"
    assert "0-dimensional" in every(diagnosis)["L23"].evidence["said"]
    with pytest.raises(KerasRefusal, match="0-dimensional"):
        overfit(BANDS, arrays)
    assert is_sound(check(arrays.changed({"loss.weighting": "pixel"}), BANDS))


def test_18_class_weight_is_ignored_on_one_image_of_flat_ids() -> None:
    ignored = _weighted("softmax_scce", head__attachment="after_reshape", target__layout="flat")
    found = every(check(ignored, BANDS))["L22"]
    assert found.severity == "error"
    assert found.evidence["lowest of them on labelled pixels"] == found.evidence["highest"] == 1
    unweighted = ignored.changed({"loss.class_weights": None, "loss.weighting": "pixel"})
    as_given, without = (overfit(BANDS, e).trace.loss for e in (ignored, unweighted))
    np.testing.assert_array_equal(as_given, without)
    by_pixel = ignored.changed({"loss.weighting": "pixel"})
    assert overfit(BANDS, by_pixel).trace.loss[0] > 2 * without[0]
    assert is_sound(check(by_pixel, BANDS))


@pytest.mark.parametrize(("preset", "layout"), [("softmax_cce", "spatial"), ("softmax_scce", "trailing_axis")])
def test_18_class_weight_is_right_from_a_dataset(preset: str, layout: str) -> None:
    dataset = _weighted(preset, training__container="tf_data", target__layout=layout)
    assert is_sound(check(dataset, BANDS))
    undecided = dataset.changed({"training.initializer": "zeros"})
    mean = float(np.array(WEIGHTS)[blocks_mask()].mean())
    assert overfit(BANDS, undecided).trace.loss[0] == pytest.approx(mean * math.log(K))


def test_18_class_weight_of_ids_without_a_last_axis_fails_from_a_dataset_too() -> None:
    found = every(check(_weighted("softmax_scce", training__container="tf_data"), BANDS))["L23"]
    assert "is not in [0, 4)" in found.evidence["said"]


def test_19_dice_of_integer_masks_is_nearly_0_whatever_the_network_says() -> None:
    ids = np.ones((32, 32), np.uint8)
    ids[0], ids[1, :16], ids[31, :16] = 0, 0, 2
    mean = float(ids.mean())
    loss = 1 - 2 * mean / (mean + 1)  # the outputs of a softmax sum to 1 at each pixel
    assert loss == pytest.approx(0.0159, abs=1e-4)
    integers = tiny("softmax_dice", target__encoding="sparse", target__layout="trailing_axis", training__steps=3)
    run = overfit(drawn(ids), integers)
    assert run.trace.loss == pytest.approx(loss, abs=1e-5)
    assert run.diagnosis is not None
    assert (run.diagnosis.verdict, run.diagnosis.computes) == ("broken", "broadcast")
    evidence = every(run.diagnosis)["L01"].evidence
    assert (evidence["labels, without the batch"][-1], evidence["output"][-1]) == (1, 3)
    assert is_sound(check(tiny("softmax_dice"), BANDS))


def test_19_dice_leaves_its_range_on_masks_of_255() -> None:
    import keras

    fed = tiny("sigmoid_dice", target__reader="pillow_l", target__encoding="single_channel")
    perfect = float(keras.losses.Dice()(np.full((1, 8, 8, 1), 255.0), np.ones((1, 8, 8, 1))))
    assert perfect == pytest.approx(1 - 510 / 256, abs=1e-5)
    evidence = every(check(fed, striped()))["T01"].evidence
    assert evidence["Dice loss of a perfect prediction of pixels labelled 255"] == pytest.approx(perfect, abs=1e-5)
    run = overfit(striped(), fed.changed({"training.steps": 50, "training.learning_rate": 0.3}))
    assert run.trace.loss[-1] < -0.9
    assert {"T01", "G14"} <= codes(run.diagnosis)
    assert is_sound(check(fed.changed({"target.scale": "divide_255"}), striped()))


def test_19_pooled_dice_forgives_a_lost_object() -> None:
    ids = np.zeros((32, 32), np.uint8)
    ids[4:8, 4:8] = 1
    scene = drawn(ids, np.full((32, 32, 3), 90, np.uint8))
    pooled = tiny("softmax_dice", training__steps=60, training__learning_rate=1.0)
    assert every(check(pooled, scene))["L10"].severity == "note"
    run = overfit(scene, pooled)
    share = 16 / PIXELS
    assert run.trace.loss[-1] == pytest.approx(share, rel=1e-3)
    found = every(run.diagnosis)["L10"]
    assert found.severity == "warning"
    assert found.evidence["loss when it is never predicted, all else perfect"] == pytest.approx(share)
    assert found.evidence["its IoU at the last step"] == 0
    for twin in (check(pooled.changed({"loss.name": "cce_dice"}), scene), check(pooled, BANDS)):
        assert is_sound(twin)


def _metric(run: Run, n: int = -1) -> float:
    printed = run.trace.snapshots[n].metric
    assert printed is not None
    return printed[0]


@pytest.mark.parametrize("classes", [3, 4])
def test_20_mean_iou_of_probabilities_is_a_constant(classes: int) -> None:
    raw = tiny("softmax_cce", metric__decode="raw", training__steps=60, training__learning_rate=0.03)
    constant = ((classes - 1) / classes + 0) / 2  # of one-hot entries: all zeros found, no one
    scene = blocks(classes)
    assert every(check(raw, scene))["E01"].evidence["what it will print"] == pytest.approx(constant, abs=1e-4)
    run = overfit(scene, raw)
    assert run.trace.mean_iou()[-1] > 0.9
    assert [_metric(run, n) for n in range(len(run.trace.snapshots))] == pytest.approx([constant] * 19)
    assert every(run.diagnosis)["E01"].evidence["printed at every step looked at"] == pytest.approx(constant, abs=1e-4)
    decoded = raw.changed({"metric.decode": "auto"})
    twin = overfit(scene, decoded)
    assert is_sound(check(decoded, scene))
    assert is_sound(twin.diagnosis)
    assert _metric(twin) == pytest.approx(float(twin.trace.mean_iou()[-1]))


def test_20_a_perfect_binary_prediction_prints_359() -> None:
    ids = (np.arange(PIXELS) < 288).astype(np.uint8).reshape(32, 32)
    raw = tiny("sigmoid_bce_binary", metric__decode="raw", training__steps=60, training__learning_rate=0.03)
    constant = (1 - 288 / PIXELS) / 2
    assert constant == pytest.approx(0.359, abs=1e-3)
    run = overfit(drawn(ids), raw)
    assert run.trace.mean_iou()[-1] == 1
    assert _metric(run) == pytest.approx(constant)
    assert every(run.diagnosis)["E01"].evidence["printed at every step looked at"] == pytest.approx(constant, abs=1e-4)
    twin = overfit(drawn(ids), raw.changed({"metric.decode": "auto"}))
    assert is_sound(twin.diagnosis)
    assert _metric(twin) == 1


def test_21_alpha_and_beta_of_tversky_are_exchanged() -> None:
    import keras

    false_positive = float(keras.losses.Tversky(alpha=0.9, beta=0.1)(np.array([[0.0], [1.0]]), np.ones((2, 1))))
    documented, exchanged = 1 - 1 / (1 + 0.9), 1 - 1 / (1 + 0.1)
    assert false_positive == pytest.approx(exchanged, rel=1e-4)
    assert abs(false_positive - documented) > 0.3
    one = tiny("sigmoid_dice", loss__name="tversky", loss__alpha=0.9, loss__beta=0.1)
    single = one.changed({"target.encoding": "single_channel"})
    for experiment, scene in ((single, striped()), (one, BANDS)):
        evidence = every(check(experiment, scene))["L09"].evidence
        assert evidence["difference with the two exchanged"] < 1e-3
        assert evidence["difference from the documented formula"] > 0.1
        assert is_sound(check(experiment.changed({"loss.alpha": 0.5, "loss.beta": 0.5}), scene))
    # Over all classes of a softmax false positives are as many as false negatives: nothing to exchange.
    assert is_sound(check(one.changed({"head.activation": "softmax"}), BANDS))


def test_22_a_label_of_255_is_an_error_in_a_graph_and_nan_under_xla() -> None:
    graph = tiny("linear_scce_logits", loss__ignore_class=None, training__steps=2)
    xla = graph.changed({"training.execution": "xla"})
    for experiment, outcome in ((graph, "an error from TensorFlow"), (xla, "NaN")):
        diagnosis = check(experiment, VOID)
        assert diagnosis.verdict == "broken"
        evidence = every(diagnosis)["T04"].evidence
        assert evidence["here, by how it is executed"] == outcome
        assert evidence["unlabelled pixels with an id outside, of all pixels"] == 2 / 32
        assert evidence["unlabelled pixels hold"] == 255
    with pytest.raises(KerasRefusal, match="a label is 255"):
        overfit(VOID, graph)
    run = overfit(VOID, xla)
    assert run.trace.outcome == "not_finite"
    assert np.isnan(run.trace.loss[0])
    assert {"T04", "G03"} <= codes(run.diagnosis)
    for experiment in (graph, xla):
        twin = overfit(VOID, experiment.changed({"loss.ignore_class": 255}))
        assert np.isfinite(twin.trace.loss).all()
        assert is_sound(twin.diagnosis)
