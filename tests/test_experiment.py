"""The configuration: one table for fields, address, messages; what is refused, and in which words."""

from __future__ import annotations

import inspect
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from segdebug import Experiment
from segdebug.errors import ExperimentError
from segdebug.experiment import OPTIONS
from segdebug.options import Option
from segdebug.presets import PRESETS
from segdebug.vocabulary import LOSS_PARAMETERS, LOSSES


def values_of(option: Option) -> st.SearchStrategy[Any]:
    """Everything that a field may hold, as its own table row says."""
    finite = {"allow_nan": False, "allow_infinity": False}
    low, high = max(option.low, -1e6), min(option.high, 1e6)
    kinds = {
        "choice": lambda: st.sampled_from(list(option.choices)),
        "flag": st.booleans,
        "integer": lambda: st.integers(int(low), int(high)),
        "number": lambda: st.floats(low, high, **finite),
        "numbers": lambda: st.lists(st.floats(-1e6, 1e6, **finite), min_size=1, max_size=6).map(tuple),
    }
    strategy: st.SearchStrategy[Any] = kinds[option.kind]()
    return strategy if option.none is None else st.none() | strategy


@st.composite
def experiments(draw: st.DrawFn) -> Experiment:
    """Configurations with up to six fields changed; what contradicts itself is put back to its default."""
    chosen = draw(st.lists(st.sampled_from(list(OPTIONS)), max_size=6, unique=True))
    experiment = Experiment()
    for field in chosen:
        try:
            experiment = experiment.changed({field: draw(values_of(OPTIONS[field]))})
        except ExperimentError:
            continue
    return experiment


@given(experiments())
def test_a_configuration_survives_json_and_the_address(experiment: Experiment) -> None:
    assert Experiment.from_json(experiment.to_json()) == experiment
    assert Experiment.from_query(experiment.to_query()) == experiment
    assert Experiment().changed({f: experiment[f] for f in OPTIONS}) == experiment


def test_the_defaults_are_those_of_the_design() -> None:
    assert json.loads(Experiment().to_json())["head"] == {
        "activation": "softmax",
        "attachment": "layer",
        "channels": None,
        "axis": -1,
    }
    assert Experiment().to_query() == {}


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_is_valid_and_survives_its_address(name: str) -> None:
    experiment = Experiment.preset(name)
    assert Experiment.from_query(experiment.to_query()) == experiment


@pytest.mark.parametrize(
    ("groups", "field", "words"),
    [
        ({"loss": {"nmae": "dice"}}, "loss.nmae", "Did you mean loss.name?"),
        ({"loss": {"name": "dise"}}, "loss.name", "did you mean dice"),
        ({"loss": {"name": "dice", "from_logits": True}}, "loss.from_logits", "dice has no such parameter"),
        ({"loss": {"name": "tversky", "gamma": 2}}, "loss.gamma", "it takes alpha, beta, axis"),
        ({"head": {"activation": "tanh", "attachment": "layer_class"}}, "head.attachment", "no layer class for tanh"),
        ({"head": {"activation": "sigmoid", "axis": 1}}, "head.axis", "sigmoid has no axis"),
        ({"training": {"size": 100}}, "training.size", "use a multiple of 16"),
        ({"training": {"steps": 0}}, "training.steps", "from 1 to 5000, but got 0"),
        ({"training": {"steps": 2.5}}, "training.steps", "whole number"),
        ({"training": {"learning_rate": float("nan")}}, "training.learning_rate", "a number from 0 to 1000"),
        ({"loss": {"from_logits": "true"}}, "loss.from_logits", "true or false"),
        ({"loss": {"class_weights": [1, "heavy"]}}, "loss.class_weights", "a list of numbers"),
        ({"head": None}, "head", "head"),
        ({"trainnig": {}}, "trainnig", "trainnig is not a field"),
    ],
)
def test_what_cannot_be_is_refused_by_name(groups: dict[str, Any], field: str, words: str) -> None:
    with pytest.raises(ExperimentError) as refused:
        Experiment(**groups)
    assert refused.value.field == field
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "query", [{"steps": "many"}, {"loss": "<script>"}, {"from_logits": "perhaps"}, {"class_weights": "1,,2"}]
)
def test_a_bad_address_names_the_field(query: dict[str, str]) -> None:
    with pytest.raises(ExperimentError, match="in the address: expected"):
        Experiment.from_query(query)


def test_parameters_of_others_in_an_address_are_left_alone() -> None:
    assert Experiment.from_query({"sample": "coffee", "steps": "7"})["training.steps"] == 7


@pytest.mark.parametrize("text", ["", "nonsense", "[1, 2]", '{"loss": 3}'])
def test_what_is_no_configuration_is_one_clear_line(text: str) -> None:
    with pytest.raises(ExperimentError) as refused:
        Experiment.from_json(text)
    assert "\n" not in str(refused.value)


def test_a_configuration_cannot_be_changed_in_place() -> None:
    with pytest.raises(ValidationError):
        Experiment().loss.name = "dice"  # type: ignore[misc]


def test_difference_names_the_fields() -> None:
    a, b = Experiment.preset("softmax_cce"), Experiment.preset("softmax_cce_logits")
    assert a.difference(b) == {"loss.from_logits": (False, True)}


def test_losses_take_exactly_the_parameters_of_their_keras_signature() -> None:
    import keras

    classes = {name: cls for name, cls in vars(keras.losses).items() if inspect.isclass(cls) and name[0].isupper()}
    by_our_name = {name: "".join(part.title() for part in name.split("_")) for name in LOSSES}
    special = {"kl_divergence": "KLDivergence"}
    checked = 0
    for name, entry in LOSSES.items():
        cls = classes.get(special.get(name, by_our_name[name]))
        if cls is not None:
            has = set(inspect.signature(cls).parameters) & set(LOSS_PARAMETERS)
            assert set(entry.accepts) == has, name
            checked += 1
    assert checked == 11


def test_every_field_has_a_row_with_words_for_people() -> None:
    assert len(OPTIONS) == sum(len(g) for g in json.loads(Experiment().to_json()).values())
    for field, option in OPTIONS.items():
        assert option.label, field
        assert option.meaning, field
        assert all(option.choices.values()), field
        assert option.check(Experiment()[field]) == Experiment()[field]
