"""Prose of a site: Markdown from a template, names in it as they are, and HTML that is read with the keyboard alone."""

import re
from collections.abc import Iterator
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

from sitegen.site.templating import render


def fill_markdown(template: str, **values: Any) -> str:
    """Return the Markdown that a template gives for these values; raises UndefinedError where one is missing."""
    return render(template, escape=False, trim=True, **values)


def plain(text: str) -> str:
    """Return a text, in one line, that Markdown shows as it is, in the cell of a table too."""
    return re.sub(r"([\\`*_{}\[\]<>()#+!|~&-])", r"\\\1", " ".join(text.split()))


def as_html(markdown: str) -> Markup:
    """Return the HTML of Markdown, with raw HTML shown as text.

    What can be wider than a screen scrolls in a box of its own, which the keyboard reaches: tables in a region that is
    named after the heading above it, and preformatted text.
    """
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = list(_reachable(parser.parse(markdown)))
    html = parser.renderer.render(tokens, parser.options, {})
    return Markup(html)  # noqa: S704 - made from Markdown, with HTML escaped


def _reachable(tokens: list[Token]) -> Iterator[Token]:
    heading = "Table"
    for before, token in zip([None, *tokens], tokens, strict=False):
        if before and before.type == "heading_open":
            heading = token.content
        if token.type in ("fence", "code_block"):
            token.attrSet("tabindex", "0")
        if token.type == "table_open":
            region = {"class": "scroll", "role": "region", "aria-label": heading, "tabindex": "0"}
            yield Token("region_open", "div", 1, attrs=dict(region), block=True)
        yield token
        if token.type == "table_close":
            yield Token("region_close", "div", -1, block=True)
