"""What can be taken from a run: curves, maps, figures, report, Keras code, TensorBoard log; and from runs side by side.

Each file is made only when it is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import streamlit as st

from segdebug.codebook import script_zip
from segdebug.export import curves_csv, file_stem, maps_npz, numbers_json
from segdebug.jobs import Job
from segdebug.pictures import maps_zip
from segdebug.report import report_html
from segdebug.run import Run, SceneSummary, versions
from segdebug.scene import Scene
from segdebug.tensorboard import tensorboard_zip
from segdebug.trace import Trace
from segdebug.ui import lesson_download

__all__ = ["downloads", "downloads_of_all", "figure_config", "figure_format", "run_of"]

_FORMAT = "figure_format"
_ZIP = "application/zip"


def downloads(run: Run, scene: Scene) -> None:
    """The button behind which all files are, named after scene and configuration."""
    stem = file_stem(scene.name, run.experiment)
    run = _as_shown(run, scene)
    files: dict[str, tuple[Callable[[], str | bytes], str, str]] = {
        "Report (HTML)": (lambda: report_html([run], scene), f"{stem}.html", "text/html"),
        "Keras script (ZIP)": (lambda: script_zip(run, scene), f"{stem}-script.zip", _ZIP),
        "Curves (CSV)": (lambda: curves_csv(run), f"{stem}.csv", "text/csv"),
        "Maps (NumPy)": (lambda: maps_npz(run), f"{stem}.npz", _ZIP),
        "Maps (PNG)": (lambda: maps_zip(run, scene), f"{stem}-maps.zip", _ZIP),
        "TensorBoard log (ZIP)": (lambda: tensorboard_zip(run, scene), f"{stem}-tensorboard.zip", _ZIP),
        "Everything (JSON)": (lambda: numbers_json(run), f"{stem}.json", "application/json"),
    }
    with st.popover("Download", width="stretch"):
        for label, (make, name, kind) in files.items():
            st.download_button(label, make, name, kind, on_click="ignore", width="stretch")
        lesson_download.button(run, scene)
        figure_format()


def downloads_of_all(runs: Sequence[Run], scene: Scene, stem: str) -> None:
    """The same for runs side by side. stem: of the report's name."""
    with st.popover("Download", width="stretch", disabled=not any(run.trace.steps for run in runs)):
        st.download_button(
            "Report (HTML)",
            lambda: report_html([_as_shown(run, scene) for run in runs], scene),
            f"{stem}.html",
            "text/html",
            on_click="ignore",
            width="stretch",
        )
        figure_format()


def run_of(job: Job) -> Run:
    """What a job that has ended gave; of one that was cancelled or failed, what it left."""
    if isinstance(job.result, Run):
        return job.result
    trace = Trace(list(job.since(0)), outcome="cancelled" if job.state == "cancelled" else None)
    return Run(job.experiment, SceneSummary.of(job.scene), trace, job.seconds, versions("unknown"))


def _as_shown(run: Run, scene: Scene) -> Run:
    """The run under the class names that the page shows."""
    return replace(run, scene=SceneSummary.of(scene)) if scene.digest == run.scene.digest else run


def figure_format() -> None:
    """The choice of the format that the cameras save; once on a page."""
    st.segmented_control("Figures, by the camera above each", ["PNG", "SVG"], default="PNG", required=True, key=_FORMAT)


def figure_config(stem: str, what: str) -> dict[str, Any]:
    """For `st.plotly_chart`: its camera saves the figure under this name, in the format that was chosen last."""
    form = str(st.session_state.get(_FORMAT) or "PNG").lower()
    image = {"format": form, "filename": f"{stem}-{what}", "scale": 3 if form == "png" else 1}
    return {"displaylogo": False, "toImageButtonOptions": image}
