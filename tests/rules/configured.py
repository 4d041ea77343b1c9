"""What the rules are asked about: real labels and weights of a small scene, with a probe's answer made by hand."""

from __future__ import annotations

from typing import Any

from segdebug import Experiment, Scene
from segdebug.facts import label_facts, scene_facts, weight_facts
from segdebug.finding import Finding
from segdebug.rules import Known, Semantics, catalogue

__all__ = ["BCE", "SCCE", "configured", "found", "known"]

BCE = {"head.activation": "sigmoid", "loss.name": "binary_crossentropy", "target.encoding": "single_channel"}
SCCE = {"loss.name": "sparse_categorical_crossentropy", "target.encoding": "sparse", "target.dtype": "int32"}
FUSED = Semantics("intended", reads="logits")


def configured(preset: str | None = None, /, **changes: Any) -> Experiment:
    """An Experiment at 32 × 32; double underscores stand for the dots of fields."""
    base = Experiment.preset(preset) if preset else Experiment()
    dotted = {field.replace("__", "."): value for field, value in changes.items()}
    return base.changed({"training.size": 32, **dotted})


def known(scene: Scene, experiment: Experiment, semantics: Semantics = FUSED) -> Known:
    from segdebug.decoding import channels_of

    grid, channels = scene.at(experiment.training.size), channels_of(experiment, scene.n_classes)
    return Known(
        experiment,
        channels,
        semantics,
        scene_facts(scene, grid),
        label_facts(scene, grid, experiment, channels),
        weight_facts(scene, grid, experiment, channels),
    )


def found(code: str, scene: Scene, experiment: Experiment, semantics: Semantics = FUSED) -> Finding | None:
    """What one rule says; where it proposes a change, the change must silence it."""
    finding = catalogue()[code].finding(known(scene, experiment, semantics))
    if finding is not None and finding.fix is not None and finding.fix.changes:
        mended = experiment.changed(finding.fix.changes)
        assert catalogue()[code].finding(known(scene, mended, semantics)) is None, finding.fix.changes
    return finding
