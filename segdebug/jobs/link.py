"""The app's half of dask.distributed: scheduler and worker inside this process, or a cluster by address."""

from __future__ import annotations

import contextlib
import logging
import secrets
from collections.abc import Callable
from typing import Any

import dask
from distributed import Client, LocalCluster, fire_and_forget

from segdebug.errors import JobError, WorkerDied
from segdebug.jobs.pool import PLUGIN, SlotsPlugin, carry_out, make_ready
from segdebug.jobs.wire import Failure, Outcome, Parcel

__all__ = ["Link"]

_CONNECTING = 5.0  # seconds to find a scheduler by its address

_log = logging.getLogger(__name__)

_SETTINGS = {
    "distributed.worker.daemon": False,
    # Dask keeps the last so many messages for ever, in several places, and ours hold maps.
    "distributed.admin.low-level-log-length": 2,
    # A scene travels inside its task, which is what lets Dask run it again when a machine is lost.
    "distributed.admin.large-graph-warning-threshold": "1 TB",
    # An app at rest should rest: with these two Dask takes 0.5 % of a core, without them 2.
    "distributed.admin.tick.interval": "1s",
    "distributed.worker.profile.enabled": False,
    # The two HTTP servers cannot be turned off. They listen on loopback, and have nothing to say.
    "distributed.scheduler.http.routes": [],
    "distributed.worker.http.routes": [],
}


class Link:
    """Tasks out, progress and outcomes in. All methods are thread-safe.

    on_event(message) is called for each message of `pool.carry_out`, in order, in Dask's own thread.
    Raises JobError where no scheduler answers at `address`.
    """

    def __init__(
        self, slots: int, address: str | None, plugin: SlotsPlugin, on_event: Callable[[dict[str, Any]], None]
    ) -> None:
        self._slots, self._address, self._plugin, self._on_event = slots, address, plugin, on_event
        self._topic = f"segdebug-{secrets.token_hex(8)}"  # schedulers never delete one: one an engine
        self._cluster: Any = None
        self._attached: Any = None  # the connection on which topic and plugin are known
        for name in ("distributed", "distributed.client", "distributed.worker", "distributed.scheduler"):
            logging.getLogger(name).setLevel(logging.CRITICAL)  # what matters is said by the jobs themselves
        if address is None:
            dask.config.set(_SETTINGS)
            self._cluster = LocalCluster(
                n_workers=1,
                threads_per_worker=slots,
                processes=False,
                memory_limit=None,
                dashboard_address="127.0.0.1:0",
                worker_dashboard_address="127.0.0.1:0",
                silence_logs=logging.CRITICAL,
            )
        else:
            dask.config.set({k: v for k, v in _SETTINGS.items() if "threshold" in k})
        self._client = self._connect()
        self._attach()

    def capacity(self) -> int:
        """How many runs can go on at the same time; on a cluster, as many as its workers have threads."""
        if self._address is None:
            return self._slots
        with contextlib.suppress(Exception):  # a scheduler that does not answer gets no further work
            return max(1, int(self._client.scheduler_info(n_workers=0)["total_threads"]))
        return 1

    def send(self, parcel: Parcel, job: str, what: str, limit: float, on_end: Callable[[Outcome], None]) -> Any:
        """Submit one run; a handle for `cancel`. on_end is called once, in Dask's own thread.

        what: see `pool.carry_out`. Raises JobError where the cluster cannot be reached.
        """
        self._attach()
        key = f"segdebug-run-{secrets.token_hex(8)}"
        future = self._client.submit(
            carry_out, parcel, key, self._topic, job, what, limit, key=key, pure=False, retries=0, fifo_timeout="0s"
        )
        self._client.loop.add_callback(_follow, future, on_end)
        return future

    def prepare(self, parcel: Parcel, what: str) -> None:
        """Have a worker make ready for such a run. Raises as `send`."""
        self._attach()
        key = f"segdebug-prepare-{secrets.token_hex(8)}"
        fire_and_forget(self._client.submit(make_ready, parcel, what, key=key, pure=False, retries=0))

    def cancel(self, future: Any) -> None:
        """Take a run back, or end it."""
        with contextlib.suppress(Exception):  # nothing is left to cancel where the link is gone
            self._client.cancel([future])

    def close(self) -> None:
        """End all runs and, where the scheduler is ours, everything with it."""
        with contextlib.suppress(Exception):
            self._client.close(timeout=1)
        if self._cluster is not None:
            with contextlib.suppress(Exception):
                self._cluster.close(timeout=2)

    def _connect(self) -> Any:
        try:
            return Client(self._cluster or self._address, set_as_default=False, timeout=_CONNECTING, name="segdebug")
        except (OSError, ValueError) as error:
            raise self._unreachable(error) from error

    def _attach(self) -> None:
        """Make topic and plugin known, again after the scheduler was restarted."""
        if self._client.status == "closed":
            self._client = self._connect()
        connection = self._client.scheduler_comm
        if connection is self._attached:
            return
        try:
            self._client.subscribe_topic(self._topic, lambda event: self._on_event(event[1]))
            self._client.register_plugin(self._plugin, name=PLUGIN)
        except OSError as error:  # Dask's CommClosedError too
            raise self._unreachable(error) from error
        self._attached = connection

    def _unreachable(self, error: Exception) -> JobError:
        return JobError(f"No dask scheduler answers at {self._address}: {error}")


async def _follow(future: Any, on_end: Callable[[Outcome], None]) -> None:
    """Wait for the future in Dask's own loop. Its callbacks would all share one thread, which one lost result
    can block for ever."""
    try:
        outcome: Outcome = await future
    except Exception as error:
        outcome = Outcome(failure=Failure(_on_the_way(error)))
    on_end(outcome)


def _on_the_way(error: Exception) -> JobError:
    """What Dask's own errors mean. A future that nobody here has cancelled was so with its scheduler."""
    name = type(error).__name__
    if "Cancelled" in name:
        return JobError("The cluster's scheduler was lost or restarted during the run. Run it again.")
    _log.error("A run failed on its way: %r", error)
    if name == "KilledWorker":
        return WorkerDied("The machines that trained this died one after the other. Check the cluster.")
    return JobError(f"The cluster could not carry out the run ({name}); the log has details.")
