"""Reports as pages: the one environment of their templates, their style, and how a figure is written.

    render(folder, styles=(WIDE,), document=document)      the folder's `page.html.j2`, filled in

A report loads nothing and runs no script; every text in it is escaped. It wears the style of the sites that sitegen
builds, then that of all reports, then what the page adds: one of this room's further styles, or a `page.css` of its
own. Templates have the filters `number`, `interval`, `stacked` and `percent`.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from sitegen import resources

Part = Mapping[str, Any]
NOTHING = "–"
WIDE = "wide.css"
"""The style of reports with wide tables, figures beside each other and galleries."""

_HERE = Path(__file__).parent


def render(
    folder: Path, filters: Mapping[str, Callable[..., Any]] | None = None, styles: tuple[str, ...] = (), **values: Any
) -> str:
    """Return the page `page.html.j2` of a folder, filled in with `values`, in UTF-8 with LF line ends.

    `filters` are the page's own, beside those of all reports; `styles` are files of this room. The same values give the
    same bytes. Raises jinja2's UndefinedError where the template names what is not there.
    """
    environment = Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"number": number, "interval": interval, "stacked": stacked, "percent": percent}
    environment.filters |= filters or {}
    return environment.get_template("page.html.j2").render(style=_style(folder, styles), **values)


def drawn(svg: str) -> Markup:
    """Return a figure of `report.drawing`, or of another room's own making, as a template takes it: not escaped."""
    return Markup(svg)  # noqa: S704  # Matplotlib escaped its texts, and the figures' makers their own


def number(value: float | None, digits: int = 3) -> str:
    """Return a figure as people read it, a dash where it could not be measured."""
    return NOTHING if value is None else f"{value:.{digits}f}"


def interval(value: Part | None) -> str:
    """Return a figure with the ends of its interval, in one line."""
    return NOTHING if value is None else f"{value['value']:.3f} ({value['low']:.3f} to {value['high']:.3f})"


def stacked(value: Part | None) -> str | Markup:
    """Return the same for the narrow cells of a table: the interval under the figure."""
    if value is None:
        return NOTHING
    return Markup('{:.3f} <span class="range">{:.3f} to {:.3f}</span>').format(
        value["value"], value["low"], value["high"]
    )


def percent(value: float | None) -> str:
    """Return a share in per cent."""
    return NOTHING if value is None else f"{100 * value:.1f} %"


def _style(folder: Path, styles: tuple[str, ...]) -> Markup:
    shared = [resources.templates() / "style.css", _HERE / "style.css", *(_HERE / name for name in styles)]
    own = [path for path in (folder / "page.css",) if path.is_file()]
    return Markup("".join(path.read_text("utf-8") for path in [*shared, *own]))  # noqa: S704  # our own files
