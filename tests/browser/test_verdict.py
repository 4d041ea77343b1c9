"""The diagnosis in the real app: checked in a process of its own, shown, mended, compared, linked."""

from __future__ import annotations

import re

from playwright.sync_api import Browser, Locator, expect

from tests.browser.app import Server, View, viewing

DOUBLE = "/?sample=coffee&attachment=then_reshape&layout=flat&from_logits=true&size=32&steps=20"


def test_a_double_softmax_is_found_without_training_and_mended(view: View) -> None:
    view.open(DOUBLE)
    stages = view.checked().locator("li")
    expect(stages).to_have_count(5)
    expect(stages.nth(2)).to_have_class("error")
    expect(stages.nth(2)).to_contain_text("error")
    expect(view.page.get_by_text("broken", exact=False).first).to_be_visible()
    title = stages.nth(2).get_attribute("title")
    view.sees(re.compile(re.escape(title or "")))
    place = _place(view, stages.nth(2))

    view.key("apply_fix").get_by_role("button").click()
    expect(view.page.locator("ol.strip li.sound")).to_have_count(5)
    assert _place(view, stages.nth(2)) == place  # nothing jumps
    expect(view.key("apply_fix")).to_have_count(0)
    expect(view.page.get_by_role("alert")).to_have_count(0)


def _place(view: View, stage: Locator) -> tuple[float, ...]:
    """Where the stage stands, once nothing moves any more."""
    before: tuple[float, ...] = ()
    for _ in range(100):
        box = stage.bounding_box() if view.settled().painted() else None
        now = (box["x"], box["y"], box["width"], box["height"]) if box else ()
        if now and now == before:
            return now
        before = now
        view.page.wait_for_timeout(200)
    raise AssertionError("the strip does not come to rest")


def test_the_pair_is_run_and_found_again_by_its_link(view: View, browser: Browser, server: Server) -> None:
    view.open(DOUBLE).checked()
    view.key("run_both").get_by_role("button").click()
    expect(view.page.get_by_text(re.compile("20 steps: loss"))).to_have_count(2)
    assert "fixed=" in view.page.url
    first = view.canvas("as it is")
    with viewing(browser, server, color_scheme="dark") as other:
        other.open(view.page.url.removeprefix(server.url))
        expect(other.page.get_by_role("button", name="Look at this run")).to_have_count(2)
        assert other.canvas("as it is") == first
    view.key("look with the fix").get_by_role("button").click()
    view.headline(20)
    assert "fixed=" not in view.page.url


def test_a_check_does_not_wait_for_a_run(view: View) -> None:
    view.open("/?sample=cell&size=64&steps=5000&seed=6").overfit()
    view.sees(re.compile(r"Step [1-9]\d* of 5000"))
    view.choose("activation", "linear")
    expect(view.checked().locator("li.error")).not_to_have_count(0)
    view.sees(re.compile(r"Step [1-9]\d* of 5000"))
    view.key("cancel").get_by_role("button").click()
    view.sees("Cancelled after")


def test_a_finding_leads_to_its_rule(view: View) -> None:
    view.open(DOUBLE).checked()
    link = view.page.locator("a[href^='/findings?code=']").first
    code = link.inner_text()
    view.open(link.get_attribute("href") or "")
    expect(view.page.locator("h3", has_text=code)).to_be_visible()
    view.sees("Why it matters:")
