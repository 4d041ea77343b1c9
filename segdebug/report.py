"""A run, or several of one picture, as one HTML file that needs nothing else: figures that can be studied, maps at
every step, the findings, the configuration and its Keras code. Script and style stand in report.js and report.css.

Everything that people wrote goes through `html.escape`, and the file's own policy lets nothing be fetched.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
from plotly.offline import get_plotlyjs

from segdebug.atomic import write_whole
from segdebug.codebook import keras_script
from segdebug.compare import differences
from segdebug.errors import StoreError
from segdebug.experiment import OPTIONS, Experiment
from segdebug.export import comparison_stem, file_stem
from segdebug.figures import HOW_TO_READ, expected_lines, iou_curves, loss_curve, number
from segdebug.losses_figure import losses_curve, natural_axis, overlaid
from segdebug.painting import png
from segdebug.pictures import map_pictures, scales_of, scene_pictures
from segdebug.report_findings import badge, findings_html
from segdebug.run import Run
from segdebug.scene import Scene
from segdebug.trace import OUTCOMES

__all__ = ["report_html", "write_report"]

_HERE = Path(__file__).parent
_POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:"
_SPARE_COLOUR = "#b0b0b0"
_HOW = {"picture": "as it is trained on", "truth": "what the masks say"}


def report_html(runs: Sequence[Run], scene: Scene | None = None) -> str:
    """The report as text. scene: that of the runs; without it picture, truth and Keras code are left out."""
    names = _names(runs)
    figures: dict[str, Any] = {}
    body = [_heading(runs)]
    if len(runs) > 1:
        body.append(_comparison(runs, names, figures))
        body.append(_maps(runs, names, scene))
    body += [_run(run, name, scene, figures) for run, name in zip(runs, names, strict=True)]
    title = escape(f"{runs[0].scene.name}: {'a run' if len(runs) == 1 else f'{len(runs)} runs'}")
    return "\n".join(
        [
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
            '<meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark">',
            f"<title>{title}</title><style>{(_HERE / 'report.css').read_text(encoding='utf-8')}</style></head><body>",
            *body,
            f"<script>{get_plotlyjs()}</script>",
            f'<script type="application/json" id="figures">{_json(figures)}</script>',
            f"<script>{(_HERE / 'report.js').read_text(encoding='utf-8')}</script></body></html>",
        ]
    )


def write_report(path: Path, runs: Sequence[Run], scene: Scene | None = None) -> None:
    """Write the report, whole or not at all. Raises StoreError where it cannot be written."""
    try:
        write_whole(path.absolute(), report_html(runs, scene).encode())
    except OSError as error:
        raise StoreError(f"{path}: the report cannot be written: {error.strerror or error}.") from error


def _names(runs: Sequence[Run]) -> list[str]:
    return [chr(ord("A") + n) if n < 26 else f"run {n + 1}" for n in range(len(runs))] if len(runs) > 1 else [""]


def _heading(runs: Sequence[Run]) -> str:
    scene = runs[0].scene
    classes = "".join(
        f'<li><span class="swatch" style="background:{escape(c.colour, quote=True)}"></span>{escape(c.name)} '
        f"<small>{c.pixels:,} px</small></li>"
        for c in scene.classes
    )
    words = f"{scene.width} × {scene.height} px, {len(scene.classes)} classes"
    return f'<header><h1>{escape(scene.name)}</h1><p>{words}</p><ul class="classes">{classes}</ul></header>'


def _comparison(runs: Sequence[Run], names: list[str], figures: dict[str, Any]) -> str:
    """What differs, the verdicts, and the losses in one figure."""
    differ = differences([run.experiment for run in runs])
    rows = ["verdict", "computes", "mean IoU", "last loss", *differ]
    cells: dict[str, list[str]] = {row: [] for row in rows}
    for n, run in enumerate(runs):
        said = run.diagnosis
        cells["verdict"].append(badge(said.verdict) if said else "")
        cells["computes"].append(escape(said.computes.replace("_", " ")) if said else "")
        cells["mean IoU"].append(number(float(run.trace.mean_iou()[-1])) if run.trace.steps else "")
        cells["last loss"].append(number(float(run.trace.loss[-1])) if run.trace.steps else "")
        for field, values in differ.items():
            cells[field].append(escape(OPTIONS[field].write(values[n]) or "empty"))
    head = "".join(f"<th>{escape(name)}</th>" for name in names)
    body = "".join(
        f"<tr><th>{escape(row)}</th>{''.join(f'<td>{cell}</td>' for cell in cells[row])}</tr>" for row in rows
    )
    experiments = [run.experiment for run in runs]
    floors = {name: run.diagnosis.floor if run.diagnosis else None for name, run in zip(names, runs, strict=True)}
    curves = {name: run.trace.loss for name, run in zip(names, runs, strict=True)}
    losses = overlaid(curves, floors, natural_axis(experiments, list(curves.values())))
    drawn = losses_curve(losses, max(one.training.steps for one in experiments))
    stem = comparison_stem(runs[0].scene.name, experiments)
    figure = _figure(figures, "losses", drawn, f"{stem}-loss", f"{losses.title} against step")
    return (
        f'<section><h2>Side by side</h2><div class="wide"><table><thead><tr><td></td>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>{figure}<p class='how'>{escape(losses.told)}</p></section>"
    )


def _maps(runs: Sequence[Run], names: list[str], scene: Scene | None) -> str:
    """Every map of every run, and one slider for all of them."""
    steps = sorted({shot.step for run in runs for shot in run.trace.snapshots})
    if not steps:
        return ""
    scales, sizes = scales_of(runs), set[int]()
    rows = []
    for run, name in zip(runs, names, strict=True):
        own = [shot.step for shot in run.trace.snapshots]
        if not own:
            continue
        shown = [max((n for n, step in enumerate(own) if step <= asked), default=0) for asked in steps]
        cells = []
        size = run.experiment.training.size
        if scene is not None and size not in sizes:  # what is the same is shown once
            sizes.add(size)
            for title, picture in scene_pictures(scene, size).items():
                cells.append(_map(title, _HOW[title], [_source(png(picture))], [0] * len(steps), run))
        for made in map_pictures(run, scales):
            cells.append(_map(made.title, made.how, [_source(png(p)) for p in made.pictures], shown, run))
        heading = f"<h3>{escape(name)}</h3>" if name else ""
        rows.append(f'{heading}<div class="maps">{"".join(cells)}</div>')
    slider = (
        f'<label class="step">Step <input type="range" min="0" max="{len(steps) - 1}" value="{len(steps) - 1}" '
        f'data-steps="{escape(json.dumps(steps), quote=True)}"> <output>{steps[-1]}</output></label>'
    )
    how = "<p class='how'>One cell a pixel of the training grid. One scale for all steps, and for all runs.</p>"
    return f"<div><h2>Maps</h2>{slider}{''.join(rows)}{how}</div>"


def _map(title: str, how: str, sources: list[str], shown: list[int], run: Run) -> str:
    """frames: each picture once; shown: which of them at each place of the slider."""
    aspect = f"aspect-ratio: {run.scene.width} / {run.scene.height}"
    data = escape(json.dumps({"frames": sources, "shown": shown}), quote=True)
    return (
        f'<figure><img alt="{escape(title, quote=True)}" style="{aspect}" src="{sources[shown[-1]]}" data-map="{data}">'
        f"<figcaption><b>{escape(title)}</b> {escape(how)}</figcaption></figure>"
    )


def _run(run: Run, name: str, scene: Scene | None, figures: dict[str, Any]) -> str:
    stem, key = file_stem(run.scene.name, run.experiment), f"run{len(figures)}"
    said, trace = run.diagnosis, run.trace
    heading = f"<h2>{escape(name)}</h2>" if name else ""
    parts = [f"<section>{heading}<p>{escape(run.experiment.in_words())}</p>"]
    if said is not None:
        parts.append(f'<p class="verdict">{badge(said.verdict)} <b>{escape(said.sentence)}</b></p>')
    if trace.steps:
        lines = expected_lines(said.initial, said.floor, said.plateau) if said else {}
        loss = _figure(figures, f"{key}-loss", loss_curve(trace.loss, lines), f"{stem}-loss", "Loss against step")
        names, colours = _columns(run)
        iou = _figure(figures, f"{key}-iou", iou_curves(trace.iou(), names, colours), f"{stem}-iou", "IoU against step")
        told = f"{trace.steps} steps in {number(run.seconds)} s, {OUTCOMES.get(trace.outcome or '', 'not finished')}"
        told += f": loss {number(float(trace.loss[0]))} → {number(float(trace.loss[-1]))}, "
        told += f"mean IoU {number(float(trace.mean_iou()[-1]))}"
        parts.append(f'<p>{told}</p><div class="pair"><div>{loss}<p class="how">{HOW_TO_READ["loss"]}</p></div>')
        parts.append(f'<div>{iou}<p class="how">{HOW_TO_READ["iou"]}</p></div></div>')
    if not name:
        parts.append(_maps([run], [name], scene))
    if said is not None:
        parts.append(findings_html(said, run.experiment))
    parts += [f"<p class='note'>Keras warned: {escape(warning)}</p>" for warning in run.keras_warnings]
    parts.append(_configuration(run.experiment))
    if scene is not None:
        parts.append(
            _folded("Keras code that reproduces it", f"<pre><code>{escape(keras_script(run, scene))}</code></pre>")
        )
    parts.append(f"<p class='note'>{escape(', '.join(f'{k} {v}' for k, v in run.versions.items()))}</p></section>")
    return "".join(parts)


def _configuration(experiment: Experiment) -> str:
    """Every field; what is not at its default stands out."""
    changed = Experiment().difference(experiment)
    rows = "".join(
        f"<tr{' class=changed' if field in changed else ''}><th>{field}</th>"
        f"<td>{escape(option.write(experiment[field]) or 'empty')}</td><td>{escape(option.meaning)}</td></tr>"
        for field, option in OPTIONS.items()
    )
    return _folded("Configuration", f"<table><tbody>{rows}</tbody></table>")


def _folded(title: str, inside: str) -> str:
    return f"<details><summary>{escape(title)}</summary><div class='wide'>{inside}</div></details>"


def _columns(run: Run) -> tuple[list[str], list[str]]:
    names = run.class_names()
    colours = [c.colour for c in run.scene.classes]
    return names, colours + [_SPARE_COLOUR] * (len(names) - len(colours))


def _figure(figures: dict[str, Any], key: str, figure: go.Figure, file: str, alt: str) -> str:
    figure.update_layout(template=go.layout.Template())
    figures[key] = {"figure": json.loads(figure.to_json()), "file": file}
    return f'<div class="figure" id="{key}" role="img" aria-label="{escape(alt, quote=True)}"></div>'


def _source(data: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(data).decode()}"


def _json(value: Any) -> str:
    """JSON that cannot end the script element that it stands in."""
    return json.dumps(value).replace("<", "\\u003c")
