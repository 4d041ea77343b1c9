"""What becomes of processes and runs when something ends from outside."""

from __future__ import annotations

import os
import re
import signal
import time
from pathlib import Path

from playwright.sync_api import Browser, expect

from tests.browser.app import Server, View, processes_of, serving, viewing

LONG_RUN = (
    "/?sample=coins&activation=sigmoid&loss=binary_crossentropy&encoding=single_channel&size=128&steps=5000&seed="
)


def training_process(server: Server, view: View) -> int:
    """The process of the server's that uses the most processor time: the one that trains, once the check is done."""
    view.checked()

    def used(pid: int) -> int:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1].split()
        except OSError:
            return 0
        return int(fields[11]) + int(fields[12])

    before = {pid: used(pid) for pid in processes_of(server) if pid != server.process.pid}
    time.sleep(1.5)
    return max(before, key=lambda pid: used(pid) - before[pid])


def test_a_killed_worker_is_said_and_the_next_run_works(view: View, server: Server) -> None:
    view.open(LONG_RUN + "1").overfit()
    view.sees(re.compile(r"Step [1-9]\d* of 5000"))
    os.kill(training_process(server, view), signal.SIGKILL)
    alert = view.page.get_by_role("alert").first
    expect(alert).to_contain_text(re.compile("killed"), timeout=20_000)
    view.number("steps", 7).overfit()
    view.headline(7)


def test_a_closed_tab_ends_its_run_after_the_grace_time(browser: Browser, server: Server, view: View) -> None:
    with viewing(browser, server) as leaving:
        leaving.open(LONG_RUN + "2").overfit()
        leaving.sees(re.compile(r"Step [1-9]\d* of 5000"))
        link = leaving.page.url.removeprefix(server.url)
    time.sleep(5)  # the grace time of this server is 3 s
    view.open(link)
    view.sees(re.compile(r"Cancelled after \d+ of 5000 steps"))


def test_nothing_is_left_of_a_server_that_is_killed_while_it_trains(browser: Browser, tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        with viewing(browser, server) as view:
            view.open(LONG_RUN + "3").overfit()
            view.sees(re.compile(r"Step [1-9]\d* of 5000"))
        assert len(processes_of(server)) > 2
        server.process.kill()
        server.process.wait()
        deadline = time.monotonic() + 10
        while processes_of(server) and time.monotonic() < deadline:
            time.sleep(0.2)
        assert processes_of(server) == {}
