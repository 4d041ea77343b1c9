"""One browser and one app for all these tests of a test process, and a second try for what waited in vain."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, sync_playwright

from tests.browser.app import Server, View, browsing, serving, tab
from tests.chromium import FLAGS, find_chromium

_WAITED_IN_VAIN = ["TimeoutError", "Locator expected"]
"""What a page that never came says. Streamlit loses some messages when a run of the script starts just then, the more
the slower the machine; a person would try again, and so does a test, once. Any other failure counts at once."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.nodeid.startswith("tests/browser/"):
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.flaky(reruns=1, only_rerun=_WAITED_IN_VAIN))


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = find_chromium()
    assert path, "no Chromium found: `python -m tests` installs one or says what to install"
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder: Path = tmp_path_factory.mktemp("home")
    with serving(folder, SEGDEBUG_GRACE="3") as started:
        yield started


@pytest.fixture(scope="session")
def one_browser(browser: Browser) -> Iterator[BrowserContext]:
    with contextlib.closing(browsing(browser)) as opened:
        yield opened


@pytest.fixture
def view(one_browser: BrowserContext, server: Server) -> Iterator[View]:
    with tab(one_browser, server) as opened:
        yield opened
