"""Sound configurations are told that they are sound, without training and after it."""

from __future__ import annotations

from collections import Counter

from segdebug import check, overfit
from tests.sound.configurations import pairs

_SIZE = 32
_CHECKED = ("coffee", "retina", "cell", "overlap")  # five classes, unlabelled pixels, two classes, overlapping ones
_TRAINED = {("coffee", "logits, sparse"), ("cell", "one sigmoid"), ("overlap", "planes, sigmoids")}


def test_a_check_finds_no_error_in_any_and_warns_of_one_in_twenty_at_most() -> None:
    verdicts: Counter[str] = Counter()
    errors, warned = [], []
    every = [pair for pair in pairs() if pair[0] in _CHECKED]  # all of them are in benchmarks.rules
    assert len({(name, tuple(experiment.to_query().items())) for _, name, _, experiment in every}) >= 40
    for sample, name, scene, experiment in every:
        diagnosis = check(experiment.changed({"training.size": _SIZE}), scene)
        verdicts[diagnosis.verdict] += 1
        worst = {finding.severity for finding in diagnosis.findings}
        if "error" in worst or diagnosis.verdict == "broken":
            errors.append((sample, name, [finding.code for finding in diagnosis.findings]))
        elif diagnosis.verdict != "sound":
            warned.append((sample, name, [finding.code for finding in diagnosis.findings]))
    assert not errors
    assert len(warned) <= len(every) / 20, warned
    # Lovász has no weight for a single pixel, so what nobody labelled does take part in it.
    assert {(name, tuple(codes)) for _, name, codes in warned} <= {("softmax, lovasz", ("T09",))}


def test_a_run_that_learns_its_picture_is_called_sound() -> None:
    unsound = []
    for sample, name, scene, experiment in pairs():
        if (sample, name) not in _TRAINED:
            continue
        quick = {"training.size": 32, "training.steps": 150, "training.learning_rate": 0.002, "model.depth": 2}
        run = overfit(scene, experiment.changed(quick))
        assert run.diagnosis is not None
        wrong = [finding for finding in run.diagnosis.findings if finding.severity == "error"]
        if wrong or (run.trace.mean_iou()[-1] >= 0.95 and run.diagnosis.verdict != "sound"):
            unsound.append((sample, name, [finding.to_json() for finding in run.diagnosis.findings]))
    assert not unsound
