"""Loaded by Dask in the workers of a local cluster: Ctrl+C is for the command alone, which then ends its workers."""

import signal


def dask_setup(worker: object) -> None:
    """Let this process pass over the interruption that a terminal sends to all."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
