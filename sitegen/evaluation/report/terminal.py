"""Figures as tables for a terminal, all alike."""

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text


def table(title: str | Text, first: str, *others: str, no_wrap: bool = True) -> Table:
    """Return an empty table: a column of names, which may fold, and columns of figures to the right."""
    made = Table(title=title, title_justify="left", box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    made.add_column(first, overflow="fold", min_width=10)
    for name in others:
        made.add_column(name, justify="right", no_wrap=no_wrap)
    return made
