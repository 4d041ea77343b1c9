"""What each pairing of head and loss was measured to compute, apart from this project: the probe must find the same.

The groups: attached (Keras sees the activation), detached (a layer between hides it), TensorFlow's own activation in
a graph and run eagerly.
"""

from __future__ import annotations

import pytest

from segdebug import Experiment
from segdebug.semantics import probe

_LOSSES = (
    ("categorical_crossentropy", False),
    ("categorical_crossentropy", True),
    ("binary_crossentropy", False),
    ("binary_crossentropy", True),
    ("categorical_focal_crossentropy", False),
    ("categorical_focal_crossentropy", True),
    ("binary_focal_crossentropy", False),
    ("binary_focal_crossentropy", True),
    ("dice", False),
    ("tversky", False),
)
_GROUPS = {
    "attached": ("layer", "graph"),
    "detached": ("then_reshape", "graph"),
    "raw, graph": ("lambda_tf", "graph"),
    "raw, eager": ("lambda_tf", "eager"),
}
_WORDS = {
    "ok": "intended",
    "clip": "intended_clipped",
    "resc": "rescued",
    "subst": "substituted",
    "twice": "double_activation",
    "lit": "literal",
    "hyb": "hybrid",
    "lap": "logits_as_probabilities",
    "notp": "not_probabilities",
    "bound": "bounded_logits",
    "logp": "log_probabilities_misused",
}
_DIGEST = """
softmax      attached     ok   resc  subst subst clip twice hyb  twice ok   ok
softmax      detached     clip twice lit   twice clip twice lit  twice ok   ok
softmax      raw, graph   ok   resc  lit   twice clip twice lit  twice ok   ok
softmax      raw, eager   clip twice lit   twice clip twice lit  twice ok   ok
sigmoid      attached     subst subst ok   resc  lit  twice ok   twice ok   ok
sigmoid      detached     lit  twice clip  twice lit  twice clip twice ok   ok
sigmoid      raw, graph   lit  twice ok    resc  lit  twice ok   twice ok   ok
sigmoid      raw, eager   lit  twice clip  twice lit  twice clip twice ok   ok
linear       attached     lap  ok    lap   ok    lap  clip  lap  ok    notp notp
log_softmax  attached     logp ok    logp  logp  logp clip  logp logp  notp notp
relu         attached     notp bound notp  bound notp bound notp bound notp notp
tanh         attached     notp bound notp  bound notp bound notp bound notp notp
"""


def _cases() -> list[tuple[str, str, str, bool, str]]:
    cases = []
    for line in _DIGEST.strip().splitlines():
        activation, group, words = line[:13].strip(), line[13:26].strip(), line[26:].split()
        assert len(words) == len(_LOSSES)
        cases += [
            (activation, group, name, told, _WORDS[word]) for (name, told), word in zip(_LOSSES, words, strict=True)
        ]
    return cases


@pytest.mark.parametrize(("activation", "group", "name", "told", "expected"), _cases())
def test_computes_what_was_measured(activation: str, group: str, name: str, told: bool, expected: str) -> None:
    attachment, execution = _GROUPS[group]
    experiment = Experiment().changed(
        {
            "head.activation": activation,
            "head.attachment": attachment,
            "loss.name": name,
            "loss.from_logits": told,
            "training.execution": execution,
        }
    )
    found = probe(experiment, 4, (64, 4) if attachment == "then_reshape" else (8, 8, 4), 8)
    assert found.computes == expected
    assert found.match < 1e-3
    # What is printed by fit is the loss of predict's output, unless Keras took the logits behind it.
    if found.recovered and found.reads == "logits" and group != "raw, graph":
        assert found.computes in ("intended", "rescued", "substituted")
    if found.computes in ("rescued", "substituted", "hybrid"):
        assert found.fit == pytest.approx(found.evaluate, rel=1e-5)
        assert abs(found.fit - found.of_predict) > 1e-3 * abs(found.fit)
    if found.computes == "double_activation":
        assert found.fit == pytest.approx(found.of_predict, rel=1e-5)
    # A warning is given exactly where the loss was told logits and found an activation to look behind.
    assert bool(found.names_activation) == (told and found.computes in ("rescued", "substituted"))


@pytest.mark.parametrize(
    ("name", "told", "expected"),
    [("softmax", False, "intended"), ("softmax", True, "rescued"), ("sigmoid", False, "substituted"),
     ("linear", False, "logits_as_probabilities"), ("linear", True, "intended")],
)  # fmt: skip
def test_sparse_labels_make_no_difference(name: str, told: bool, expected: str) -> None:
    loss = {"loss.name": "sparse_categorical_crossentropy", "loss.from_logits": told}
    found = probe(Experiment().changed({"head.activation": name, **loss}), 4, (8, 8), 8)
    assert found.computes == expected


def test_xla_computes_what_a_graph_does() -> None:
    for attachment, told in (("layer", True), ("then_reshape", True), ("then_reshape", False)):
        changes = {"head.attachment": attachment, "loss.from_logits": told}
        shape = (64, 4) if attachment == "then_reshape" else (8, 8, 4)
        graph = probe(Experiment().changed(changes), 4, shape, 8)
        xla = probe(Experiment().changed({**changes, "training.execution": "xla"}), 4, shape, 8)
        assert (xla.computes, xla.reads) == (graph.computes, graph.reads)
        assert xla.fit == pytest.approx(graph.fit, rel=1e-5)


@pytest.mark.parametrize("precision", ["mixed_float16", "mixed_bfloat16"])
def test_half_precision_hides_the_logits_unless_the_activation_is_float32(precision: str) -> None:
    half = {"training.precision": precision}
    assert probe(Experiment().changed(half), 4, (8, 8, 4), 8).computes == "intended_clipped"
    told = probe(Experiment().changed({**half, "loss.from_logits": True}), 4, (8, 8, 4), 8)
    assert told.computes == "double_activation"
    full = probe(Experiment().changed({**half, "head.attachment": "float32_layer"}), 4, (8, 8, 4), 8)
    assert full.computes == "intended"


def test_labels_that_do_not_sum_to_1_get_the_gradient_of_another_loss_on_logits_only() -> None:
    linear = Experiment.preset("linear_cce_logits")
    assert probe(linear, 4, (8, 8, 4), 8).ignores_row_sums
    assert not probe(Experiment.preset("softmax_reshape_cce"), 4, (64, 4), 8).ignores_row_sums
    assert not probe(Experiment.preset("linear_scce_logits"), 4, (8, 8), 8).ignores_row_sums


def test_ignore_class_hides_the_logits() -> None:
    sparse = {"loss.name": "sparse_categorical_crossentropy", "loss.ignore_class": 255}
    assert probe(Experiment().changed(sparse), 4, (8, 8), 8).computes == "intended_clipped"
    told = probe(Experiment().changed({**sparse, "loss.from_logits": True}), 4, (8, 8), 8)
    assert (told.computes, told.names_activation) == ("double_activation", "")


@pytest.mark.parametrize(
    ("changes", "channels", "shape", "expected"),
    [
        ({"loss.name": "dice"}, 4, (8, 8, 1), "broadcast"),
        ({"loss.name": "mean_squared_error"}, 4, (8, 8, 1), "broadcast"),
        ({}, 4, (8, 8), "error"),
        ({"loss.name": "sparse_categorical_crossentropy"}, 4, (8, 8, 4), "error"),
        ({"head.axis": 1}, 4, (8, 8, 4), "wrong_axis"),
        ({"loss.axis": 1}, 4, (8, 8, 4), "wrong_axis"),
        ({"head.axis": 3, "loss.axis": 3}, 4, (8, 8, 4), "intended"),
    ],
)
def test_shapes_and_axes(changes: dict[str, object], channels: int, shape: tuple[int, ...], expected: str) -> None:
    found = probe(Experiment().changed(changes), channels, shape, 8)
    assert found.computes == expected
    if expected == "error":
        assert found.error


def test_tversky_is_told_by_what_it_weighs() -> None:
    import keras

    false_positive = float(keras.losses.tversky([[0.0], [1.0]], [[1.0], [1.0]], alpha=0.9, beta=0.1))
    as_documented = false_positive == pytest.approx(1 - 1 / (1 + 0.9), rel=1e-4)
    parameters = {"loss.name": "tversky", "loss.alpha": 0.9, "loss.beta": 0.1}
    one = probe(Experiment().changed({**parameters, "head.activation": "sigmoid"}), 1, (8, 8, 1), 8)
    assert one.swapped == (not as_documented)
    assert one.match < 1e-3
    # Over all classes of a softmax there are as many false positives as false negatives: it makes no difference.
    assert not probe(Experiment().changed(parameters), 4, (8, 8, 4), 8).swapped
