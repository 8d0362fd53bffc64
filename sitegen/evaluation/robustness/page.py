"""The study of robustness for people: an HTML file with a heat map and a table for each finding, and tables to print.

as_html(document)      one file that loads nothing; the same document gives the same bytes
as_tables(document)    for the terminal
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text

from sitegen.evaluation.report.page import NOTHING, drawn, number, render
from sitegen.evaluation.robustness.figure import heat_map

ROLES = {"internal": "The models' own data", "external": "Data that training never saw"}
_HERE = Path(__file__).parent


def as_html(document: Mapping[str, Any]) -> str:
    """Return the report of a document that `study.study` made, in UTF-8 with LF line ends.

    Every text of the document is escaped, and the page's policy allows no script.
    """
    return render(
        _HERE,
        document=document,
        roles=ROLES,
        sections=[
            {"finding": finding, "figure": drawn(heat_map(document, finding, f"matrix-{at}"))}
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
    return f"{number(cell['auc'])} ±{number(cell['half_split_deviation'])}" if cell else NOTHING
