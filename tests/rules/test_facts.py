"""Facts of scene, labels and weights against NumPy on masks that the tests drew."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from segdebug import Scene, read_scene
from segdebug.facts import label_facts, scene_facts, weight_facts
from segdebug.rules import LabelFacts, WeightFacts
from tests.rules.configured import BCE, SCCE, configured
from tests.scenes import blocks, blocks_mask, discs, png_bytes, striped

GREY = np.full((32, 32, 3), 90, np.uint8)


def labels(scene: Scene, channels: int = 4, base: dict[str, Any] | None = None, **changes: Any) -> LabelFacts:
    experiment = configured(**changes).changed(base or {})
    return label_facts(scene, scene.at(experiment.training.size), experiment, channels)


def weights(scene: Scene, channels: int = 4, **changes: Any) -> WeightFacts:
    experiment = configured(**changes)
    return weight_facts(scene, scene.at(experiment.training.size), experiment, channels)


def test_the_scene_is_counted_without_its_void() -> None:
    scene, mask = blocks(void=True), blocks_mask(void=True)
    facts = scene_facts(scene, scene.at(32))
    np.testing.assert_array_equal(facts.pixels, np.bincount(mask[mask < 255]))
    np.testing.assert_array_equal(facts.pixels_in_file, facts.pixels)
    assert facts.void == np.mean(mask == 255)
    assert facts.labelled == np.count_nonzero(mask < 255)
    np.testing.assert_allclose(facts.frequencies, np.bincount(mask[mask < 255]) / (mask < 255).sum())
    assert facts.names == ("band 0", "band 1", "band 2", "band 3")


def test_overlapping_classes_are_counted_each() -> None:
    facts = scene_facts(discs(), discs().at(32))
    assert facts.pixels.tolist() == [256, 256]
    assert facts.overlapping
    np.testing.assert_allclose(facts.frequencies, 256 / 1024)


def test_one_hot_labels_of_a_sound_scene() -> None:
    facts = labels(blocks())
    assert (facts.shape, facts.dtype, facts.kind) == ((32, 32, 4), "float32", "rows")
    assert (facts.low, facts.high, facts.integers) == (0, 1, True)
    assert facts.distinct == (0, 1)
    assert facts.row_sums == {1: 1}
    assert (facts.wrong, facts.out_of_range, facts.absent, facts.remedy) == (0, 0, (), None)


def test_ids_with_255_unlabelled() -> None:
    facts = labels(blocks(void=True), base=SCCE)
    assert facts.kind == "ids"
    assert facts.n_distinct == 5
    assert facts.high == facts.void_value == 255
    assert facts.out_of_range == 0
    assert facts.void_outside == facts.void_fed == 2 / 32
    assert facts.void_as == "id 255"
    ignored = labels(blocks(void=True), base=SCCE, loss__name="sparse_categorical_crossentropy", loss__ignore_class=255)
    assert ignored.void_outside == ignored.void_fed == 0
    weighed = labels(blocks(void=True), base=SCCE, loss__void="zero_weight")
    assert (weighed.void_fed, weighed.void_outside) == (0, 2 / 32)


def test_one_based_ids_are_all_wrong_by_one() -> None:
    facts = labels(blocks(), base=SCCE | {"target.encoding": "sparse_one_based"})
    mask = blocks_mask() + 1
    assert facts.wrong == 1
    assert facts.shift == 1
    assert facts.out_of_range == np.mean(mask > 3)
    assert facts.outside == (4,)
    assert facts.absent == (0,)
    assert facts.remedy == {"target.encoding": "sparse"}


def test_0_255_single_channel() -> None:
    facts = labels(striped(), 1, BCE | {"target.reader": "pillow"})
    assert facts.kind == "single"
    assert facts.wrong == 0
    assert facts.out_of_range == 8 / 32
    assert facts.outside == (255,)
    assert facts.remedy == {"target.scale": "divide_255"}


def test_one_value_a_pixel_for_a_head_of_classes_is_a_mismatch() -> None:
    for base in ({"target.encoding": "sparse"}, {"target.encoding": "sparse", "target.layout": "trailing_axis"}):
        facts = labels(blocks(), base=base)
        assert facts.kind == "mismatch"
        assert np.isnan(facts.wrong)
        assert facts.remedy is not None
        assert facts.remedy["target.encoding"] == "one_hot"


def test_a_picture_as_wide_as_it_has_classes_is_no_row() -> None:
    assert labels(blocks(), 32, {"target.encoding": "sparse"}).kind == "mismatch"
    assert labels(blocks(), 32, SCCE).kind == "ids"


def test_flat_labels_are_compared_pixel_by_pixel() -> None:
    facts = labels(blocks(void=True), target__layout="flat")
    assert (facts.shape, facts.kind, facts.wrong) == ((1024, 4), "rows", 0)
    assert (facts.void_fed, facts.void_as) == (2 / 32, "a row of zeros")


def test_confusion_of_swapped_ids() -> None:
    mask = np.zeros((32, 32), np.uint8)
    mask[:8], mask[8:20] = 5, 9
    scene = read_scene(GREY, [("mask.png", png_bytes(mask))], encoding="index")
    facts = labels(scene, 10, SCCE | {"target.reader": "pillow"})
    truth = np.unique(mask, return_inverse=True)[1].reshape(mask.shape)
    assert facts.wrong == np.mean(truth != mask) == 20 / 32
    assert facts.confused == (2, 9)
    assert facts.confused_share == 12 / 32
    assert facts.absent == (1, 2)


def test_bilinear_against_nearest() -> None:
    import tensorflow as tf

    mask = np.where(np.indices((30, 30))[1] < 15, 0, 2).astype(np.uint8)
    mask[:5] = 1
    scene = read_scene(np.full((30, 30, 3), 90, np.uint8), [("mask.png", png_bytes(mask))], encoding="index")
    facts = labels(scene, 3, SCCE, target__resize="bilinear")
    stretched, nearest = (
        tf.image.resize(mask[..., None].astype(np.float32), (32, 32), method).numpy()[..., 0].astype(int)
        for method in ("bilinear", "nearest")
    )
    assert facts.nearest_differs == pytest.approx(np.mean(stretched != nearest))
    assert facts.nearest_differs > 0
    assert facts.nearest_wrong == 0
    assert facts.remedy == {"target.resize": "nearest"}


def colour_png() -> bytes:
    colours = np.array([[0, 0, 0], [200, 30, 30], [30, 200, 30]], np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(colours[blocks_mask(3)]).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.mark.parametrize("encoding", ["raw", "one_hot", "sparse", "single_channel", "summed_planes"])
@pytest.mark.parametrize("reader", ["opencv_color", "pillow", "pillow_l", "matplotlib"])
def test_odd_labels_are_measured_or_told(reader: str, encoding: str) -> None:
    scene = read_scene(GREY, [("mask.png", colour_png())])
    for channels in (1, 3, 5):
        for loss in ("categorical_crossentropy", "sparse_categorical_crossentropy", "dice"):
            changes = {"target.reader": reader, "target.encoding": encoding, "loss.name": loss}
            facts = labels(scene, channels, changes | {"head.channels": channels})
            assert (facts.error is None) == (facts.shape != ())
            assert facts.error is None or facts.error_field


def test_colours_as_channels_say_another_class() -> None:
    scene = read_scene(GREY, [("mask.png", colour_png())])
    facts = labels(scene, 3, {"target.reader": "opencv_color", "target.encoding": "raw"})
    rows = np.array([[0, 0, 0], [30, 30, 200], [30, 200, 30]])[blocks_mask(3)]  # blue first, as OpenCV has it
    truth = scene.labels
    says = rows.argmax(axis=-1)
    assert facts.wrong == np.mean((says != truth) & (rows.max(axis=-1) > 0))
    assert facts.out_of_range == np.mean(rows.max(axis=-1) > 1)


def test_nan_in_a_mask_is_no_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    from segdebug.facts import labels as module

    def with_nan(*_: Any) -> Any:
        y = np.eye(4, dtype=np.float32)[blocks_mask()]
        y[0, 0] = np.nan
        return y

    monkeypatch.setattr(module, "made", with_nan)
    facts = labels(blocks())
    assert facts.out_of_range == 1 / 1024
    assert not facts.integers
    assert (facts.low, facts.high) == (0, 1)
    monkeypatch.setattr(module, "made", lambda *_: with_nan()[..., 0])
    assert labels(blocks(), base=SCCE).out_of_range == 1 / 1024


def test_a_file_that_no_reader_reads_is_told(tmp_path: Any) -> None:
    np.save(tmp_path / "mask.npy", blocks_mask())
    scene = read_scene(GREY, [("mask.npy", (tmp_path / "mask.npy").read_bytes())])
    facts = labels(scene, target__reader="tensorflow")
    assert facts.error is not None
    assert facts.error_field == "target.reader"
    assert facts.remedy == {"target.reader": "scene"}


def test_softmaxed_dice_leaves_rows_of_zeros_alone() -> None:
    """dL/dz of Keras's Dice after a softmax is 0 at a row of zeros; after a sigmoid it is not."""
    import keras
    import tensorflow as tf

    y = np.eye(3, dtype=np.float32)[np.array([[0, 1, 2, 0]])]
    y[0, 0] = 0
    z = tf.Variable(np.random.default_rng(3).normal(size=(1, 4, 3)).astype(np.float32))
    for activation, preset in (("softmax", "softmax_dice"), ("sigmoid", "sigmoid_dice")):
        with tf.GradientTape() as tape:
            loss = keras.losses.Dice()(y, getattr(keras.activations, activation)(z))
        largest = float(tf.reduce_max(tf.abs(tape.gradient(loss, z)[0, 0])))
        scene, experiment = blocks(void=True), configured(preset)
        facts = label_facts(scene, scene.at(32), experiment, 4)
        assert (largest > 1e-6) == (facts.void_fed > 0), (activation, largest)


def test_weights_by_pixel_are_the_classes() -> None:
    facts = weights(blocks(void=True), loss__class_weights=[1, 2, 3, 4], loss__void="zero_weight")
    assert (facts.given, facts.arrived, facts.as_meant) == (True, True, True)
    assert (facts.low, facts.high, facts.mean) == (1, 4, 2.5)
    assert weights(blocks()) == WeightFacts()


def test_class_weight_through_fit() -> None:
    given = {"loss__class_weights": [1, 2, 3, 4], "loss__weighting": "class_weight"}
    refused = weights(blocks(), **given)
    assert refused.error is not None
    assert weights(blocks(), **given, training__container="tf_data").as_meant
    flat = {**given, "target__encoding": "sparse", "target__layout": "flat", "target__dtype": "int32"}
    ignored = weights(blocks(), **flat, head__attachment="then_reshape", loss__name="sparse_categorical_crossentropy")
    assert not ignored.as_meant
    assert ignored.low == ignored.high


def test_weights_in_the_loss_are_those_of_the_labels() -> None:
    given = {"loss__class_weights": [1, 2, 3, 4], "loss__weighting": "in_loss"}
    assert weights(blocks(), **given).as_meant
    shifted = weights(
        blocks(),
        5,
        **{**given, "loss__class_weights": [1, 2, 3, 4, 5]},
        head__channels=5,
        target__encoding="sparse_one_based",
        loss__name="sparse_categorical_crossentropy",
    )
    assert not shifted.as_meant
    assert shifted.mean == np.mean(blocks_mask() + 2)
    beyond = weights(
        blocks(void=True), **given, target__encoding="sparse", loss__name="sparse_categorical_crossentropy"
    )
    assert beyond.error is not None
    assert "255" in beyond.error


def test_a_loss_that_selects_weights_itself_counts_a_map_on_top() -> None:
    twice = weights(blocks(), loss__name="weighted_bce_dice", loss__class_weights=[1, 2, 3, 4])
    assert not twice.as_meant
    assert twice.high == 16
    once = weights(
        blocks(), loss__name="weighted_bce_dice", loss__class_weights=[1, 2, 3, 4], loss__weighting="in_loss"
    )
    assert once.as_meant
