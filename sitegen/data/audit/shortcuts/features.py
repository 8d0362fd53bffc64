"""From measures to what a small model learns from: a matrix for each family, made without a look at any label."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sitegen.data.audit.shortcuts.measures import (
    BOOSTED,
    IMAGE_FAMILIES,
    MEASURES,
    PATIENTS_IMAGES,
    SURROUNDINGS,
    TOGETHER,
    categories,
    images_of_patients,
)
from sitegen.data.audit.shortcuts.thumbnails import Thumbnails, components, covered
from sitegen.data.records import Record

Matrix = NDArray[np.float64]

FARTHEST = 4.0
"""Standard deviations: what is farther off counts as that far, so that one odd image does not decide a fit."""
RAREST = 5
"""Images of a category; rarer ones are taken together."""
WHOLE = "whole image"


@dataclass(frozen=True)
class Table:
    """What was measured: float64 [N, measures], thumbnails [N, 32, 32]; `names` are the data's own of labels."""

    records: Sequence[Record]
    values: Matrix
    thumbnails: Thumbnails
    names: Sequence[str] = ()

    def of(self, members: NDArray[np.int64]) -> "Table":
        """Return the table of some of the images."""
        records = [self.records[index] for index in members]
        return Table(records, self.values[members], self.thumbnails[members], self.names)


def features(table: Table) -> dict[str, Matrix]:
    """Return for each family, and the thumbnails, float64 [N, K]; K is 0 where nothing in it differs."""
    names = list(MEASURES)
    plain: dict[str, list[Matrix]] = {family: [] for family in IMAGE_FAMILIES}
    for column, name in enumerate(names):
        plain[MEASURES[name].family].append(standardised(table.values[:, column]))
    for family, values in categories(table.records, table.names).values():
        plain.setdefault(family, []).append(one_hot(values))
    plain[PATIENTS_IMAGES] = [standardised(np.array(images_of_patients(table.records)))]
    found = {family: np.hstack(parts) for family, parts in plain.items()}
    together = np.hstack(list(found.values()))
    pictures = {WHOLE: components(table.thumbnails), SURROUNDINGS: components(covered(table.thumbnails))}
    return found | {TOGETHER: together, BOOSTED: together} | pictures


def of_the_image(found: dict[str, Matrix]) -> Matrix:
    """Return what is measured of the image alone, without what its record says."""
    return np.hstack([found[family] for family in IMAGE_FAMILIES])


def standardised(values: Matrix) -> Matrix:
    """Return a measure [N] as [N, 2]: standardised, and its square, so that both ends can be told from the middle.

    Without columns where the measure is the same for all.
    """
    spread = float(values.std()) if len(values) else 0.0
    if spread <= 1e-9 * max(1.0, float(np.abs(values).max(initial=0))):
        return np.empty((len(values), 0))
    scaled = np.clip((values - values.mean()) / spread, -FARTHEST, FARTHEST)
    squares = scaled**2
    return np.stack([scaled, (squares - squares.mean()) / (squares.std() or 1.0)], axis=1)


def one_hot(values: Sequence[str]) -> Matrix:
    """Return a column for each category but those with fewer images than `RAREST`; none where only one is left."""
    counts = Counter(values)
    common = [name for name, count in sorted(counts.items()) if count >= RAREST]
    if len(common) == len(counts):
        common = common[1:]  # the first is what has none of the others
    return np.array([[float(value == name) for name in common] for value in values]).reshape(len(values), len(common))
