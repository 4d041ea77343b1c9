"""One browser session, as the engines see it."""

from __future__ import annotations

import secrets

from segdebug.jobs import Job

__all__ = ["Viewer"]


class Viewer:
    """One browser session: the runs that it watches and the check that it waits for, left when its connection
    ends."""

    def __init__(self) -> None:
        self.name = secrets.token_urlsafe(8)
        self.watched: dict[str, Job] = {}
        self.checked: Job | None = None
        self.mine: set[str] = set()  # runs that it asked for, or was given the link of
        self.last: str = ""  # the run that it looked at last
        self.asked: list[Job] = []  # runs that were begun for it and have not ended

    def leave(self) -> None:
        for job in self.watched.values():
            job.leave(self.name)
        self.watched.clear()
        self.wait_for(None)

    def wait_for(self, check: Job | None) -> None:
        """Wait for this check, and no longer for the one before."""
        if check is self.checked:
            return
        if self.checked is not None:
            self.checked.leave(self.name)
        self.checked = check
        if check is not None:
            check.arrive(self.name)
