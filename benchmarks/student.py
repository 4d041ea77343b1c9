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
_HEADLINE = re.compile(r"\d+ steps in [\d.]+ s: .*")
_LONGEST = 60.0  # seconds for one answer of the server
_GONE = 10.0  # seconds after which a poll is taken to have found its fragment gone


class Student:
    """Opens a lesson, presses "Run it", and watches until the reveal is there.

    took: seconds from a message to the end of the script that it started, by what it was: open, press, poll.
    places: of the queue, as they were shown. saw: the line of each of its runs, with the seconds that it took to the
    last digit: who shares a run sees the same. pressed, finished: time.perf_counter().
    """

    def __init__(self, port: int, query: str) -> None:
        self.port = port
        self.query = self.first_query = query
        self.took: dict[str, list[float]] = defaultdict(list)
        self.places: list[int] = []
        self.saw: set[str] = set()
        self.pressed = self.finished = 0.0
        self.done = False
        self._button = ""
        self._page = ""  # what Streamlit calls it, once it has said so
        self._running = False
        self._ended = asyncio.Event()
        self._timers: dict[str, float] = {}  # fragment → seconds between its runs
        self._cached: dict[str, ForwardMsg] = {}
        self._socket: ClientConnection
        self._listening: asyncio.Task[None]

    async def open(self) -> None:
        """Connect, and load the lesson."""
        address = f"ws://127.0.0.1:{self.port}/_stcore/stream"
        origin = f"http://127.0.0.1:{self.port}"
        self._socket = await connect(address, subprotocols=["streamlit"], origin=origin, max_size=None)  # type: ignore[arg-type, list-item]
        self._listening = asyncio.create_task(self._listen())
        await self._ask("open")

    async def run(self, after: float) -> None:
        """Press after so many seconds, and look for news as the page does, until the reveal is there."""
        await asyncio.sleep(after)
        assert self._button, "the lesson has no button to press"
        self.pressed = time.perf_counter()
        await self._ask("press", pressed=True)
        while not self.done:
            await asyncio.sleep(next(iter(self._timers.values()), 0.1))
            if self._timers and not self._running and not self.done:
                await self._ask("poll", fragment=next(iter(self._timers)))
        self._listening.cancel()
        await self._socket.close()

    async def _ask(self, kind: str, *, pressed: bool = False, fragment: str = "") -> None:
        message = BackMsg()
        state = message.rerun_script
        state.query_string, state.page_script_hash = self.query, self._page
        state.page_name = "" if self._page else "lessons"
        state.context_info.url = f"http://127.0.0.1:{self.port}/lessons"
        state.cached_message_hashes.extend(self._cached)
        if pressed:
            widget = state.widget_states.widgets.add()
            widget.id, widget.trigger_value = self._button, True
        if fragment:
            state.fragment_id, state.is_auto_rerun = fragment, True
        started, self._ended = time.perf_counter(), asyncio.Event()
        await self._socket.send(message.SerializeToString())
        with contextlib.suppress(TimeoutError):  # Streamlit answers no poll whose fragment has just gone
            await asyncio.wait_for(self._ended.wait(), _GONE if fragment else _LONGEST)
            self.took[kind].append(time.perf_counter() - started)

    async def _listen(self) -> None:
        async for data in self._socket:
            message = ForwardMsg.FromString(data if isinstance(data, bytes) else data.encode())
            if message.WhichOneof("type") == "ref_hash":
                message = self._cached[message.ref_hash]
            elif message.metadata.cacheable:
                self._cached[message.hash] = message
            self._take_in(message)

    def _take_in(self, message: ForwardMsg) -> None:
        kind = message.WhichOneof("type")
        if kind == "new_session":
            self._running = True
            if not message.metadata.run.fragment_ids:  # of the whole page: what polls is said anew
                self._timers.clear()
        elif kind == "navigation":
            self._page = message.navigation.page_script_hash
        elif kind == "auto_rerun":
            self._timers[message.auto_rerun.fragment_id] = message.auto_rerun.interval
        elif kind == "page_info_changed":
            self.query = message.page_info_changed.query_string
        elif kind == "delta":
            self._read(message)
        elif kind == "script_finished":
            self._running = False
            self._ended.set()

    def _read(self, message: ForwardMsg) -> None:
        element = message.delta.new_element
        what = element.WhichOneof("type")
        if what == "button" and _BUTTON in element.button.id:
            self._button = element.button.id
        elif what == "progress" and (place := _PLACE.search(element.progress.text)):
            self.places.append(int(place[1]))
        elif what == "markdown" and (line := _HEADLINE.fullmatch(element.markdown.body.replace("\\", ""))):
            self.saw.add(line[0])
        elif what == "heading" and element.heading.body == _RESULT and not self.done:
            self.done, self.finished = True, time.perf_counter()
