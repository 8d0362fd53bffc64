"""Folders that one process at a time may change: a lock that ends with its process, however that ends."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sitegen.errors import SettingsError

if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


@contextmanager
def locked(path: Path, *, where_there_are_none: bool = True) -> Iterator[bool]:
    """Hold the lock that the file `path` stands for, which is made where it is missing; False where another has it.

    The system gives it up when the process ends, also when it is killed; the file stays. Some shared folders know no
    locks: there the answer is `where_there_are_none`.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        yield _taken(descriptor, where_there_are_none)
    finally:
        os.close(descriptor)


@contextmanager
def alone_in(folder: Path, name: str, what: str) -> Iterator[None]:
    """Let nobody else do the same in a folder, which is made where it is missing.

    `name` is that of the lock's file, which is hidden; `what` is done, such as "training", goes into the message.
    Raises SettingsError where another process does it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with locked(folder / f".{name}.lock") as is_mine:
        if not is_mine:
            raise SettingsError(
                f"{folder} is in use: another {what} runs there, and each would overwrite the other's work. Wait for "
                "it or stop it, or name another folder with --work."
            )
        yield


def _taken(descriptor: int, where_there_are_none: bool) -> bool:
    try:
        _lock(descriptor)
    except (BlockingIOError, PermissionError):
        return False
    except OSError:
        return where_there_are_none
    return True
