"""How results draw themselves in a notebook: HTML without scripts, styled in place, every text escaped.

Text has the notebook's own colour, and what is drawn beside it is seen on light and on dark; widths follow the cell's.
No image is drawn but by an explanation, because notebooks keep what they show.
"""

import base64
import io
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from PIL import Image

from sitegen_runtime.document_types import BundleDocument
from sitegen_runtime.maps.heat_map import LEVELS, legend
from sitegen_runtime.wording.explanations import LEGEND, NOT_FOR_DIAGNOSIS

WIDEST = 512  # pixels of a drawn image: a notebook is no archive
_EDGES = {"findings": "#5a7fa8", "refused": "#b7791f", "failed": "#d53f3f"}  # all 3:1 and more on white and on black
_BAR = "#4c86c6"
_ROW = "display:flex;flex-wrap:wrap;align-items:center;gap:.1rem .8rem;margin:.3rem 0"
_MUTED = "opacity:.8;font-size:.9em"


def result_html(name: str, words: Mapping[str, Any], sentences: Iterable[str], bundle: BundleDocument) -> str:
    """Return a result as HTML: `words` are what `describe` says of its document, `sentences` stand below them."""
    findings = [_finding(finding) for finding in words["findings"]]
    outcome = "refused" if words["badge"] else words["outcome"]
    return _framed(outcome, words["headline"], name, [*findings, *map(_sentence, sentences)], bundle)


def explanation_html(
    picture: Image.Image, name: str, words: Mapping[str, Any], sentences: Iterable[str], bundle: BundleDocument
) -> str:
    """Return a map over its image as HTML, with its scale of colours: `words` are what `describe_map` says of it."""
    picture.thumbnail((WIDEST, WIDEST))
    file = io.BytesIO()
    picture.save(file, "PNG")
    data = base64.b64encode(file.getvalue()).decode("ascii")
    drawn = (
        f'<img src="data:image/png;base64,{data}" alt="{escape(words["alternative"])}" '
        'style="display:block;max-width:100%;height:auto;margin:.4rem 0">'
    )
    outcome = "refused" if words["badge"] else "findings"
    return _framed(outcome, words["title"], name, [drawn, _scale(), *map(_sentence, sentences)], bundle)


def numbers_html(title: str, name: str, rows: Sequence[tuple[str, str]], bundle: BundleDocument) -> str:
    """Return names and numbers as HTML, a row each."""
    return _framed("findings", title, name, [_numbers(*row) for row in rows], bundle)


def _framed(outcome: str, headline: str, name: str, parts: Iterable[str], bundle: BundleDocument) -> str:
    named = f' <span style="{_MUTED}">{escape(name)}</span>' if name else ""
    made = f"{NOT_FOR_DIAGNOSIS} {bundle['name']} {bundle['version']}"
    return (
        f'<div style="max-width:44rem;padding:.1rem 0 .1rem .8rem;border-left:.25rem solid {_EDGES[outcome]};'
        f'line-height:1.45;overflow-wrap:anywhere"><div><strong>{escape(headline)}</strong>{named}</div>'
        f'{"".join(parts)}<div style="{_MUTED}">{escape(made)}</div></div>'
    )


def _finding(words: Mapping[str, Any]) -> str:
    """A label, the bar with the mark of its operating point, and the same in words."""
    weight = "bold" if words["above"] else "normal"
    track = "flex:1 1 8rem;position:relative;height:.7rem;background:rgba(128,128,128,.3);border-radius:.2rem"
    filled = f"position:absolute;left:0;top:0;bottom:0;width:{100 * words['share']:.1f}%;background:{_BAR};"
    mark = f"position:absolute;left:{100 * words['mark']:.1f}%;top:-.15rem;bottom:-.15rem;width:2px;"
    weak = f"<br>{escape(words['weak'])}" if words["weak"] else ""
    return (
        f'<div style="{_ROW}"><span style="flex:1 1 8rem;font-weight:{weight}">{escape(words["label"])}</span>'
        f'<span aria-hidden="true" style="{track}"><span style="{filled}border-radius:.2rem"></span>'
        f'<span style="{mark}background:currentColor"></span></span>'
        f'<span style="flex:1 1 16rem" title="{escape(words["meaning"])}">'
        f"{escape(words['percent'])}, {escape(words['verdict'])}{weak}</span></div>"
    )


def _numbers(name: str, number: str) -> str:
    return (
        f'<div style="{_ROW}"><span style="flex:1 1 10rem">{escape(name)}</span>'
        f'<span style="flex:3 1 16rem">{escape(number)}</span></div>'
    )


def _scale() -> str:
    """The colours from weak to strong over the grey of a radiograph, between their words."""
    pixels = legend()
    stops = [pixels[4 * level : 4 * level + 4] for level in range(0, LEVELS, 15)]
    colours = ", ".join(f"rgba({red},{green},{blue},{alpha / 255:.2f})" for red, green, blue, alpha in stops)
    bar = f"flex:0 1 12rem;min-width:2rem;height:.9rem;background:linear-gradient(90deg,{colours}),#808080"
    least, most = (escape(LEGEND[end]) for end in ("least", "most"))
    drawn = f'<span>{least}</span><span aria-hidden="true" style="{bar}"></span><span>{most}</span>'
    return f'<div style="{_ROW};flex-wrap:nowrap;white-space:nowrap">{drawn}</div>'


def _sentence(text: str) -> str:
    return f'<div style="margin:.2rem 0">{escape(text)}</div>'
