"""The configurations in one table: what sets them apart, what each computes, how far it came."""

from __future__ import annotations

from html import escape

import streamlit as st

from segdebug.comparisons import common, differing
from segdebug.experiment import OPTIONS
from segdebug.figures import number
from segdebug.finding import COMPUTES, VERDICTS
from segdebug.ui.compared import Compared
from segdebug.ui.text import plain
from segdebug.ui.verdict import BADGES

__all__ = ["in_common", "table"]

_SHORT = 36


def table(compared: list[Compared]) -> None:
    """One row a configuration, with what sets it apart."""
    fields = differing(one.experiment for one in compared)
    heads = ["", *(OPTIONS[name].label for name in fields), "verdict", "what it computes", "loss", "mean IoU"]
    cells = "".join(f"<th scope='col'>{escape(head)}</th>" for head in heads)
    rows = "".join(_row(one, fields) for one in compared)
    st.html(
        f'<div class="compared-room"><table class="compared"><thead><tr>{cells}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )


def in_common(compared: list[Compared]) -> None:
    """What is the same in all of them, once."""
    fields = differing(one.experiment for one in compared)
    same = common(one.experiment for one in compared)
    told = ", ".join(f"{OPTIONS[name].label} {OPTIONS[name].write(value)}" for name, value in same.items())
    more = f", {told}" if told else ""
    st.caption(plain(f"The same in all: the picture{_weights(fields)}{more}; else the defaults."))


def _weights(fields: list[str]) -> str:
    """Whether all start from the same weights, as far as the configurations say."""
    decide = ("model.", "head.channels", "training.seed", "training.initializer")
    return "" if any(name.startswith(decide) for name in fields) else ", the seed and the initial weights"


def _row(one: Compared, fields: list[str]) -> str:
    line = f'<i class="line" style="background: {_dashes(one)}"></i>'
    cells = [f"<th scope='row'>{line} <b>{one.letter}</b></th>"]
    for name in fields:
        value = OPTIONS[name].write(one.experiment[name]) or "default"
        short = value if len(value) <= _SHORT else value[: _SHORT - 1] + "…"
        cells.append(
            f'<td class="differs" title="{escape(value, quote=True)}">{escape(short).replace("_", "_<wbr>")}</td>'
        )
    cells += [_verdict(one), _computes(one), *(f'<td class="figure">{told}</td>' for told in _numbers(one))]
    return f"<tr>{''.join(cells)}</tr>"


def _dashes(one: Compared) -> str:
    """The configuration's line as a CSS background."""
    stops, at = [], 0
    for n, length in enumerate(one.dash or (8,)):
        stops.append(f"{'transparent' if n % 2 else one.colour} {at}px {at + length}px")
        at += length
    return f"repeating-linear-gradient(90deg, {', '.join(stops)})"


def _verdict(one: Compared) -> str:
    if one.said is None:
        return '<td class="quiet">being checked …</td>'
    _, sign, word = BADGES[one.said.diagnosis.verdict]
    kind = one.said.diagnosis.verdict
    return f'<td class="{kind}" title="{escape(VERDICTS[kind], quote=True)}"><b>{sign}</b> {escape(word)}</td>'


def _computes(one: Compared) -> str:
    if one.said is None:
        return "<td></td>"
    diagnosis = one.said.diagnosis
    word, meaning = diagnosis.computes.replace("_", " "), COMPUTES[diagnosis.computes]
    title = escape(f"{meaning}. {diagnosis.sentence}", quote=True)
    return f'<td title="{title}"><b>{escape(word)}</b><span class="long">: {escape(meaning)}</span></td>'


def _numbers(one: Compared) -> tuple[str, str]:
    if one.job is None:
        return "not run", ""
    if one.job.error is not None:
        return f'<span title="{escape(str(one.job.error), quote=True)}">refused</span>', ""
    if not one.trace.steps:
        place = one.job.place
        waiting = f"waiting, {place} ahead" if place else "starting …"
        return waiting if one.job.active else "cancelled", ""
    loss = f"{number(one.trace.loss[0])} → <b>{number(one.trace.loss[-1])}</b>"
    if one.job.active:
        loss += f" <small>step {one.trace.steps} of {one.experiment.training.steps}</small>"
    return loss, f"<b>{number(one.trace.mean_iou()[-1])}</b>"
