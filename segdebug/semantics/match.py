"""Measured values and gradients against every hypothesis, and what is known once one of them fits."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from segdebug.errors import KerasRefusal
from segdebug.parts.build import keras_reasons
from segdebug.reference.activations import ACTIVATIONS, Array
from segdebug.reference.hypotheses import Hypothesis, Passage, family, hypotheses
from segdebug.reference.intended import meant
from segdebug.rules.known import Semantics
from segdebug.semantics.measure import Measured, Probe
from segdebug.semantics.naming import named, worst
from segdebug.semantics.question import Question

__all__ = ["answer"]

_TOLERANCE = {"float32": 1e-3, "mixed_float16": 3e-2, "mixed_bfloat16": 2e-1}
"""Relative, of the largest value: rounding stays below it, and no two hypotheses come as near to each other."""


@dataclass(frozen=True)
class _Batch:
    measured: Measured
    passage: Passage
    y: Array


def answer(question: Question) -> Semantics:
    """Run the probe. What Keras refuses is an answer too."""
    labels = question.labels()
    try:
        with keras_reasons(f"Labels are {labels.shape[1:]}."):
            probe = Probe(question)
            batches = [_batch(probe, z, labels) for z in (question.moderate(), question.confident())]
            found = _semantics(question, probe, batches, labels)
    except KerasRefusal as refusal:
        return Semantics("error", error=refusal.original, error_field=refusal.field, label_shape=labels.shape)
    return found


def _batch(probe: Probe, logits: Array, labels: Array) -> _Batch:
    measured = probe.train(logits, labels)
    return _Batch(measured, _passage(probe, measured), probe.question.rows(labels))


def _passage(probe: Probe, measured: Measured) -> Passage:
    """How the logits became the output, as measured."""
    question = probe.question
    z = measured.logits
    if question.head.attachment == "after_reshape":
        z = z.reshape(1, -1, z.shape[-1])
    exact = ACTIVATIONS[question.head.activation].forward(z, question.head.axis)
    if question.head.attachment == "then_upsampling":
        return Passage(question.head, z, measured.output, exact, _upsampling(question.logits_grid))
    u = measured.output.reshape(z.shape)
    if question.head.attachment == "then_dropout":  # what dropout did is seen where the activation is not 0
        kept = np.divide(u, exact, out=np.zeros_like(u), where=exact != 0)
        return Passage(question.head, z, measured.output, exact, kept)
    return Passage(question.head, z, measured.output, u)


def _upsampling(grid: tuple[int, int]) -> Array:
    """(4 h w, h w): what keras.layers.UpSampling2D makes of each pixel."""
    import keras

    pixels = np.eye(grid[0] * grid[1]).reshape(-1, *grid, 1)
    enlarged = np.asarray(keras.layers.UpSampling2D(2, interpolation="bilinear")(pixels), np.float64)
    return enlarged.reshape(len(pixels), -1).T


def _semantics(question: Question, probe: Probe, batches: list[_Batch], labels: Array) -> Semantics:
    tried = [(h, _distance(h, batches)) for h in hypotheses(question.loss, question.head, question.channels)]
    errors = {_words(h): round(error, 6) for h, error in tried if np.isfinite(error)}
    tolerance = _TOLERANCE[question.precision]
    # The first that fits: those without a hidden swap come first, and of two that are equal they are the simpler.
    fitting = [(h, error) for h, error in tried if error <= tolerance]
    matched, match = fitting[0] if fitting else min(tried, key=lambda pair: pair[1])
    moderate, confident = batches
    recovered = matched.reads in ("logits", "mixed")
    computes = _computes(question, matched, moderate)
    cosine, ratio = _against_the_intended(question, moderate)
    found = Semantics(
        computes if fitting or computes == "broadcast" else "literal",
        reads=matched.reads,
        region_reads=matched.region_reads,
        match=float(match),
        rivals=errors,
        clips=matched.clips,
        swapped=matched.swapped,
        recovered=recovered,
        ignores_row_sums=_ignores_row_sums(question, probe, matched, labels),
        cosine=cosine,
        norm_ratio=ratio,
        dead_wrong=_dead(confident, question.wrong()),
        fit=moderate.measured.loss,
        evaluate=probe.evaluate(question.moderate(), labels),
        of_predict=probe.of_predict(question.moderate(), labels),
        intended=_intended_value(question, moderate),
        label_shape=labels.shape,
        output_shape=moderate.measured.output.shape,
    )
    return replace(found, warnings=tuple(probe.heard), names_activation=_names(probe.heard), **_ranges(batches))


def _ignores_row_sums(question: Question, probe: Probe, matched: Hypothesis, labels: Array) -> bool:
    """Whether labels that sum to 2 get the gradient p - y instead of 2 p - y."""
    if question.sparse or matched.reads not in ("logits", "output_logits") or matched.family.own != "softmax":
        return False
    batch = _batch(probe, question.moderate(), 2 * labels)
    same = [h for h in hypotheses(question.loss, question.head, question.channels) if h.reads == matched.reads]
    return min(same, key=lambda h: _distance(h, [batch])).fused


def _computes(question: Question, matched: Hypothesis, batch: _Batch) -> str:
    name = named(matched.reads, matched.region_reads, question.head, question.loss, matched.family)
    if not question.sparse and _stretches(question, batch):
        return worst([name, "broadcast"])
    rank = batch.passage.z.ndim
    axes = {question.head.axis % rank} if question.head.activation in ("softmax", "log_softmax") else set()
    if question.loss.axis is not None:
        axes.add(question.loss.axis % batch.measured.output.ndim)
    off = any(axis not in (rank - 1, batch.measured.output.ndim - 1) for axis in axes)
    return worst([name, "wrong_axis"]) if off else name


def _stretches(question: Question, batch: _Batch) -> bool:
    """Whether labels and output have different shapes after Keras has dropped an axis of one."""
    y, u = batch.y.shape, batch.measured.output.shape
    if len(y) != len(u) and question.channels == 1:
        of = family(question.loss, question.head, 1)
        squeezes = (of.squeezes if of.from_probabilities or of.from_logits else True) and (
            of.region is None or of.region_squeezes
        )
        return not squeezes
    return y != u


def _distance(hypothesis: Hypothesis, batches: list[_Batch]) -> float:
    """The largest relative difference of values and gradients, over both batches."""
    worst_so_far = 0.0
    for batch in batches:
        with np.errstate(all="ignore"):
            computed = hypothesis.compute(batch.passage, batch.y)
        if computed is None:
            return np.inf
        values, gradient = computed
        measured = batch.measured.values
        if values.size == measured.size:
            worst_so_far = max(worst_so_far, _apart(measured.ravel(), values.ravel()))
        else:
            worst_so_far = max(worst_so_far, _apart(measured.mean(), values.mean()))
        # Of a gradient the unit is one pixel's share of the mean: what is next to nothing beside it is rounding.
        unit = 1e-3 * batch.measured.gradient.shape[-1] / batch.measured.gradient.size
        worst_so_far = max(worst_so_far, _apart(batch.measured.gradient.ravel(), gradient.ravel(), unit))
    return worst_so_far


def _apart(measured: Array, computed: Array, unit: float = 1e-9) -> float:
    """|measured - computed| by the largest computed one, or by the unit; infinite where one is NaN, the other not.

    A gradient that is not finite says only that half precision overflowed, or that 0/0 was differentiated.
    """
    measured, computed = np.atleast_1d(measured), np.atleast_1d(computed)
    finite = np.isfinite(measured) & np.isfinite(computed)
    if not finite.any():
        return 0.0 if np.isnan(measured).all() and np.isnan(computed).all() else np.inf
    scale = max(float(np.abs(computed[finite]).max()), unit)
    return float(np.abs(measured[finite] - computed[finite]).max()) / scale


def _against_the_intended(question: Question, batch: _Batch) -> tuple[float, float]:
    """Cosine and norm ratio of the measured gradient against that of the loss that was meant."""
    meant = _intended(question, batch)
    if meant is None:
        return np.nan, np.nan
    measured, wanted = batch.measured.gradient.ravel(), meant[1].ravel()
    if not np.isfinite(measured).all():
        return np.nan, np.nan
    norms = float(np.linalg.norm(measured)), float(np.linalg.norm(wanted))
    cosine = float(measured @ wanted) / (norms[0] * norms[1]) if min(norms) > 0 else 0.0
    return cosine, norms[0] / norms[1] if norms[1] > 0 else np.nan


def _intended_value(question: Question, batch: _Batch) -> float:
    meant = _intended(question, batch)
    return np.nan if meant is None else float(np.mean(meant[0]))


def _intended(question: Question, batch: _Batch) -> tuple[Array, Array] | None:
    """The loss that was meant, of these logits."""
    head, hypothesis = meant(question.loss, question.head, question.channels)
    z = batch.passage.z
    u = ACTIVATIONS[head.activation].forward(z, -1)
    return hypothesis.compute(Passage(head, z, u, u), question.clean_rows(z.shape))


def _dead(batch: _Batch, wrong: Array) -> float:
    gradient = batch.measured.gradient.reshape(-1, batch.measured.gradient.shape[-1])
    return float((gradient[wrong.ravel()] == 0).all(axis=-1).mean())


def _ranges(batches: list[_Batch]) -> dict[str, Any]:
    outputs = np.concatenate([batch.measured.output.ravel() for batch in batches])
    sums = np.concatenate([batch.measured.output.sum(axis=-1).ravel() for batch in batches])
    return {
        "output_min": float(outputs.min()),
        "output_max": float(outputs.max()),
        "row_sum_min": float(sums.min()),
        "row_sum_max": float(sums.max()),
    }


def _names(warnings: list[str]) -> str:
    """The activation that Keras says the output came from, if it says so."""
    for text in warnings:
        for activation in ("Softmax", "Sigmoid"):
            if f"produced by a {activation}" in text:
                return activation.lower()
    return ""


def _words(hypothesis: Hypothesis) -> str:
    words = " + ".join(part for part in (hypothesis.reads, hypothesis.region_reads) if part)
    words += " (alpha and beta swapped)" if hypothesis.swapped else ""
    return words + " (gradient p - y)" if hypothesis.fused else words
