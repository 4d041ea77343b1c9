"""A report opened from disk with the network off: figures that can be saved, maps that follow the slider."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from segdebug import Experiment
from segdebug.report import write_report
from tests.scenes import blocks
from tests.store.made_up import whole_run


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_report_opens_from_disk_with_the_network_off(browser: Browser, tmp_path: Path, scheme: str) -> None:
    scene = blocks()
    experiments = [Experiment().changed({"training.size": 16, "training.seed": seed}) for seed in (0, 1)]
    write_report(tmp_path / "both.html", [whole_run(scene, experiment) for experiment in experiments], scene)
    context = browser.new_context(offline=True, color_scheme=scheme, accept_downloads=True)  # type: ignore[arg-type]
    page, faults = context.new_page(), []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    page.goto((tmp_path / "both.html").as_uri())
    expect(page.locator(".js-plotly-plot")).to_have_count(5)
    ground, text = (page.locator("body").evaluate(f"body => getComputedStyle(body).{name}") for name in
                    ("backgroundColor", "color"))  # fmt: skip
    assert (sum(_rgb(ground)) > sum(_rgb(text))) == (scheme == "light")
    maps = page.locator("img[data-map]")
    last = maps.evaluate_all("images => images.map(image => image.src)")
    slider = page.get_by_role("slider", name="Step")
    slider.focus()
    slider.press("Home")
    expect(page.locator(".step output")).to_have_text("0")
    first = maps.evaluate_all("images => images.map(image => image.src)")
    differ = [a != b for a, b in zip(first, last, strict=True)]
    assert differ == [False, False, *[True] * 8], "picture and truth stay, the maps of both runs follow"
    assert maps.first.evaluate("image => image.naturalWidth") == 16
    figure = page.locator(".js-plotly-plot").first
    figure.hover()
    with page.expect_download() as waiting:
        figure.locator("[data-title='Download as SVG']").click()
    assert waiting.value.suggested_filename == "image-seed_0-seed_1-loss.svg"
    assert b"<svg" in Path(waiting.value.path()).read_bytes()[:200]
    assert faults == []
    context.close()


def _rgb(colour: str) -> list[int]:
    return [int(part) for part in colour[colour.index("(") + 1 : -1].split(",")[:3]]
