"""The configuration's widgets, made from the table of options and bound to the address."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from segdebug.errors import ExperimentError
from segdebug.experiment import OPTIONS, Experiment
from segdebug.options import Option
from segdebug.presets import PRESETS, preset
from segdebug.ui.text import plain
from segdebug.vocabulary import LOSS_PARAMETERS, LOSSES

__all__ = ["begin_with", "configure", "current", "remember", "set_experiment"]


@dataclass(frozen=True)
class _Group:
    """One stage's widgets: fields always shown, and fields behind an expander that says in `behind` what they are."""

    title: str
    shown: tuple[str, ...]
    more: tuple[str, ...] = ()
    behind: str = ""


# In the order of the pipeline.
_GROUPS = (
    _Group(
        "Labels as fed",
        ("target.encoding", "target.layout"),
        ("target.reader", "target.resize", "target.scale", "target.dtype"),
        "reader, resize, scale, dtype",
    ),
    _Group(
        "Head",
        ("head.activation", "head.attachment"),
        ("head.channels", "head.axis", "model.filters", "model.depth"),
        "channels, axis, U-Net",
    ),
    _Group(
        "Loss",
        ("loss.name", "loss.from_logits"),
        (
            "loss.class_weights",
            "loss.weighting",
            "loss.void",
            *(f"loss.{name}" for name in LOSS_PARAMETERS if name != "from_logits"),
            "loss.reduction",
        ),
        "weights, void, reduction",
    ),
    _Group(
        "Training",
        ("training.size", "training.steps", "training.learning_rate"),
        (
            "training.optimizer",
            "training.seed",
            "training.input_range",
            "training.initializer",
            "training.execution",
            "training.precision",
            "training.container",
        ),
        "optimizer, seed, input range",
    ),
    _Group("Your metric", ("metric.name", "metric.decode")),
)

_RECOMMENDED = "recommended for this picture"
_PRESET = "load_preset"
_CURRENT = "current_experiment"
_TO_ADDRESS = "settings_to_address"
_STEPS = {"training.learning_rate": 0.0001}


def begin_with(experiment: Experiment) -> None:
    """Put a configuration into the address and into the widgets, before any of them has been drawn."""
    _fill(experiment)
    st.query_params.update(experiment.to_query())


def set_experiment(experiment: Experiment) -> None:
    """Put a configuration into the widgets, and so into the address."""
    _fill(experiment)
    st.session_state[_TO_ADDRESS] = "drawn first"


def _fill(experiment: Experiment) -> None:
    for field, option in OPTIONS.items():
        st.session_state[option.param] = _shown(option, experiment[field])


def configure(recommended: Experiment) -> Experiment:
    """Draw the widgets; the configuration that they make. Raises ExperimentError where they make none."""
    st.selectbox(
        "Load a configuration",
        [_RECOMMENDED, *PRESETS],
        index=None,
        placeholder="choose a preset …",
        key=_PRESET,
        on_change=_load,
        args=(recommended,),
        help="  \n".join(f"**{plain(name)}**: {plain(p.meaning)}" for name, p in PRESETS.items()),
    )
    if st.session_state.get(_TO_ADDRESS) == "said again":
        for option in OPTIONS.values():
            if option.param in st.session_state:
                st.session_state[option.param] = st.session_state[option.param]
    values: dict[str, Any] = {}
    malformed: list[ExperimentError] = []  # the rest is drawn all the same: a widget that is not loses its value
    for group in _GROUPS:
        st.subheader(group.title, anchor=False)
        _draw(group.shown, values, malformed)
        if group.more:
            with _expander(group):
                _draw(group.more, values, malformed)
    _follow_up()
    st.session_state[_CURRENT] = None
    if malformed:
        raise malformed[0]
    st.session_state[_CURRENT] = Experiment().changed(values)
    return st.session_state[_CURRENT]


def _follow_up() -> None:
    """Streamlit writes a value that code has set into the address only where the widget was there before. So
    widgets that a configuration was put into are drawn, and then told their values once more."""
    stage = st.session_state.pop(_TO_ADDRESS, None)
    if stage == "drawn first":
        st.session_state[_TO_ADDRESS] = "said again"
        st.rerun()


def current() -> Experiment | None:
    """The configuration as the widgets held it when they were last drawn; None where that was none."""
    return st.session_state.get(_CURRENT)


def remember(experiment: Experiment) -> None:
    """Another page's widgets made this one, and it is the one to go on with."""
    st.session_state[_CURRENT] = experiment


def _load(recommended: Experiment) -> None:
    name = st.session_state[_PRESET]
    if name is not None:
        set_experiment(recommended if name == _RECOMMENDED else preset(name))
        st.session_state[_PRESET] = None


def _draw(fields: tuple[str, ...], values: dict[str, Any], malformed: list[ExperimentError]) -> None:
    for field in filter(_applies, fields):
        try:
            values[field] = _widget(field, OPTIONS[field])
        except ExperimentError as error:
            malformed.append(error)


def _expander(group: _Group) -> DeltaGenerator:
    """Closed at first; its label says what in it is not at its default, so that nothing that matters hides."""
    changed = [f"**{plain(OPTIONS[field].label)} {plain(value)}**" for field, value in _changed(group.more)]
    return st.expander(f"{group.behind}{': ' if changed else ''}{', '.join(changed)}", key=f"more {group.title}")


def _applies(field: str) -> bool:
    """A loss shows only the parameters that it takes."""
    group, _, name = field.partition(".")
    if group != "loss" or name not in LOSS_PARAMETERS:
        return True
    chosen = st.session_state.get("loss", Experiment().loss.name)
    return chosen not in LOSSES or name in LOSSES[chosen].accepts


def _changed(fields: tuple[str, ...]) -> list[tuple[str, str]]:
    """The fields that are not at their default, and their values, in words."""
    standard, changed = Experiment(), []
    for field in filter(_applies, fields):
        param, default = OPTIONS[field].param, _shown(OPTIONS[field], standard[field])
        # Before its first drawing on a page that a link has opened, a widget's value stands only in the address.
        value = st.session_state.get(param, st.query_params.get(param, default))
        if value != default:
            changed.append((field, str(value)))
    return changed


def _widget(field: str, option: Option) -> Any:
    default = _shown(option, Experiment()[field])
    common: dict[str, Any] = {"key": option.param, "help": _help(option), "bind": "query-params"}
    if option.kind == "choice":
        choices = list(option.choices)
        return st.selectbox(option.label, choices, index=choices.index(default), **common)
    if option.kind == "flag":
        return st.toggle(option.label, value=default, **common)
    if option.kind == "numbers":
        text = st.text_input(option.label, value=default, placeholder="1, 1, 2.5, …", **common)
        try:
            return option.read(text)
        except ValueError as error:
            raise ExperimentError(f"{field}: {error}", field) from None
    kind: Any = int if option.kind == "integer" else float
    look = {"step": 1} if kind is int else {"format": "%.6g", "step": _STEPS.get(field, 0.05)}
    bounds = {"min_value": kind(option.low), "max_value": kind(option.high)}
    number_input: Any = st.number_input
    return number_input(option.label, value=default, placeholder="default", **look, **bounds, **common)


def _shown(option: Option, value: Any) -> Any:
    """A field's value as its widget holds it: lists are text."""
    return option.write(value) if option.kind == "numbers" else value


def _help(option: Option) -> str:
    lines = [f"{plain(option.meaning)}."]
    lines += [f"**{plain(word)}**: {plain(meaning)}" for word, meaning in option.choices.items()]
    if option.none is not None:
        lines.append(f"Empty: {plain(option.none)}.")
    return "  \n".join(lines)
