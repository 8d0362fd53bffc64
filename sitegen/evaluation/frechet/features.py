"""Features of all images of a folder, each computed once; or of a table that another program wrote."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sitegen import parallel
from sitegen.data.rows import read_rows
from sitegen.errors import DataError
from sitegen.evaluation.frechet.preparation import FeatureSource
from sitegen.evaluation.reconstructions.planes import images_by_name
from sitegen.evaluation.reconstructions.table import numbers

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Features:
    """Features [N, D] of the images that could be read, the values of classes [N, K] or None, and what was left out."""

    values: Values
    classes: Values | None
    problems: Sequence[tuple[str, str]] = ()


def of_folder(folder: Path, network: FeatureSource, cache: Path | None, workers: int | None = None) -> Features:
    """Return the features of a folder's images. `cache` keeps each image's, by its content and the network's.

    Raises DataError where no image can be used.
    """
    paths = images_by_name(folder)
    if cache:
        cache.mkdir(parents=True, exist_ok=True)
    answers = parallel.each(partial(_answer, network, network.key, cache), list(paths.values()), workers)
    good = [answer for answer in answers if not isinstance(answer, str)]
    problems = [(name, answer) for name, answer in zip(paths, answers, strict=True) if isinstance(answer, str)]
    if not good:
        raise DataError(f"None of the {len(paths)} images of {folder} can be used. The first: {problems[0][1]}")
    classes = np.stack([each[1] for each in good if each[1] is not None]) if network.classes else None
    return Features(np.stack([each[0] for each in good]), classes, problems)


def of_table(path: Path) -> Features:
    """Return features that are given: a NumPy file [N, D], or a CSV file with a column for each feature.

    Columns `image` and `file` are names. Raises DataError where it is neither, or has what is no finite number.
    """
    if path.suffix == ".csv":
        rows = read_rows(path)
        names = [name for name in rows[0] if name not in ("image", "file")] if rows else []
        columns = [[np.nan if each is None else each for each in numbers(path, rows, name)] for name in names]
        values = np.array(columns, np.float64).T
    else:
        try:
            values = np.asarray(np.load(path, allow_pickle=False), np.float64)
        except (OSError, ValueError) as error:
            raise DataError(f"{path} is no folder, CSV or NumPy file of features: {error}. Name one.") from error
    if values.ndim != 2 or not values.size or not np.isfinite(values).all():
        raise DataError(f"{path} must have finite numbers [images, features], not {values.shape}. Correct it.")
    return Features(values, None)


def _answer(network: FeatureSource, key: str, cache: Path | None, path: Path) -> tuple[Values, Values | None] | str:
    place = cache / f"{sha256(key.encode() + path.read_bytes()).hexdigest()}.npz" if cache else None
    if place and place.exists():
        with np.load(place) as kept:
            return kept["features"], kept.get("classes", None)
    try:
        features, classes = network(path)
    except DataError as problem:
        return str(problem)
    if place:
        partial_place = place.with_name(f".{place.name}")
        if classes is None:
            np.savez(partial_place, features=features)
        else:
            np.savez(partial_place, features=features, classes=classes)
        partial_place.replace(place)  # an interrupted run leaves no half file
    return features, classes
