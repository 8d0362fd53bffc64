"""Scores of images from their projections, as detectors beside those of gates: tables as `sitegen project` writes them.

Rows are told by names: that of an image is its path without ending, or the end of it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np

from sitegen.errors import DataError
from sitegen.evaluation.gate.detectors import Detector
from sitegen.evaluation.gate.scored import VALIDATION, Selected
from sitegen.gate.thresholds import SHARE, fit_thresholds
from sitegen.metrics.examples import Scores

_TURNED = "l2"  # a metric of gates that is like these once they are turned: more of it is more unlike


@dataclass(frozen=True)
class ProjectedTable:
    """A table of distances: its file, the names of its images, and turned scores of them by column."""

    file: Path
    images: Sequence[str]
    scores: Mapping[str, Sequence[float]]


@dataclass(frozen=True)
class ProjectedScores:
    """What a table says of P images: turned scores [P] by column, NaN where it has no row; and which those are."""

    name: str
    scores: Mapping[str, Scores]
    problems: Mapping[int, str]


def scores_of(table: ProjectedTable, paths: Sequence[Path]) -> ProjectedScores:
    """Return a table's scores of images, in their order.

    Raises DataError where the table has none of the images, or names one twice.
    """
    places = {name: at for at, name in enumerate(table.images)}
    if len(places) < len(table.images):
        raise DataError(f"{table.file} names an image twice. Take one of its rows out.")
    at = [_row_of(path, places) for path in paths]
    if all(place is None for place in at):
        raise DataError(
            f"{table.file} has none of the {len(paths)} images; its first is {table.images[0]!r}, and theirs is "
            f"{paths[0].name!r}. Project the same files, by the same names."
        )
    rows = [len(places) if place is None else place for place in at]
    scores = {column: np.array([*values, np.nan], np.float64)[rows] for column, values in table.scores.items()}
    problems = {n: f"{paths[n]}: {table.file} has no row of it" for n, place in enumerate(at) if place is None}
    return ProjectedScores(table.file.parent.name or table.file.stem, scores, problems)


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


def _row_of(path: Path, places: Mapping[str, int]) -> int | None:
    """The row whose name is the longest end of a path, without its ending."""
    parts = PurePosixPath(path.with_suffix("").as_posix()).parts
    for first in range(len(parts)):
        if (place := places.get("/".join(parts[first:]))) is not None:
            return place
    return None
