"""Does every sample's recommended configuration learn it? `python -m benchmarks.samples [NAME ...] [--seeds 3]`.

Overfits each sample on the page's own terms (one TensorFlow thread), for several seeds, and prints a table of
the mean IoU at the last step. Ends with status 1 where fewer than two thirds of the seeds reach 0.95.
"""

from __future__ import annotations

import argparse
import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
os.environ.setdefault("TF_NUM_INTEROP_THREADS", "1")

import segdebug
from segdebug.scene import sample_info

ENOUGH = 0.95


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", default=segdebug.sample_names())
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    failed = []
    print(f"{'sample':<16}{'K':>3}  {'steps':>5}  {'mean IoU by seed':<24}{'seconds':>8}  recommended")
    for name in options.names:
        reached = _row(name, options.seeds)
        if 3 * reached < 2 * options.seeds:
            failed.append(name)
    print(f"{len(options.names) - len(failed)} of {len(options.names)} samples are learnt by two thirds of their seeds")
    return 1 if failed else 0


def _row(name: str, seeds: int) -> int:
    """Print one sample's line; how many seeds reached enough."""
    info, scene = sample_info(name), segdebug.load_sample(name)
    recommended = segdebug.Experiment().changed(info.experiment)
    ious, seconds = [], 0.0
    for seed in range(seeds):
        run = segdebug.overfit(scene, recommended.changed({"training.seed": seed}), diagnosed=False)
        ious.append(float(run.trace.mean_iou()[-1]))
        seconds += run.seconds
    shown = "  ".join(f"{iou:.3f}" for iou in ious)
    words = ", ".join(f"{param}={value}" for param, value in recommended.to_query().items())
    steps = recommended["training.steps"]
    print(f"{name:<16}{scene.n_classes:>3}  {steps:>5}  {shown:<24}{seconds / seeds:>8.1f}  {words}", flush=True)
    return sum(iou >= ENOUGH for iou in ious)


if __name__ == "__main__":
    sys.exit(main())
