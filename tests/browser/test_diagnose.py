"""The whole way through, as a person goes it: upload, choose, overfit, look, come back, cancel, take away."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, expect

from tests.browser.app import Server, View, viewing
from tests.browser.pictures import as_file, photograph


def download(view: View, label: str) -> tuple[str, bytes]:
    """Press a download button: the file's name and content."""
    button = view.page.get_by_role("button", name=label)
    if not button.is_visible():
        view.page.get_by_role("button", name="Download", exact=True).click()
    with view.page.expect_download() as waiting:
        button.click()
    return waiting.value.suggested_filename, Path(waiting.value.path()).read_bytes()


def test_an_uploaded_photograph_is_overfit_looked_at_found_again_and_taken_away(view: View) -> None:
    image, mask, labels = photograph()
    view.open()
    view.key("source").get_by_text("your files").click()
    view.settled().upload(as_file("hill.jpg", image), [as_file("hill_mask.png", mask)])
    view.sees("210 × 140 px, 3 classes")
    view.preset("softmax_cce_logits").number("size", 128).number("steps", 200).overfit()

    view.sees(re.compile(r"Step \d+ of 200, loss"))
    headline = view.headline(200)
    view.sees(re.compile("does not represent logits"))  # Keras's own warning
    for name in ("loss_curve", "iou_curves"):
        expect(view.key(name).locator(".js-plotly-plot")).to_be_visible()
    for name in ("background", "class 1", "class 2"):
        expect(view.key("iou_curves").get_by_text(re.compile(name)).first).to_be_attached()
    assert view.colours("truth") == 3
    assert view.colours("pixel loss") > 8
    assert view.colours("|dL/dz|") > 8

    at_the_end = view.canvas("prediction")
    slider = view.page.get_by_role("slider", name="Step")
    slider.focus()
    slider.press("Home")
    view.settled()
    expect(slider).to_have_value("0")
    _differs(view, at_the_end)
    assert "step=0" in view.page.url

    view.page.reload()
    view.settled().sees("210 × 140 px, 3 classes")
    assert view.headline(200) == headline
    assert "step=0" in view.page.url

    for key in ("End", "ArrowLeft", "ArrowLeft"):
        slider.press(key)
    view.page.get_by_role("button", name="Play the steps").click()
    expect(slider).to_have_attribute("aria-valuetext", "step 199")
    view.page.wait_for_url(lambda url: "step=" not in url)
    assert view.canvas("prediction") == at_the_end

    name, table = download(view, "Curves (CSV)")
    assert name.startswith("hill")
    rows = list(csv.DictReader(io.StringIO(table.decode())))
    assert len(rows) == 200
    assert all(np.isfinite(float(row["loss"])) for row in rows)
    everything = json.loads(download(view, "Everything (JSON)")[1])
    assert everything["loss"] == [float(row["loss"]) for row in rows]
    assert [c["pixels"] for c in everything["scene"]["classes"]] == np.bincount(labels.ravel()).tolist()
    with np.load(io.BytesIO(download(view, "Maps (NumPy)")[1])) as maps:
        assert maps["prediction"].shape[1:] == (128, 128)
    assert b"keras.utils.set_random_seed(0)" in download(view, "Report (HTML)")[1]
    names = {}
    for label in ("Keras script (ZIP)", "Maps (PNG)", "TensorBoard log (ZIP)"):
        name, archive = download(view, label)
        assert name.startswith("hill")
        names[label] = zipfile.ZipFile(io.BytesIO(archive)).namelist()
    assert {"train.py", "image.png", "labels.png"} == set(names["Keras script (ZIP)"])
    assert "prediction-step0199.png" in names["Maps (PNG)"]
    assert "events.out.tfevents" in names["TensorBoard log (ZIP)"][0]

    view.number("steps", 5000).overfit()
    view.sees(re.compile(r"Step \d+ of 5000"))
    view.key("cancel").get_by_role("button").click()
    view.sees(re.compile(r"Cancelled after \d+ of 5000 steps"), timeout=15_000)
    assert view.colours("truth") == 3  # its history is still there


def _differs(view: View, before: str) -> None:
    """Wait until the prediction is painted anew."""
    for _ in range(100):
        if view.canvas("prediction") != before:
            return
        view.page.wait_for_timeout(50)
    raise AssertionError("the prediction did not change with the step")


def test_a_link_reopens_the_run_in_another_browser(view: View, browser: Browser, server: Server) -> None:
    view.open("/?sample=coins&activation=sigmoid&loss=binary_crossentropy&encoding=single_channel&steps=8&size=64")
    view.overfit()
    headline = view.headline(8)
    link = view.page.url.removeprefix(server.url)
    assert "run=" in link
    with viewing(browser, server, color_scheme="dark") as other:
        other.open(link)
        assert other.headline(8) == headline


@pytest.mark.parametrize("steps", ["abc", "-3"])
def test_a_garbage_address_does_not_break_the_page(view: View, steps: str) -> None:
    view.open(f"/?steps={steps}&loss=<script>alert(1)</script>&classes=nonsense&run=nobody&sample=../../etc")
    view.sees("The run of this link is no longer kept")
    expect(view.key("steps").locator("input")).to_have_value(re.compile(r"^\d+$"))


def test_the_address_configures_the_page(view: View) -> None:
    view.open("/?sample=retina&loss=dice&steps=50")
    view.sees("352 × 352 px, 3 classes")
    view.sees(re.compile("dice on one_hot labels, 50 steps"))
    expect(view.key("from_logits")).to_have_count(0)  # Dice has no such parameter


def test_a_page_named_in_the_address_opens_inside_the_frame(view: View) -> None:
    view.open("/words")
    view.sees("Every word of a configuration")
    view.page.get_by_role("link", name="Diagnose").click()
    view.settled().sees("What your loss really computes")


def test_names_of_classes_are_taken_from_the_address(view: View) -> None:
    view.open()
    view.sees("300 × 200 px, 5 classes")
    grid = view.page.locator("[data-testid=stDataFrame] canvas").first
    expect(grid).to_be_visible()
    view.open('/?classes=["%s",{"1":"plate"},{}]' % coffee_digest())  # noqa: UP031
    expect(view.page.get_by_role("img", name=re.compile("plate"))).to_be_visible()


def coffee_digest() -> str:
    from segdebug import load_sample

    return load_sample("coffee").digest[:8]
