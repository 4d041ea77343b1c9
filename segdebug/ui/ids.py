"""Which job answered a question last: runs, checks, and steps that were looked into, each by its key."""

from __future__ import annotations

import threading
from collections import OrderedDict

import streamlit as st

__all__ = ["checks", "moments", "runs"]

_KEYS_AT_MOST = 4096


class Ids:
    """The id of each key's last job; of so many keys at most."""

    def __init__(self) -> None:
        self._ids: OrderedDict[str, str] = OrderedDict()
        self._lock = threading.Lock()

    def put(self, key: str, job_id: str) -> None:
        with self._lock:
            self._ids[key] = job_id
            self._ids.move_to_end(key)
            if len(self._ids) > _KEYS_AT_MOST:
                self._ids.popitem(last=False)

    def get(self, key: str) -> str:
        """The id; empty where there is none, which no job has."""
        with self._lock:
            return self._ids.get(key, "")


@st.cache_resource(show_spinner=False)
def runs() -> Ids:
    return Ids()


@st.cache_resource(show_spinner=False)
def checks() -> Ids:
    return Ids()


@st.cache_resource(show_spinner=False)
def moments() -> Ids:
    return Ids()
