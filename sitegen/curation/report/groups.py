"""Rows by folder, manufacturer, view and year, each group called so that nobody is named.

Names of folders may be those of people. So a folder is called by six digits of its hash, unless names were asked for.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sitegen.curation.entries import digest
from sitegen.curation.report.charts import Group

MOST = 12
"""Groups that are shown; the smaller ones are taken together."""
UNKNOWN, REST = "not said", "others"
KINDS = ("folder", "manufacturer", "view", "year")


@dataclass(frozen=True)
class Division:
    """The groups of a table's rows, the largest first, and which of them each row is in, by number."""

    names: Sequence[str]
    of: NDArray[np.intp]

    def of_score(self, table: pa.Table, score: str) -> list[Group]:
        """Return the values of a score by group."""
        values = table[score].to_numpy(zero_copy_only=False).astype(np.float64)
        counts = np.bincount(self.of, minlength=len(self.names))
        known = np.isfinite(values)
        return [
            Group(name, int(counts[at]), np.asarray(values[known & (self.of == at)]))
            for at, name in enumerate(self.names)
        ]


def divided(table: pa.Table, kind: str, names: bool) -> Division:
    """Return the groups of a kind, one of KINDS."""
    labels = _folders(table, names) if kind == "folder" else [_told(each) for each in table[kind].to_pylist()]
    shown = [name for name, _ in sorted(Counter(labels).items(), key=lambda each: (-each[1], each[0]))]
    if len(shown) > MOST:
        shown = [*shown[: MOST - 1], REST]
    numbers = {name: at for at, name in enumerate(shown)}
    return Division(shown, np.array([numbers.get(label, len(shown) - 1) for label in labels], np.intp))


def _folders(table: pa.Table, names: bool) -> Sequence[str]:
    told: dict[str, str] = {}
    found = []
    for root, path in zip(table["root"].to_pylist(), table["path"].to_pylist(), strict=True):
        name = f"{root}: {path.rpartition('/')[0] or '.'}"
        if name not in told:
            told[name] = name if names else f"folder {digest(name)[:6]}"
        found.append(told[name])
    return found


def _told(value: object) -> str:
    return UNKNOWN if value is None else str(value)
