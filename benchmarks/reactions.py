"""How soon the page reacts while a run trains, in Chromium: `python -m benchmarks.reactions [--times 5] [--idle]`.

One browser trains a long run; another moves sliders, toggles a class, changes the theme and switches pages. Printed are
milliseconds from a key or click to its answer being drawn, median and lowest to highest: the maps of another step, the
picture with other masks, another background; of a page its title, and apart from that all of it, the script having
ended. And how many messages the page sends in five seconds, while a run trains and when none does. --idle: nothing
trains meanwhile.
"""

from __future__ import annotations

import argparse
import itertools
import re
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from playwright.sync_api import ElementHandle, Page, sync_playwright

from tests.browser.app import View, serving, viewing
from tests.chromium import FLAGS, find_chromium

__all__ = ["main"]

_SAMPLE = "/?sample=cell"

# What is to change, as functions in the page.
_MAP = """canvas => {
    const strip = canvas.getContext("2d").getImageData(0, canvas.height >> 1, canvas.width, 8).data;
    return new Uint32Array(strip.buffer).reduce((sum, word) => (31 * sum + word) | 0, 0);
}"""
_PICTURE = "() => document.querySelector('[data-testid=stImage] img, [data-testid=stImageContainer] img')?.src"
_COLOUR = "() => getComputedStyle(document.querySelector('[data-testid=stApp]')).backgroundColor"
_TITLE = "() => document.querySelector('h1')?.innerText"
_WHOLE = """() => {
    const ended = document.querySelector("[data-testid=stApp]").dataset.testScriptState === "notRunning";
    return ended ? document.querySelector("h1")?.innerText : window.before;
}"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--idle", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=find_chromium(), args=list(FLAGS))
        nice = {"SEGDEBUG_STORE": f"{folder}/runs", "SEGDEBUG_NICENESS": "10"}
        with serving(Path(folder), **nice) as server, viewing(chromium, server) as trains:
            if not asked.idle:
                trains.open(f"{_SAMPLE}&size=128&steps=5000&seed=9").overfit()
                trains.sees(re.compile(r"Step \d+ of 5000"))
            with viewing(chromium, server) as looks:
                _steps(looks, 128, 60, asked.times)
                _steps(looks, 512, 3, asked.times)
                _masks(looks, asked.times)
                _pages(looks)
            if not asked.idle:
                _frames(trains, "while a run trains")
                trains.key("cancel").get_by_role("button").click()
                trains.sees("Cancelled after")
                trains.settled().page.wait_for_timeout(1000)
                _frames(trains, "when none does")
        chromium.close()


def _steps(view: View, size: int, steps: int, times: int) -> None:
    """A finished run's step slider: another gradient has been painted."""
    view.open(f"{_SAMPLE}&size={size}&steps={steps}").overfit()
    view.headline(steps)
    view.settled().painted()
    slider = view.page.get_by_role("slider", name="Step")
    slider.press("End")
    canvas = view.page.locator("figure", has_text="|dL/dz|").locator("canvas").element_handle()

    def step() -> None:
        slider.press("End" if slider.input_value() == "0" else "ArrowLeft")

    _say(f"{size} px: step slider to all maps painted", [_timed(view, step, _MAP, canvas) for _ in range(times)])


def _masks(view: View, times: int) -> None:
    """The picture with its masks, on Masks: their opacity, one class, and the theme."""
    view.open("/masks?sample=cell").painted()
    opacity = view.page.get_by_role("slider", name="Masks over the picture")

    def fade() -> None:
        opacity.press("ArrowRight")

    pills = view.page.get_by_test_id("stButtonGroup").filter(has_text="Classes shown")

    def toggle() -> None:
        pills.get_by_role("button").nth(1).click()

    schemes = itertools.cycle(("dark", "light"))

    def theme() -> None:
        view.page.emulate_media(color_scheme=next(schemes))

    _say("opacity slider to the picture", [_timed(view, fade, _PICTURE) for _ in range(times)])
    _say("toggling a class to the picture", [_timed(view, toggle, _PICTURE) for _ in range(times)])
    _say("theme", [_timed(view, theme, _COLOUR) for _ in range(times)])


def _pages(view: View) -> None:
    """Switching between Diagnose and each other page, there and back: to the new title, and to all of the page."""
    view.open(f"{_SAMPLE}&size=128&steps=60").overfit()
    view.headline(60)
    links = {link.inner_text(): link for link in view.page.locator("a[data-testid$=TopNavLink]").all()}
    for what, shown in (("to its title", _TITLE), ("to all of it", _WHOLE)):
        found: dict[str, list[float]] = {name: [] for name in ("Diagnose", "another page")}
        for name in [other for other in links if other != "Diagnose"]:
            found["another page"].append(_timed(view, links[name].click, shown))
            found["Diagnose"].append(_timed(view, links["Diagnose"].click, shown))
        for name, taken in found.items():
            _say(f"switching to {name}, {what}", taken)


def _timed(view: View, act: Callable[[], None], shown: str, of: ElementHandle | None = None) -> float:
    """Milliseconds until what `shown` returns, of this element or the page, has changed and been drawn."""
    page: Page = view.page
    page.evaluate(f"of => {{ window.before = ({shown})(of); }}", of)
    started = time.perf_counter()
    act()
    page.wait_for_function(f"of => ({shown})(of) !== window.before", arg=of, polling="raf")
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    taken = 1000 * (time.perf_counter() - started)
    view.settled().page.wait_for_timeout(400)
    return taken


def _frames(view: View, when: str) -> None:
    before = view.sent
    view.page.wait_for_timeout(5000)
    print(f"messages sent in 5 s {when}: {view.sent - before}", flush=True)


def _say(what: str, taken: list[float]) -> None:
    print(f"{what}: {median(taken):.0f} ms ({min(taken):.0f}–{max(taken):.0f})", flush=True)


if __name__ == "__main__":
    main()
