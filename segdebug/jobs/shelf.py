"""Where jobs are kept: by id, and the latest of each key; ended ones bounded in number and bytes."""

from __future__ import annotations

from segdebug.jobs.job import Job

__all__ = ["Shelf"]


class Shelf:
    """keep: ended jobs that stay, at most. keep_bytes: what they may take, at most, with their scenes, each
    counted once. The last one to end always stays. Not thread-safe: its engine holds the lock."""

    def __init__(self, keep: int, keep_bytes: int) -> None:
        self._keep, self._keep_bytes = keep, keep_bytes
        self._jobs: dict[str, Job] = {}
        self._latest: dict[str, Job] = {}

    def add(self, job: Job) -> None:
        """Keep a new job; it is the latest of its key."""
        self._jobs[job.id] = self._latest[job.key] = job

    def get(self, id: str) -> Job | None:
        """The job with this id, if it is still here."""
        return self._jobs.get(id)

    def latest(self, key: str) -> Job | None:
        """The latest job of this key, if it is still here."""
        return self._latest.get(key)

    def trim(self) -> None:
        """Drop ended jobs beyond the bounds: those that nobody watches first, the longest ended first."""
        ended = [job for job in self._jobs.values() if not job.active]
        newest = max(ended, key=lambda job: job.finished or 0.0, default=None)
        ended.sort(key=lambda job: (job.viewers > 0, job.finished or 0.0))
        while len(ended) > 1 and (len(ended) > self._keep or _bytes(ended) > self._keep_bytes):
            job = ended.pop(0 if ended[0] is not newest else 1)
            del self._jobs[job.id]
            if self._latest.get(job.key) is job:
                del self._latest[job.key]


def _bytes(jobs: list[Job]) -> int:
    scenes = {id(job.scene): job._scene_bytes for job in jobs}
    return sum(job._bytes for job in jobs) + sum(scenes.values())
