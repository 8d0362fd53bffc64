"""A bound on what one call may allocate, for libraries that believe the lengths that files state."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_STATUS = Path("/proc/self/statm")


@contextmanager
def at_most(further: int) -> Iterator[None]:
    """Let this process have so many bytes of memory more than it has now, and not more, while the context lasts.

    What asks for more fails, in C and in Python, instead of taking what the machine has. Only Linux keeps such
    a bound; elsewhere this does nothing.
    """
    if sys.platform != "linux" or not _STATUS.is_file():
        yield
        return
    import resource

    pages = int(_STATUS.read_text().split()[0])
    before, most = resource.getrlimit(resource.RLIMIT_AS)
    limit = pages * resource.getpagesize() + further
    lower = before == resource.RLIM_INFINITY or limit < before
    if lower:
        resource.setrlimit(resource.RLIMIT_AS, (limit, most))
    try:
        yield
    finally:
        if lower:
            resource.setrlimit(resource.RLIMIT_AS, (before, most))
