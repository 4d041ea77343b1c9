"""Keras's reasons in plain words.

Keras and TensorFlow say what is wrong with tensors; a person needs to know which of their choices did it. The
words depend on what the installed Keras says, never on the configuration: what it does not refuse, runs.
"""

from __future__ import annotations

import re

from segdebug.errors import KerasRefusal

__all__ = ["refused"]

# (what Keras says, the field at fault, plain words); \1 and so on are taken from the message.
_PLAIN: tuple[tuple[str, str, str], ...] = (
    (
        r"label value of (-?\d+) which is outside the valid range of \[0, (\d+)\)",
        "target.encoding",
        r"a label is \1, and the head has classes 0 to \2 only (the upper bound left out): unlabelled or one-based "
        "values reach the loss; set loss.ignore_class, or mend target.encoding",
    ),
    (
        r"`target` and `output` must have the same rank",
        "target.encoding",
        "this loss compares labels and output channel by channel, and the labels have another number of axes; "
        "use target.encoding one_hot with the layout of the head, or a sparse loss",
    ),
    (
        r"`target` and `output` must have the same shape",
        "target.encoding",
        "labels and output have different shapes; the class axis, or the layout (flat or spatial), does not match",
    ),
    (
        r"must have rank \(ndim\) `target.ndim - 1`|labels\.shape\.rank|Rank mismatch|equal to logits rank",
        "target.encoding",
        "a sparse loss takes one integer a pixel, and these labels have a class axis or another layout; "
        "use target.encoding sparse with the layout of the head",
    ),
    (
        r"Only axis=-1 is currently supported",
        "loss.axis",
        "sparse categorical cross entropy only takes the last axis as the classes; leave loss.axis empty",
    ),
    (
        r"0-dimensional arrays can be converted",
        "loss.weighting",
        "fit's class_weight cannot be used with label arrays of this shape; use weighting pixel, or container tf_data",
    ),
    (
        r"class_weight.*sample_weight|sample_weight.*class_weight",
        "loss.weighting",
        "fit takes class_weight or sample_weight, not both; use weighting pixel, or void as_fed",
    ),
    (
        r"No gradients? provided for any variable",
        "head",
        "no gradient reaches any weight: the loss does not depend on the output in a way that can be followed",
    ),
    (
        r"Incompatible shapes|[Dd]imensions must be equal|broadcastable shapes|could not be broadcast|"
        r"cannot be broadcast|not compatible|must be broadcastable|[Ss]hapes .* incompatible",
        "target.layout",
        "labels, output or weights have shapes that do not go together; make target.layout and target.encoding "
        "those of the head",
    ),
)


def refused(error: Exception, shapes: str = "") -> KerasRefusal:
    """The refusal that a person reads, from what Keras raised; `shapes` says what it was given."""
    original = str(error).strip()
    reason = _first_sentence(original) or type(error).__name__
    field, words = "", "Keras cannot build or run this combination"
    for pattern, at_fault, plain in _PLAIN:
        if match := re.search(pattern, original, re.DOTALL):
            field, words = at_fault, match.expand(plain) if "\\" in plain else plain
            break
    given = f" {shapes}" if shapes else ""
    prefix = f"{field}: " if field else ""
    return KerasRefusal(f"{prefix}{words}.{given} Keras says: {reason}", field or None, original)


def _first_sentence(message: str) -> str:
    """The line of an error that says something, without TensorFlow's node addresses."""
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    telling = [
        line
        for line in lines
        if not re.match(r"(Detected at node|in user code|File |Traceback|Exception encountered|\[\[|Original)", line)
    ]
    line = re.sub(r"\{\{.*?\}\}\s*|\[Op:.*?\]", "", (telling or lines or [""])[0]).strip()
    return line if len(line) <= 300 else line[:297] + "..."
