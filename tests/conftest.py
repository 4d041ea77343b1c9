"""One thread for TensorFlow in every test process: reruns are then the same bits, and two test workers share
two cores fairly."""

from __future__ import annotations

import os

import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
os.environ.setdefault("TF_NUM_INTEROP_THREADS", "1")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

_START_SOMETHING = ("tests/browser/", "tests/jobs/", "tests/ui/")
"""Folders whose modules each start a server or an engine: a module's tests share it, in one test process."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """With several test processes, keep together the tests of a module that starts something."""
    for item in items:
        module = item.nodeid.partition("::")[0]
        if module.startswith(_START_SOMETHING):
            item.add_marker(pytest.mark.xdist_group(module))
