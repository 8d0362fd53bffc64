"""What a command says of what went wrong, in place of a traceback: the thing, the reason, the next step."""

import errno
import os
import sys

from sitegen.cli._terminal import printable
from sitegen.errors import SitegenError

_NEXT = {
    errno.ENOSPC: "Make room there, or name another place, and run the command again.",
    errno.EROFS: "Name a place that can be written to.",
    errno.EACCES: "Name a place that you may read and write, or have its permissions changed.",
    errno.EPERM: "Name a place that you may read and write, or have its permissions changed.",
    errno.ENAMETOOLONG: "Name a shorter path.",
    errno.ENOENT: "Check the path.",
    errno.ENOTDIR: "A part of the path is a file where a folder should be. Name another.",
    errno.EISDIR: "It is a folder where a file should be. Name a file.",
    errno.EBUSY: "Another program has it, or it is the root of a disk. Name a folder inside.",
    errno.EMFILE: "Too many files are open: raise the limit (ulimit -n), or name fewer at once.",
}
if hasattr(errno, "EDQUOT"):  # Windows has none
    _NEXT[errno.EDQUOT] = _NEXT[errno.ENOSPC]
_CHANCE = {errno.ENOSPC, errno.EIO, errno.EMFILE, getattr(errno, "EDQUOT", errno.ENOSPC)}
"""What the same command may do well another time; the rest is what was named."""


def end_with(error: SitegenError | OSError | MemoryError) -> None:
    """Say what went wrong on standard error, and leave with the exit code for it."""
    message, code = in_words(error)
    drop_unwritten_output()
    sys.stderr.write(f"sitegen: {printable(message)}\n")
    sys.exit(code)


def in_words(error: SitegenError | OSError | MemoryError) -> tuple[str, int]:
    """Return the message for an error, and the exit code: 2 where what was named cannot be used, 1 for the rest."""
    if isinstance(error, SitegenError):
        return str(error), error.exit_code
    if isinstance(error, MemoryError):
        return "Memory is full. Close other programs, or ask for less at once (fewer workers, smaller batches).", 1
    names = [os.fsdecode(name) for name in (error.filename, error.filename2) if isinstance(name, (str, bytes))]
    place = " to ".join(names) or "A file"
    reason = error.strerror or str(error) or type(error).__name__
    advice = _NEXT.get(error.errno or 0, "Check that place, and run the command again.")
    return f"{place} cannot be read or written: {reason}. {advice}", 1 if error.errno in _CHANCE else 2


def drop_unwritten_output() -> None:
    """Let Python end without a further attempt to write what standard output did not take."""
    try:
        sys.stdout.flush()
    except (OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
