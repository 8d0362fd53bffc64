"""The rows of CSV files, and what publishers write in their cells."""

import csv
import gzip
import io
import re
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path

from sitegen.errors import DataError

Row = dict[str, str]
DELIMITERS = ",;\t"
"""What may stand between cells; programs write semicolons where numbers have commas."""
_LONGEST_LINE, _LARGEST = 1 << 24, 1 << 30


def read_rows(path: Path, required: Iterable[str] = ()) -> list[Row]:
    """Return the rows of a CSV file in UTF-8, compressed where its name ends in .gz; cells are stripped of blanks.

    Cells that a row lacks are "", cells beyond the header are dropped. Raises DataError where the file cannot be read
    as such, has no header, or lacks a required column.
    """
    with _problems_named(path), _opened(path) as file:
        lines = _lines(path, file)
        columns, delimiter = _header(path, lines)
        missing = [name for name in required if name not in columns]
        if missing:
            raise DataError(f"{path} lacks the column(s) {', '.join(missing)}. Add them.")
        rows = csv.DictReader(lines, columns, delimiter=delimiter)
        return [{name: (row[name] or "").strip() for name in columns} for row in rows]


def columns_of(path: Path) -> list[str]:
    """Return the names in a CSV file's first line. Raises DataError where there are none, or it cannot be read."""
    with _problems_named(path), _opened(path) as file:
        return _header(path, _lines(path, file))[0]


def years(text: str) -> float | None:
    """Return an age in years: "58", "058Y" (also M, W, D, as DICOM has them), None for a blank.

    Raises ValueError for anything else.
    """
    if not text:
        return None
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([YMWD]?)", text.upper())
    if not found:
        raise ValueError(f"{text!r} is no age")
    return float(found[1]) / {"": 1, "Y": 1, "M": 12, "W": 52.1775, "D": 365.2425}[found[2]]


def sex(text: str) -> str:
    """Return "F" or "M" for these letters and the words that begin with them, "" for anything else."""
    return {"f": "F", "female": "F", "m": "M", "male": "M"}.get(text.lower(), "")


def in_row(path: Path, number: int, problem: object) -> DataError:
    """Return the error for the row of that index, the first after the header being 0."""
    return DataError(f"{path}, row {number + 1} after the header: {problem}. Correct it.")


@contextmanager
def _problems_named(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:  # a damaged .gz, too
        raise DataError(f"{path} cannot be read: {error.strerror or error}. Check the path.") from error
    except (UnicodeDecodeError, EOFError, zlib.error, csv.Error) as error:
        raise DataError(f"{path} is no CSV file in UTF-8: {error}. Save it as one.") from error


def _header(path: Path, lines: Iterator[str]) -> tuple[list[str], str]:
    """Return the names in the first line, and what stands between the cells of all: most often what does here."""
    first = next(lines, "")
    delimiter = max(DELIMITERS, key=re.sub('"[^"]*"', "", first).count)
    names = [name.strip() for name in next(csv.reader(chain([first], lines), delimiter=delimiter), [])]
    if not any(names):
        raise DataError(f"{path} is empty. Its first line should name the columns.")
    return names, delimiter


def _lines(path: Path, file: io.TextIOWrapper) -> Iterator[str]:
    """The lines of a table, of bounded length in all: a few kilobytes that are packed can become any number."""
    size = 0
    while line := file.readline(_LONGEST_LINE):
        size += len(line)
        if len(line) == _LONGEST_LINE or size > _LARGEST:
            raise DataError(
                f"{path} has more than {_LARGEST:,} characters, or {_LONGEST_LINE:,} in a line, and no table of images "
                "has so many. Cut it into parts."
            )
        yield line


def _opened(path: Path) -> io.TextIOWrapper:
    raw = gzip.GzipFile(path) if path.suffix == ".gz" else path.open("rb")
    return io.TextIOWrapper(raw, encoding="utf-8-sig", newline="")
