"""What an output says: how many channels it has, and which class of a pixel, by argmax or at the threshold where its
probability is one half."""

from __future__ import annotations

from segdebug.experiment import Experiment

__all__ = ["channels_of", "takes_logits", "threshold"]


def takes_logits(experiment: Experiment) -> bool:
    """Whether the loss reads the head's output as logits, as far as the person told it."""
    return experiment.loss.from_logits or experiment.loss.name.endswith("_with_logits")


def threshold(experiment: Experiment) -> float:
    """The output value at which a channel says "more likely than not".

    0.5 for a head that puts out probabilities, log(0.5) for log-probabilities; for any other, 0 if the loss
    reads the output as logits and 0.5 if it reads it as a probability.
    """
    activation = experiment.head.activation
    if activation in ("softmax", "sigmoid"):
        return 0.5
    if activation == "log_softmax":
        return -0.6931472
    return 0.0 if takes_logits(experiment) else 0.5


def channels_of(experiment: Experiment, n_classes: int) -> int:
    """How many channels the head has on a scene with that many classes."""
    if experiment.head.channels is not None:
        return experiment.head.channels
    return 1 if n_classes == 2 and experiment.target.encoding == "single_channel" else n_classes
