"""Rows by folder, manufacturer, view and year, each group called so that nobody is named.

Names of folders may be those of people. So a folder is called by six digits of its hash, unless names were asked for.
"""

from collections import Counter
from collections.abc import Sequence
from pathlib import PurePosixPath

import numpy as np
import pyarrow as pa

from sitegen.curation.entries import digest
from sitegen.curation.report.charts import Group, Values

MOST = 12
"""Groups that are shown; the smaller ones are taken together."""
UNKNOWN, REST = "not said", "others"
KINDS = ("folder", "manufacturer", "view", "year")


def grouped(table: pa.Table, kind: str, score: str, names: bool) -> list[Group]:
    """Return the values of a score by group, the largest groups first."""
    labels = _folders(table, names) if kind == "folder" else [_told(each) for each in table[kind].to_pylist()]
    values = table[score].to_numpy(zero_copy_only=False).astype(np.float64)
    counts = Counter(labels)
    shown = [name for name, _ in sorted(counts.items(), key=lambda each: (-each[1], each[0]))]
    if len(shown) > MOST:
        kept = set(shown[: MOST - 1])
        labels = [label if label in kept else REST for label in labels]
        counts, shown = Counter(labels), [*shown[: MOST - 1], REST]
    of = np.array(labels)
    return [Group(name, counts[name], _known(values[of == name])) for name in shown]


def _known(values: Values) -> Values:
    return np.asarray(values[np.isfinite(values)])


def _folders(table: pa.Table, names: bool) -> Sequence[str]:
    found = []
    for root, path in zip(table["root"].to_pylist(), table["path"].to_pylist(), strict=True):
        parent = PurePosixPath(path).parent.as_posix()
        found.append(f"{root}: {parent}" if names else f"folder {digest(f'{root}:{parent}')[:6]}")
    return found


def _told(value: object) -> str:
    return UNKNOWN if value is None else str(value)
