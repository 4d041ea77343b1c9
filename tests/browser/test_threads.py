"""The first cases of the five threads, from the page; the numbers are those that Keras's own fit prints."""

from __future__ import annotations

import functools
import json
import re
import subprocess
import sys

import pytest

from tests.browser.app import ROOT, View

SMALL = "size=32&depth=2"

_FIT = """
import json, sys
from segdebug import Experiment, load_sample, overfit
sample, query = sys.argv[1], dict(p.split("=") for p in sys.argv[2].split("&"))
run = overfit(load_sample(sample), Experiment.from_query(query))
print(json.dumps([float(run.trace.loss[0]), float(run.trace.loss[-1]), float(run.trace.mean_iou()[-1])]))
"""


@functools.cache
def computed(sample: str, query: str) -> list[float]:
    """First and last loss and the last mean IoU of the same configuration, by the library in another process."""
    command = [sys.executable, "-c", _FIT, sample, query]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    numbers: list[float] = json.loads(done.stdout.strip().splitlines()[-1])
    return numbers


CASES = [
    ("coffee", "activation=softmax"),
    ("coffee", "activation=softmax&from_logits=true"),
    ("coffee", "activation=linear"),
    ("coffee", "activation=linear&from_logits=true"),
    ("mosaic", "activation=linear&encoding=sparse&dtype=int32&loss=sparse_softmax_cross_entropy_with_logits"),
    ("coffee", "activation=sigmoid&loss=binary_crossentropy"),
    ("coffee", "activation=sigmoid&loss=weighted_bce_dice&class_weights=1,1,1,1,1000&weighting=in_loss"),
    ("coins", "activation=sigmoid&loss=binary_crossentropy&encoding=single_channel"),
]


@pytest.mark.parametrize(("steps", "sample", "query"), [(5 + n, *case) for n, case in enumerate(CASES)])
def test_the_page_shows_what_the_library_computes(view: View, steps: int, sample: str, query: str) -> None:
    query = f"{query}&{SMALL}&steps={steps}"  # so that its line is not that of the picture's last run
    view.open(f"/?sample={sample}&{query}").overfit()
    shown = re.search(r"loss (\S+) → ([^,]+), mean IoU (\S+)", view.headline(steps))
    assert shown is not None
    numbers = [float(part.replace("−", "-").replace(",", "")) for part in shown.groups()]
    assert numbers == pytest.approx(computed(sample, query), rel=0.006, abs=0.0006)  # three digits
    assert view.colours("prediction") >= 1
