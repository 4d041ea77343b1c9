from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import streamlit as st
from streamlit.runtime.scriptrunner import script_runner
from streamlit.testing.v1 import AppTest

from segdebug.ui import engine
from tests.ui.fakes import FakeEngine

ROOT = Path(__file__).parents[2]

Open = Callable[..., AppTest]


@pytest.fixture(autouse=True)
def _nothing_trains(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """No processes, runs kept in a folder of the test's own, and no session that could end: AppTest has none.

    Streamlit clears Keras's session after every script run, where Keras is imported. The app's own process never
    imports it; this one may have, for another test, and would then spend most of its time clearing.
    """
    monkeypatch.setattr(script_runner, "_clean_problem_modules", lambda: None)
    monkeypatch.setenv("SEGDEBUG_STORE", str(tmp_path / "kept"))
    viewer = engine.Viewer()
    monkeypatch.setattr(engine, "Engine", FakeEngine)
    monkeypatch.setattr(engine, "_viewer", lambda: viewer)
    monkeypatch.setattr(FakeEngine, "refuse", None)
    st.cache_resource.clear()
    yield
    st.cache_resource.clear()


@pytest.fixture
def open_app() -> Open:
    """open_app(**query): the home page under an address, without an exception."""

    def open_app(**query: str) -> AppTest:
        app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
        for name, value in query.items():
            app.query_params[name] = value
        app.run()
        assert not app.exception, app.exception
        return app

    return open_app
