"""What a person says of the masks: it reaches the reader, stands in the address, and can be taken back."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from segdebug.ui.mask_reading import Reading
from segdebug.ui.sources import Upload, upload_scene
from tests.ui.conftest import Open

SIDE = 24


def _png(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, "PNG")
    return buffer.getvalue()


def _matte() -> np.ndarray:
    return np.tile(np.linspace(0, 255, SIDE).astype(np.uint8), (SIDE, 1))


def _upload(mask: np.ndarray, validity: np.ndarray | None = None) -> Upload:
    picture = ("photo.png", _png(np.full((SIDE, SIDE, 3), 90, np.uint8)))
    counts = None if validity is None else ("field.png", _png(validity))
    return Upload(picture, (("mask.png", _png(mask)),), counts)


@pytest.mark.parametrize("cut", [0.25, 0.8])
def test_the_threshold_cuts_a_matte(cut: float) -> None:
    upload = _upload(_matte())
    scene = upload_scene(upload.id, Reading("soft", threshold=cut), upload)
    np.testing.assert_array_equal(scene.labels == 1, _matte() / 255 >= cut)


def test_a_legend_names_the_values_and_is_never_a_path() -> None:
    mask = np.zeros((SIDE, SIDE), np.uint8)
    mask[4:9] = 7
    upload = _upload(mask)
    scene = upload_scene(upload.id, Reading(legend="7 road\n0 sky"), upload)
    assert [c.name for c in scene.classes] == ["road", "sky"]
    assert (scene.labels[5] == 0).all()
    named = upload_scene(upload.id, Reading(legend=__file__), upload)
    assert [c.name for c in named.classes] == [__file__]


def test_pixels_that_do_not_count_are_void_and_make_another_upload() -> None:
    mask = np.zeros((SIDE, SIDE), np.uint8)
    mask[4:9] = 1
    field = np.full((SIDE, SIDE), 255, np.uint8)
    field[:, :5] = 0
    plain, with_field = _upload(mask), _upload(mask, field)
    assert plain.id != with_field.id
    scene = upload_scene(with_field.id, Reading(), with_field)
    np.testing.assert_array_equal(scene.valid, field > 0)


def test_what_the_address_says_is_in_the_widgets_and_can_be_taken_back(open_app: Open) -> None:
    app: AppTest = open_app(source="your files", masks_are="soft", threshold="0.3", legend="0 sky\n1 road", page="2")
    assert app.number_input(key="threshold").value == 0.3
    assert app.number_input(key="page").value == 2
    assert app.text_area(key="legend").value == "0 sky\n1 road"
    app.button(key="found_out").click().run()
    assert app.selectbox(key="masks_are").value == "auto"
    assert app.number_input(key="threshold").value is None
    assert app.text_area(key="legend").value in (None, "")
