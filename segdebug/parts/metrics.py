"""The figure that the person's own metric would print, from the real Keras metric on the labels as fed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import keras
import tensorflow as tf

from segdebug.experiment import Experiment, Metric

__all__ = ["build_metric"]

_SPARSE = ("sparse", "sparse_one_based")


def build_metric(experiment: Experiment, channels: int, threshold: float) -> Callable[[Any, Any], Any]:
    """A function (y, output) → (n,) float32: one number, or one a class for iou_per_class.

    threshold: where the head's output is 0.5 in probability, for `decode: auto`. The function raises whatever
    Keras raises on the shapes it is given, as it would inside `fit`.
    """
    return _built(experiment.metric, channels, threshold, experiment.target.encoding in _SPARSE)


@lru_cache(maxsize=16)
def _built(metric: Metric, channels: int, threshold: float, sparse: bool) -> Callable[[Any, Any], Any]:
    """Kept from run to run: tracing it takes as long as a dozen steps."""
    decode = _decoding(metric, channels, threshold)
    metrics = _metrics(metric, channels, sparse, decoded=decode is not None)
    in_turn = threading.Lock()  # it counts in variables of its own

    @tf.function(autograph=False)
    def measured(y: Any, output: Any) -> Any:
        prediction = output if decode is None else decode(output)
        values = []
        for one in metrics:
            one.reset_state()
            one.update_state(y, prediction)
            values.append(tf.cast(one.result(), tf.float32))
        return tf.stack(values)

    def one_at_a_time(y: Any, output: Any) -> Any:
        with in_turn:
            return measured(y, output)

    return one_at_a_time


def _decoding(metric: Metric, channels: int, threshold: float) -> Callable[[Any], Any] | None:
    """What is done to the output first; None where the metric gets it as it is."""
    how, name = metric.decode, metric.name
    if how == "argmax":
        return lambda output: tf.argmax(output, axis=-1)
    if how.startswith("threshold"):
        at = 0.5 if how == "threshold_0.5" else 0.0
        return lambda output: tf.cast(output > at, tf.float32)
    if how == "auto" and channels == 1 and name in ("mean_iou", "one_hot_mean_iou", "iou_per_class"):
        return lambda output: tf.cast(output > threshold, tf.float32)
    if how == "auto" and name in ("binary_iou", "binary_accuracy"):
        return lambda output: tf.cast(output > threshold, tf.float32)
    return None


def _metrics(metric: Metric, channels: int, sparse_labels: bool, decoded: bool) -> list[keras.Metric]:
    name, classes = metric.name, max(channels, 2)
    sparse = sparse_labels or channels == 1
    flags = {}
    if metric.decode != "raw" and name in ("mean_iou", "iou_per_class"):
        flags = {"sparse_y_true": sparse, "sparse_y_pred": decoded}
        if decoded and metric.decode.startswith("threshold") and channels > 1:
            flags["sparse_y_pred"] = False
    if name == "mean_iou":
        return [keras.metrics.MeanIoU(classes, **flags)]
    if name == "one_hot_mean_iou":
        return [keras.metrics.OneHotMeanIoU(classes)]
    if name == "iou_per_class":
        return [keras.metrics.IoU(classes, [k], **flags) for k in range(classes)]
    if name == "binary_iou":
        return [keras.metrics.BinaryIoU()]
    if name == "binary_accuracy" or channels == 1:
        return [keras.metrics.BinaryAccuracy()]
    return [keras.metrics.SparseCategoricalAccuracy() if sparse_labels else keras.metrics.CategoricalAccuracy()]
