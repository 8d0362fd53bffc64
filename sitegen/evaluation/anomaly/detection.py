"""How well distances tell anomalies from the baseline: AUROC, by a true bootstrap, and by subsampling as published.

The bootstrap draws as many patients of each set as it has, with replacement; its percentiles are an interval. What
Woodland et al. (arXiv 2307.10193, its scripts) call bootstrap draws as many images of each side as the smaller side
has, without replacement: where both have as many, each draw is the same, and the deviation is 0 whatever the images.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sitegen.evaluation.anomaly.document_types import (
    AnomalyDocument,
    ComparedDocument,
    DetectedDocument,
    MeanDocument,
    SubsampledDocument,
)
from sitegen.evaluation.anomaly.sets import ImageSet, common_distances, read_sets
from sitegen.evaluation.gate.resampling import draws_by_patient, interval_of, mean_interval
from sitegen.metrics.document_types import IntervalDocument
from sitegen.metrics.permutation import exchange_test, holm
from sitegen.metrics.roc import auc_of_draws

SUBSAMPLES = 50
SCHEMA = "sitegen.anomaly/1"
Values = NDArray[np.float64]


@dataclass(frozen=True)
class Detection:
    """What is compared: the tables, which distances (None all), one to test the others against, and how often chance is
    asked."""

    baseline: Path
    anomalies: Sequence[Path]
    distances: Sequence[str] | None = None
    against: str | None = None
    resamples: int = 1000
    subsamples: int = SUBSAMPLES
    permutations: int = 10_000
    seed: int = 0


@dataclass
class Detected:
    """The document, and the AUROC of every draw, by set and distance in one name."""

    document: AnomalyDocument
    bootstrap: dict[str, Values] = field(default_factory=dict)
    subsampled: dict[str, Values] = field(default_factory=dict)


def detect(asked: Detection) -> Detected:
    """Return the figures of all sets and distances. Raises DataError as `sets` does."""
    baseline, anomalies = read_sets(asked.baseline, asked.anomalies)
    names = common_distances(baseline, anomalies, asked.distances)
    found = Detected(_empty(asked, baseline, anomalies))
    document = found.document
    for distance in names:
        parts = []
        for anomaly in anomalies:
            document["detected"].append(_one(found, baseline, anomaly, distance, asked))
            if f"{anomaly.name} {distance}" in found.bootstrap:
                parts.append(found.bootstrap[f"{anomaly.name} {distance}"])
        if mean := mean_interval(parts):
            document["means"].append(_mean(distance, parts, mean))
    if asked.against:
        common_distances(baseline, anomalies, [asked.against])
        document["compared"] = _compared(baseline, anomalies, names, asked)
    document["notes"] = [
        f"{each['anomaly']}, {each['distance']}: {each['note']}" for each in document["detected"] if each["note"]
    ]
    return found


def _one(found: Detected, baseline: ImageSet, anomaly: ImageSet, distance: str, asked: Detection) -> DetectedDocument:
    key = f"{anomaly.name} {distance}"
    sides = [_known(each, distance) for each in (baseline, anomaly)]
    sizes = [len(values) for values, _ in sides]
    document: DetectedDocument = {
        "anomaly": anomaly.name,
        "distance": distance,
        "baseline_images": sizes[0],
        "anomaly_images": sizes[1],
        "auroc": None,
        "bootstrap_mean": None,
        "bootstrap_deviation": None,
        "subsampled": None,
        "note": "",
    }
    for side, size in zip((baseline, anomaly), sizes, strict=True):
        if size < 2:
            document["note"] = f"{side.name} has {size} image(s) with this distance, and two are needed"
            return document
    scores = np.concatenate([values for values, _ in sides])
    if (scores == scores[0]).all():
        document["note"] = f"every distance is {scores[0]:g}, so that it tells nothing"
    targets = np.arange(len(scores)) >= sizes[0]
    members = ["baseline"] * sizes[0] + ["anomaly"] * sizes[1]
    draws = draws_by_patient([*sides[0][1], *sides[1][1]], members, asked.resamples, asked.seed)
    areas = found.bootstrap[key] = auc_of_draws(scores, targets, draws)
    document["auroc"] = interval_of(areas)
    document["bootstrap_mean"] = float(areas[1:].mean())
    document["bootstrap_deviation"] = float(areas[1:].std(ddof=1))
    halves = found.subsampled[key] = auc_of_draws(scores, targets, subsamples(targets, asked.subsamples, asked.seed))
    document["subsampled"] = _subsampled(halves, min(sizes))
    if sizes[0] == sizes[1]:
        document["note"] = "both sides have as many images, so that all subsamples are the same and deviate by 0"
    return document


def _known(given: ImageSet, distance: str) -> tuple[Values, list[str]]:
    values = _column(given, distance)
    kept = np.nonzero(~np.isnan(values))[0]
    return values[kept], [given.patients[at] for at in kept]


def subsamples(targets: NDArray[np.bool_], draws: int, seed: int) -> Values:
    """Return rows of 0 and 1 [draws, N]: of each side as many images as the smaller one has, without replacement."""
    rng = np.random.default_rng(seed)
    sides = [np.nonzero(targets == side)[0] for side in (False, True)]
    size = min(map(len, sides))
    rows = np.zeros((draws, len(targets)))
    for row in rows:
        for side in sides:
            row[rng.choice(side, size, replace=False)] = 1
    return rows


def _subsampled(areas: Values, size: int) -> SubsampledDocument:
    deviation = float(areas.std(ddof=1)) if len(areas) > 1 else 0.0
    return {"draws": len(areas), "size": size, "mean": float(areas.mean()), "deviation": deviation}


def _mean(distance: str, parts: Sequence[Values], mean: IntervalDocument) -> MeanDocument:
    between = float(np.std([part[0] for part in parts], ddof=1)) if len(parts) > 1 else None
    return {"distance": distance, "sets": len(parts), "auroc": mean, "between_sets": between}


def _compared(
    baseline: ImageSet, anomalies: Sequence[ImageSet], names: Sequence[str], asked: Detection
) -> list[ComparedDocument]:
    """Each distance against one, on the images that have both, by exchanging each patient's ranks."""
    against = str(asked.against)
    sets = [baseline, *anomalies]
    categories = np.concatenate([np.full(len(each.patients), at - 1) for at, each in enumerate(sets)])
    patients = np.array([patient for each in sets for patient in each.patients])
    columns = {name: np.concatenate([_column(each, name) for each in sets]) for name in {*names, against}}
    found: list[ComparedDocument] = []
    for name in names:
        both = ~np.isnan(columns[name]) & ~np.isnan(columns[against])
        if name == against or not (both & (categories < 0)).any() or not (both & (categories >= 0)).any():
            continue
        given = (columns[name][both], columns[against][both], categories[both].astype(np.int64))
        tested = exchange_test(*given, patients[both].tolist(), asked.permutations, asked.seed)
        found.append(
            {
                "distance": name,
                "against": against,
                "difference": tested.difference,
                "p": tested.p,
                "holm": tested.p,
                "exact": tested.exact,
                "exchanges": tested.exchanges,
                "images": int(both.sum()),
            }
        )
    for each, corrected in zip(found, holm([each["p"] for each in found]), strict=True):
        each["holm"] = corrected
    return found


def _column(given: ImageSet, distance: str) -> Values:
    return given.distances.get(distance, np.full(len(given.patients), np.nan))


def _empty(asked: Detection, baseline: ImageSet, anomalies: Sequence[ImageSet]) -> AnomalyDocument:
    return {
        "schema": SCHEMA,
        "baseline": baseline.name,
        "anomalies": [each.name for each in anomalies],
        "resamples": asked.resamples,
        "seed": asked.seed,
        "detected": [],
        "means": [],
        "compared": [],
        "notes": [],
    }
