"""Tables of distances as sets of images: what is compared with what."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sitegen.data.rows import Row
from sitegen.errors import DataError, SettingsError
from sitegen.evaluation.explanations.localisation.boxes import image_name, nih_patient
from sitegen.evaluation.reconstructions.table import SCORES, numbers, read_table, unlike

Values = NDArray[np.float64]


@dataclass(frozen=True)
class ImageSet:
    """The images of one table: whose they are, and their distances by column, NaN where there is none.

    Distances are turned so that a larger one is less alike: SSIM has its sign changed.
    """

    name: str
    patients: list[str]
    distances: dict[str, Values]


def read_set(path: Path, name: str) -> ImageSet:
    """Return the images of a table of distances.

    Whose an image is says a column `patient`, else its name where it is one of the NIH's; else it is a patient of its
    own. Raises DataError where there is no row or no
    distance, or a cell is no number.
    """
    rows = read_table(path)
    columns = [column for column in SCORES if column in rows[0]]
    found = {}
    for column in columns:
        values = numbers(path, rows, column)
        if any(value is not None for value in values):
            found[column] = unlike(column) * np.array([np.nan if value is None else value for value in values])
    if not found:
        raise DataError(f"{path} has no distances, of {', '.join(SCORES)}. Name a table that has.")
    return ImageSet(name, [_patient(path, row) for row in rows], found)


def _patient(path: Path, row: Row) -> str:
    return row.get("patient") or nih_patient(image_name(row["image"])) or f"{path}:{row['image']}"


def read_sets(baseline: Path, anomalies: Sequence[Path]) -> tuple[ImageSet, list[ImageSet]]:
    """Return the baseline and the sets of anomalies, called after their files, or, where those have one name, after
    their folders. Raises SettingsError where some of these have one name, too."""
    paths = [baseline, *anomalies]
    names, folders = [path.stem for path in paths], [path.resolve().parent.name for path in paths]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        if len(set(folders)) < len(folders):
            raise SettingsError(f"Several tables are called {twice[0]!r}, as their sets would be. Rename one.")
        names = folders
    first, *others = (read_set(path, name) for path, name in zip(paths, names, strict=True))
    return first, others


def common_distances(baseline: ImageSet, anomalies: Sequence[ImageSet], wanted: Sequence[str] | None) -> list[str]:
    """Return the distances to look at: those wanted, or all that the baseline and some anomalies have.

    Raises DataError where a wanted one is nowhere, or there is none.
    """
    there = [
        name for name in SCORES if name in baseline.distances and any(name in each.distances for each in anomalies)
    ]
    missing = [name for name in wanted or () if name not in there]
    if missing or not there:
        named = ", ".join(missing) or "any distance"
        raise DataError(f"The tables do not share {named}; they share {', '.join(there) or 'nothing'}. Measure them.")
    return [name for name in there if wanted is None or name in wanted]
