"""The tables of the documentation are those of the code, and each stands somewhere."""

import re
from pathlib import Path

import pytest

from sitegen.calibration.fit import FITS
from sitegen.listing import TABLES, with_tables
from sitegen_runtime.attacks.table import ATTACKS
from sitegen_runtime.calibration import CALIBRATIONS
from sitegen_runtime.gate.metrics import METRICS
from sitegen_runtime.maps.methods import METHODS
from sitegen_runtime.pixels.corrections import CORRECTIONS

DOCS = Path(__file__).parents[2] / "docs"
MARK = re.compile(f"<!-- ({'|'.join(TABLES)}): begin -->")
PAGES = {path.name: path.read_text("utf-8") for path in sorted(DOCS.glob("*.md"))}
WITH_TABLES = [name for name, page in PAGES.items() if MARK.search(page)]


@pytest.mark.parametrize("name", WITH_TABLES)
def test_the_documentation_has_the_tables_of_the_code(name: str) -> None:
    assert with_tables(PAGES[name]) == PAGES[name], f"run: python -m sitegen.listing docs/{name}"


def test_every_table_stands_somewhere() -> None:
    assert sorted(mark for page in PAGES.values() for mark in MARK.findall(page)) == sorted(TABLES)


@pytest.mark.parametrize(
    ("table", "names"),
    [
        ("metrics", METRICS),
        ("needs", METRICS.keys() - {"ssim"}),
        ("calibrations", CALIBRATIONS),
        ("fits", FITS),
        ("methods", METHODS),
        ("corrections", CORRECTIONS),
        ("attacks", ATTACKS),
    ],
)
def test_a_table_has_a_row_for_each_name_with_words_in_every_cell(table: str, names: set[str]) -> None:
    head, line, *rows = TABLES[table]().splitlines()
    cells = [re.split(r"(?<!\\)\|", row)[1:-1] for row in (head, line, *rows)]
    assert {len(row) for row in cells} == {len(cells[0])}
    assert all(cell.strip() for row in cells for cell in row)
    listed = [name.strip(' "`') for row in cells[2:] for name in row[0].split(",")]
    assert sorted(listed) == sorted(names)


def test_a_page_without_marks_stays_as_it_is() -> None:
    assert with_tables("# Gradients\n") == "# Gradients\n"


def test_text_around_the_marks_stays() -> None:
    page = "before\n\n<!-- corrections: begin -->\nold\n<!-- corrections: end -->\n\nafter | as it was\n"
    made = with_tables(page)
    assert made.startswith("before\n\n<!-- corrections: begin -->\n| `correction` | the image is |\n|---|---|\n")
    assert made.endswith("| `invert` | inverted |\n<!-- corrections: end -->\n\nafter | as it was\n")


def test_every_calibration_can_be_fitted() -> None:
    assert list(FITS) == list(CALIBRATIONS)
