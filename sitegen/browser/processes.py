"""Processes that must be gone when their work is done, with all that they started.

Each gets a session of its own. So Ctrl-C in the terminal reaches the tool alone, which then ends them in order.
"""

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from typing import IO

# For subprocess.Popen, and for those who call it.
OWN_SESSION = {"start_new_session": True}
_END_SECONDS = 10


@contextlib.contextmanager
def orderly_end() -> Iterator[None]:
    """Make signals that ask this program to end unwind it, as Ctrl-C does, so that what it started ends with it.

    For the main thread. The exit code is 128 and the signal's number, as shells have it.
    """

    def leave(number: int, _frame: object) -> None:
        raise SystemExit(128 + number)

    numbers = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = {number: signal.signal(number, leave) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def start(
    command: Sequence[str],
    environment: Mapping[str, str] | None = None,
    output: IO[bytes] | int = subprocess.DEVNULL,
    keep_open: Sequence[int] = (),
) -> subprocess.Popen[bytes]:
    """Start a program in a session of its own. Raises OSError where it cannot be started."""
    return subprocess.Popen(
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        pass_fds=keep_open,
        start_new_session=True,
    )


def end(process: subprocess.Popen[bytes]) -> None:
    """End a program that was started in its own session, and its children: politely first, then by force."""
    if process.poll() is None:
        _send(process, "SIGTERM")
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_END_SECONDS)
    _send(process, "SIGKILL")
    process.wait()


def _send(process: subprocess.Popen[bytes], name: str) -> None:
    if not hasattr(os, "killpg"):  # Windows has no process groups of this kind
        process.kill()
        return
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, getattr(signal, name))
