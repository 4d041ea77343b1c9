"""Four configurations of an uploaded picture side by side, one of their pixels, and the links to both."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from segdebug import Experiment, read_scene
from segdebug.pixel import moment, path_of
from tests.browser.app import View
from tests.browser.pictures import as_file, photograph

SMALL = {"size": 32, "steps": 12, "filters": 8, "depth": 1}
FIELDS = {"size": "training.size", "steps": "training.steps", "filters": "model.filters", "depth": "model.depth"}
TITLES = ("truth", *(f"{letter}: {a}, from_logits {f}" for letter, a, f in (
    ("A", "softmax", "false"), ("B", "softmax", "true"), ("C", "linear", "false"), ("D", "linear", "true"),
)))  # fmt: skip


def test_four_combinations_of_an_uploaded_photograph_down_to_one_pixel(view: View) -> None:
    image, mask, _ = photograph()
    view.open("/?" + "&".join(f"{name}={value}" for name, value in SMALL.items())).own_files()
    view.upload(as_file("hill.jpg", image), [as_file("hill_mask.png", mask)]).sees("210 × 140 px, 3 classes")
    view.checked()
    view.page.get_by_role("link", name="Compare", exact=True).click()
    view.sees("Which of the four combinations")
    view.settled().key("compare").get_by_role("button").click()
    view.sees("step 11 of 11")
    for title in TITLES:
        assert view.colours(title) >= 1
    rows = view.page.locator("table.compared tbody tr")
    expect(rows).to_have_count(4)
    expect(rows.nth(0)).to_contain_text("sound")
    expect(rows.nth(1)).to_contain_text("works by rescue")
    expect(rows.nth(2)).to_contain_text("broken")

    _one_step_for_all(view)
    _one_zoom_for_all(view)
    link = view.page.url.removeprefix(view.base)
    _one_pixel(view, image, mask)

    view.open(link)
    view.sees("step 0 of 11")
    expect(rows).to_have_count(4)
    assert [figure.inner_text() for figure in view.page.locator("figure .title").all()] == list(TITLES)
    expect(view.page.get_by_role("radio", name="pixel loss")).to_be_checked()


def _one_step_for_all(view: View) -> None:
    """The slider moves every map but the truth, and the address has the step."""
    view.page.get_by_role("radio", name="pixel loss").click()
    expect(view.page.locator("figure .ends span").nth(3)).not_to_be_empty()
    view.settled()
    before = {title: view.canvas(title) for title in TITLES}
    slider = view.page.get_by_role("slider", name="Step")
    slider.focus()
    slider.press("Home")
    view.sees("step 0 of 11")
    assert view.canvas("truth") == before["truth"]
    assert all(view.canvas(title) != before[title] for title in TITLES[1:])
    expect(view.page).to_have_url(re.compile(r"[?&]step=0(&|$)"))
    view.settled()


def _canvas(page: Page, title: str) -> Locator:
    return page.locator("figure", has=page.get_by_text(title, exact=True)).first.locator("canvas")


def _one_zoom_for_all(view: View) -> None:
    """What is done to one map is seen in all, by keyboard too."""
    before = {title: view.canvas(title) for title in TITLES}
    canvas = _canvas(view.page, TITLES[2])
    canvas.focus()
    for key in ("ArrowRight", "+", "+"):
        canvas.press(key)
    assert all(view.canvas(title) != before[title] for title in TITLES)
    canvas.press("Escape")
    assert all(view.canvas(title) == before[title] for title in TITLES)


def _one_pixel(view: View, image: bytes, mask: bytes) -> None:
    """A click opens the pixel with the numbers that the library computes, and so does its link."""
    canvas = _canvas(view.page, TITLES[3])
    box = canvas.bounding_box()
    assert box is not None
    canvas.click(position={"x": box["width"] * 20.5 / 32, "y": box["height"] * 9.5 / 32})
    view.sees(re.compile("Row 9, column 20: "))
    scene = read_scene(("hill.jpg", image), [("hill_mask.png", mask)])
    experiment = Experiment.preset("linear_cce").changed({FIELDS[name]: value for name, value in SMALL.items()})
    found = moment(scene, experiment, 0)
    assert found is not None
    path = path_of(found, 9, 20)
    for _ in range(2):
        view.sees("How this is known")  # the page's last line: all stages are there
        view.sees(f"{found.loss:.6g}")
        for key in ("logits", "gradient", "share"):
            stage = path.stage(key)
            assert stage is not None
            told = view.key(f"stage_{key}").locator(".numbers").first.locator("b").all_inner_texts()
            assert [_number(text) for text in told] == pytest.approx(list(stage.done.numbers), rel=2e-4, abs=1e-12)
        view.page.reload()
        view.settled()


def _number(text: str) -> float:
    return float(text.replace("−", "-").replace(",", ""))
