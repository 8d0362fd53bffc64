"""The study of robustness for people: an HTML file with a heat map and a table for each finding, and tables to print.

as_html(document)      one file that loads nothing; the same document gives the same bytes
as_tables(document)    for the terminal
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from rich.table import Table
from rich.text import Text

from sitegen import resources
from sitegen.evaluation.robustness.figure import heat_map

ROLES = {"internal": "The models' own data", "external": "Data that training never saw"}
_HERE = Path(__file__).parent
_STYLE = """
.matrices { grid-template-columns: minmax(0, 1fr); }
.matrices > div { overflow-x: auto; }
.matrices svg { min-width: 36rem; }
small { color: var(--quiet); }
"""


def as_html(document: Mapping[str, Any]) -> str:
    """Return the report of a document that `study.study` made, in UTF-8 with LF line ends.

    Every text of the document is escaped, and the page's policy allows no script.
    """
    environment = Environment(
        loader=FileSystemLoader(_HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["number"] = _number
    return environment.get_template("page.html.j2").render(
        document=document,
        roles=ROLES,
        style=Markup(_style()),  # noqa: S704  # our own files
        sections=[
            {"finding": finding, "figure": Markup(heat_map(document, finding, f"matrix-{at}"))}  # noqa: S704  # escaped
            for at, finding in enumerate(document["findings"])
        ],
    )


def as_tables(document: Mapping[str, Any]) -> Iterator[Table]:
    """Return a table for each finding and data set: AUC, and its deviation over halves."""
    for finding in document["findings"]:
        for role, part in document["data"].items():
            counts = finding[role]
            title = f"{finding['label']}, {part['name']}: {counts['positives']} of {counts['images']} images have it"
            table = Table("in training", title=Text(title), title_justify="left")
            for level in document["levels"]:
                table.add_column(level.replace(" / ", "\n"), no_wrap=True, justify="right")
            for model, cells in zip(document["models"], counts["cells"], strict=True):
                table.add_row(Text(model["name"]), *(_cell(cell) for cell in cells))
            yield table


def _cell(cell: Mapping[str, float | None] | None) -> str:
    return f"{_number(cell['auc'])} ±{_number(cell['half_split_deviation'])}" if cell else "–"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _style() -> str:
    shared = [resources.templates() / "style.css", _HERE.parent / "report" / "style.css"]
    return "".join(path.read_text("utf-8") for path in shared) + _STYLE
