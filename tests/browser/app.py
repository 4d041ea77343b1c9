"""The real app on a free port, and a browser page on it that fails the test when something goes wrong unseen."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Locator, Page, TimeoutError, expect

__all__ = ["ROOT", "Server", "View", "processes_of", "serving", "viewing"]

ROOT = Path(__file__).parents[2]
LONG = 90_000  # ms: two cores, shared with another test process
_MARK = "SEGDEBUG_TEST_MARK"

expect.set_options(timeout=LONG)


class Server:
    """One `streamlit run app.py`; every process that it starts carries its mark in the environment."""

    def __init__(self, folder: Path, **settings: str) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.mark = secrets.token_hex(8)
        here = {"SEGDEBUG_STORE": str(folder / "kept"), "HOME": str(folder)}
        environment = {**os.environ, "SEGDEBUG_NICENESS": "0", **here, **settings, _MARK: self.mark}
        command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(self.port)]
        self.log = (folder / "server.log").open("wb")
        self.process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=self.log, stderr=self.log)
        self._wait()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def _wait(self) -> None:
        for _ in range(600):
            with (
                contextlib.suppress(OSError),
                urllib.request.urlopen(f"{self.url}/_stcore/health", timeout=2) as answer,
            ):
                if answer.status == 200:
                    return
            time.sleep(0.1)
        raise TimeoutError("the app did not start")

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()


def processes_of(server: Server) -> dict[int, str]:
    """Every living process with the server's mark: its number and command line."""
    found = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        with contextlib.suppress(OSError):
            marked = f"{_MARK}={server.mark}".encode() in (entry / "environ").read_bytes()
            if marked and (entry / "stat").read_text().rsplit(") ", 1)[1][0] != "Z":
                found[int(entry.name)] = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
    return found


@contextlib.contextmanager
def serving(folder: Path, **settings: str) -> Iterator[Server]:
    server = Server(folder, **settings)
    try:
        yield server
    finally:
        server.stop()


class View:
    """A page as a person sees it: found by what is written on it, or by a widget's key."""

    def __init__(self, page: Page, base: str) -> None:
        self.page = page
        self.base = base
        self.faults: list[str] = []
        self.outside: list[str] = []
        self.sent = 0  # messages from the page to the server
        page.on("websocket", lambda socket: socket.on("framesent", self._count))
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("request", lambda request: self._note(request.url))

    def _note(self, url: str) -> None:
        if not re.match(r"(http|ws)://127\.0\.0\.1:|data:|blob:", url):
            self.outside.append(url)

    def _count(self, _: object) -> None:
        self.sent += 1

    def open(self, path: str = "/") -> View:
        self.page.goto(self.base + path)
        return self.settled()

    def settled(self) -> View:
        """Wait until the script has run.

        Streamlit drops the poll of a fragment that the page has no longer, and its state then stays at
        "rerunRequested": a page that says so for two seconds on end has nothing more to wait for.
        """
        ended = """() => {
            const state = document.querySelector("[data-testid=stApp]")?.dataset.testScriptState;
            if (state !== "rerunRequested") window.unanswered = undefined;
            else window.unanswered ??= Date.now();
            return state === "notRunning" || Date.now() - window.unanswered > 2000;
        }"""
        self.page.wait_for_function(ended, timeout=LONG, polling=50)
        return self

    def painted(self) -> View:
        """Wait until pictures and fonts are there: only then does everything have its place."""
        there = "() => document.fonts.status === 'loaded' && [...document.images].every(image => image.complete)"
        self.page.wait_for_function(there, timeout=LONG)
        return self

    def key(self, key: str) -> Locator:
        """The widget of that key."""
        return self.page.locator(f".st-key-{re.sub(r'[^A-Za-z0-9_-]', '-', key)}").first

    def choose(self, key: str, option: str) -> View:
        """Pick an option of a select box."""
        self.key(key).locator("input").first.click()
        self.page.get_by_role("option", name=option, exact=True).click()
        return self.settled()

    def number(self, key: str, value: float) -> View:
        field = self.key(key).locator("input").first
        field.fill(f"{value:g}")
        field.press("Enter")
        return self.settled()

    def toggle(self, key: str) -> View:
        self.key(key).locator("label").first.click()
        return self.settled()

    def unfold(self, label: str) -> View:
        """Open one of the sidebar's expanders."""
        self.page.get_by_test_id("stSidebar").locator("summary", has_text=label).click()
        return self

    def preset(self, name: str) -> View:
        self.choose("load_preset", name)
        expect(self.key("load_preset").locator("input").first).to_have_value("")  # taken over, and empty again
        return self.settled()

    def upload(self, image: dict[str, Any] | None = None, masks: list[dict[str, Any]] | None = None) -> View:
        """Give files to the uploaders: {"name", "mimeType", "buffer"} each."""
        if image is not None:
            self._give("image_file", [image])
        if masks is not None:
            self._give("mask_files", masks)
        return self

    def _give(self, key: str, files: list[dict[str, Any]]) -> None:
        """Choose files, and once more if they do not appear, as a person would: Streamlit's answer to where they
        should be sent is lost when a run of the script starts just then."""
        last = self.key(key).get_by_text(files[-1]["name"], exact=True).first
        for patience in (8_000, LONG):
            self.key(key).locator("input[type=file]").set_input_files(files)
            with contextlib.suppress(TimeoutError):
                last.wait_for(timeout=patience)
                break
        self.settled()

    def overfit(self) -> View:
        self.key("overfit").get_by_role("button").click()
        return self

    def sees(self, text: str | re.Pattern[str], timeout: int = LONG) -> Locator:
        """Wait until the text can be read somewhere."""
        found = self.page.get_by_text(text).first
        expect(found).to_be_visible(timeout=timeout)
        return found

    def checked(self) -> Locator:
        """The pipeline strip, once it is about the configuration on the page."""
        strip = self.page.locator("ol.strip")
        expect(strip).to_have_attribute("aria-busy", "false")
        return strip

    def headline(self, steps: int) -> str:
        """The result's line, once the run has ended: "200 steps in 4.1 s: loss … → …, mean IoU …"."""
        return self.sees(re.compile(rf"\b{steps} steps? in .* s: loss .* mean IoU")).inner_text()

    def canvas(self, title: str) -> str:
        """A map's painted pixels, as a data URL; the map is found by its caption."""
        figure = self.page.locator("figure", has=self.page.get_by_text(title, exact=True)).first
        figure.locator("canvas").wait_for(timeout=LONG)
        pixels: str = figure.locator("canvas").evaluate("canvas => canvas.toDataURL()")
        return pixels

    def colours(self, title: str) -> int:
        """How many colours a map shows."""
        figure = self.page.locator("figure", has=self.page.get_by_text(title, exact=True)).first
        count = """canvas => {
            const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
            return new Set(new Uint32Array(data.buffer)).size;
        }"""
        found: int = figure.locator("canvas").evaluate(count)
        return found

    def alerts(self) -> list[str]:
        """The boxes on the page, as text without their icons."""
        return [box.locator("p").first.inner_text() for box in self.page.get_by_test_id("stAlertContentError").all()]

    def own_files(self) -> View:
        self.key("source").get_by_text("your files").click()
        self.key("image_file").wait_for()
        return self.settled()

    def remove(self, key: str, name: str) -> View:
        """Take a file out of an uploader."""
        self.key(key).get_by_role("button", name=f"Remove {name}").click()
        expect(self.key(key).get_by_text(name)).to_have_count(0)
        return self.settled()

    def check(self) -> None:
        """Nothing broke unseen: no script error in the browser, no exception box, nothing fetched from outside."""
        assert self.faults == []
        assert self.outside == []
        assert self.page.locator("[data-testid=stException]").count() == 0
        assert self.page.get_by_text("encountered an error").count() == 0


@contextlib.contextmanager
def viewing(browser: Browser, server: Server, **context: Any) -> Iterator[View]:
    """A new browser session on the app, checked when it ends well."""
    size = {"width": 1280, "height": 1700}
    still = {"reduced_motion": "reduce"}  # spinners cost more than the pages
    session: BrowserContext = browser.new_context(viewport=size, accept_downloads=True, **still, **context)
    session.set_default_timeout(LONG)
    view = View(session.new_page(), server.url)
    try:
        yield view
        view.check()
    finally:
        session.close()
