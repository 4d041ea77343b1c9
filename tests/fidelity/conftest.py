"""Each case begins in a Keras that has built nothing yet."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _fresh_session() -> None:
    import keras

    keras.backend.clear_session()
