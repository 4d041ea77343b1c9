"""The configuration's widgets, made from the table of options and bound to the address."""

from __future__ import annotations

from typing import Any

import streamlit as st

from segdebug.errors import ExperimentError
from segdebug.experiment import OPTIONS, Experiment
from segdebug.options import Option
from segdebug.presets import PRESETS, preset
from segdebug.ui.text import plain
from segdebug.vocabulary import LOSS_PARAMETERS, LOSSES

__all__ = ["configure", "set_experiment"]

# The five groups in the order of the pipeline: title, fields always shown, fields behind "more".
_GROUPS: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...] = (
    (
        "1 · Labels as fed",
        ("target.encoding", "target.layout"),
        ("target.reader", "target.resize", "target.scale", "target.dtype"),
    ),
    (
        "2 · Head",
        ("head.activation", "head.attachment"),
        ("head.channels", "head.axis", "model.filters", "model.depth"),
    ),
    (
        "3 · Loss",
        ("loss.name", "loss.from_logits"),
        (
            "loss.class_weights",
            "loss.weighting",
            "loss.void",
            *(f"loss.{name}" for name in LOSS_PARAMETERS if name != "from_logits"),
            "loss.reduction",
        ),
    ),
    (
        "4 · Training",
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
    ),
    ("5 · Your metric", ("metric.name", "metric.decode"), ()),
)

_RECOMMENDED = "recommended for this picture"
_PRESET = "load_preset"
_STEPS = {"training.learning_rate": 0.0001}


def set_experiment(experiment: Experiment) -> None:
    """Put a configuration into the widgets, and so into the address."""
    for field, option in OPTIONS.items():
        st.session_state[option.param] = _shown(option, experiment[field])


def configure(recommended: Experiment) -> Experiment | None:
    """Draw the widgets; the configuration they make, or None, with the reason shown, where they make none."""
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
    values: dict[str, Any] = {}
    try:
        for title, shown, more in _GROUPS:
            st.markdown(f"**{title}**")
            values |= _fields(shown)
            if more:
                with st.expander("more", expanded=_differs(more)):
                    values |= _fields(more)
        return Experiment().changed(values)
    except ExperimentError as error:
        st.error(plain(str(error)), icon="✕")
        return None


def _load(recommended: Experiment) -> None:
    name = st.session_state[_PRESET]
    if name is not None:
        set_experiment(recommended if name == _RECOMMENDED else preset(name))
        st.session_state[_PRESET] = None


def _fields(fields: tuple[str, ...]) -> dict[str, Any]:
    return {field: _widget(field, OPTIONS[field]) for field in fields if _applies(field)}


def _applies(field: str) -> bool:
    """A loss shows only the parameters that it takes."""
    group, _, name = field.partition(".")
    if group != "loss" or name not in LOSS_PARAMETERS:
        return True
    chosen = st.session_state.get("loss", Experiment().loss.name)
    return chosen not in LOSSES or name in LOSSES[chosen].accepts


def _differs(fields: tuple[str, ...]) -> bool:
    """Whether something behind "more" is not at its default, and so must not hide."""
    standard = Experiment()
    return any(
        st.session_state.get(OPTIONS[f].param, _shown(OPTIONS[f], standard[f])) != _shown(OPTIONS[f], standard[f])
        for f in fields
    )


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
