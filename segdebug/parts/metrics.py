"""The figure that the person's own metric would print, from the real Keras metric on the labels as fed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from segdebug.experiment import Experiment

__all__ = ["build_metric"]

_SPARSE = ("sparse", "sparse_one_based")


def build_metric(experiment: Experiment, channels: int, threshold: float) -> Callable[[Any, Any], Any]:
    """A function (y, output) → (n,) float32: one number, or one a class for iou_per_class.

    threshold: where the head's output is 0.5 in probability, for `decode: auto`. The function raises whatever
    Keras raises on the shapes it is given, as it would inside `fit`.
    """
    decode = _decoding(experiment, channels, threshold)
    metrics = _metrics(experiment, channels, decoded=decode is not None)

    @tf.function(autograph=False, reduce_retracing=True)
    def measured(y: Any, output: Any) -> Any:
        prediction = output if decode is None else decode(output)
        values = []
        for metric in metrics:
            metric.reset_state()
            metric.update_state(y, prediction)
            values.append(tf.cast(metric.result(), tf.float32))
        return tf.stack(values)

    return measured


def _decoding(experiment: Experiment, channels: int, threshold: float) -> Callable[[Any], Any] | None:
    """What is done to the output first; None where the metric gets it as it is."""
    how, name = experiment.metric.decode, experiment.metric.name
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


def _metrics(experiment: Experiment, channels: int, decoded: bool) -> list[keras.Metric]:
    name, classes = experiment.metric.name, max(channels, 2)
    sparse = experiment.target.encoding in _SPARSE or channels == 1
    flags = {}
    if experiment.metric.decode != "raw" and name in ("mean_iou", "iou_per_class"):
        flags = {"sparse_y_true": sparse, "sparse_y_pred": decoded}
        if decoded and experiment.metric.decode.startswith("threshold") and channels > 1:
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
    sparse_labels = experiment.target.encoding in _SPARSE
    return [keras.metrics.SparseCategoricalAccuracy() if sparse_labels else keras.metrics.CategoricalAccuracy()]
