"""Where warm children come from: this side of the forking process (`forker` is the other)."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
from multiprocessing.connection import Connection, wait
from pathlib import Path

from segdebug.errors import WorkerDied
from segdebug.jobs import warm
from segdebug.jobs.forker import FORK, KILL, NUMBER, REQUEST

__all__ = ["Child", "Nursery", "how_it_ended"]

_PROGRAM = "import sys; sys.path[:] = {path!r}; from segdebug.jobs.forker import main; main(*{arguments!r})"
_CLOSING = 0.2  # seconds that the forking process gets to kill its children; it takes milliseconds


class Child:
    """One child process: its private pipe, and the word of its parent on how it ended."""

    def __init__(self, nursery: Nursery, pid: int, connection: Connection, report: int) -> None:
        self.pid = pid
        self.connection = connection
        self._nursery = nursery
        self._report = report
        self._handle: int | None = None
        if sys.platform == "linux":
            with contextlib.suppress(OSError):  # it has ended already
                self._handle = os.pidfd_open(pid)

    def wait(self, timeout: float | None) -> bool:
        """Wait until it has said something or ended; False when `timeout` seconds have passed first."""
        return bool(wait([self.connection, self._report], timeout))

    def ended(self) -> bool:
        """Whether it has ended. What it said before may still be waiting in its pipe."""
        return bool(wait([self._report], 0))

    def kill(self) -> None:
        """End it at once, whatever it is doing. Returns before it is gone."""
        if self._handle is None:
            self._nursery.kill(self.pid)
        elif sys.platform == "linux":  # without waiting for the forking process, which is as nice as it
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._handle, signal.SIGKILL)

    def bury(self, timeout: float = 1.0) -> int | None:
        """Kill it if need be and free what it held. Its exit code (negative: the signal), None if unknown."""
        self.kill()
        code = None
        if wait([self._report], timeout):
            data = os.read(self._report, NUMBER.size)
            code = NUMBER.unpack(data)[0] if len(data) == NUMBER.size else None
        self.connection.close()
        os.close(self._report)
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None
        return code


class Nursery:
    """Forks children off one process that has TensorFlow imported. They are in a session of their own, so that
    Ctrl-C in a terminal is not their business, and all end when this process does, however it does."""

    def __init__(self, runner: str, *, tensorflow: bool) -> None:
        self._arguments = (runner, tensorflow)
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._socket: socket.socket | None = None
        self._closed = False

    def fork(self) -> Child:
        """A new child, which will say READY once it is warm. Waits for the imports, seconds the first time.

        Raises WorkerDied where no process can be had.
        """
        for _ in range(2):  # the forking process may be dying: then by another
            child, process = self._try_to_fork()
            if child is not None:
                return child
            with self._lock:
                if self._process is process:
                    self._drop()
        raise WorkerDied("The process that starts training processes dies as soon as it is started.")

    def _try_to_fork(self) -> tuple[Child | None, object]:
        """A child, None where the forking process died; and which process that was."""
        ours, theirs = socket.socketpair()
        told, tells = os.pipe()
        with contextlib.ExitStack() as ended:
            ended.callback(os.close, told)
            ended.enter_context(ours)
            with theirs:
                try:
                    process = self._ask(FORK, 0, [theirs.fileno(), tells])
                finally:
                    os.close(tells)
            pid = os.read(told, NUMBER.size)  # empty when the forking process ended
            if len(pid) < NUMBER.size:
                return None, process
            ended.pop_all()  # the child's from now on
            return Child(self, NUMBER.unpack(pid)[0], Connection(ours.detach()), told), process

    def kill(self, pid: int) -> None:
        """Kill the child `pid`, if it is still there."""
        with contextlib.suppress(WorkerDied):  # closed: it is dead already
            self._ask(KILL, pid, [])

    def close(self) -> None:
        """End the forking process and all its children."""
        with self._lock:
            self._closed = True
            self._drop()

    def _ask(self, operation: bytes, number: int, fds: list[int]) -> object:
        """Send a request to the forking process, started if need be; which process that is.

        A request that a dying process does not take is lost: so are its children. Raises WorkerDied once closed.
        """
        with self._lock:
            if self._closed:
                raise WorkerDied("The engine has been closed.")
            if self._process is not None and self._process.poll() is not None:
                self._drop()
            if self._socket is None and operation == FORK:
                self._socket = self._start()
            if self._socket is not None:
                with contextlib.suppress(OSError):
                    socket.send_fds(self._socket, [REQUEST.pack(operation, number)], fds)
            return self._process

    def _start(self) -> socket.socket:
        ours, theirs = socket.socketpair()
        path = [entry or str(Path.cwd()) for entry in sys.path]
        with theirs:
            program = _PROGRAM.format(path=path, arguments=(theirs.fileno(), *self._arguments))
            self._process = subprocess.Popen(
                [sys.executable, "-c", program],
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                env=warm.environment(),
                start_new_session=True,
            )
        return ours

    def _drop(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None
        if self._process is not None:
            try:
                self._process.wait(_CLOSING)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None


def how_it_ended(code: int | None) -> str:
    """An exit code in plain words, to follow "the process that trained it …"."""
    if code is None:
        return "disappeared"
    if code == -signal.SIGKILL:
        return "was killed (SIGKILL), by someone or because memory ran out"
    if code < 0:
        try:
            name = signal.Signals(-code).name
        except ValueError:
            name = f"signal {-code}"
        crash = name in {"SIGSEGV", "SIGABRT", "SIGBUS", "SIGILL", "SIGFPE"}
        return f"{'crashed' if crash else 'was ended'} ({name})"
    return f"ended by itself (exit code {code})"
