"""How far a curation has come: a bar in a terminal, a line a minute elsewhere, as in the log of a cluster."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

if TYPE_CHECKING:
    from sitegen.curation.run import State

_SECONDS = 60.0


class _Rate(TextColumn):
    """Images a second."""

    def __init__(self) -> None:
        super().__init__("")

    def render(self, task: Task) -> Text:
        """Return the rate of the last while."""
        return Text(f"{task.speed:.1f} images/s" if task.speed else "")


@contextmanager
def told() -> Iterator[Callable[["State"], None]]:
    """Give what is told of every batch; it is shown on standard error."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), _Rate(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as bar:
        task = bar.add_task("Listing", total=None)
        began, last = monotonic(), monotonic()

        def tell(state: "State") -> None:
            nonlocal last
            bar.update(task, description="Scoring", total=state.total - state.before, completed=state.scored)
            if not console.is_terminal and monotonic() - last >= _SECONDS:
                last = monotonic()
                print(_line(state, last - began), file=sys.stderr, flush=True)

        yield tell


def _line(state: "State", seconds: float) -> str:
    rate = state.scored / seconds
    left = (state.total - state.before - state.scored) / rate if rate else float("inf")
    return f"{state.before + state.scored} of {state.total} images, {rate:.1f} a second, {left / 60:.0f} minutes left"
