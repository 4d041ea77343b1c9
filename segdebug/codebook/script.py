"""The script as a whole, and the archive in which it travels with the files that it reads."""

from __future__ import annotations

import io
import json
import re
import textwrap
import zipfile

from segdebug.codebook import data, files, network, objective
from segdebug.decoding import channels_of
from segdebug.experiment import Experiment, Training
from segdebug.run import Run
from segdebug.scene import Scene

__all__ = ["FIRST", "keras_script", "script_zip"]

FIRST = 20
"""How many losses the script prints."""

_OPTIMIZERS = {"adam": "Adam", "adamw": "AdamW", "rmsprop": "RMSprop", "sgd": "SGD"}


def keras_script(what: Run | Experiment, scene: Scene) -> str:
    """The Keras code of a run, or of a configuration, on this scene. It reads the files of `script_zip` from where it
    is started, and prints the losses of the first steps as fit has them.

    Of a run it asks for the same threads, on which the last digits depend.
    """
    experiment = what.experiment if isinstance(what, Run) else what
    channels = channels_of(experiment, scene.n_classes)
    k = "len(CLASSES)" if channels == scene.n_classes else str(channels)
    flat = experiment.head.attachment in ("after_reshape", "then_reshape")
    masks = list(files.mask_files(scene))
    truth, needs_truth = files.truth_file(scene), data.needs_truth(scene, experiment)
    reads_truth = needs_truth or experiment.target.reader == "scene"
    weights = data.sample_weight(scene, experiment, truth, flat)
    definitions, loss = objective.loss_code(scene, experiment, channels)
    body = [
        f"{_classes(scene)}SIZE = {experiment.training.size}\n\n\n",
        *(f"{text}\n\n" for text in data.functions(experiment, needs_truth)),
        network.functions(experiment),
        definitions,
        data.image(experiment, files.image_file(scene)),
        "\n",
        truth.load if reads_truth else "",
        data.labels(scene, experiment, k, masks, truth),
        f"\n{weights}" if weights else "",
        "\n",
        _seeded(experiment.training),
        network.model(experiment, k),
        _compiled(experiment.training, loss),
        _trained(experiment, bool(weights)),
    ]
    code = "".join(body)
    return f"{_about(what, scene)}\n{_imports(code, what)}{code}"


def script_zip(what: Run | Experiment, scene: Scene) -> bytes:
    """The script as train.py, with the picture, labels and mask files that it reads, as a ZIP archive."""
    code = keras_script(what, scene)
    every = {**files.image_file(scene).files, **files.truth_file(scene).files, **files.mask_files(scene)}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("train.py", code)
        for name, content in every.items():
            if f'"{name}"' in code:
                archive.writestr(name, content)
    return buffer.getvalue()


def _classes(scene: Scene) -> str:
    """The class names as a list, broken into lines where it is long."""
    names = [json.dumps(c.name, ensure_ascii=False) for c in scene.classes]
    line = f"CLASSES = [{', '.join(names)}]\n"
    if len(line) <= 110:
        return line
    return "CLASSES = [\n" + "".join(f"    {name},\n" for name in names) + "]\n"


def _about(what: Run | Experiment, scene: Scene) -> str:
    """The docstring; of people's own text only harmless signs."""
    experiment = what.experiment if isinstance(what, Run) else what
    name = re.sub(r"[^\w .,()-]", "_", scene.name)
    lines = [f"{name}: {experiment.in_words()}."]
    if isinstance(what, Run):
        known = ", ".join(f"{part} {what.versions[part]}" for part in ("keras", "tensorflow") if part in what.versions)
        losses = ", ".join(str(loss) for loss in what.trace.loss[:3])
        lines.append(f"On {known} the run's first losses were {losses}.")
    lines.append("It needs tensorflow and pillow, and the files beside it.")
    return '"""' + "\n\n".join(textwrap.fill(line, 100) for line in lines) + '\n"""\n'


def _imports(code: str, what: Run | Experiment) -> str:
    standard = [f"import {name}\n" for name in ("functools",) if f"{name}." in code]
    threads = _threads(what)
    if threads:
        standard.append("import os\n")
    others = ["keras", "numpy as np", "tensorflow as tf"]
    others += ["cv2"] if "cv2." in code else []
    others += ["matplotlib.image"] if "matplotlib.image." in code else []
    if not re.search(r"\btf\.", code):
        others.remove("tensorflow as tf")
    lines = sorted(f"import {name}\n" for name in others)
    ours = ["from keras import layers, ops\n" if re.search(r"(?<!\.)\bops\.", code) else "from keras import layers\n"]
    if "Image." in code:
        ours.append("from PIL import Image\n")
    parts = ["".join(sorted(standard)), threads, "".join(lines) + "".join(sorted(ours, key=str.lower))]
    return "\n".join(part for part in parts if part) + "\n"


def _threads(what: Run | Experiment) -> str:
    found = re.fullmatch(r"(\d+)\+(\d+)", what.versions.get("threads", "")) if isinstance(what, Run) else None
    if found is None:
        return ""
    return (
        "# As many threads as the run had, before TensorFlow starts: others add up in another order.\n"
        f'os.environ.update(CUDA_VISIBLE_DEVICES="-1", TF_NUM_INTRAOP_THREADS="{found[1]}", '
        f'TF_NUM_INTEROP_THREADS="{found[2]}")\n'
    )


def _seeded(training: Training) -> str:
    policy = "" if training.precision == "float32" else f'keras.config.set_dtype_policy("{training.precision}")\n'
    return f"{policy}keras.utils.set_random_seed({training.seed})\n"


def _compiled(training: Training, loss: str) -> str:
    how = {
        "graph": "    jit_compile=False,\n",
        "eager": "    run_eagerly=True,\n    jit_compile=False,\n",
        "xla": "    jit_compile=True,\n",
    }[training.execution]
    optimizer = f"keras.optimizers.{_OPTIMIZERS[training.optimizer]}({training.learning_rate!r})"
    return f"model.compile(\n    optimizer={optimizer},\n    loss={loss},\n{how})\n\n"


def _trained(experiment: Experiment, weighted: bool) -> str:
    training, loss = experiment.training, experiment.loss
    lines, arguments = [], ["x", "y"]
    if training.container == "tf_data":
        parts = "(x, y, sample_weight)" if weighted else "(x, y)"
        lines.append(f"batches = tf.data.Dataset.from_tensor_slices({parts}).batch(1)")
        arguments = ["batches", "shuffle=False"]
    else:
        arguments += ["sample_weight=sample_weight"] if weighted else []
        arguments.append("batch_size=1")
    if loss.weighting == "class_weight" and loss.class_weights is not None:
        lines.append(f"class_weight = {dict(enumerate(loss.class_weights))}")
        arguments.append("class_weight=class_weight")
    call = ", ".join([*arguments, f"epochs={training.steps}", "verbose=0"])
    return "\n".join(
        [
            *lines,
            f"history = model.fit({call})",
            f'for step, loss in enumerate(history.history["loss"][:{FIRST}]):',
            '    print(f"step {step}: loss {loss:.9g}")',
            "",
        ]
    )
