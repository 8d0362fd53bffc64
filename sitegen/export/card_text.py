"""The prose of cards: lines as their source is read, what every card says in the same words, and the author's own."""

import re
from collections.abc import Sequence
from pathlib import Path
from textwrap import fill

from sitegen.errors import SettingsError
from sitegen.export.card_tables import plain

WIDTH = 120
NO_WORDS = """## What it may have learned instead
Nobody has looked yet. Text burned into the images, their proportions, the view, the age of the patients and the machine
can each tell classes apart without any finding. Whoever publishes this model should look, and say here what was found:
{place} for it as `card`."""
AUDITED_WORDS = """## What it may have learned instead
No person has looked yet; the audit above measures only what it knows to measure. Whoever publishes this model should
look at where it looks, and say here what was found: {place} for it as `card`."""
GATE_FIRST = " Before that, a gate decides whether the image is of the right kind at all."


def finished(text: str, author: str, place: str, audited: bool = False) -> str:
    """Return a card of the template's text, wrapped, that ends with the author's Markdown.

    Where there is none, the card says that nobody looked for shortcuts, or no more than an audit did; `place` says who
    names a file for it.
    """
    missing = AUDITED_WORDS if audited else NO_WORDS
    lines = "\n".join(_wrapped(line) for line in text.splitlines())
    whole = re.sub(r"\n{3,}", "\n\n", lines).strip()  # parts without content leave gaps
    return f"{whole}\n\n{author.strip() or missing.format(place=place)}\n"


def comes(labels: Sequence[str]) -> str:
    """Return in words what a model gives."""
    names = ", ".join(f"*{plain(label)}*" for label in labels)
    if len(labels) == 1:
        return f"out comes one finding, {names}, as a probability"
    return f"out come {len(labels)} findings, each as a probability: {names}"


def read_author(path: Path | None, problem: str) -> str:
    """Return the author's own Markdown, "" where no file is named.

    Raises SettingsError where it cannot be read: `problem`, in which {path} and {error} are filled in.
    """
    if path is None:
        return ""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise SettingsError(problem.format(path=path, error=error)) from error


def _wrapped(line: str) -> str:
    """Break a line of prose or of a list as the card's source is read; tables and headings are one line each."""
    if line.startswith(("|", "#")):
        return line
    inside = "  " if line.startswith("- ") else ""
    return fill(line, WIDTH, subsequent_indent=inside, break_long_words=False, break_on_hyphens=False)
