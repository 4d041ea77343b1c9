"""The Chromium that browser tests drive."""

from __future__ import annotations

import os
import shutil

__all__ = ["FLAGS", "find_chromium"]

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",  # nothing leaves this machine
)


def find_chromium() -> str | None:
    """The path of a Chromium: CHROMIUM if set, else one on the path; None where there is none."""
    named = os.environ.get("CHROMIUM")
    found = [shutil.which(name) for name in ([named] if named else _NAMES)]
    return next((path for path in found if path), None)
