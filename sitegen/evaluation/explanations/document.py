"""The document of an evaluation of explanations (schema sitegen.explanation-evaluation/1).

    explanation_document(cases, measured, sanity, how)

Every figure is a mean over images, with an interval of 95 % from resamples of whole patients; docs/
explanation-evaluation.md describes the keys. What is known of model and files is added by
`sitegen.evaluation.explanations.study`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sitegen.evaluation.explanations.baselines import BASELINES
from sitegen.evaluation.explanations.document_types import (
    ExplanationFigures,
    MethodDocument,
    PlantedDocument,
    PlantedMethod,
    SanityDocument,
)
from sitegen.evaluation.explanations.graphs import PARTS
from sitegen.evaluation.explanations.measures import CURVES, Case, Measured, areas, shares_of
from sitegen.evaluation.explanations.sanity import DECIDING, KINDS, MEASURES, Sanity
from sitegen.evaluation.gate.resampling import draws_by_patient, interval_of
from sitegen.metrics.document_types import IntervalDocument
from sitegen_runtime.maps.methods import METHODS

SCHEMA = "sitegen.explanation-evaluation/1"
AREAS = ("deletion", "insertion", "road_most", "road_least", "road_gap")

_Rows = Sequence[int]
_Mean = Callable[[Sequence[float]], IntervalDocument | None]


@dataclass(frozen=True)
class How:
    """Points of the curves of deletion and insertion less one, resamples of patients, and the seed of all chance."""

    steps: int = 10
    resamples: int = 1000
    seed: int = 0


def explanation_document(
    cases: Sequence[Case], measured: Sequence[Measured], sanity: Sanity | None, how: How
) -> ExplanationFigures:
    """Return all figures of maps of the same images; equal input gives an equal document."""
    names = measured[0].names
    everyone = _means(cases, range(len(cases)), how)
    return {
        "schema": SCHEMA,
        "resamples": how.resamples,
        "seed": how.seed,
        "images": len(cases),
        "patients": len({case.patient for case in cases}),
        "with_curves": sum(bool(each.curves) for each in measured),
        "curves_at": {curve: shares_of(curve, how.steps) for curve in CURVES},
        "methods": [_method(name, cases, measured, how) for name in names],
        "agreement": {
            "names": list(names),
            "rank_correlation": _matrix([each.alike for each in measured], everyone),
            "top_overlap": _matrix([each.overlap for each in measured], everyone),
        },
        "planted": _planted(cases, measured, how),
        "sanity": _sanity(sanity, cases, how) if sanity else None,
    }


def no_figures(images: int, patients: int, how: How) -> ExplanationFigures:
    """Return the document of a study that compared maps with boxes and did nothing else, without its `localisation`."""
    return {
        "schema": SCHEMA,
        "resamples": how.resamples,
        "seed": how.seed,
        "images": images,
        "patients": patients,
        "with_curves": 0,
        "curves_at": {},
        "methods": [],
        "agreement": {"names": [], "rank_correlation": [], "top_overlap": []},
        "planted": None,
        "sanity": None,
    }


def finds_the_mark(hits: IntervalDocument, masses: IntervalDocument, by_chance: float) -> bool:
    """Return whether a method finds planted marks: it points to most of them, and lies on them more than chance does.

    Both surely: the lower ends of the intervals are above one half, and above the share of the area.
    """
    return bool(hits["low"] > 0.5 and masses["low"] > by_chance)


def _method(name: str, cases: Sequence[Case], measured: Sequence[Measured], how: How) -> MethodDocument:
    rows = [at for at, each in enumerate(measured) if each.curves]
    mean = _means(cases, rows, how)
    found = [areas(measured[at].curves[name]) for at in rows]
    kind = "baseline" if name in BASELINES else "part" if name in PARTS else "method"
    return {
        "name": name,
        "kind": kind,
        "marked_as_failing": name == "guided-backpropagation" or (name in METHODS and bool(METHODS[name].warning)),
        "areas": {each: mean([areas_of[each] for areas_of in found]) for each in AREAS},
        "curves": {
            curve: [float(value) for value in np.mean([measured[at].curves[name][curve] for at in rows], axis=0)]
            if rows
            else None
            for curve in CURVES
        },
    }


def _planted(cases: Sequence[Case], measured: Sequence[Measured], how: How) -> PlantedDocument | None:
    rows = [at for at, case in enumerate(cases) if case.mark]
    if not rows:
        return None
    mean, by_chance = _means(cases, rows, how), float(np.mean([measured[at].area for at in rows]))
    methods: list[PlantedMethod] = []
    for name in measured[0].names:
        hits, masses = (mean([part[name] for part in parts]) for parts in _of_marks(measured, rows))
        if hits and masses:
            found = finds_the_mark(hits, masses, by_chance)
            methods.append({"name": name, "hits": hits, "mass": masses, "finds": found})
    return {"images": len(rows), "area": by_chance, "methods": methods}


def _of_marks(measured: Sequence[Measured], rows: _Rows) -> tuple[list[Any], list[Any]]:
    return [measured[at].hits for at in rows], [measured[at].masses for at in rows]


def _sanity(sanity: Sanity, cases: Sequence[Case], how: How) -> SanityDocument:
    """The figures of the sanity check, whose images are the first ones."""
    mean = _means(cases, range(sanity.found.shape[3]), how)

    def at_stages(kind: str, at: int) -> list[dict[str, IntervalDocument | None]]:
        found = sanity.found[:, KINDS.index(kind)]
        return [
            {
                measure: mean(found[:, stage, :, at, which].mean(axis=0).tolist())
                for which, measure in enumerate(MEASURES)
            }
            for stage in range(len(sanity.stages))
        ]

    return {
        "images": sanity.found.shape[3],
        "draws": sanity.found.shape[0],
        "stages": [{"name": stage.name, "layers": len(stage.layers)} for stage in sanity.stages],
        "read_at": sanity.read_at,
        "deciding": DECIDING,
        "methods": [
            {
                "name": name,
                "passes": sanity.passes(at),
                "similarity": sanity.similarity(at),
                "limit": sanity.limit(at),
                "by_chance": dict(zip(MEASURES, sanity.by_chance[:, at].mean(axis=0).tolist(), strict=True)),
                "cascading": at_stages("cascading", at),
                "independent": at_stages("independent", at),
            }
            for at, name in enumerate(sanity.methods)
        ],
    }


def _matrix(parts: Sequence[NDArray[np.float64]], mean: _Mean) -> list[list[IntervalDocument | None]]:
    stacked = np.array(parts)
    places = range(stacked.shape[1])
    return [[mean(stacked[:, row, column].tolist()) for column in places] for row in places]


def _means(cases: Sequence[Case], rows: _Rows, how: How) -> _Mean:
    """Return what gives the mean of one value for each of these images, with its interval; None without images."""
    if not len(rows):
        return lambda values: None
    patients = [cases[at].patient for at in rows]
    draws = draws_by_patient(patients, ["all"] * len(patients), how.resamples, how.seed)
    return lambda values: interval_of(draws @ np.asarray(values, np.float64) / draws.sum(axis=1))
