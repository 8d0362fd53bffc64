"""Tests of columns of two tables: does the mean of the first differ, and how often would such a test find it?

Several columns are a family, whose p-values are corrected by Holm's method.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sitegen.data.rows import read_rows
from sitegen.errors import DataError
from sitegen.evaluation.anomaly.document_types import DifferenceDocument, DifferencesDocument
from sitegen.evaluation.reconstructions.table import numbers
from sitegen.metrics.mean_difference import Power, mean_test, power
from sitegen.metrics.permutation import holm

SCHEMA = "sitegen.permutation/1"


@dataclass(frozen=True)
class Question:
    """Which tables and columns are compared, and how. `simulations` 0 leaves power out.

    `columns` are pairs: of the first table, and of the second.
    """

    first: Path
    second: Path
    columns: Sequence[tuple[str, str]]
    alternative: str = "two-sided"
    permutations: int = 100_000
    alpha: float = 0.05
    simulations: int = 1000
    power_permutations: int = 1000
    seed: int = 0


def differences(asked: Question) -> DifferencesDocument:
    """Return the tests of all columns. Raises DataError where a table has no rows or column, a cell is no number, or
    a group has fewer than two."""
    tables = [(path, _rows(path)) for path in (asked.first, asked.second)]
    tested: list[DifferenceDocument] = []
    for columns in asked.columns:
        groups = [_group(path, rows, column) for (path, rows), column in zip(tables, columns, strict=True)]
        found = mean_test(groups[0], groups[1], asked.alternative, asked.permutations, asked.seed)
        powered = _power(asked, groups)
        tested.append(
            {
                "first": columns[0],
                "second": columns[1],
                "sizes": [len(group) for group in groups],
                "means": [sum(group) / len(group) for group in groups],
                "difference": found.difference,
                "p": found.p,
                "holm": found.p,
                "permutations": found.permutations,
                "exact": found.exact,
                "power": {"value": powered.share, "low": powered.low, "high": powered.high} if powered else None,
                "note": "all values are the same" if len({*groups[0], *groups[1]}) == 1 else "",
            }
        )
    for each, corrected in zip(tested, holm([each["p"] for each in tested]), strict=True):
        each["holm"] = corrected
    return {
        "schema": SCHEMA,
        "first": asked.first.name,
        "second": asked.second.name,
        "alternative": asked.alternative,
        "alpha": asked.alpha,
        "simulations": asked.simulations,
        "seed": asked.seed,
        "tests": tested,
    }


def _rows(path: Path) -> list[dict[str, str]]:
    rows = read_rows(path)
    if not rows:
        raise DataError(f"{path} has no rows. Name a table with a column of numbers.")
    return rows


def _group(path: Path, rows: list[dict[str, str]], column: str) -> list[float]:
    group = [value for value in numbers(path, rows, column) if value is not None]
    if len(group) < 2:
        told = f"the one value {group[0]:g}" if group else "no value"
        raise DataError(f"{path} has {told} of {column}, and a test needs two or more. Measure more images.")
    return group


def _power(asked: Question, groups: list[list[float]]) -> Power | None:
    if not asked.simulations:
        return None
    how = (asked.alternative, asked.alpha, asked.simulations, asked.power_permutations, asked.seed)
    return power(groups[0], groups[1], *how)
