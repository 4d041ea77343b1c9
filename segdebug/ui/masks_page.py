"""The parts of the Masks page: the scene, the target, the files, the readers, and the right way to read them."""

from __future__ import annotations

import contextlib

import streamlit as st
from streamlit.errors import StreamlitAPIException

from segdebug.errors import ExperimentError, SegdebugError
from segdebug.experiment import OPTIONS, Experiment
from segdebug.facts import scene_facts
from segdebug.forensics import MOST_FILES, Examination
from segdebug.jobs import Job
from segdebug.rules.loading import loading_code
from segdebug.scene import Scene
from segdebug.scene.repaired import reading_code, repaired_name, repaired_png
from segdebug.ui import mask_files, mask_overlay, mask_question, mask_readers, scene_panel, settings
from segdebug.ui.classes import class_table
from segdebug.ui.engine import examine
from segdebug.ui.scene_panel import Shown
from segdebug.ui.sources import grid_of
from segdebug.ui.text import error, note, plain

__all__ = ["configuration", "files", "readers", "right_way", "scene"]

_TARGET = ("target.reader", "target.resize", "target.scale", "target.encoding", "target.layout", "target.dtype")
_POLL = 0.4  # seconds between looks at readers that are being tried
_LOOKED_AT = "looked_at"  # the address's parameter that names the reader whose labels are drawn
_BY_CODE = ("binary", "index", "palette", "colour", "planes", "voc", "grey_levels", "cityscapes", "cityscapes_train")


def scene() -> Shown:
    """Picture, classes and the choice of files; of another page's scene where the address names none."""
    scene_panel.go_on("masks")
    refusals = st.container()
    picture, table, choice = st.container(key="scene_panel").columns([4, 5, 3], gap="medium")
    with choice:
        shown = scene_panel.choose_source(refusals)
    with table:
        class_table(shown.scene)
        mask_question.ask(shown.scene)
    with picture:
        mask_overlay.draw(shown.scene)
    return shown


def configuration(shown: Shown) -> Experiment | None:
    """The target's widgets, in the sidebar; None, with the reason on the page, where they make no configuration."""
    try:
        base = _base(shown)
        with st.sidebar:
            st.subheader("Labels as fed", anchor=False)
            values = {field: _widget(field) for field in _TARGET}
        experiment = base.changed(values)
    except ExperimentError as refusal:
        error(str(refusal))
        return None
    settings.remember(experiment)
    with st.sidebar:
        st.page_link("pages/diagnose.py", label="Diagnose with these labels", icon=":material/arrow_forward:")
    return experiment


def _base(shown: Shown) -> Experiment:
    """The configuration in the address; without one the session's last, or the one recommended for this scene."""
    query = dict(st.query_params.items())
    if any(option.param in query for option in OPTIONS.values()):
        return Experiment.from_query(query)
    base = settings.current() or shown.recommended
    for field in _TARGET:
        param = OPTIONS[field].param
        st.session_state[param] = st.session_state.get(param, base[field])  # said again, it goes into the address
    own = {OPTIONS[field].param for field in _TARGET}
    with contextlib.suppress(StreamlitAPIException):  # still bound to the page that was left, until this run has ended
        st.query_params.update({name: value for name, value in base.to_query().items() if name not in own})
    return base


def _widget(field: str) -> str:
    option = OPTIONS[field]
    choices = list(option.choices)
    lines = [f"{plain(option.meaning)}."]
    lines += [f"**{plain(word)}**: {plain(meaning)}" for word, meaning in option.choices.items()]
    index = choices.index(Experiment()[field])
    return str(
        st.selectbox(option.label, choices, index=index, key=option.param, bind="query-params", help="  \n".join(lines))
    )


def files(scene: Scene) -> None:
    """The files in a table, and the values of the one that is looked at."""
    st.subheader("Files", anchor=False)
    mask_files.table(scene)


def readers(scene: Scene, experiment: Experiment | None) -> None:
    """The values of one file, what every reader makes of it, and the labels that result."""
    n = mask_files.chosen(scene)
    file = scene.report[n]
    mask_files.histogram(scene, file)
    st.subheader("The same bytes through the readers that people use", anchor=False)
    if experiment is None:
        st.markdown(":gray[Change the labels as fed in the sidebar first.]")
        return
    found = _examined(scene, experiment)
    if found is None:
        return
    name = scene.mask_files[min(n, len(scene.mask_files) - 1)].name if scene.mask_files else ""
    here = mask_readers.of_file(found, name)
    if here:
        mask_readers.deliveries(scene, here)
        st.caption(mask_readers.meanings())
    elif found.left_out:
        note(f"The readers are tried on the first {MOST_FILES} files only.")
    st.subheader("The labels that result", anchor=False)
    mask_readers.labels(found.fed, experiment)
    _looked_at(scene, experiment, found)


def _looked_at(scene: Scene, experiment: Experiment, found: Examination) -> None:
    names = [one.reader for one in found.fed]
    own = experiment.target.reader
    chosen = st.selectbox(
        "Labels by this reader, pixel by pixel",
        names,
        index=names.index(own) if own in names else 0,
        key=_LOOKED_AT,
        bind="query-params",
    )
    one = next((one for one in found.fed if one.reader == chosen), None)
    if one is None:
        return
    if one.facts.error is not None:
        note(one.facts.error)
        return
    mask_readers.label_maps(scene, experiment, one)


def _examined(scene: Scene, experiment: Experiment) -> Examination | None:
    """What the readers were found to make of the files; None, with a line on the page, while that is not known."""
    try:
        job = examine(scene, experiment)
    except SegdebugError as refusal:
        error(str(refusal))
        return None
    active = job.active
    st.fragment(_trying, run_every=_POLL if active else None)(job, active)  # there for a late poll too, as the strip
    if active:
        return None
    if isinstance(job.result, Examination):
        return job.result
    error(str(job.error or "The readers were not tried. Load the page again."))
    return None


def _trying(job: Job, was_active: bool) -> None:
    if not was_active:
        return
    if not job.active:  # one whole rerun shows the result, and stops the polling
        st.rerun()
    with st.container(height=420, border=False):
        st.markdown(":gray[The readers are being tried …]")


def right_way(scene: Scene, experiment: Experiment | None) -> None:
    """One sound mask file to take away, and code that reads masks right."""
    st.subheader("What to use instead", anchor=False)
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown("**Your files, read as they mean it**")
        code = _own_code(scene, experiment or Experiment())
        if code:
            st.code(code, language="python", wrap_lines=True)
        else:
            st.caption("No short code reads these files right: take the repaired mask.")
    with right:
        st.markdown("**One repaired mask, and the code for it**")
        _download(scene)


def _own_code(scene: Scene, experiment: Experiment) -> str:
    """Pillow, NumPy and TensorFlow for the files as they are; empty where a table of codes is not enough."""
    if not _says_it_all(scene):
        return ""
    planes = scene.overlapping or scene.encoding == "planes"
    facts = scene_facts(scene, grid_of(scene, experiment.training.size))
    own = experiment.changed({"head.channels": None})
    changes = {"target.reader": "scene", "target.encoding": "raw" if planes else "one_hot"}
    imports = "import numpy as np\nimport tensorflow as tf\nfrom PIL import Image\n\n"
    return imports + loading_code(changes, own, facts)


def _says_it_all(scene: Scene) -> bool:
    """Whether the values alone say the class, each class having one, the background of a binary mask the lower."""
    codes = [c.encoded_as for c in scene.classes]
    if scene.encoding == "binary":
        values = [code for code in codes if isinstance(code, int)]
        return len(values) == len(codes) and values == sorted(values)
    repaired = any(file.repaired for file in scene.report)
    colours = any(isinstance(code, str) and code.startswith("#") for code in codes)
    return scene.encoding in _BY_CODE and not repaired and (colours == (scene.encoding == "colour"))


def _download(scene: Scene) -> None:
    try:
        data = repaired_png(scene)
    except SegdebugError as refusal:
        st.caption(plain(str(refusal)))
        return
    st.download_button(
        "Download repaired mask",
        data,
        file_name=repaired_name(scene),
        mime="image/png",
        key="repaired",
        on_click="ignore",
        icon=":material/download:",
        help="an index PNG: ids from 0, 255 where nothing is labelled, the classes' colours as palette",
    )
    st.code(reading_code(scene), language="python", wrap_lines=True)
