"""Changes to `target` and to the void pixels, with loading code in the words of NumPy and TensorFlow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from segdebug.experiment import Experiment
from segdebug.rules.known import Known, LabelFacts, SceneFacts

__all__ = ["loading_code", "mended"]

_SCALE = {
    "divide_255": "mask = mask / 255.0",
    "divide_max": "mask = mask / mask.max()",
    "threshold": "mask = (mask > 0.5).astype('float32')",
    "none": "# leave the values as they are read: no division",
}

_ENCODING = {
    "one_hot": "y = tf.one_hot(mask, {channels})",
    "sparse": "y = mask.astype('int32')  # ids from 0",
    "single_channel": "y = mask.astype('float32')[..., None]",
    "raw": "y = mask.astype('float32')  # (H, W, {channels}), one 0/1 plane a class",
}

_NEAREST = "mask = tf.image.resize(mask[..., None], ({size}, {size}), method='nearest').numpy()[..., 0]"

_OTHERS = {
    "loss.void": "model.fit(x, y, sample_weight=labelled.astype('float32'))  # 0 where nothing is labelled",
    "head.channels": "x = layers.Conv2D({classes}, 1)(x)  # one channel a class",
    "loss.weighting": "model.fit(x, y, sample_weight=np.asarray(class_weights)[ids])",
}


def mended(known: Known, scene: SceneFacts, labels: LabelFacts) -> dict[str, Any]:
    """The change that was found to give every labelled pixel its own class, as arguments of `Noticed`."""
    changes = dict(labels.remedy or {})
    return {"changes": changes, "code": loading_code(changes, known.experiment, scene)}


def loading_code(changes: Mapping[str, Any], experiment: Experiment, scene: SceneFacts) -> str:
    """Lines for what `changes` changes in target, head.channels, loss.void and loss.weighting; the rest is left out.

    A line says `mask` for what the file gives, `y` for the labels as fed.
    """
    classes = len(scene.names)
    channels = experiment.head.channels or classes
    sizes = {"classes": classes, "channels": channels, "size": experiment.training.size}
    lines = [_OTHERS["head.channels"].format(**sizes)] if "head.channels" in changes else []
    if changes.get("target.reader") == "scene":
        lines += _reading(scene)
    if changes.get("target.resize") == "nearest":
        lines.append(_NEAREST.format(**sizes))
    if changes.get("target.scale", "none") != "none" or set(changes) == {"target.scale"}:
        lines.append(_SCALE[changes["target.scale"]])
    if changes.get("target.encoding") in _ENCODING:
        lines.append(_ENCODING[changes["target.encoding"]].format(**sizes))
    lines += [line for field, line in _OTHERS.items() if field in changes and field != "head.channels"]
    return "\n".join(lines)


def _reading(scene: SceneFacts) -> list[str]:
    """Reading the file as its encoding means it."""
    codes = scene.codes
    if scene.overlapping or scene.encoding == "planes":
        return ["mask = np.stack([np.array(Image.open(path).convert('L')) > 0 for path in paths], axis=-1)"]
    if scene.encoding == "colour":
        colours = [tuple(int(str(code)[n : n + 2], 16) for n in (1, 3, 5)) for code in codes if code is not None]
        return [
            "rgb = np.array(Image.open(path).convert('RGB'))",
            "mask = np.full(rgb.shape[:2], 255)",
            f"for k, colour in enumerate({colours}):",
            "    mask[(rgb == colour).all(axis=-1)] = k",
        ]
    if scene.encoding == "binary":
        return ["mask = np.array(Image.open(path).convert('L'))", "mask = (mask > mask.max() / 2).astype('uint8')"]
    kind = "indices, not their colours" if scene.encoding == "palette" else "values as stored"
    lines = [f"mask = np.array(Image.open(path))  # {kind}"]
    if list(codes) != list(range(len(codes))):
        lines.append(f"mask = np.select([mask == code for code in {list(codes)}], range({len(codes)}), default=255)")
    return lines
