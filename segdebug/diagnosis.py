"""One verdict from everything that is known, and the smallest change that was verified to mend it.

`check` asks without training, `diagnose` after it. Both need TensorFlow, for the probe and for the labels as fed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from segdebug.errors import ExperimentError, SegdebugError
from segdebug.expectations import expected
from segdebug.experiment import Experiment
from segdebug.finding import COMPUTES, STAGES, Finding
from segdebug.rules import Known, Semantics, findings
from segdebug.scene import Scene, read_scene
from segdebug.trace import Progress, Trace

__all__ = ["Diagnosis", "check", "checked", "diagnose", "warm_up"]


@dataclass(frozen=True)
class Diagnosis:
    """What is said of a configuration.

    verdict: a key of `finding.VERDICTS`; computes: a key of `finding.COMPUTES`; sentence: both in one sentence.
    findings: cause before symptom, the worst first; what another explains is among its consequences.
    fix: the smallest change to the Experiment whose own check is sound, or None where there is nothing to mend or
        no such change is known. semantics: what the probe measured.
    initial, floor, plateau: the loss to expect of an untrained network, of a perfect one, and of one that is stuck
        at the majority class; None where no such number is known.
    """

    verdict: str
    computes: str
    sentence: str
    findings: tuple[Finding, ...]
    fix: Experiment | None
    semantics: Semantics
    initial: float | None = None
    floor: float | None = None
    plateau: float | None = None

    def status(self) -> dict[str, str]:
        """For each stage of the pipeline the worst severity found there, or "sound"."""
        found = dict.fromkeys(STAGES, "sound")
        for severity in ("note", "warning", "error"):
            for finding in self._all():
                if finding.severity == severity:
                    found[finding.stage] = severity
        return found

    def _all(self) -> list[Finding]:
        pending, every = list(self.findings), []
        while pending:
            finding = pending.pop()
            every.append(finding)
            pending.extend(finding.consequences)
        return every

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values, under the names that the command line prints."""
        return {
            "verdict": self.verdict,
            "computes": self.computes,
            "sentence": self.sentence,
            "findings": [finding.to_json() for finding in self.findings],
            "fix": None if self.fix is None else self.fix.model_dump(mode="json"),
        }


def check(experiment: Experiment, scene: Scene | None = None) -> Diagnosis:
    """Diagnose without training. Without a scene, K is 4 (2 for single_channel labels, or one a class weight).

    Raises SegdebugError only where the two cannot be put together at all; what Keras refuses is a finding.
    """
    return diagnose(experiment, scene)


def checked(
    scene: Scene,
    experiment: Experiment,
    *,
    on_progress: Callable[[Progress], None] | None = None,  # noqa: ARG001 - the signature of every job
    cancel: Callable[[], bool] | None = None,  # noqa: ARG001
) -> Diagnosis:
    """`check`, as a job that the engine can carry out."""
    return check(experiment, scene)


def warm_up() -> None:
    """One check of nothing in particular, by which a new process is as quick for the first as for the next."""
    check(Experiment())


def diagnose(experiment: Experiment, scene: Scene | None = None, trace: Trace | None = None) -> Diagnosis:
    """Everything that is known of the configuration, on that scene and after that run where there are any."""
    known = _known(experiment, scene, trace)
    found = findings(known)
    verdict = _verdict(known.semantics, found)
    lines = expected(known)
    return Diagnosis(
        verdict,
        known.semantics.computes,
        _sentence(verdict, known.semantics, found),
        tuple(found),
        None if verdict == "sound" else _mended(experiment, scene, found),
        known.semantics,
        lines.initial,
        lines.floor,
        lines.plateau(_wrong(known)),
    )


def _known(experiment: Experiment, scene: Scene | None, trace: Trace | None) -> Known:
    from segdebug.decoding import channels_of
    from segdebug.facts import label_facts, scene_facts, weight_facts
    from segdebug.semantics import probe

    if scene is None:
        shape, channels = _assumed(experiment)
        if isinstance(shape, ExperimentError):
            return Known(experiment, channels, Semantics("error", error=str(shape), error_field=shape.field))
        return Known(experiment, channels, probe(experiment, channels, shape, _ASSUMED_SIDE))
    size = experiment.training.size
    grid = scene.at(size)
    channels = channels_of(experiment, scene.n_classes)
    labels = label_facts(scene, grid, experiment, channels)
    if labels.error is not None:
        semantics = Semantics("error", error=labels.error, error_field=labels.error_field)
    else:
        semantics = probe(experiment, channels, labels.shape, size)
    weights = weight_facts(scene, grid, experiment, channels)
    return Known(experiment, channels, semantics, scene_facts(scene, grid), labels, weights, trace)


_ASSUMED_SIDE = 16
_ASSUMED_CLASSES = 4


def _assumed(experiment: Experiment) -> tuple[tuple[int, ...] | ExperimentError, int]:
    """The shape of labels, and the channels, of a picture that nobody has given."""
    from segdebug.decoding import channels_of
    from segdebug.parts.targets import label_tensor

    weights = experiment.loss.class_weights
    single = experiment.target.encoding == "single_channel"
    classes = len(weights) if weights else 2 if single else _ASSUMED_CLASSES
    channels = channels_of(experiment, classes)
    target = experiment.target.model_copy(update={"reader": "scene"})
    try:
        return label_tensor(_plain_scene(max(classes, 2)), target, channels, _ASSUMED_SIDE).shape, channels
    except ExperimentError as error:
        return error, channels


@lru_cache(maxsize=64)
def _plain_scene(classes: int) -> Scene:
    """Every class, each pixel one of them."""
    ids = (np.arange(_ASSUMED_SIDE**2) % classes).astype(np.uint8).reshape(_ASSUMED_SIDE, _ASSUMED_SIDE)
    image = np.zeros((_ASSUMED_SIDE, _ASSUMED_SIDE, 3), np.uint8)
    return read_scene(image, ids, classes=[f"class {k}" for k in range(classes)], encoding="index")


_ORDER = ("sound", "works_by_rescue", "suboptimal", "broken")


def _verdict(semantics: Semantics, found: list[Finding]) -> str:
    """What the probe says, made worse by what was found; nothing found makes it better."""
    verdict = {
        "intended": "sound",
        "intended_clipped": "sound" if semantics.always_clips else "suboptimal",
        "rescued": "works_by_rescue",
        "hybrid": "suboptimal",
        "substituted": "suboptimal",
        "literal": "suboptimal",
    }.get(semantics.computes, "broken")
    if verdict == "suboptimal" and semantics.cosine < _AGAINST:
        verdict = "broken"
    for finding in _every(found):
        if finding.severity == "error":
            verdict = "broken"
        elif finding.severity == "warning" and finding.code != "H10":
            verdict = max(verdict, "suboptimal", key=_ORDER.index)
    return verdict


_AGAINST = 0.25  # of the gradient's cosine with the intended one: below it, it hardly points the same way


def _every(found: list[Finding] | tuple[Finding, ...]) -> Iterator[Finding]:
    for finding in found:
        yield finding
        yield from _every(finding.consequences)


def _sentence(verdict: str, semantics: Semantics, found: list[Finding]) -> str:
    telling = next((finding for finding in found if finding.severity != "note"), None)
    if telling is not None:
        return f"{telling.title}."
    if verdict == "sound":
        return f"It computes {COMPUTES[semantics.computes]}, and nothing was found that would keep it from learning."
    return f"It computes {COMPUTES[semantics.computes]}."


def _wrong(known: Known) -> float:
    """The fraction of labelled pixels that are wrong: at the end of the run; without one, where all are given the
    commonest class."""
    if known.trace is not None and known.trace.steps:
        right, _, true = known.trace.parts[-1].counts[-1]
        return float(1 - right.sum() / max(1, true.sum()))
    return np.nan if known.scene is None else float(1 - np.max(known.scene.frequencies))


def _mended(experiment: Experiment, scene: Scene | None, found: list[Finding]) -> Experiment | None:
    """The fewest findings' changes, causes first, after which a check without training finds nothing wrong."""
    tried = {experiment}
    for candidate in _candidates(experiment, found):
        if candidate in tried:
            continue
        tried.add(candidate)
        left = _checked_findings(candidate, scene)
        if left is not None and not left:
            return candidate
        # What was mended may have hidden another fault.
        for again in _candidates(candidate, left or []):
            if again not in tried and _checked_findings(again, scene) == []:
                return again
            tried.add(again)
    return None


def _candidates(experiment: Experiment, found: list[Finding]) -> Iterator[Experiment]:
    """With the changes of the first finding, of the first two, and so on; of two that disagree the cause's own."""
    changes: dict[str, Any] = {}
    for finding in _every(found):
        if finding.severity != "note" and finding.fix is not None and finding.fix.changes:
            changes = {**finding.fix.changes, **changes}
            try:
                yield experiment.changed(changes)
            except SegdebugError:
                continue


def _checked_findings(experiment: Experiment, scene: Scene | None) -> list[Finding] | None:
    """What keeps the configuration from being sound; None where it cannot even be put together."""
    try:
        known = _known(experiment, scene, None)
    except SegdebugError:
        return None
    found = findings(known)
    return [] if _verdict(known.semantics, found) == "sound" else found
