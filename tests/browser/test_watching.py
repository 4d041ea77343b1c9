"""Who looks when, and what that costs: polling, shared runs, the example, classes edited by hand, the keyboard."""

from __future__ import annotations

import contextlib
import json
import re

from playwright.sync_api import Browser, TimeoutError, expect

from tests.browser.app import Server, View, viewing


def test_the_page_asks_for_news_only_while_a_run_trains(view: View) -> None:
    view.open("/?sample=cell&size=32&steps=4000&seed=4").overfit()
    view.sees(re.compile(r"Step \d+ of 4000"))
    before = view.sent
    view.page.wait_for_timeout(3000)
    assert view.sent > before
    view.key("cancel").get_by_role("button").click()
    view.sees("Cancelled after")
    view.settled().page.wait_for_timeout(500)
    quiet = view.sent
    view.page.wait_for_timeout(3000)
    assert view.sent == quiet


def test_the_example_is_nobodys_to_cancel(view: View, browser: Browser, server: Server) -> None:
    unseen = "/?sample=microaneurysms"  # a picture that no other test runs
    with viewing(browser, server) as other:
        other.open(unseen).sees("An example, until you press Overfit: coffee")
        expect(other.key("cancel")).to_have_count(0)
    view.page.wait_for_timeout(4500)  # longer than the grace time after which a run that nobody watches ends
    view.open(unseen).sees(re.compile(r"^\d+ steps in .* s: loss"))
    expect(view.page.get_by_text("Cancelled")).to_have_count(0)


def test_a_run_that_others_watch_is_only_left(view: View, browser: Browser, server: Server) -> None:
    view.open("/?sample=cell&size=32&steps=5000&seed=5").overfit()
    view.sees(re.compile(r"Step \d+ of 5000"))
    with viewing(browser, server) as other:
        other.open(view.page.url.removeprefix(server.url)).sees(re.compile(r"Step \d+ of 5000"))
        view.key("cancel").get_by_role("button").click()
        view.sees("Others are watching this run")
        view.page.wait_for_url(lambda url: "run=" not in url)
        other.sees(re.compile(r"Step \d+ of 5000"))
        other.key("cancel").get_by_role("button").click()
        other.sees("Cancelled after")


def test_classes_get_names_and_colours(view: View) -> None:
    view.open("/?sample=coffee&size=32&steps=4").overfit()
    view.headline(4)
    _rename_the_third_class(view, "mug *")
    view.page.wait_for_url("**classes=**")
    expect(view.key("iou_curves").get_by_text("mug *")).to_be_attached()

    view.settled().key("colours").locator("summary").click()
    view.page.get_by_test_id("stColorPickerBlock").nth(2).click()
    code = view.page.locator("input[id^=rc-editable-input]").first
    code.fill("#123456")
    view.page.get_by_text("What your loss really computes").click()  # anywhere else
    expect(view.key("iou_curves").locator(".js-line[style*='rgb(18, 52, 86)']")).to_be_attached()
    edits = json.loads(view.page.evaluate("new URL(location).searchParams.get('classes')"))
    assert edits[1:] == [{"2": "mug *"}, {"2": "#123456"}]
    view.page.reload()
    expect(view.settled().key("iou_curves").get_by_text("mug *")).to_be_attached()


def _rename_the_third_class(view: View, name: str) -> None:
    """Open its cell as a person does, again where the table was not ready for it, and type."""
    table = view.page.get_by_test_id("stDataFrame").first
    cell = view.page.locator("textarea.gdg-input")
    for _ in range(50):
        table.dblclick(position={"x": 80, "y": 38 + 35 * 2 + 17})
        with contextlib.suppress(TimeoutError):
            cell.wait_for(timeout=1000)
            break
    cell.fill(name)
    cell.press("Enter")


def test_maps_and_pictures_can_be_read_without_a_mouse_or_eyes(view: View) -> None:
    view.open("/?sample=overlap&activation=sigmoid&loss=binary_crossentropy&encoding=raw&size=32&steps=4").overfit()
    view.headline(4)
    canvas = view.page.locator("figure canvas")
    expect(canvas).to_have_count(6)
    for n in range(6):
        expect(canvas.nth(n)).to_have_attribute("aria-label", re.compile("32 by 32 pixels"))
    canvas.nth(3).focus()
    canvas.nth(3).press("ArrowRight")
    expect(view.page.locator("figure .readout").first).to_have_text("row 16, column 17")
    expect(view.page.locator("figure .readout").nth(3)).to_have_text(re.compile("≈ "))
    for image in view.page.get_by_test_id("stImage").locator("img").all():
        assert image.get_attribute("alt")
