"""The process that children are forked from: it has imported TensorFlow once, uses nothing of it, and waits.

Requests come over one socket, in fixed messages of an operation and a number:
`F`: fork a child; with it come two file descriptors, the child's pipe and where to report its process id and,
     when it has ended, its exit code (negative: the signal), eight bytes each;
`K`: kill the child with that process id. Only its parent can do that with no risk of hitting a stranger that
     has been given the same number since.
When the socket closes (the app ended, however it did) all children are killed, whatever they are doing.

Why not multiprocessing's forkserver: there each child holds the server's lifeline open, so that one child
stuck in a long operation outlives a killed app; each child runs the app's script again as `__mp_main__` (with
Streamlit that is a page, or Streamlit itself); Python 3.11 gives the server no sys.path; and there is one for
the whole process, with whatever environment it had by then. This is the same technique without those.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import signal
import socket
import struct
import sys
import threading
import traceback
import warnings
from collections.abc import Iterator

from segdebug.jobs import child, warm

__all__ = ["FORK", "KILL", "NUMBER", "REQUEST", "main"]

REQUEST = struct.Struct("=cq")
NUMBER = struct.Struct("=q")
FORK, KILL = b"F", b"K"

_PR_SET_PDEATHSIG = 1


def main(control: int, runner: str, tensorflow: bool) -> None:
    """Serve the socket with file descriptor `control` until it closes. `tensorflow`: import it beforehand."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with socket.socket(fileno=control) as requests:
        with _ending_when_left(requests):
            warm.preload(runner, tensorflow=tensorflow and not warm.on_gpu())
        # jemalloc, which comes with pyarrow, leaves an idle thread behind; it is made for being forked.
        warnings.filterwarnings("ignore", category=DeprecationWarning, message=".*multi-threaded.*fork")
        _Forker(requests, runner, tensorflow).serve()
    sys.stdout.flush()
    os._exit(0)


class _Forker:
    def __init__(self, requests: socket.socket, runner: str, tensorflow: bool) -> None:
        self.requests, self.runner, self.tensorflow = requests, runner, tensorflow
        self.reports: dict[int, int] = {}  # process id → where its end is reported
        self.woken, self.wakes = os.pipe()
        for end in (self.woken, self.wakes):
            os.set_blocking(end, False)

    def serve(self) -> None:
        signal.signal(signal.SIGCHLD, lambda *_: None)  # any handler makes Python write to `wakes`
        signal.set_wakeup_fd(self.wakes, warn_on_full_buffer=False)
        poll = select.poll()
        poll.register(self.requests, select.POLLIN)
        poll.register(self.woken, select.POLLIN)
        while True:
            ready = {fd for fd, _ in poll.poll()}
            if self.woken in ready:
                with contextlib.suppress(BlockingIOError):
                    os.read(self.woken, 65536)
                self.reap()
            if self.requests.fileno() in ready and not self.answer():
                break
        for pid in self.reports:
            os.kill(pid, signal.SIGKILL)

    def answer(self) -> bool:
        """Carry out one request; False when there will be no more."""
        try:
            message, fds, _, _ = socket.recv_fds(self.requests, REQUEST.size, 2)
        except ConnectionError:
            return False
        if len(message) < REQUEST.size:
            return False
        operation, pid = REQUEST.unpack(message)
        if operation == FORK:
            self.fork(*fds)
        elif pid in self.reports:
            os.kill(pid, signal.SIGKILL)
        return True

    def fork(self, pipe: int, report: int) -> None:
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            self.become_child(pipe, report, parent)
        os.close(pipe)
        self.reports[pid] = report
        _report(report, pid)

    def become_child(self, pipe: int, report: int, parent: int) -> None:
        code = 1
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            self.requests.close()
            for fd in (self.woken, self.wakes, report, *self.reports.values()):
                os.close(fd)
            _die_with_parent(parent)
            child.main(pipe, self.runner, self.tensorflow)
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            with contextlib.suppress(Exception):
                sys.stdout.flush()
                sys.stderr.flush()
            os._exit(code)

    def reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            report = self.reports.pop(pid, None)
            if report is not None:
                _report(report, os.waitstatus_to_exitcode(status))
                os.close(report)


def _report(fd: int, number: int) -> None:
    with contextlib.suppress(BrokenPipeError):  # nobody wants to know any more
        os.write(fd, NUMBER.pack(number))


def _die_with_parent(parent: int) -> None:
    """Ask Linux to kill this process when its parent ends, however deep in an operation it is then."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL))
        if os.getppid() != parent:  # it ended in between
            os._exit(0)


@contextlib.contextmanager
def _ending_when_left(requests: socket.socket) -> Iterator[None]:
    """Meanwhile, exit if the other end of `requests` closes. The thread has ended before anything is forked."""
    over = threading.Event()

    def watch() -> None:
        poll = select.poll()
        poll.register(requests, 0)  # hang-up is always reported
        while not over.is_set():
            if poll.poll(100):
                os._exit(0)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()
