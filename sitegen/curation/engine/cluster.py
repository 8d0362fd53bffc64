"""The workers of a Dask cluster: one that is made here, of processes of this machine, or one that runs elsewhere.

Few batches are out at a time, so that neither scheduler nor workers hold what cannot be worked on yet. Rows come back
and are written by this process alone: nothing that is written can be scored twice, and workers need no room to write.
"""

import logging
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

import dask
from distributed import CancelledError, Client, KilledWorker, LocalCluster, as_completed
from distributed.security import Security

from sitegen.curation.engine.work import Batch, Rows, Work, rows_of
from sitegen.curation.scoring import LOST, failed_row
from sitegen.errors import SitegenError, WorkerError

AHEAD = 2
"""Batches for each thread of the workers: one that is worked on, and one that waits."""

_LOOK_SECONDS = 5.0  # until the number of threads is asked for again: clusters grow and shrink
ANSWER_SECONDS, JOIN_SECONDS = 20.0, 120.0
"""How long a scheduler may take to answer, and its first worker to join."""
_GONE = "The scheduler is gone. What was written stays: run the same command again, and it goes on."
_QUIET = {
    "distributed.admin.large-graph-warning-threshold": "1GiB",
    "distributed.comm.timeouts.connect": "10s",
    # Looking at itself every 10 ms costs a worker as much as some images do.
    "distributed.worker.profile.enabled": False,
    "distributed.admin.system-monitor.interval": "2s",
    "distributed.admin.system-monitor.disk": False,
    "distributed.admin.system-monitor.gil.enabled": False,
    "distributed.admin.tick.interval": "200ms",
    # Without Dask's MALLOC_TRIM_THRESHOLD_: memory that is given back after each image is asked for again at the next.
    "distributed.nanny.pre-spawn-environ": dict.fromkeys(
        ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), 1
    ),
}


@dataclass(frozen=True)
class Tls:
    """Files for TLS as Dask takes them: the authority, and this process's certificate with its key (PEM)."""

    ca: Path
    cert: Path
    key: Path


@dataclass(frozen=True)
class Local:
    """A cluster of this machine: so many processes, each with so much memory ("4GiB", or "auto": its share)."""

    workers: int
    memory: str = "auto"
    dashboard: str | None = None


@contextmanager
def local_client(asked: Local) -> Iterator[Client]:
    """Give a client of processes of this machine, one thread each, which end with it."""
    with (
        dask.config.set(_QUIET),
        LocalCluster(
            n_workers=asked.workers,
            threads_per_worker=1,
            processes=True,
            host="127.0.0.1",
            memory_limit=asked.memory,
            preload=["sitegen.curation.engine.unstopped"],
            dashboard_address=asked.dashboard or "127.0.0.1:0",  # None would be a port that others see
            silence_logs=logging.CRITICAL,
        ) as cluster,
        Client(cluster) as client,
    ):
        yield client


@contextmanager
def remote_client(address: str, tls: Tls | None = None) -> Iterator[Client]:
    """Give a client of a scheduler that runs. Raises WorkerError where none answers, or no worker joins it in time."""
    security = None
    if tls:
        ca, cert, key = map(str, (tls.ca, tls.cert, tls.key))
        security = Security(tls_ca_file=ca, tls_client_cert=cert, tls_client_key=key, require_encryption=True)
    with dask.config.set(_QUIET):
        try:
            client = Client(address, security=security, timeout=ANSWER_SECONDS)
        except (OSError, ValueError, TypeError) as error:
            raise WorkerError(f"No scheduler answers at {address}: {error}. Check its address, and --tls-….") from error
        with client:
            try:
                client.wait_for_workers(1, timeout=JOIN_SECONDS)
            except TimeoutError:
                raise WorkerError(
                    f"No worker has joined the scheduler at {address}. Start some: docs/curate.md."
                ) from None
            yield client


class Cluster:
    """Has batches scored by the workers of a client's cluster."""

    def __init__(self, client: Client, work: Work) -> None:
        self._client = client
        self._work = work
        self._looked = float("-inf")
        self._width = AHEAD
        self._out: dict[Any, Batch] = {}
        self._suspects: deque[Batch] = deque()
        self._alone: Any = None

    def rows(self, batches: Iterator[Batch]) -> Iterator[Rows]:
        """Yield the rows of each batch as it comes. A file at which workers die, again and again, gets a row.

        Raises what a batch raises (see `work.rows_of`), and WorkerError where the scheduler is gone.
        """
        completed = as_completed()
        try:
            self._fill(completed, batches)
            for future in completed:
                batch = self._out.pop(future)
                found = self._rows(future, batch)
                future.release()
                self._fill(completed, batches)
                if found:
                    yield found
        except (OSError, CancelledError) as error:  # a connection that broke is an OSError to Dask
            raise WorkerError(_GONE) from error
        finally:
            for future in self._out:
                future.release()

    def _fill(self, completed: Any, batches: Iterator[Batch]) -> None:
        """Give batches out; a suspect only by itself, for Dask suspects all that a worker had when it died."""
        if self._suspects:
            if not self._out:
                self._alone = self._give(completed, self._suspects.popleft())
            return
        while len(self._out) < self._threads() * AHEAD and (batch := next(batches, None)):
            self._give(completed, batch)

    def _give(self, completed: Any, batch: Batch) -> Any:
        future = self._client.submit(rows_of, self._work, batch, pure=False)
        self._out[future] = batch
        completed.add(future)
        return future

    def _threads(self) -> int:
        if monotonic() - self._looked > _LOOK_SECONDS:
            self._width = max(1, sum(self._client.nthreads().values()))
            self._looked = monotonic()
        return self._width

    def _rows(self, future: Any, batch: Batch) -> Rows:
        if future.status == "finished":
            rows: Rows = future.result()
            return rows
        if future.status != "error":
            raise WorkerError(_GONE)
        error = future.exception()
        if isinstance(error, KilledWorker):
            return self._of_the_dead(future, batch)
        if isinstance(error, SitegenError):
            raise error
        raise WorkerError(f"A worker could not do its work: {type(error).__name__}: {error}. See its log.") from error

    def _of_the_dead(self, future: Any, batch: Batch) -> Rows:
        """Of a file that was given out alone, tell that it was that; suspect each file of others."""
        if future is not self._alone:
            self._suspects.extend([entry] for entry in batch)
            return []
        message = "Every worker that was given this file ended. Give workers more memory, or look at the file."
        return [failed_row(batch[0], LOST, message)]
