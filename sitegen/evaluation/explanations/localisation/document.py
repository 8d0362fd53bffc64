"""Figures of maps against boxes, with intervals of 95 % over patients: what `localisation` of the document holds.

Every figure is a mean over cases, which are the findings of images: an image with boxes of two findings counts twice.
Intervals come from resamples of whole patients. docs/explanation-evaluation.md describes the keys.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sitegen.evaluation.explanations.localisation.cases import Gathered
from sitegen.evaluation.explanations.localisation.document_types import (
    LocalisationDocument,
    LocalisedMap,
    LocalisedPart,
    ThresholdDocument,
)
from sitegen.evaluation.explanations.localisation.maps import IOBB, IOU, LEVELS
from sitegen.evaluation.explanations.localisation.measured import BASELINES, USUAL, Answers, Localised, Row, of_others
from sitegen.evaluation.gate.resampling import draws_by_patient, interval_of
from sitegen.metrics.document_types import IntervalDocument
from sitegen_runtime.wording.localisation import BETTER, ENOUGH, NO_BETTER, TOO_FEW, UNKNOWN, WORSE

Values = NDArray[np.float64]


class _Means:
    """Means over cases with their intervals; all figures of the same cases see the same resamples of patients."""

    def __init__(self, patients: Sequence[str], resamples: int, seed: int) -> None:
        self._patients, self._resamples, self._seed = patients, resamples, seed
        self._draws: dict[bytes, Values] = {}

    def __call__(self, values: Values, chosen: NDArray[np.bool_] | None = None) -> IntervalDocument | None:
        """Return the mean of one value for each case, of those that are chosen and defined; None without any."""
        defined = ~np.isnan(values) if chosen is None else chosen & ~np.isnan(values)
        if not defined.any():
            return None
        key = defined.tobytes()
        if key not in self._draws:
            patients = [patient for patient, kept in zip(self._patients, defined, strict=True) if kept]
            self._draws[key] = draws_by_patient(patients, [""] * len(patients), self._resamples, self._seed)
        draws = self._draws[key]
        return interval_of(draws @ values[defined] / draws.sum(axis=1))


def localisation_document(
    found: Localised, gathered: Gathered, labels: Sequence[str], file: str, resamples: int, seed: int
) -> LocalisationDocument:
    """Return all figures; equal input gives an equal document. `file` is what the boxes were read from."""

    def part(rows: list[int]) -> LocalisedPart:
        return _part(found, rows, resamples, seed)

    findings = sorted({row.finding for row in found.rows})
    training = gathered.training
    return {
        "boxes_file": file,
        "split": gathered.split,
        "images": len(gathered.images) - len(found.problems),
        "levels": list(LEVELS),
        "outside": found.outside,
        "cut": found.cut,
        "without_image": gathered.without_image,
        "other_findings": gathered.other_findings,
        "training": {
            "boxes": sum(len(each.boxes) for each in training),
            "images": len(training),
            "patients": len({each.patient for each in training}),
            "shared_patients": gathered.shared,
        },
        "all": part(list(range(len(found.rows)))),
        "findings": [
            {"finding": labels[finding], **part([at for at, row in enumerate(found.rows) if row.finding == finding])}
            for finding in findings
        ],
    }


def verdict(difference: IntervalDocument | None, patients: int) -> str:
    """Return whether maps point into boxes more often than the usual place does: surely, where the whole interval of
    the difference lies on one side of 0. Nothing is concluded from fewer than ENOUGH patients."""
    if difference is None:
        return UNKNOWN
    if patients < ENOUGH:
        return TOO_FEW
    if difference["low"] > 0:
        return BETTER
    return WORSE if difference["high"] < 0 else NO_BETTER


def _part(found: Localised, chosen: list[int], resamples: int, seed: int) -> LocalisedPart:
    rows = [found.rows[at] for at in chosen]
    mean = _Means([row.patient for row in rows], resamples, seed)
    usual = np.array([found.answers[USUAL].pointing[at] for at in chosen])
    return {
        "cases": len(rows),
        "patients": len({row.patient for row in rows}),
        "boxes": sum(len(row.boxes) for row in rows),
        "said_yes": sum(row.said_yes for row in rows),
        "area": float(np.mean([row.area for row in rows])),
        "maps": [_map(name, _of(answers, chosen), rows, usual, mean) for name, answers in found.answers.items()],
    }


def _of(answers: Answers, chosen: list[int]) -> Answers:
    return Answers(
        [answers.pointing[at] for at in chosen],
        [answers.energy[at] for at in chosen],
        [answers.boxes[at] for at in chosen],
        [answers.points[at] for at in chosen],
    )


def _map(name: str, answers: Answers, rows: Sequence[Row], usual: Values, mean: _Means) -> LocalisedMap:
    pointing, baseline = np.array(answers.pointing), name in BASELINES
    difference = None if baseline else mean(pointing - usual)
    said_yes = np.array([row.said_yes for row in rows])
    boxes = answers.boxes
    return {
        "name": name,
        "kind": "baseline" if baseline else "method",
        "pointing": mean(pointing),
        "pointing_where_yes": mean(pointing, said_yes),
        "pointing_of_others": None if baseline else mean(of_others(rows, answers.points)),
        "energy": mean(np.array(answers.energy)),
        "iou": _thresholds(IOU, [each.iou for each in boxes], [each.iou_false for each in boxes], mean),
        "iobb": _thresholds(IOBB, [each.iobb for each in boxes], [each.iobb_false for each in boxes], mean),
        "difference": difference,
        "verdict": None if baseline else verdict(difference, len({row.patient for row in rows})),
    }


def _thresholds(
    above: Sequence[float], hits: Sequence[Values], false: Sequence[Values], mean: _Means
) -> list[ThresholdDocument]:
    """One entry for each threshold; none for maps that have no boxes."""
    hit, missed = np.array(hits), np.array(false)
    if np.isnan(hit).all():
        return []
    return [
        {"above": each, "hits": mean(hit[:, at]), "false_positives": float(np.nanmean(missed[:, at]))}
        for at, each in enumerate(above)
    ]
