"""The configuration's widgets: all of them there, bound to the address, and honest about what makes no sense."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from segdebug.experiment import OPTIONS, Experiment
from segdebug.presets import PRESETS, preset
from segdebug.scene import sample_info, sample_names
from segdebug.vocabulary import LOSS_PARAMETERS, LOSSES
from tests.ui.conftest import Open

_KINDS = ("selectbox", "toggle", "number_input", "text_input")


def _keys(app: AppTest) -> set[str]:
    return {str(widget.key) for kind in _KINDS for widget in app.sidebar.get(kind)}


def _losses_that_take_everything() -> list[str]:
    """Few losses that have every parameter between them."""
    missing, chosen = set(LOSS_PARAMETERS), []
    while missing:
        best = max(LOSSES, key=lambda name: len(missing & set(LOSSES[name].accepts)))
        chosen.append(best)
        missing -= set(LOSSES[best].accepts)
    return chosen


def test_every_option_has_a_widget_for_some_loss(open_app: Open) -> None:
    seen: set[str] = set()
    app = open_app()
    for loss in _losses_that_take_everything():
        app.selectbox(key="loss").select(loss).run()
        keys = _keys(app)
        assert {name for name in LOSS_PARAMETERS if OPTIONS[f"loss.{name}"].param in keys} == set(LOSSES[loss].accepts)
        seen |= keys
    assert seen >= {option.param for option in OPTIONS.values()}


def test_every_preset_sets_the_widgets_and_the_address(open_app: Open) -> None:
    app = open_app()
    for name in PRESETS:
        app.selectbox(key="load_preset").select(name).run()
        assert not app.exception
        assert app.session_state["current_experiment"] == preset(name), name
        query = {key: value if isinstance(value, str) else value[0] for key, value in app.query_params.items()}
        assert Experiment.from_query(query) == preset(name), name


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ({"attachment": "layer_class", "activation": "sigmoid"}, "head.attachment"),
        ({"size": "100"}, "training.size"),
        ({"class_weights": "1,two"}, "loss.class_weights"),
        ({"activation": "relu", "head_axis": "1"}, "head.axis"),
    ],
)
def test_an_impossible_combination_is_one_line_and_cannot_be_run(
    open_app: Open, query: dict[str, str], told: str
) -> None:
    app = open_app(**query)
    assert len(app.error) == 1
    assert told in app.error[0].value.replace("\\", "")
    assert app.button(key="overfit").disabled
    assert {OPTIONS[f].param for f in ("metric.decode", "training.container")} <= _keys(app), "the rest is still there"


def test_the_front_door_begins_with_what_learns_the_first_sample(open_app: Open) -> None:
    app = open_app()
    first = sample_names()[0]
    assert app.session_state["current_experiment"] == Experiment().changed(sample_info(first).experiment)


def test_a_link_means_what_it_says(open_app: Open) -> None:
    app = open_app(sample="retina", loss="dice", activation="softmax", steps="50")
    assert app.session_state["current_experiment"] == Experiment(loss={"name": "dice"}, training={"steps": 50})
    assert app.selectbox(key="sample").value == "retina"


def test_an_untouched_configuration_follows_the_sample_and_a_touched_one_stays(open_app: Open) -> None:
    app = open_app()
    app.selectbox(key="sample").select("overlap").run()
    overlap = Experiment().changed(sample_info("overlap").experiment)
    assert app.session_state["current_experiment"] == overlap
    app.number_input(key="steps").set_value(33).run()
    app.selectbox(key="sample").select("coffee").run()
    assert app.session_state["current_experiment"] == overlap.changed({"training.steps": 33})


def test_what_is_not_at_its_default_is_named_on_the_closed_expander(open_app: Open) -> None:
    app = open_app(sample="coffee", filters="16")
    labels = [expander.label.replace("\\", "") for expander in app.sidebar.expander]
    assert "channels, axis, U-Net: **Filters 16**" in labels
    assert "optimizer, seed, input range" in labels
