"""Keras forgets what earlier cases built, now and then: it walks every object alive, too slow for each test."""

from __future__ import annotations

import itertools

import pytest

_CLEAR_EVERY = 25
_DONE = itertools.count(1)


@pytest.fixture(autouse=True)
def _fresh_session() -> None:
    import keras

    if next(_DONE) % _CLEAR_EVERY == 0:
        keras.backend.clear_session()
