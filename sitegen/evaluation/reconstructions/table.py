"""The table of distances: a CSV file with a row for each image. An empty cell is a number that does not exist."""

import csv
from collections.abc import Iterable, Sequence
from math import isfinite
from pathlib import Path

from sitegen.data.rows import Row as TextRow
from sitegen.data.rows import in_row, read_rows
from sitegen.errors import DataError
from sitegen.evaluation.reconstructions.measured import DISTANCES, Row

PLACE = ("seen_left", "seen_top", "seen_width", "seen_height")
"""The part of the picture that was measured, in shares of its width and height."""

SCORES = (*DISTANCES, *(f"body_{name}" for name in DISTANCES), *(f"patch_{name}" for name in DISTANCES))
"""The columns with distances. The larger, the less alike, except for SSIM: see `unlike`."""

COLUMNS = (
    *("image", "width", "height", "bits", *DISTANCES, "body_pixels"),
    *(f"body_{name}" for name in DISTANCES),
    "patch",
    *(f"patch_{name}{suffix}" for name in DISTANCES for suffix in ("", "_x", "_y")),
    *PLACE,
    "note",
)


def unlike(column: str) -> int:
    """Return the sign that makes a distance larger the less alike two images are: -1 for SSIM, else 1."""
    return -1 if column.split("_")[-1] == "ssim" else 1


def write_rows(path: Path, rows: Iterable[Row]) -> None:
    """Write rows as they come, each on the disk before the next is asked for.

    Raises DataError where the file cannot be written.
    """
    try:
        file = path.open("w", encoding="utf-8", newline="")
    except OSError as error:
        raise DataError(f"{path} cannot be written: {error.strerror}. Name a file in a folder that exists.") from error
    with file:
        writer = csv.DictWriter(file, COLUMNS, restval="", lineterminator="\n")
        writer.writeheader()
        for row in rows:
            writer.writerow({name: "" if value is None else value for name, value in row.items()})
            file.flush()


def read_table(path: Path) -> list[TextRow]:
    """Return the rows of a table of distances as text. Raises DataError where it has none."""
    rows = read_rows(path, ("image",))
    if not rows:
        raise DataError(f"{path} has no rows. Name a table that `sitegen evaluate reconstructions` wrote.")
    return rows


def turned_scores(path: Path) -> tuple[list[str], dict[str, list[float]]]:
    """Return the images of a table and, by column, their distances, turned so that more is more unlike.

    Columns that are not there, or have an empty cell, are left out. Raises DataError as `read_table` and `numbers` do.
    """
    rows = read_table(path)
    columns = {column: numbers(path, rows, column) for column in SCORES if column in rows[0]}
    turned = {
        column: [unlike(column) * value for value in values if value is not None] for column, values in columns.items()
    }
    return [row["image"] for row in rows], {name: each for name, each in turned.items() if len(each) == len(rows)}


def numbers(path: Path, rows: Sequence[TextRow], column: str) -> list[float | None]:
    """Return a column's numbers, None for an empty cell.

    Raises DataError where there is no such column, or a cell is no finite number: it names file, row and value.
    """
    if column not in rows[0]:
        raise DataError(f"{path} has no column {column!r}; it has {', '.join(rows[0])}. Name one of these.")
    return [_number(path, at, column, row[column]) for at, row in enumerate(rows)]


def _number(path: Path, at: int, column: str, text: str) -> float | None:
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not isfinite(value):
        raise in_row(path, at, f"{column} is {text!r}, which is no finite number; leave it empty if there is none")
    return value
