"""Progress goes to standard error, so that standard output can be piped."""

from rich.console import Console


def stderr_console() -> Console:
    """Return a console on standard error."""
    return Console(stderr=True)
