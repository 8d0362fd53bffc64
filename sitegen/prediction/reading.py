"""The bytes of an image's file: of a file alone, and never more than memory should take."""

import os
import stat
from pathlib import Path

from sitegen_runtime.errors import TooLarge, UnreadableFile

LARGEST_FILE = 2 << 30
"""Bytes. 100 million pixels of three 16-bit samples, the most that is analysed, have 0.6 GB without compression."""
# Opening a pipe would wait for its writer; Windows would change the ends of lines.
_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


def read_image_file(path: Path, largest: int | None = None) -> bytes:
    """Return the bytes of a file.

    Raises UnreadableFile where it cannot be read, or is a folder, pipe or device: one may never end, another never
    begin. Raises TooLarge where it has more than `largest` bytes, LARGEST_FILE by default, or memory has no room.
    """
    limit = LARGEST_FILE if largest is None else largest
    try:
        size, data = _read(path, limit)
    except (OSError, ValueError) as error:  # a name with a zero byte in it is a ValueError
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise UnreadableFile(f"{path} cannot be read: {reason}. Check the path and its permissions.") from error
    except MemoryError as error:
        raise TooLarge(f"{path} does not fit into memory. Save the image smaller, or close other programs.") from error
    if size > limit:
        raise TooLarge(f"{path} has {size:,} bytes; no more than {limit:,} are read. Save the image smaller.")
    return data


def _read(path: Path, limit: int) -> tuple[int, bytes]:
    """Return a file's size, and its bytes where these are not too many."""
    descriptor = os.open(path, _FLAGS)
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise UnreadableFile(f"{path} is {_kind(found.st_mode)}, not a file. Name a file with an image in it.")
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            data = file.read(limit + 1) if found.st_size <= limit else b""  # it may grow meanwhile
    finally:
        os.close(descriptor)
    return max(found.st_size, len(data)), data


def _kind(mode: int) -> str:
    kinds = (
        (stat.S_ISDIR, "a folder"),
        (stat.S_ISFIFO, "a pipe"),
        (stat.S_ISCHR, "a device"),
        (stat.S_ISBLK, "a device"),
        (stat.S_ISSOCK, "a socket"),
    )
    return next((words for is_kind, words in kinds if is_kind(mode)), "something else")
