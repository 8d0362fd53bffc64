"""What the page's own script counts with: a few columns of numbers, packed, and nothing that names an image.

Up to `ROWS` rows are all there, and its counts are exact. Of more, as many are drawn by the hashes of their files, the
same ones each time, and its counts are estimates, which the page says.
"""

from base64 import b64encode
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from sitegen.curation.columns import DISTANCE_COLUMNS

ROWS = 50_000
_LIMIT = 24  # columns with a slider


@dataclass(frozen=True)
class Slider:
    """A column to set a threshold on: its name, its range, and its values as little-endian float64 in base64."""

    name: str
    low: float
    high: float
    values: str


def drawn(table: pa.Table, rows: int = ROWS) -> pa.Table:
    """Return the rows that the script counts: all, or those with the lowest ids, which are hashes."""
    if len(table) <= rows:
        return table
    ids = np.array(table["id"].to_pylist())
    return table.take(pa.array(np.sort(np.argsort(ids, kind="stable")[:rows])))


def sliders(table: pa.Table) -> list[Slider]:
    """Return the columns of scores and distances that have two values or more; NaN stands for none."""
    names = [name for name in table.column_names if name.startswith("gate_")]
    names += DISTANCE_COLUMNS
    found = []
    for name in (name for name in names if name in table.column_names):
        values = table[name].to_numpy(zero_copy_only=False).astype("<f8")
        known = values[np.isfinite(values)]
        if len(known) and known.min() < known.max():
            found.append(Slider(name, float(known.min()), float(known.max()), _packed(values.tobytes())))
    return found[:_LIMIT]


def flags(table: pa.Table) -> list[tuple[str, str, str]]:
    """Return what can be asked of a row: a name, words, and a byte for each row, 1 where it is dropped for that."""
    found = []
    for name, words, mask in _asked(table):
        found.append((name, words, _packed(np.asarray(mask, np.uint8).tobytes())))
    return found


def _asked(table: pa.Table) -> list[tuple[str, str, np.ndarray]]:
    def missing(name: str) -> np.ndarray:
        return np.asarray(table[name].is_null().to_numpy())

    def said_no(name: str) -> np.ndarray:
        return np.array([value is False for value in table[name].to_pylist()])

    asked = [("error is there", "files with an error", ~missing("error"))]
    if "accepted" in table.column_names:
        asked.append(("accepted == false", "images that the gate refuses", said_no("accepted")))
        asked.append(
            ("tags_fit == false", "images whose header says that they are of another kind", said_no("tags_fit"))
        )
    asked.append(("copy_of is there", "copies of images that come before", ~missing("copy_of")))
    asked.append(
        ("burned_in == true", "images whose header says that writing is part of them", _yes(table, "burned_in"))
    )
    return asked


def _yes(table: pa.Table, name: str) -> np.ndarray:
    return np.array([value is True for value in table[name].to_pylist()])


def _packed(data: bytes) -> str:
    return b64encode(data).decode()
