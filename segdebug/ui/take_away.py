"""What can be taken from a run: curves, maps, figures, report, Keras code, TensorBoard log.

Each file is made only when it is asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import streamlit as st

from segdebug.codebook import script_zip
from segdebug.export import curves_csv, file_stem, maps_npz, numbers_json
from segdebug.pictures import maps_zip
from segdebug.report import report_html
from segdebug.run import Run, SceneSummary
from segdebug.scene import Scene
from segdebug.tensorboard import tensorboard_zip

__all__ = ["downloads", "figure_config"]

_FORMAT = "figure_format"
_ZIP = "application/zip"


def downloads(run: Run, scene: Scene) -> None:
    """The button behind which all files are, named after scene and configuration."""
    stem = file_stem(scene.name, run.experiment)
    same = scene.digest == run.scene.digest
    run = replace(run, scene=SceneSummary.of(scene)) if same else run  # under the class names that the page shows
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
        st.segmented_control(
            "Figures, by the camera above each", ["PNG", "SVG"], default="PNG", required=True, key=_FORMAT
        )


def figure_config(stem: str, what: str) -> dict[str, Any]:
    """For `st.plotly_chart`: its camera saves the figure under this name, in the format that was chosen last."""
    form = str(st.session_state.get(_FORMAT) or "PNG").lower()
    image = {"format": form, "filename": f"{stem}-{what}", "scale": 3 if form == "png" else 1}
    return {"displaylogo": False, "toImageButtonOptions": image}
