"""Prose of a site: Markdown from a template, names in it as they are, and HTML that is read with the keyboard alone."""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

from sitegen.site.templating import render

_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")  # controls; what turns text around


def fill_markdown(template: str, **values: Any) -> str:
    """Return the Markdown that a template gives for these values; raises UndefinedError where one is missing."""
    return render(template, escape=False, trim=True, **values)


def plain(text: str) -> str:
    """Return a text, in one line, that Markdown shows as it is, in the cell of a table too."""
    shown = _UNSEEN.sub("", " ".join(text.split()))
    return re.sub(r"([\\`*_{}\[\]<>()#+!|~&-])", r"\\\1", shown)


def as_html(markdown: str) -> Markup:
    """Return the HTML of Markdown, with raw HTML shown as text.

    What can be wider than a screen, tables and preformatted text, scrolls in a region of its own, which the keyboard
    reaches, and which is named after the heading above it.
    """
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = list(_reachable(parser.parse(markdown)))
    html = parser.renderer.render(tokens, parser.options, {})
    return Markup(html)  # noqa: S704 - made from Markdown, with HTML escaped


def _reachable(tokens: list[Token]) -> Iterator[Token]:
    heading, told = "Table", Counter[str]()
    for before, token in zip([None, *tokens], tokens, strict=False):
        if before and before.type == "heading_open":
            heading = token.content
        if token.type in ("fence", "code_block", "table_open"):
            told[heading] += 1
            region = _region(heading, told[heading])
        if token.type in ("fence", "code_block"):
            # Of a fence the attributes would go to what is inside of the box that scrolls.
            token = Token("code_block", "code", 0, attrs=region, content=token.content, block=True)
        if token.type == "table_open":
            yield Token("region_open", "div", 1, attrs={"class": "scroll", **region}, block=True)
        yield token
        if token.type == "table_close":
            yield Token("region_close", "div", -1, block=True)


def _region(heading: str, number: int) -> dict[str, str | int | float]:
    """The attributes of the nth box that scrolls below a heading: no two have one name."""
    name = heading if number == 1 else f"{heading}, {number}"
    return {"role": "region", "aria-label": name, "tabindex": "0"}
