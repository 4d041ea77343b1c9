"""Overfitting: the numbers are those of the forward pass that trained, checked against mathematics done here."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from segdebug import Experiment, Run, Scene, overfit
from segdebug.errors import ExperimentError, KerasRefusal
from segdebug.trace import Progress
from tests.scenes import blocks, discs, striped

ROOT = Path(__file__).resolve().parent.parent
TINY = {"model.filters": 4, "model.depth": 1, "training.size": 32, "training.steps": 6}
F64 = np.float64


def train(scene: Scene, preset: str = "softmax_cce", **changes: Any) -> Run:
    dotted = {name.replace("__", "."): value for name, value in changes.items()}
    return overfit(scene, Experiment.preset(preset).changed({**TINY, **dotted}), diagnosed=False)


def logits_of(scene: Scene, run: Run) -> Any:
    """The initial logits, float64, of the run's first step: those of a linear head of the same seed."""
    from segdebug.parts.build import build

    experiment = run.experiment.changed({"head.activation": "linear", "head.attachment": "layer"})
    parts = build(scene, scene.at(experiment["training.size"]), experiment)
    return np.asarray(parts.model(parts.x), F64)[0]


def test_the_first_loss_and_its_maps_are_those_of_the_textbook() -> None:
    scene = blocks(void=True)
    run = train(scene, "linear_cce_logits")
    z = logits_of(scene, run)
    grid = scene.at(32)
    y = np.eye(4)[np.maximum(grid.labels, 0)] * grid.valid[..., None]
    p = np.exp(z) / np.exp(z).sum(-1, keepdims=True)
    pixel_loss = -(y * np.log(p)).sum(-1)
    gradient = np.linalg.norm(p - y, axis=-1) * grid.valid / y[..., 0].size  # void weighs 0
    first = run.trace.snapshots[0]
    np.testing.assert_allclose(run.trace.loss[0], pixel_loss.mean(), rtol=1e-5)
    np.testing.assert_allclose(first.pixel_loss, pixel_loss, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(first.gradient, gradient, rtol=1e-4, atol=1e-9)
    np.testing.assert_array_equal(first.prediction, z.argmax(-1))
    np.testing.assert_array_equal(first.dead, ~grid.valid)
    np.testing.assert_allclose(run.trace.scalar("logit_max")[0], z.max(), rtol=1e-5)
    assert run.trace.scalar("dead")[0] == 0  # unlabelled pixels do not count as dead


def test_a_double_softmax_has_another_loss_than_its_rescued_twin() -> None:
    scene = blocks()
    rescued, doubled = train(scene, "softmax_cce_logits"), train(scene, "softmax_reshape_cce_logits")
    p = np.exp(logits_of(scene, rescued))
    p /= p.sum(-1, keepdims=True)
    y = np.eye(4)[scene.at(32).labels]
    twice = np.exp(p) / np.exp(p).sum(-1, keepdims=True)
    np.testing.assert_allclose(rescued.trace.loss[0], -(y * np.log(p)).sum(-1).mean(), rtol=1e-5)
    np.testing.assert_allclose(doubled.trace.loss[0], -(y * np.log(twice)).sum(-1).mean(), rtol=1e-5)
    assert any("does not represent logits" in warning for warning in rescued.keras_warnings)
    assert not doubled.keras_warnings


@pytest.mark.parametrize("preset", ["softmax_cce", "softmax_cce_logits"])
def test_three_spellings_of_the_same_loss_train_bit_for_bit_alike(preset: str) -> None:
    plain = train(blocks(), "linear_cce_logits")
    np.testing.assert_array_equal(train(blocks(), preset).trace.loss, plain.trace.loss)


@pytest.mark.parametrize("preset", ["softmax_cce", "linear_scce_logits", "sigmoid_bce"])
def test_weighted_pixel_losses_have_the_loss_as_their_mean(preset: str) -> None:
    run = train(blocks(void=True), preset, loss__class_weights=[1, 2, 3, 10], loss__void="zero_weight")
    assert run.trace.no_pixel_loss is None
    if preset == "linear_scce_logits":  # ignore_class divides by the pixels that are left
        labelled = blocks(void=True).at(32).valid.mean()
        means = [s.pixel_loss.mean() / labelled for s in run.trace.snapshots if s.pixel_loss is not None]
    else:
        means = [s.pixel_loss.mean() for s in run.trace.snapshots if s.pixel_loss is not None]
    kept = [s.step for s in run.trace.snapshots]
    np.testing.assert_allclose(means, run.trace.loss[kept], rtol=1e-5)


def test_region_losses_have_no_pixel_loss_and_say_why() -> None:
    run = train(blocks(), "softmax_dice")
    assert run.trace.no_pixel_loss is not None
    assert "one number" in run.trace.no_pixel_loss
    assert all(s.pixel_loss is None for s in run.trace.snapshots)
    assert np.isnan(run.trace.scalar("pixel_loss_max")).all()


def test_counts_are_those_of_the_prediction() -> None:
    scene = blocks(void=True)
    run = train(scene)
    grid = scene.at(32)
    for snapshot in run.trace.snapshots:
        predicted, true = snapshot.prediction[grid.valid], grid.labels[grid.valid]
        for k in range(4):
            union = ((predicted == k) | (true == k)).sum()
            expected = ((predicted == k) & (true == k)).sum() / union if union else np.nan
            np.testing.assert_allclose(run.trace.iou()[snapshot.step, k], expected)


def test_overlapping_classes_are_scored_channel_by_channel() -> None:
    scene = discs()
    run = train(scene, "sigmoid_bce_planes")
    planes = scene.at(32).planes
    last = run.trace.snapshots[-1]
    assert planes is not None
    assert last.prediction.shape == (32, 32, 2)
    for k in range(2):
        both = (last.prediction[..., k] & planes[..., k]).sum()
        either = (last.prediction[..., k] | planes[..., k]).sum()
        np.testing.assert_allclose(run.trace.iou()[-1, k], both / either)


def test_one_channel_is_decoded_at_one_half() -> None:
    scene = striped()
    sigmoid, linear = (
        train(scene, "sigmoid_bce_binary"),
        train(scene, "sigmoid_bce_binary", head__activation="linear", loss__from_logits=True),
    )
    np.testing.assert_array_equal(sigmoid.trace.loss, linear.trace.loss)
    np.testing.assert_array_equal(sigmoid.trace.iou(), linear.trace.iou())
    assert sigmoid.trace.iou().shape == (6, 2)


def test_the_same_seed_gives_the_same_bits_and_another_seed_does_not() -> None:
    one, again, other = train(blocks()), train(blocks()), train(blocks(), training__seed=1)
    assert one.trace.loss.tobytes() == again.trace.loss.tobytes()
    for a, b in zip(one.trace.snapshots, again.trace.snapshots, strict=True):
        assert a.gradient.tobytes() == b.gradient.tobytes()
    assert one.trace.loss.tobytes() != other.trace.loss.tobytes()


def test_a_relu_read_as_probabilities_ends_as_not_a_number_with_its_history() -> None:
    run = train(blocks(), "softmax_cce", head__activation="relu", training__steps=50, loss__void="as_fed")
    assert run.trace.outcome == "not_finite"
    assert 1 <= run.trace.steps < 50
    assert not np.isfinite(run.trace.loss[-1])
    assert run.trace.snapshots[-1].step == run.trace.steps - 1
    assert run.to_json()["loss"][-1] is None


def test_logits_without_bound_are_called_diverged() -> None:
    run = train(
        striped(),
        "sigmoid_bce_binary",
        head__activation="linear",
        loss__name="mean_squared_error",
        training__optimizer="sgd",
        training__learning_rate=1.0,
        training__input_range="0..255",
        training__steps=200,
    )
    assert run.trace.outcome in ("diverged", "not_finite")
    assert run.trace.steps < 200


def test_progress_is_consecutive_and_cancel_keeps_what_was_done() -> None:
    heard: list[Progress] = []
    experiment = Experiment.preset("softmax_cce").changed({**TINY, "training.steps": 500})
    run = overfit(
        blocks(), experiment, on_progress=heard.append, cancel=lambda: bool(heard) and heard[-1].first_step > 3
    )
    assert run.trace.outcome == "cancelled"
    assert 3 < run.trace.steps < 500
    assert [p.first_step for p in heard] == list(np.cumsum([0, *(len(p.scalars) for p in heard[:-1])]))
    assert sum(len(p.scalars) for p in heard) == run.trace.steps == len(run.trace.loss)


def test_the_users_metric_is_what_keras_computes() -> None:
    import keras

    scene = blocks()
    run = train(scene, "softmax_cce", metric__name="mean_iou", metric__decode="raw")
    z = logits_of(scene, run)
    p = (np.exp(z) / np.exp(z).sum(-1, keepdims=True)).astype(np.float32)  # never 1: all truncated to 0
    metric = keras.metrics.MeanIoU(4)
    metric.update_state(np.eye(4, dtype=np.float32)[scene.at(32).labels], p)
    assert run.trace.snapshots[0].metric == pytest.approx((float(metric.result()),))
    sound = train(scene, "softmax_cce")
    assert sound.trace.snapshots[-1].metric == pytest.approx((sound.trace.mean_iou()[-1],), rel=1e-5)


def test_a_metric_that_keras_refuses_does_not_end_the_run() -> None:
    run = train(blocks(), "softmax_scce", metric__name="mean_iou", metric__decode="raw")
    assert run.trace.outcome == "finished"
    assert run.trace.metric_error is not None
    assert "\n" not in run.trace.metric_error


@pytest.mark.parametrize(
    ("preset", "changes", "field", "words"),
    [
        ("softmax_cce", {"target__encoding": "sparse"}, "target.encoding", "another number of axes"),
        ("softmax_scce", {"target__encoding": "one_hot"}, "target.encoding", "one integer a pixel"),
        ("softmax_scce", {"target__encoding": "sparse_one_based"}, "target.encoding", "a label is 4"),
        ("softmax_scce", {"loss__axis": 1}, "loss.axis", "only takes the last axis"),
        ("softmax_cce", {"target__layout": "flat"}, "target.encoding", ""),
        (
            "softmax_cce",
            {"loss__class_weights": [1, 1, 1, 9], "loss__weighting": "class_weight"},
            "loss.weighting",
            "class_weight cannot be used",
        ),
    ],
)
def test_what_keras_refuses_is_refused_in_plain_words(
    preset: str, changes: dict[str, Any], field: str, words: str
) -> None:
    with pytest.raises(KerasRefusal) as refused:
        train(blocks(), preset, **changes)
    assert refused.value.field == field
    assert words in str(refused.value)
    assert "Keras says: " in str(refused.value)
    assert refused.value.original
    assert "\n" not in str(refused.value)


def test_class_weights_must_be_one_a_class() -> None:
    with pytest.raises(ExperimentError, match="2 numbers for 4 classes"):
        train(blocks(), loss__class_weights=[1, 2])


def test_unlabelled_pixels_learn_nothing_under_zero_weight() -> None:
    scene = blocks(void=True)
    fed, left_out = train(scene, loss__void="as_fed"), train(scene)
    void = ~scene.at(32).valid
    assert fed.trace.snapshots[0].gradient[void].min() > 0  # all-zero rows: TensorFlow's gradient is p
    assert left_out.trace.snapshots[0].gradient[void].max() == 0


@pytest.mark.parametrize("attachment", ["then_upsampling", "then_dropout", "after_reshape"])
def test_maps_have_the_size_of_the_grid_whatever_the_attachment(attachment: str) -> None:
    layout = "flat" if attachment == "after_reshape" else "spatial"
    run = train(blocks(), head__attachment=attachment, target__layout=layout)
    last = run.trace.snapshots[-1]
    assert last.gradient.shape == last.dead.shape == last.prediction.shape == (32, 32)
    assert last.pixel_loss is not None
    assert last.pixel_loss.shape == (32, 32)


@pytest.mark.parametrize("precision", ["mixed_float16", "mixed_bfloat16"])
def test_gradients_in_mixed_precision_are_unscaled(precision: str) -> None:
    exact, mixed = train(blocks()), train(blocks(), training__precision=precision)
    pairs = [(r.trace.snapshots[0].gradient.mean(), r.trace.loss[0]) for r in (exact, mixed)]
    np.testing.assert_allclose(pairs[0], pairs[1], rtol=0.05)


def test_versions_and_threads_are_kept() -> None:
    import keras
    import tensorflow as tf

    run = train(blocks())
    assert run.versions["keras"] == keras.__version__
    assert run.versions["tensorflow"] == tf.__version__
    assert run.versions["threads"] == "1+1"


ALIKE = {
    "plain": ("softmax_cce", {}),
    "weighted": ("softmax_cce", {"loss__class_weights": [1, 2, 3, 10]}),
    "dropout": ("softmax_cce", {"head__attachment": "then_dropout", "training__optimizer": "adamw"}),
    "rmsprop": ("softmax_cce", {"training__optimizer": "rmsprop", "training__learning_rate": 0.05}),
    "half": ("sigmoid_bce", {"training__precision": "mixed_float16", "training__optimizer": "rmsprop"}),
    "dataset": ("linear_scce_logits", {"training__container": "tf_data", "training__precision": "mixed_bfloat16"}),
    "planes": ("sigmoid_bce_planes", {"training__optimizer": "sgd", "training__learning_rate": 0.1}),
}


@pytest.mark.filterwarnings("ignore")  # Keras's remarks, which a run collects
@pytest.mark.parametrize("name", ALIKE)
def test_many_steps_a_call_have_the_bits_of_one_step_a_call(name: str) -> None:
    from segdebug.decoding import threshold
    from segdebug.parts.build import build
    from segdebug.step import build_step

    preset, changes = ALIKE[name]
    scene = discs() if name == "planes" else blocks()
    run = train(scene, preset, **changes)
    grid = scene.at(32)
    parts = build(scene, grid, run.experiment)
    step = build_step(parts, grid, scene.n_classes, threshold(run.experiment), run.experiment.training)
    records = [step() for _ in range(run.trace.steps)]
    progress = {key: [getattr(part, key) for part in run.trace.parts] for key in ("scalars", "counts")}
    for key, parts_of_run in progress.items():
        np.testing.assert_array_equal(np.concatenate(parts_of_run), np.stack([record[key] for record in records]))
    np.testing.assert_array_equal(run.trace.iou(by_threshold=True)[-1], _iou(records[-1]["threshold_counts"]))
    np.testing.assert_array_equal(run.trace.snapshots[-1].gradient, records[-1]["gradient"])


def _iou(counts: Any) -> Any:
    right, predicted, true = np.asarray(counts, F64)
    with np.errstate(invalid="ignore"):
        return right / (predicted + true - right)


_AT_THE_SAME_TIME = """
import hashlib, json, sys
import tensorflow as tf
tf.config.threading.set_intra_op_parallelism_threads(1)
tf.config.threading.set_inter_op_parallelism_threads(int(sys.argv[1]))
from segdebug import Experiment, overfit
from tests.scenes import blocks
for preset, changes in json.loads(sys.argv[2]):
    trace = overfit(blocks(void=True), Experiment.preset(preset).changed(changes), diagnosed=False).trace
    maps = [array for at in trace.snapshots for array in (at.prediction, at.gradient, at.dead)]
    scalars = [trace.scalar(name) for name in ("loss", "logit_max", "gradient_max")]
    print(preset, hashlib.sha256(b"".join(array.tobytes() for array in (*scalars, *maps))).hexdigest())
"""


def test_operations_at_the_same_time_change_no_bit() -> None:
    """The training processes have two threads between operations: two of them run beside each other in a step."""
    runs = [
        ("softmax_cce", {"head.attachment": "then_dropout"}),
        ("sigmoid_bce", {"training.optimizer": "rmsprop", "training.container": "tf_data"}),
        ("softmax_dice", {"training.optimizer": "sgd", "training.precision": "mixed_float16"}),
        ("linear_cce_logits", {"training.execution": "eager"}),
    ]
    asked = json.dumps([(preset, {"training.size": 32, "training.steps": 25, **more}) for preset, more in runs])
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", _AT_THE_SAME_TIME, threads, asked], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        for threads in ("1", "2", "4")
    ]
    one, *others = [process.communicate()[0].splitlines() for process in processes]
    assert len(one) == len(runs)
    assert others == [one, one]


def test_kept_steps_train_bit_for_bit_as_new_ones() -> None:
    from segdebug import kept

    other = blocks(void=True)
    changes: list[tuple[Scene, dict[str, Any]]] = [
        (blocks(), {}),
        (blocks(), {"training__seed": 3, "training__learning_rate": 0.01, "training__initializer": "he_normal"}),
        (
            blocks(),
            {"metric__name": "binary_accuracy", "training__input_range": "-1..1", "target__scale": "divide_255"},
        ),
        (blocks(), {}),
    ]
    weighted = [(other, {"loss__class_weights": weights}) for weights in ([1, 2, 3, 4], [4, 3, 2, 1])]

    def trace_of(scene: Scene, changed: dict[str, Any]) -> tuple[bytes, ...]:
        run = train(scene, "softmax_cce_logits", head__attachment="then_dropout", **changed)
        last = run.trace.snapshots[-1]
        assert run.trace.outcome == "finished"
        return (
            run.trace.loss.tobytes(),
            run.trace.iou().tobytes(),
            last.gradient.tobytes(),
            str(run.keras_warnings).encode(),
        )

    for runs in (changes, weighted):
        kept.forget()
        again = [trace_of(*run) for run in runs]
        assert kept.traced() == 1, "the graph sees nothing of what differs"
        for run, of_kept in zip(runs, again, strict=True):
            kept.forget()
            assert trace_of(*run) == of_kept


def test_kept_steps_are_not_those_of_another_loss_or_of_class_weights_inside_it() -> None:
    from segdebug import kept

    kept.forget()
    inside = {"loss__weighting": "in_loss"}
    light = train(blocks(), loss__class_weights=[1, 1, 1, 1], **inside)
    heavy = train(blocks(), loss__class_weights=[9, 9, 9, 9], **inside)
    np.testing.assert_allclose(9 * light.trace.loss[0], heavy.trace.loss[0], rtol=1e-5)
    smooth = train(blocks(), loss__label_smoothing=0.5)
    assert (
        smooth.trace.loss[0] != train(blocks()).trace.loss[0] or smooth.trace.loss[1] != train(blocks()).trace.loss[1]
    )
    assert kept.traced() == 4


def test_kept_steps_are_not_those_of_another_number_of_channels() -> None:
    from segdebug import kept

    kept.forget()
    one = {"head__activation": "sigmoid", "loss__name": "binary_crossentropy", "target__dtype": "float32"}
    two = {**one, "target__encoding": "sparse", "target__layout": "trailing_axis"}  # labels (1, S, S, 1) as well
    assert np.isfinite(train(striped(), **one, target__encoding="single_channel").trace.loss).all()
    with pytest.raises(KerasRefusal):
        train(striped(), **two)


def test_a_network_of_which_a_few_would_fill_the_memory_is_not_kept() -> None:
    from segdebug import kept

    kept.forget()
    heavy = train(blocks(), model__filters=64, model__depth=4, training__steps=1)
    assert heavy.trace.steps == 1
    assert kept.traced() == 0


def test_a_run_that_ended_early_or_failed_leaves_nothing_to_the_next() -> None:
    from segdebug import kept

    kept.forget()
    wrong = {"target__encoding": "sparse_one_based"}
    lost = {"head__activation": "relu", "loss__void": "as_fed", "training__steps": 50}
    first = train(blocks(), "softmax_scce").trace.loss
    with pytest.raises(KerasRefusal):
        train(blocks(), "softmax_scce", **wrong)
    np.testing.assert_array_equal(train(blocks(), "softmax_scce").trace.loss, first)
    assert kept.traced() == 1
    one, again = train(blocks(), "softmax_cce", **lost), train(blocks(), "softmax_cce", **lost)
    assert one.trace.outcome == "not_finite"
    assert one.trace.loss.tobytes() == again.trace.loss.tobytes()
