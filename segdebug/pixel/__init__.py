"""One pixel's way through a run: every tensor of one step, and the mathematics between them, with numbers.

    moment(scene, experiment, step) → Moment: the run again up to that step, and all tensors of it
    path_of(moment, row, column) → PixelPath: file → reader → label → logits → … → share of the loss → gradient
    shares, class_shares: what each pixel, and each class, adds to the one printed number
    along_logit: loss and gradient as one of the pixel's logits varies

Importing this imports no TensorFlow; `moment` does.
"""

from segdebug.pixel.moment import AtStep, FileValues, Moment, moment
from segdebug.pixel.path import Cell, PixelPath, Stage, path_of
from segdebug.pixel.shares import ClassShare, class_shares, shares
from segdebug.pixel.slope import LogitCurve, along_logit

__all__ = [
    "AtStep",
    "Cell",
    "ClassShare",
    "FileValues",
    "LogitCurve",
    "Moment",
    "PixelPath",
    "Stage",
    "along_logit",
    "class_shares",
    "moment",
    "path_of",
    "shares",
]
