"""The part of the script that loads picture, labels and weights: `parts.targets` and `parts.feed`, written out for one
configuration."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from segdebug.codebook.files import ImageFile, TruthFile
from segdebug.errors import SegdebugError
from segdebug.experiment import Experiment
from segdebug.parts.readers import read_file
from segdebug.scene import Scene
from segdebug.scene.resize import resize_nearest

__all__ = ["functions", "image", "labels", "needs_truth", "sample_weight", "value_axes"]

_READ = {
    "pillow": "np.array(Image.open({}))",
    "pillow_l": 'np.array(Image.open({}).convert("L"))',
    "opencv_gray": "cv2.imread({}, cv2.IMREAD_GRAYSCALE)",
    "opencv_color": "cv2.imread({})",
    "tensorflow": "tf.io.decode_image(tf.io.read_file({}), channels=1, expand_animations=False)[..., 0].numpy()",
    "keras_load_img": 'np.asarray(keras.utils.load_img({}, color_mode="grayscale"))',
    "matplotlib": "matplotlib.image.imread({})",
}

_FUNCTIONS = {
    "nearest": '''\
def nearest(array):
    """The pixel under the middle of each cell of the training grid."""
    rows, columns = (((np.arange(SIZE) + 0.5) * n / SIZE).astype(int) for n in array.shape[:2])
    return array[rows][:, columns]
''',
    "bilinear": '''\
def bilinear(array):
    """As tf.image.resize does by default: averages of labels appear between them."""
    channels = array if array.ndim == 3 else array[..., None]
    stretched = tf.image.resize(channels.astype(np.float32), (SIZE, SIZE)).numpy()
    return stretched if array.ndim == 3 else stretched[..., 0]
''',
    "by_largest": """\
def by_largest(array):
    return array / np.float32(array.max() or 1)
""",
}


def functions(experiment: Experiment, truth: bool) -> list[str]:
    """The functions that the loading code calls; truth: whether it looks at the truth on the grid."""
    used = {experiment.target.resize} | ({"nearest"} if truth else set())
    if experiment.target.scale == "divide_max":
        used.add("by_largest")
    return [text for name, text in _FUNCTIONS.items() if name in used]


def image(experiment: Experiment, file: ImageFile) -> str:
    """Code that makes x, (1, SIZE, SIZE, 3) float32."""
    ranged = {"0..1": "", "0..255": "x = x * 255\n", "-1..1": "x = x * 2 - 1\n"}[experiment.training.input_range]
    return f"""\
picture = {file.code}
channels = [Image.fromarray(picture[..., c]).resize((SIZE, SIZE), Image.Resampling.BILINEAR) for c in range(3)]
x = np.clip(np.stack(channels, axis=-1), 0, 1)[None]
{ranged}"""


def needs_truth(scene: Scene, experiment: Experiment) -> bool:
    """Whether weights are looked up by the scene's truth."""
    loss = experiment.loss
    by_class = loss.class_weights is not None and loss.weighting == "pixel"
    return by_class or (loss.void == "zero_weight" and _has_void(scene, experiment))


def _has_void(scene: Scene, experiment: Experiment) -> bool:
    return not resize_nearest(scene.valid, experiment.training.size).all()


def labels(scene: Scene, experiment: Experiment, k: str, masks: list[str], truth: TruthFile) -> str:
    """Code that makes y with its batch axis: reader, resize, scale, encoding, layout and dtype in this order.

    k: an expression for the number of channels."""
    target = experiment.target
    if target.encoding == "summed_planes":
        lines = _summed(scene, experiment, k, masks, truth)
    else:
        lines = [*_values(experiment, masks, truth), *_encoded(experiment, k)]
    rank = 2 + value_axes(scene, experiment)
    if target.layout == "flat":
        rest = {2: "-1", 3: "SIZE * SIZE, -1"}.get(rank, "(SIZE * SIZE, *y.shape[2:])")
        lines.append(f"y = y.reshape({rest})")
    elif target.layout == "trailing_axis" and target.encoding != "single_channel":
        lines.append("y = y[..., None]")
    lines.append(f'y = y.astype("{target.dtype}")[None]')
    return "\n".join(lines) + "\n"


def value_axes(scene: Scene, experiment: Experiment) -> int:
    """How many axes the encoded labels have behind those of the pixels, before the layout."""
    encoding = experiment.target.encoding
    if encoding in ("summed_planes", "single_channel"):
        return 1
    return _read_axes(scene, experiment) + (encoding == "one_hot")


def _read_axes(scene: Scene, experiment: Experiment) -> int:
    """1 where the reader gives channels, or there are several files; else 0."""
    reader = experiment.target.reader
    if reader == "scene":
        return int(scene.planes is not None)
    if len(scene.mask_files) > 1 or reader == "opencv_color":
        return 1
    if reader in ("pillow", "matplotlib"):
        try:
            return int(read_file(scene.mask_files[0], reader).ndim == 3)
        except SegdebugError:  # the script will be told the same
            return 0
    return 0


def _steps(experiment: Experiment) -> Callable[[str], str]:
    """Resize and scale, around an expression."""
    resize, scale = experiment.target.resize, experiment.target.scale

    def around(expression: str) -> str:
        stretched = f"{resize}({expression})"
        if scale == "divide_255":
            return f"{stretched} / np.float32(255)"
        if scale == "divide_max":
            return f"by_largest({stretched})"
        if scale == "threshold":
            return f"({stretched} > 0.5).astype(np.uint8)"
        return stretched

    return around


def _values(experiment: Experiment, masks: list[str], truth: TruthFile) -> list[str]:
    around = _steps(experiment)
    if experiment.target.reader == "scene":
        return [f"labels = {around(truth.name)}"]
    read = _READ[experiment.target.reader]
    if len(masks) == 1:
        return [f"mask = {read.format(repr(masks[0]))}".replace("'", '"'), f"labels = {around('mask')}"]
    names = ", ".join(f'"{name}"' for name in masks)
    return [
        f"masks = [{read.format('name')} for name in ({names})]",
        f"labels = np.stack([{around('mask')} for mask in masks], axis=-1)",
    ]


def _encoded(experiment: Experiment, k: str) -> list[str]:
    target = experiment.target
    whole = target.reader == "scene" and target.resize == "nearest" and target.scale == "none"  # as they are read
    ids = "labels" if whole else "labels.astype(np.int32)"
    return {
        "one_hot": [f"y = tf.one_hot({ids}, {k}).numpy()"],
        "sparse": [f"y = {ids}"],
        "sparse_one_based": [f"y = {ids} + 1"],
        "single_channel": ["y = labels.astype(np.float32)[..., None]"],
        "raw": ["y = labels"],
    }[target.encoding]


def _summed(scene: Scene, experiment: Experiment, k: str, masks: list[str], truth: TruthFile) -> list[str]:
    """y[..., c] += plane of c, for the planes that there are."""
    around = _steps(experiment)
    lines = [f"y = np.zeros((SIZE, SIZE, {k}), np.float32)"]
    if experiment.target.reader != "scene":
        read = _READ[experiment.target.reader]
        given = [n if file.class_id is None else file.class_id for n, file in enumerate(scene.mask_files)]
        names = ", ".join(f'({c}, "{name}")' for c, name in zip(given, masks, strict=True))
        return [*lines, f"for c, name in [{names}]:", f"    y[..., c] += {around(read.format('name'))}"]
    stated = [c.id for c in scene.classes if c.encoded_as is not None]
    plane = f"{truth.name}[..., c]" if scene.planes is not None else f"({truth.name} == c).astype(np.uint8)"
    comment = "  # the classes that have a file, or a code, of their own"
    return [*lines, f"for c in {stated}:{comment}", f"    y[..., c] += {around(plane)}"]


def sample_weight(scene: Scene, experiment: Experiment, truth: TruthFile, flat: bool) -> str:
    """Code that makes sample_weight, one number a pixel; empty where fit gets none."""
    if not needs_truth(scene, experiment):
        return ""
    loss, lines = experiment.loss, []
    void, weights = _has_void(scene, experiment), None
    rest = "0" if loss.void == "zero_weight" else "1"
    if void:
        lines.append(f"labelled = nearest({truth.valid})")
    if loss.class_weights is not None and loss.weighting == "pixel":
        lines.append(f"class_weights = np.array({[*loss.class_weights]}, np.float32)")
        classes = "argmax(axis=-1)" if scene.planes is not None else ""
        where = f"nearest({truth.name}).{classes}" if classes else f"nearest({truth.name})"
        weights = f"class_weights[np.where(labelled, {where}, 0)]" if void else f"class_weights[{where}]"
    if weights is None:
        lines.append("sample_weight = labelled.astype(np.float32)")
    elif void:
        lines.append(f"sample_weight = np.where(labelled, {weights}, np.float32({rest}))")
    else:
        lines.append(f"sample_weight = {weights}")
    lines.append(f"sample_weight = sample_weight{'.reshape(1, -1)' if flat else '[None]'}")
    if not np.isfinite(np.asarray(loss.class_weights or (0.0,))).all():
        raise ValueError("class weights must be finite")
    return "\n".join(lines) + "\n"
