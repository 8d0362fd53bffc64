"""Whether a network in a smaller form tells findings as well as the original: both on the same validation images.

The AUC of each finding, and their mean, may differ by no more than a margin, all of its interval included: a bootstrap
by patient, in which both networks see the same draws.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict

import numpy as np

from sitegen.errors import ExportError
from sitegen.evaluation.classifier.scored import Scored
from sitegen.metrics.document_types import IntervalDocument
from sitegen.metrics.examples import Scores, Targets, known_targets, or_none
from sitegen.metrics.resampling import Interval, interval_by_patient
from sitegen.metrics.roc import auc_of_draws
from sitegen.recipe.document_types import JudgedDocument, JudgedFinding

MARGIN = 0.01
"""Of the AUC, by default: less than the intervals of most figures are wide."""
_DIGITS = 5
_Difference = Callable[[Scores], Scores]


def judged(original: Scored, variant: Scored, margin: float = MARGIN, resamples: int = 1000) -> JudgedDocument:
    """Return what a variant changes; both must have scored the same images, in the same order.

    A finding of which the images lack a class is None. Raises ExportError where an interval leaves the margin.
    """
    if [record.path for record in original.records] != [record.path for record in variant.records]:
        raise ExportError("The two forms of the network can use different images, and cannot be compared on them.")
    differences = {
        label: _difference(original, variant, at) for at, label in enumerate(original.labels) if _both(original, at)
    }
    moved = np.abs(variant.probabilities - original.probabilities)
    patients = original.patients
    found: JudgedDocument = {
        "images": len(patients),
        "margin": margin,
        "moved": _interval(
            interval_by_patient(lambda draws: draws @ moved.mean(axis=1) / draws.sum(axis=1), patients, resamples)
        ),
        "largest": round(float(moved.max()), _DIGITS),
        "mean_difference": _mean(differences, patients, resamples),
        "findings": {
            label: _finding(original, variant, at, differences[label], resamples) if label in differences else None
            for at, label in enumerate(original.labels)
        },
    }
    _check(found)
    return found


def _both(scored: Scored, at: int) -> bool:
    known, positive = known_targets(scored.targets[:, at])
    return bool(0 < positive[known].sum() < known.sum())


def _known(scored: Scored, at: int) -> tuple[Targets, Targets]:
    known, positive = known_targets(scored.targets[:, at])
    return known, positive[known]


def _difference(original: Scored, variant: Scored, at: int) -> _Difference:
    """The variant's AUC less the original's, of draws of all images."""
    known, positive = _known(original, at)
    before, after = original.logits[known, at], variant.logits[known, at]

    def statistic(draws: Scores) -> Scores:
        drawn = draws[:, known]
        return auc_of_draws(after, positive, drawn) - auc_of_draws(before, positive, drawn)

    return statistic


def _mean(differences: Mapping[str, _Difference], patients: Sequence[str], resamples: int) -> IntervalDocument | None:
    def mean(draws: Scores) -> Scores:
        return np.asarray(np.mean([each(draws) for each in differences.values()], axis=0))

    found = or_none(lambda: interval_by_patient(mean, patients, resamples)) if differences else None
    return _interval(found) if found else None


def _finding(
    original: Scored, variant: Scored, at: int, difference: _Difference, resamples: int
) -> JudgedFinding | None:
    known, positive = _known(original, at)
    once = np.ones((1, len(positive)))
    between = or_none(lambda: interval_by_patient(difference, original.patients, resamples))
    if between is None:
        return None
    before, after = (
        round(float(auc_of_draws(scored.logits[known, at], positive, once)[0]), _DIGITS)
        for scored in (original, variant)
    )
    return {
        "images": len(positive),
        "positives": int(positive.sum()),
        "original": before,
        "auc": after,
        "difference": _interval(between),
    }


def _interval(found: Interval) -> IntervalDocument:
    value, low, high = (round(number, _DIGITS) for number in asdict(found).values())
    return {"value": value, "low": low, "high": high}


def _check(found: JudgedDocument) -> None:
    margin = found["margin"]
    intervals = {name: each["difference"] for name, each in found["findings"].items() if each}
    if found["mean_difference"]:
        intervals["the mean of all findings"] = found["mean_difference"]
    outside = {name: each for name, each in intervals.items() if each["low"] < -margin or each["high"] > margin}
    if outside:
        name, worst = max(outside.items(), key=lambda item: max(-item[1]["low"], item[1]["high"]))
        raise ExportError(
            f"Such weights are not proved harmless: on {found['images']} validation images the AUC of {name} changes "
            f"by {worst['value']:+.4f} ({worst['low']:+.4f} to {worst['high']:+.4f}), and {margin:g} either way is "
            f"allowed{_more(len(outside))}. Export with more validation images, another form, or a wider --margin."
        )


def _more(count: int) -> str:
    return f"; {count - 1} more intervals leave it" if count > 1 else ""
