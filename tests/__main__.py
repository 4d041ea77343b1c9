"""`python -m tests`: lint, types, and every test, the browser's included.

A Chromium is looked for. Where there is none, Debian's is installed if that can be done here; otherwise one
line says what to install. Arguments are passed on to pytest.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

from tests.chromium import find_chromium

_CHECKS = (
    ("ruff", "check", "."),
    ("ruff", "format", "--check", "."),
    ("mypy",),
)


def main() -> int:
    if find_chromium() is None and not _install_chromium():
        print(
            "No Chromium found: install one (on Debian: apt-get install chromium) or name it in CHROMIUM.",
            file=sys.stderr,
        )
        return 1
    for check in _CHECKS:
        if subprocess.run([sys.executable, "-m", *check], check=False).returncode:
            return 1
    two_at_once = ["-n", "2", "--dist", "loadgroup"]
    return subprocess.run([sys.executable, "-m", "pytest", *two_at_once, *sys.argv[1:]], check=False).returncode


def _install_chromium() -> bool:
    """Install Debian's, where this is a Debian and we may; whether there is one now."""
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        return False
    for command in (["apt-get", "update"], ["apt-get", "install", "-y", "--no-install-recommends", "chromium"]):
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        if subprocess.run([command[0], "-qq", *command[1:]], env=quiet, check=False).returncode:
            return False
    return find_chromium() is not None


if __name__ == "__main__":
    sys.exit(main())
