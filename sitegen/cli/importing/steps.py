"""What an import is at: a line for each step, with the time that it took, on standard error."""

import time
from types import TracebackType
from typing import Any

import typer


class Steps:
    """Used as a context; `say` begins a step.

    In a terminal a step that is running turns, and says how long it took when the next begins. Elsewhere it is a line.
    """

    def __init__(self) -> None:
        from rich.console import Console

        self._console = Console(stderr=True)
        self._status: Any = self._console.status("Reading the model") if self._console.is_terminal else None
        self._step, self._began = "", 0.0

    def __enter__(self) -> "Steps":
        if self._status:
            self._status.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._status:
            if kind is None:
                self._done()
            self._status.stop()

    def say(self, step: str) -> None:
        """Begin a step."""
        if self._status is None:
            typer.echo(f"{step} …", err=True)
            return
        self._done()
        self._step, self._began = step, time.monotonic()
        self._status.update(f"{step} …")

    def _done(self) -> None:
        if self._step:
            self._console.print(f"{self._step}: {time.monotonic() - self._began:.1f} s", style="dim", highlight=False)
