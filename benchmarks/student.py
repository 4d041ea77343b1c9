"""One student's browser, as the server knows it: a websocket, Streamlit's messages, and the timers of fragments."""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
from collections import defaultdict

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect

__all__ = ["Student"]

_BUTTON = "run_lesson"
_RESULT = "What your runs show"
_PLACE = re.compile(r"Waiting, (\d+) runs? ahead")
_LONGEST = 60.0  # seconds for one answer of the server


class Student:
    """Opens a lesson, presses "Run it", and watches until the reveal is there.

    took: seconds from a message to the end of the script that it started, by what it was: open, press, poll.
    places: of the queue, as they were shown. pressed, finished: time.perf_counter().
    """

    def __init__(self, port: int, query: str) -> None:
        self.port = port
        self.query = query
        self.took: dict[str, list[float]] = defaultdict(list)
        self.places: list[int] = []
        self.pressed = self.finished = 0.0
        self.done = False
        self._button = ""
        self._timers: dict[str, float] = {}  # fragment → seconds between its runs
        self._cached: dict[str, ForwardMsg] = {}
        self._socket: ClientConnection

    async def open(self) -> None:
        """Connect, and load the lesson."""
        address = f"ws://127.0.0.1:{self.port}/_stcore/stream"
        origin = f"http://127.0.0.1:{self.port}"
        self._socket = await connect(address, subprotocols=["streamlit"], origin=origin, max_size=None)  # type: ignore[arg-type, list-item]
        await self._ask("open")

    async def run(self, after: float) -> None:
        """Press after so many seconds, and look for news as the page does, until the reveal is there."""
        await asyncio.sleep(after)
        assert self._button, "the lesson has no button to press"
        self.pressed = time.perf_counter()
        await self._ask("press", pressed=True)
        while not self.done and self._timers:
            fragment, seconds = next(iter(self._timers.items()))
            await asyncio.sleep(seconds)
            await self._ask("poll", fragment=fragment)
        with contextlib.suppress(Exception):
            await self._socket.close()

    async def _ask(self, kind: str, *, pressed: bool = False, fragment: str = "") -> None:
        message = BackMsg()
        state = message.rerun_script
        state.query_string, state.page_name = self.query, "lessons"
        state.context_info.url = f"http://127.0.0.1:{self.port}/lessons"
        state.cached_message_hashes.extend(self._cached)
        if pressed:
            widget = state.widget_states.widgets.add()
            widget.id, widget.trigger_value = self._button, True
        if fragment:
            state.fragment_id, state.is_auto_rerun = fragment, True
        started = time.perf_counter()
        await self._socket.send(message.SerializeToString())
        async with asyncio.timeout(_LONGEST):
            while not await self._heard():
                pass
        self.took[kind].append(time.perf_counter() - started)

    async def _heard(self) -> bool:
        """Take in one message; whether the script has ended. One that begins again goes on."""
        message = ForwardMsg.FromString(await self._socket.recv(decode=False))
        kind = message.WhichOneof("type")
        if kind == "ref_hash":
            message = self._cached[message.ref_hash]
            kind = message.WhichOneof("type")
        elif message.metadata.cacheable:
            self._cached[message.hash] = message
        if kind == "new_session" and not message.new_session.fragment_ids_this_run:
            self._timers.clear()
        elif kind == "auto_rerun":
            self._timers[message.auto_rerun.fragment_id] = message.auto_rerun.interval
        elif kind == "page_info_changed":
            self.query = message.page_info_changed.query_string
        elif kind == "delta":
            self._read(message)
        ended = (ForwardMsg.FINISHED_SUCCESSFULLY, ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY)
        return kind == "script_finished" and message.script_finished in ended

    def _read(self, message: ForwardMsg) -> None:
        element = message.delta.new_element
        what = element.WhichOneof("type")
        if what == "button" and _BUTTON in element.button.id:
            self._button = element.button.id
        elif what == "progress" and (place := _PLACE.search(element.progress.text)):
            self.places.append(int(place[1]))
        elif what == "heading" and element.heading.body == _RESULT and not self.done:
            self.done, self.finished = True, time.perf_counter()
