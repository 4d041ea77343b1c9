"""The bundled scenes, and that importing them stays light."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest

from segdebug.errors import SceneError
from segdebug.scene import load_sample, read_scene, sample_info, sample_names
from segdebug.scene.samples import _FOLDER, make

# Counted with numpy on the files as they were given, or when they were drawn.
COUNTS = {
    "cell": ([87884, 2866], 0),
    "coffee": ([31632, 13986, 9319, 3205, 1858], 0),
    "coins": ([77409, 38943], 0),
    "microaneurysms": ([9087, 1265, 52], 0),
    "rare_and_thin": ([62886, 672, 109, 1869], 0),
    "retina": ([82498, 9268, 1112], 31026),
    "street": ([16710, 10358, 16797, 12288, 1960, 741, 202, 96], 4848),
}


def test_names() -> None:
    assert sample_names()[0] == "coffee"
    assert set(sample_names()) == {*COUNTS, "overlap", "mosaic"}


@pytest.mark.parametrize("name", sample_names())
def test_every_sample_reads_as_its_description_says(name: str) -> None:
    info, scene = sample_info(name), load_sample(name)
    assert scene.name == info.name == name
    assert tuple(c.name for c in scene.classes) == info.classes
    assert scene.n_classes == info.n_classes
    assert scene.confidence == 1.0
    assert info.title
    assert info.description.endswith(".")
    assert info.source
    assert info.licence
    assert isinstance(info.experiment, dict)
    assert max(scene.width, scene.height) < 400
    assert [w.code for w in scene.warnings] == (["overlap"] if name == "overlap" else [])
    assert sum(file.stat().st_size for file in (_FOLDER / name).iterdir()) < 130_000


@pytest.mark.parametrize("name", COUNTS)
def test_pixel_counts(name: str) -> None:
    scene = load_sample(name)
    assert ([c.pixels for c in scene.classes], scene.ignored_pixels) == COUNTS[name]


@pytest.mark.parametrize("name", sample_names())
def test_uploaded_without_a_word_they_read_the_same(name: str) -> None:
    """What the page infers from the bare files is what `sample.json` states."""
    about = json.loads((_FOLDER / name / "sample.json").read_text(encoding="utf-8"))
    folder = _FOLDER / name
    bare = read_scene(folder / about["image"], [folder / mask for mask in about["masks"]])
    scene = load_sample(name)
    assert bare.digest == scene.digest
    assert bare.encoding == scene.encoding


def test_attributions_are_kept() -> None:
    assert "Rachel Michetti" in sample_info("coffee").source
    assert "Mueller et al. 2018" in sample_info("cell").source
    assert "Andreas Maier" in sample_info("microaneurysms").source
    assert "Haggstrom" in sample_info("retina").source
    assert "Brooklyn Museum" in sample_info("coins").source
    assert "No known copyright restrictions" in sample_info("coins").licence
    assert all("CC0" in sample_info(name).licence for name in sample_names() if name != "coins")


def test_overlap_has_every_combination() -> None:
    planes = load_sample("overlap").planes
    assert planes is not None
    together = np.bincount((planes * [1, 2, 4]).sum(axis=2).ravel(), minlength=8)
    assert (together > 100).all()
    assert together[0] > 0.3 * planes[..., 0].size  # a true "none"


def test_mosaic_has_33_classes_of_use() -> None:
    scene = load_sample("mosaic")
    assert scene.n_classes == 33
    assert min(c.pixels for c in scene.classes) >= 0.008 * scene.labels.size
    means = np.stack([scene.image[scene.labels == k].mean(axis=0) for k in range(33)])
    gaps = np.linalg.norm(means[:, np.newaxis] - means, axis=2) + np.eye(33)
    assert gaps.min() > 0.05  # no two panes look alike


def test_drawn_samples_are_drawn_again_the_same() -> None:
    picture, planes = make.draw_overlap()
    scene = load_sample("overlap")
    assert np.abs(picture - scene.image).max() < 0.51 / 255 + 1e-6
    np.testing.assert_array_equal(np.stack(list(planes.values()), axis=-1), scene.planes)
    picture, ids = make.draw_mosaic()
    scene = load_sample("mosaic")
    assert np.abs(picture - scene.image).max() < 0.51 / 255 + 1e-6
    np.testing.assert_array_equal(ids, scene.labels)


@pytest.mark.parametrize("name", ["nonsense", "", "../scene", "coffee/..", None])
def test_unknown_samples(name: str) -> None:
    for ask in (load_sample, sample_info):
        with pytest.raises(SceneError, match=r"Samples: coffee, cell, coins"):
            ask(name)


def test_reading_masks_imports_neither_tensorflow_nor_streamlit() -> None:
    code = (
        "import sys; from segdebug.scene import load_sample; load_sample('overlap');"
        "print(sorted({'tensorflow', 'keras', 'streamlit', 'plotly', 'distributed'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    assert done.stderr == ""
