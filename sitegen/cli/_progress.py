"""Progress goes to standard error, so that standard output can be piped; and what stands there is shown as it is."""

import sys
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.text import Text

from sitegen.cli._terminal import printable


class PlainConsole(Console):
    """Prints tables and sentences as they are: nothing in them is markup, an emoji or a command to the terminal."""

    def __init__(self, *, soft_wrap: bool = False) -> None:
        super().__init__(markup=False, emoji=False, highlight=False, soft_wrap=soft_wrap)

    def render_str(self, text: str, **options: Any) -> Text:
        """Return a text to be shown, the cells of tables included."""
        return super().render_str(printable(text), **options)


def progress(total: int) -> Progress:
    """Return a bar on standard error, shown for several things.

    What is printed meanwhile goes above the bar where both are in a terminal. Elsewhere standard output is left alone:
    rich would print it on standard error.
    """
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    together = sys.stdout.isatty()
    return Progress(*columns, console=Console(stderr=True), disable=total < 2, transient=True, redirect_stdout=together)
