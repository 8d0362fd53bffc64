"""A screen in memory for browsers that cannot do without one: the X server Xvfb."""

import contextlib
import os
import select
import shutil
from collections.abc import Iterator

from sitegen.browser.driver import START_SECONDS
from sitegen.browser.processes import end, start
from sitegen.errors import BrowserError


def missing() -> str | None:
    """Return what is not on this machine, and where to get it, or None."""
    return None if shutil.which("Xvfb") else "Xvfb is needed and was not found. On Debian or Ubuntu: apt install xvfb."


@contextlib.contextmanager
def display(width: int = 1280, height: int = 900) -> Iterator[str]:
    """Yield the name of a new screen (such as ":5") that no other program uses; it ends with the block.

    Raises BrowserError where Xvfb is missing or does not start.
    """
    if problem := missing():
        raise BrowserError(problem)
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as answer:
        try:
            # Xvfb finds a free number itself, and says which: nobody else can take it in between.
            screen = ["-screen", "0", f"{width}x{height}x24", "-nolisten", "tcp"]
            server = start(["Xvfb", "-displayfd", str(writing), *screen], keep_open=[writing])
        finally:
            os.close(writing)
        try:
            ready, _, _ = select.select([answer], [], [], START_SECONDS)
            number = answer.readline().strip().decode() if ready else ""
            if not number:
                raise BrowserError("Xvfb did not start. Try `Xvfb -displayfd 1`: it says why.")
            yield f":{number}"
        finally:
            end(server)
