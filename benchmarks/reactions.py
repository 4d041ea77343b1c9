"""How soon the page reacts while a run trains, in Chromium: `python -m benchmarks.reactions [--times 5]`.

One browser trains a long run; another looks at a finished one of 128 px and of 512 px. Printed are milliseconds from a
key or click to the page's answer being there (the script has ended and what was asked for is to be seen), median and
lowest to highest; and how many messages the page sends in five seconds, while a run trains and when none does.
"""

from __future__ import annotations

import argparse
import re
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from playwright.sync_api import Page, sync_playwright

from tests.browser.app import View, serving, viewing
from tests.chromium import FLAGS, find_chromium

__all__ = ["main"]

_SAMPLE = "/?sample=cell"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=5)
    times = parser.parse_args().times
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=find_chromium(), args=list(FLAGS))
        nice = {"SEGDEBUG_STORE": f"{folder}/runs", "SEGDEBUG_NICENESS": "10"}
        with serving(Path(folder), **nice) as server, viewing(chromium, server) as trains:
            trains.open(f"{_SAMPLE}&size=128&steps=5000&seed=9").overfit()
            trains.sees(re.compile(r"Step \d+ of 5000"))
            with viewing(chromium, server) as looks:
                _finished(looks, 128, 60, times)
                _finished(looks, 512, 3, times)
                _pages(looks, times)
            _frames(trains, "while a run trains")
            trains.key("cancel").get_by_role("button").click()
            trains.sees("Cancelled after")
            trains.settled().page.wait_for_timeout(1000)
            _frames(trains, "when none does")
        chromium.close()


def _finished(view: View, size: int, steps: int, times: int) -> None:
    """A finished run's slider and maps, and a setting in the sidebar."""
    view.open(f"{_SAMPLE}&size={size}&steps={steps}").overfit()
    view.headline(steps)
    view.settled().painted()
    slider = view.page.get_by_role("slider").first

    def step() -> None:
        slider.press("ArrowLeft" if slider.get_attribute("aria-valuenow") != "0" else "End")

    shown = "() => document.querySelector('[data-testid=stSlider], [data-testid=stSelectSlider]')?.innerText"
    _say(f"{size} px: step slider to all maps painted", [_timed(view, step, shown) for _ in range(times)])


def _pages(view: View, times: int) -> None:
    """Switching a page, there and back."""
    names = [link.inner_text() for link in view.page.locator("a[data-testid$=NavLink]").all()][:2]
    heading = "() => location.pathname"

    def go(name: str) -> Callable[[], None]:
        return lambda: view.page.locator("a[data-testid$=NavLink]", has_text=name).first.click()

    found = [_timed(view, go(name), heading) for _ in range(times) for name in reversed(names)]
    _say("switching a page", found)


def _timed(view: View, act: Callable[[], None], shown: str) -> float:
    """Milliseconds until what `shown` returns has changed, the script has ended and a frame has been drawn since."""
    page: Page = view.page
    before = page.evaluate(shown)
    started = time.perf_counter()
    act()
    page.wait_for_function(f"before => ({shown})() !== before", arg=before, polling="raf")
    state = "document.querySelector('[data-testid=stApp]').dataset.testScriptState === 'notRunning'"
    page.wait_for_function(f"() => {state}", polling="raf")
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    taken = 1000 * (time.perf_counter() - started)
    view.settled().page.wait_for_timeout(300)
    return taken


def _frames(view: View, when: str) -> None:
    before = view.sent
    view.page.wait_for_timeout(5000)
    print(f"messages sent in 5 s {when}: {view.sent - before}", flush=True)


def _say(what: str, taken: list[float]) -> None:
    print(f"{what}: {median(taken):.0f} ms ({min(taken):.0f}–{max(taken):.0f})", flush=True)


if __name__ == "__main__":
    main()
