"""Scores of images from their projections, as detectors beside those of gates: tables that `sitegen project` wrote.

Rows are told by names: that of an image is its path without ending, or the end of it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np

from sitegen.errors import DataError
from sitegen.evaluation.gate.detectors import Detector
from sitegen.evaluation.gate.scored import VALIDATION, Selected
from sitegen.evaluation.reconstructions.table import SCORES, numbers, read_table, unlike
from sitegen.gate.thresholds import SHARE, fit_thresholds
from sitegen.metrics.examples import Scores

_TURNED = "l2"  # a metric of gates that is like these once they are turned: more of it is more unlike


@dataclass(frozen=True)
class ProjectedScores:
    """What a table says of P images: turned scores [P] by column, NaN where it has no row; and which those are."""

    name: str
    scores: Mapping[str, Scores]
    problems: Mapping[int, str]


def read_projected(table: Path, paths: Sequence[Path]) -> ProjectedScores:
    """Return a table's scores of images, in their order; columns with an empty cell are left out.

    Raises DataError where the table has none of the images, or names one twice.
    """
    rows = read_table(table)
    places = _places(table, [row["image"] for row in rows])
    at = [_row_of(path, places) for path in paths]
    if all(place is None for place in at):
        raise DataError(
            f"{table} has none of the {len(paths)} images; its first is {rows[0]['image']!r}, and theirs is "
            f"{paths[0].name!r}. Project the same files, by the same names."
        )
    scores = {}
    for column in SCORES:
        cells = numbers(table, rows, column) if column in rows[0] else []
        if cells and None not in cells:
            values = unlike(column) * np.array([*cells, np.nan], np.float64)
            scores[column] = values[[len(cells) if place is None else place for place in at]]
    problems = {n: f"{paths[n]}: {table} has no projection of it" for n, place in enumerate(at) if place is None}
    return ProjectedScores(table.parent.name or table.stem, scores, problems)


def projected_detectors(found: ProjectedScores, which: Selected) -> tuple[list[Detector], str | None]:
    """Return a table's detectors, and a sentence where they have no thresholds: see `scored.detectors_of`."""
    detectors, problem = [], None
    for column, values in found.scores.items():
        detector = Detector(found.name, column, values[which.inside], values[which.outside])
        try:
            fitted = fit_thresholds({_TURNED: values[which.validation]}, which.sources, SHARE)
        except DataError as error:
            problem = f"{found.name} has scores without a threshold: {error}"
            detectors.append(detector)
        else:
            detectors.append(detector.with_threshold(fitted.values[_TURNED], VALIDATION))
    return detectors, problem


def _places(table: Path, names: Sequence[str]) -> dict[str, int]:
    places = {name: at for at, name in enumerate(names)}
    if len(places) < len(names):
        raise DataError(f"{table} names an image twice. Take one of its rows out.")
    return places


def _row_of(path: Path, places: Mapping[str, int]) -> int | None:
    """The row whose name is the longest end of a path, without its ending."""
    parts = PurePosixPath(path.with_suffix("").as_posix()).parts
    for first in range(len(parts)):
        if (place := places.get("/".join(parts[first:]))) is not None:
            return place
    return None
