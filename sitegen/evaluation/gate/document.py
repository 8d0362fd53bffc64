"""The document of a comparison of gates (schema sitegen.gate-evaluation/1): every figure of every detector.

    gate_document(images, detectors, how)      figures by category, means near and far, comparisons, distributions

docs/gate-evaluation.md describes it. What is known of the models and of the files is added by
`sitegen.evaluation.gate.study`.
"""

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from sitegen.errors import DataError
from sitegen.evaluation.gate.detectors import FAR, NEAR, Detector, GateImages
from sitegen.evaluation.gate.document_types import (
    ComparedPair,
    DetectorDocument,
    DistributionDocument,
    GateFigures,
    OutsideFigures,
    SetDocument,
)
from sitegen.evaluation.gate.measures import OF_DRAWS
from sitegen.evaluation.gate.resampling import draws_by_patient, interval_of, mean_interval
from sitegen.metrics.document_types import IntervalDocument
from sitegen.metrics.examples import Scores
from sitegen.metrics.permutation import exchange_test, holm
from sitegen.metrics.resampling import Resampling, share_of_draws

SCHEMA = "sitegen.gate-evaluation/1"
FIGURES = (*OF_DRAWS, "refused")
ALL_PAIRS = 8  # detectors at most that are compared each with each; more with one reference alone
BINS = 40
TAILS = (0.005, 0.995)  # quantiles of all scores, beyond which they are counted in the outermost bins

_Draws = NDArray[np.float64]
_Parts = dict[str, dict[str, Scores]]  # by category and figure, on every draw


def gate_document(
    images: GateImages, detectors: Sequence[Detector], how: Resampling, against: str | None = None
) -> GateFigures:
    """Return all figures of the detectors on the same images; equal input gives an equal document.

    `against` names the detector that the others are tested against; without one it is the first, where there are too
    many to test all pairs. Raises DataError where there is no such detector, or no image inside or outside.
    """
    _check(images, detectors, against)
    draws = draws_by_patient(images.patients, images.sets, how.resamples, how.seed)
    parts = {detector.name: _on_draws(detector, images, draws) for detector in detectors}
    return {
        "schema": SCHEMA,
        "positive": "out of distribution",
        "resamples": how.resamples,
        "permutations": how.permutations,
        "seed": how.seed,
        "categories": [
            {"category": category, "group": group, "images": len(images.of_category(category))}
            for category, group in images.categories.items()
        ],
        "sources": [
            {"source": source, "images": len(rows), "patients": len({images.inside[row].patient for row in rows})}
            for source in images.sources
            for rows in (images.of_source(source),)
        ],
        "detectors": [_detector(each, images, draws, parts[each.name]) for each in detectors],
        "comparisons": _comparisons(images, detectors, parts, how, against),
    }


def _check(images: GateImages, detectors: Sequence[Detector], against: str | None) -> None:
    if not images.inside or not images.outside:
        which = "of the training distribution" if not images.inside else "outside of it"
        raise DataError(f"There are no images {which} that all models can analyse. Look with: sitegen data audit")
    names = [detector.name for detector in detectors]
    if against and against not in names:
        raise DataError(f"There is no detector {against!r} to compare with; there are {', '.join(names)}.")


def _on_draws(detector: Detector, images: GateImages, draws: _Draws) -> _Parts:
    return {category: _of_category(detector, images, draws, category) for category in images.categories}


def _of_category(detector: Detector, images: GateImages, draws: _Draws, category: str) -> dict[str, Scores]:
    """Every figure of a category on every draw; without `refused` where the detector refuses nothing by itself."""
    inside, members = len(images.inside), images.of_category(category)
    columns = np.concatenate([np.arange(inside), inside + members])
    scores, targets, weights = detector.scores[columns], columns >= inside, draws[:, columns]
    found = {name: of_draws(scores, targets, weights) for name, of_draws in OF_DRAWS.items()}
    if detector.refused_outside is not None:
        found["refused"] = share_of_draws(detector.refused_outside[members], weights[:, inside:])
    return found


def _detector(detector: Detector, images: GateImages, draws: _Draws, parts: _Parts) -> DetectorDocument:
    groups = images.categories
    return {
        "name": detector.name,
        "model": detector.model,
        "metric": detector.metric,
        "threshold": detector.threshold,
        "threshold_from": detector.chosen_on or None,
        "accepted": _accepted(detector, images, draws, np.arange(len(images.inside))),
        "accepted_by_source": {
            source: _accepted(detector, images, draws, images.of_source(source)) for source in images.sources
        },
        "categories": {category: _intervals([parts[category]]) for category in groups},
        "near": _intervals([parts[each] for each in groups if groups[each] == NEAR]),
        "far": _intervals([parts[each] for each in groups if groups[each] == FAR]),
        "distribution": _distribution(detector, images),
    }


def _accepted(
    detector: Detector, images: GateImages, draws: _Draws, rows: NDArray[np.int64]
) -> IntervalDocument | None:
    """The share of these images inside that is not refused, with its interval; None without a threshold."""
    if detector.refused_inside is None:
        return None
    return interval_of(_defined(share_of_draws(~detector.refused_inside[rows], draws[:, rows])))


def _defined(values: Scores) -> Scores:
    """Draws that had no image of a source say nothing of it."""
    return values[~np.isnan(values)]


def _intervals(parts: Sequence[Mapping[str, Scores]]) -> OutsideFigures | None:
    """Each figure's mean over categories, with its interval; None without a category."""
    if not parts:
        return None
    found = {name: mean_interval([part[name] for part in parts if name in part]) for name in FIGURES}
    return cast(OutsideFigures, found)


def _distribution(detector: Detector, images: GateImages) -> DistributionDocument:
    """Counts of the scores of every set of images, in bins that all of them share."""
    low, high = (float(end) for end in np.quantile(detector.scores, TAILS))
    edges = np.linspace(low, high if high > low else low + 1, BINS + 1)
    sets = [(source, "inside", detector.inside[images.of_source(source)]) for source in images.sources]
    sets += [
        (category, group, detector.outside[images.of_category(category)])
        for category, group in images.categories.items()
    ]
    counted: list[SetDocument] = [
        {
            "set": name,
            "group": group,
            "median": float(np.median(scores)),
            "counts": np.histogram(np.clip(scores, edges[0], edges[-1]), edges)[0].tolist(),
        }
        for name, group, scores in sets
    ]
    return {"edges": edges.tolist(), "sets": counted}


def _comparisons(
    images: GateImages, detectors: Sequence[Detector], parts: Mapping[str, _Parts], how: Resampling, against: str | None
) -> list[ComparedPair]:
    """For near and far categories, the tests of pairs of detectors, corrected for how many there are in the group."""
    found: list[ComparedPair] = []
    for group in (NEAR, FAR):
        names = [category for category, of in images.categories.items() if of == group]
        if not names or len(detectors) < 2:
            continue
        tests = [_comparison(pair, images, names, parts, how) | {"group": group} for pair in _pairs(detectors, against)]
        corrected = holm([test["p"] for test in tests])
        pairs = zip(tests, corrected, strict=True)
        found += [cast(ComparedPair, test | {"corrected": value}) for test, value in pairs]
    return found


def _pairs(detectors: Sequence[Detector], against: str | None) -> list[tuple[Detector, Detector]]:
    if not against and len(detectors) <= ALL_PAIRS:
        return list(combinations(detectors, 2))
    reference = next((each for each in detectors if each.name == against), detectors[0])
    return [(reference, other) for other in detectors if other is not reference]


def _comparison(
    pair: tuple[Detector, Detector],
    images: GateImages,
    names: Sequence[str],
    parts: Mapping[str, _Parts],
    how: Resampling,
) -> dict[str, Any]:
    """The difference of the mean AUROC over categories, its interval and its test."""
    first, second = pair
    of_image = np.array([names.index(image.category) if image.category in names else -1 for image in images.outside])
    categories = np.concatenate([np.full(len(images.inside), -1), of_image])
    rows = np.concatenate([np.arange(len(images.inside)), len(images.inside) + np.nonzero(of_image >= 0)[0]])
    tested = exchange_test(
        first.scores[rows],
        second.scores[rows],
        categories[rows],
        [images.patients[row] for row in rows],
        how.permutations,
        how.seed,
    )
    differences = [parts[first.name][each]["auroc"] - parts[second.name][each]["auroc"] for each in names]
    return {
        "first": first.name,
        "second": second.name,
        "difference": mean_interval(differences),
        "p": tested.p,
        "exact": tested.exact,
    }
