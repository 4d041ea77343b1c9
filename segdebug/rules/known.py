"""What is known of a configuration when the rules look at it. Facts only: no rule here, and no TensorFlow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segdebug.experiment import Experiment
from segdebug.scene import FileReport
from segdebug.trace import Trace

__all__ = ["Known", "LabelFacts", "SceneFacts", "Semantics", "WeightFacts"]


@dataclass(frozen=True)
class Semantics:
    """What the probe measured: which formula the head and the loss really compute, and how that is known.

    computes: a key of `finding.COMPUTES`.
    reads: what the loss was found to read: "logits" (those before the activation), "probabilities" (the output,
        taken for probabilities), "output_logits" (the output, taken for logits), "activated" (the output through
        another softmax or sigmoid), "mixed" (focal factor and cross entropy read different tensors), "error".
    region_reads: the same for the region part of a sum, "" where there is none.
    error: Keras's words, where it refuses; error_field: the dotted field at fault, where one is.
    match: largest relative difference of the measured values and gradients from the matched formula;
        rivals: the same for every other formula that was tried.
    clips: whether the matched formula clips probabilities, so that saturated pixels get no gradient; always_clips:
        whether the same loss was measured to clip in every other wiring too.
    swapped: whether it is Tversky with alpha and beta in each other's place.
    recovered: whether Keras took the logits in place of an activation's output.
    warnings: what Keras warned of, word for word; names_activation: the activation that a warning names, or "".
    ignores_row_sums: whether dL/dz of a categorical loss is p - y even where a label row does not sum to 1, so that
        what is minimised is not what is printed.
    cosine, norm_ratio: of dL/dz against the intended loss's, on moderate logits.
    dead_wrong: fraction of confidently wrong pixels whose dL/dz is exactly zero, 0..1.
    fit, evaluate, of_predict, intended: on the moderate logits the loss that fit prints, that `evaluate` prints,
        `loss(y, model.predict(x))`, and the intended formula in float64.
    output_min, output_max, row_sum_min, row_sum_max: of the head's output over its channels.
    label_shape, output_shape: with the batch axis.
    """

    computes: str
    reads: str = "error"
    region_reads: str = ""
    error: str | None = None
    error_field: str | None = None
    match: float = np.nan
    rivals: Mapping[str, float] = field(default_factory=dict)
    clips: bool = False
    always_clips: bool = False
    swapped: bool = False
    recovered: bool = False
    warnings: tuple[str, ...] = ()
    names_activation: str = ""
    ignores_row_sums: bool = False
    cosine: float = np.nan
    norm_ratio: float = np.nan
    dead_wrong: float = np.nan
    fit: float = np.nan
    evaluate: float = np.nan
    of_predict: float = np.nan
    intended: float = np.nan
    output_min: float = np.nan
    output_max: float = np.nan
    row_sum_min: float = np.nan
    row_sum_max: float = np.nan
    label_shape: tuple[int, ...] = ()
    output_shape: tuple[int, ...] = ()


@dataclass(frozen=True)
class SceneFacts:
    """The scene's truth at the training grid.

    names (K); pixels (K,) valid pixels of each class at the training grid, pixels_in_file (K,) at the files' size;
    void: fraction of pixels not labelled; overlapping: classes overlap, and pixels may have none.
    encoding, confidence: how the masks were read; warnings: codes of what was found in the files.
    """

    names: tuple[str, ...]
    pixels: NDArray[np.int64]
    pixels_in_file: NDArray[np.int64]
    void: float
    overlapping: bool
    encoding: str
    confidence: float
    warnings: tuple[str, ...] = ()

    @property
    def frequencies(self) -> NDArray[np.float64]:
        """(K,) of the labelled pixels."""
        return self.pixels / max(1, self.pixels.sum() if not self.overlapping else self.labelled)

    labelled: int = 0
    """Valid pixels at the training grid."""
    codes: tuple[int | str | None, ...] = ()
    """How the files write each class: `SceneClass.encoded_as`."""
    files: tuple[FileReport, ...] = ()
    """What each mask file holds: `Scene.report`."""
    rim: tuple[float, ...] = ()
    """Of the labelled pixels in the outermost rows and columns, the fraction that each class has."""


@dataclass(frozen=True)
class LabelFacts:
    """The labels as fed, as they reach fit.

    shape without the batch axis; dtype as fed; low, high; distinct: the commonest values, at most 16, and
    n_distinct; integers: all values are whole numbers.
    kind: "rows" (one channel for each of the head's), "ids" (one id a pixel for a sparse loss), "single" (one
        value a pixel for a one-channel head), "mismatch" (none of these).
    For rows: row_sums {sum: fraction of the scene's labelled pixels}, the commonest first, at most 8.
    out_of_range: fraction of the labelled pixels with an id that the head has no channel for (ids), or with a value
        outside [0, 1] (rows, single); ids that `ignore_class` leaves out do not count.
    void_fed: fraction of all pixels that are unlabelled in the scene and yet take part in the loss; void_as: what
        most of them say, in words ("class 0", "a row of zeros", "255").
    wrong: fraction of the labelled pixels whose label says another class than the scene, by argmax, by id or at
        0.5; NaN where it cannot be said.
    absent: ids of classes that the scene has at the training grid and the labels as fed do not.
    error: why the labels could not be made, else None.
    outside: the commonest values or ids counted in out_of_range, at most 8.
    void_value: what most unlabelled pixels hold, NaN for rows; void_outside: fraction of all pixels that are
        unlabelled and hold an id that the head has no channel for, whatever they weigh; 0 but for ids.
    confused: the commonest (class in the scene, class in the labels or -1) among `wrong`; confused_share: the
        fraction of the labelled pixels that it is. shift: the ids are the scene's plus this at every labelled pixel.
    one_label: all labelled pixels hold the same label, and the scene has more than one class there.
    between: fraction of the labelled pixels with a value between 0 and the highest that says neither.
    nearest_differs, nearest_wrong: under bilinear resize, the fraction of the labelled pixels whose label nearest
        would have left otherwise, and `wrong` of the labels with nearest; 0 and `wrong` itself under nearest.
    remedy: the smallest change to the Experiment found to give every labelled pixel the scene's own class; None
        where none was found, or none is needed.
    """

    shape: tuple[int, ...] = ()
    dtype: str = ""
    low: float = np.nan
    high: float = np.nan
    distinct: tuple[float, ...] = ()
    n_distinct: int = 0
    integers: bool = True
    kind: str = "mismatch"
    row_sums: Mapping[float, float] = field(default_factory=dict)
    out_of_range: float = 0.0
    void_fed: float = 0.0
    void_as: str = ""
    wrong: float = np.nan
    absent: tuple[int, ...] = ()
    error: str | None = None
    error_field: str | None = None
    outside: tuple[float, ...] = ()
    void_value: float = np.nan
    void_outside: float = 0.0
    confused: tuple[int, int] | None = None
    confused_share: float = 0.0
    shift: int = 0
    one_label: bool = False
    between: float = 0.0
    nearest_differs: float = 0.0
    nearest_wrong: float = np.nan
    remedy: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class WeightFacts:
    """What weighs the pixels, as fit's training step receives it.

    given: class weights were asked for; arrived: some weight tensor reached the training step (also for voids);
    as_meant: the map that arrived is the class weight of each pixel's class (True where none was asked for);
    low, high, mean of the weights that act on labelled pixels, whichever way; error: why fit refuses them, else None.
    """

    given: bool = False
    arrived: bool = False
    as_meant: bool = True
    low: float = 1.0
    high: float = 1.0
    mean: float = 1.0
    error: str | None = None


@dataclass(frozen=True)
class Known:
    """Everything so far: without a scene `scene`, `labels` and `weights` are None, before a run `trace` is."""

    experiment: Experiment
    channels: int
    semantics: Semantics
    scene: SceneFacts | None = None
    labels: LabelFacts | None = None
    weights: WeightFacts | None = None
    trace: Trace | None = None
