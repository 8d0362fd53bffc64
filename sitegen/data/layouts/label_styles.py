"""How the cells of a table say what is in an image. Each style reads the labels of all rows at once."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sitegen.data.records import Labels, any_of, one_of
from sitegen.data.rows import Row
from sitegen_runtime.bundle.relations import NO_FINDING

_NUMBERS: dict[str, float | None] = {
    **dict.fromkeys(("1", "1.0", "true", "yes"), 1.0),
    **dict.fromkeys(("0", "0.0", "false", "no"), 0.0),
    **dict.fromkeys(("", "-1", "-1.0"), None),
}
"""What cells of a column for a label say, in small letters."""


class UnclearCell(ValueError):
    """A cell that does not say what its style would have it say; `row` is its index."""

    def __init__(self, row: int, problem: str) -> None:
        super().__init__(problem)
        self.row = row


@dataclass(frozen=True)
class LabelColumns:
    """One column a label: 1, true, yes present; 0, false, no absent; blank, or CheXpert's -1 (uncertain), unknown."""

    names: Sequence[str]

    def read(self, rows: Sequence[Row]) -> list[Labels]:
        """Return the labels of every row. Raises UnclearCell for any other cell."""
        return _each(rows, lambda row: {name: self._value(name, row[name]) for name in self.names})

    @staticmethod
    def _value(name: str, cell: str) -> float | None:
        if cell.lower() not in _NUMBERS:
            raise ValueError(f"{name} is {cell!r}, and should be 1, 0 or blank")
        return _NUMBERS[cell.lower()]


@dataclass(frozen=True)
class Findings:
    """One column with the findings that are present, such as "Mass|Nodule"; those not named are absent.

    "No Finding" and "normal" name none. A blank cell makes all unknown. Without `names`, the labels are the findings
    that occur, sorted.
    """

    column: str
    delimiter: str = "|"
    names: Sequence[str] = ()

    def read(self, rows: Sequence[Row]) -> list[Labels]:
        """Return the labels of every row. Raises UnclearCell for a finding that is not one of `names`."""
        occurring = {name for row in rows for name in self._found(row)}
        names = self.names or sorted(occurring)
        return _each(rows, lambda row: self._labels(row, names))

    def _found(self, row: Row) -> list[str]:
        parts = (part.strip() for part in row[self.column].split(self.delimiter))
        return [part for part in parts if part and part.lower() not in NO_FINDING]

    def _labels(self, row: Row, names: Sequence[str]) -> Labels:
        if not row[self.column]:
            return dict.fromkeys(names)
        found = self._found(row)
        strange = [name for name in found if name not in names]
        if strange:
            raise ValueError(f"{strange[0]!r} is none of {', '.join(names)}")
        return any_of(found, names)


@dataclass(frozen=True)
class ClassColumn:
    """One column with the one class of an image. Without `names`, the labels are the classes that occur, sorted."""

    column: str
    names: Sequence[str] = ()

    def read(self, rows: Sequence[Row]) -> list[Labels]:
        """Return the labels of every row; a blank makes all unknown. Raises UnclearCell for a class not in `names`."""
        names = self.names or sorted({row[self.column] for row in rows} - {""})
        return _each(rows, lambda row: self._labels(row[self.column], names))

    @staticmethod
    def _labels(name: str, names: Sequence[str]) -> Labels:
        if not name:
            return dict.fromkeys(names)
        if name not in names:
            raise ValueError(f"{name!r} is none of {', '.join(names)}")
        return one_of(name, names)


@dataclass(frozen=True)
class OneHot:
    """One column with a digit for each of `names`, such as "[0 1 0 1]"; blanks, commas and brackets do not matter."""

    column: str
    names: Sequence[str]

    def read(self, rows: Sequence[Row]) -> list[Labels]:
        """Return the labels of every row; a blank makes all unknown. Raises UnclearCell for any other cell."""
        return _each(rows, lambda row: self._labels(row[self.column]))

    def _labels(self, cell: str) -> Labels:
        if not cell:
            return dict.fromkeys(self.names)
        digits = re.sub(r"[\s,;\[\]()]+", "", cell)
        if len(digits) != len(self.names) or set(digits) - set("01"):
            raise ValueError(f"{self.column} is {cell!r}, and should have {len(self.names)} digits, 0 or 1")
        return {name: float(digit) for name, digit in zip(self.names, digits, strict=True)}


LabelStyle = LabelColumns | Findings | ClassColumn | OneHot


def guess_style(rows: Sequence[Row], columns: Sequence[str], taken: Sequence[str]) -> LabelStyle | None:
    """Return how a table that nobody described seems to say its labels, or None.

    In this order: a column `label`, `class` or `category` (one class an image); `findings`, `labels` or `Finding
    Labels`, with "|" between them; all columns, other than those `taken`, that hold nothing but 1, 0, -1 (or true,
    false, yes, no) and blanks, and one that says that it is present.
    """
    by_name = {name.lower(): name for name in columns if name not in taken}
    for name in ("label", "class", "category"):
        if name in by_name:
            return ClassColumn(by_name[name])
    for name in ("findings", "labels", "finding labels"):
        if name in by_name:
            return Findings(by_name[name])
    cells = {name: {row[name].lower() for row in rows} for name in by_name.values()}
    present = {cell for cell, value in _NUMBERS.items() if value == 1.0}
    numbered = [name for name, seen in cells.items() if name and seen <= _NUMBERS.keys() and seen & present]
    return LabelColumns(numbered) if numbered else None


def _each(rows: Sequence[Row], labels: Callable[[Row], Labels]) -> list[Labels]:
    read = []
    for number, row in enumerate(rows):
        try:
            read.append(labels(row))
        except ValueError as problem:
            raise UnclearCell(number, str(problem)) from problem
    return read
