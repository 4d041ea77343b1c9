"""segdebug: what a Keras segmentation loss really computes, on your own picture.

    >>> import segdebug
    >>> scene = segdebug.load_sample("coffee")
    >>> experiment = segdebug.Experiment.preset("softmax_cce")
    >>> run = segdebug.overfit(scene, experiment)      # doctest: +SKIP
    >>> run.trace.mean_iou()[-1]                       # doctest: +SKIP

Importing this does not import TensorFlow; training does.
"""

from segdebug import errors
from segdebug.compare import compare
from segdebug.diagnosis import Diagnosis, check
from segdebug.experiment import Experiment
from segdebug.overfit import overfit
from segdebug.presets import PRESETS
from segdebug.run import Run
from segdebug.scene import Scene, load_sample, read_scene, sample_names
from segdebug.trace import Trace

__version__ = "0.1.0"

__all__ = [
    "PRESETS",
    "Diagnosis",
    "Experiment",
    "Run",
    "Scene",
    "Trace",
    "check",
    "compare",
    "errors",
    "load_sample",
    "overfit",
    "read_scene",
    "sample_names",
]
