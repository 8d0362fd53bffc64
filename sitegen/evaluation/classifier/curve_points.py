"""Curves as documents keep them: few points, of which each lies on the curve."""

import numpy as np
from numpy.typing import NDArray

from sitegen.evaluation.classifier.document_types import PrecisionRecallDocument, RocDocument
from sitegen.metrics.examples import Scores
from sitegen.metrics.precision_recall import PrecisionRecallCurve
from sitegen.metrics.roc import RocCurve

POINTS = 200  # at most: more than a drawing shows
DIGITS = 6


def roc_points(curve: RocCurve) -> RocDocument:
    """Return the area under a ROC curve, from all of its points, and at most POINTS of them."""
    bent = curve.corners()
    kept = _thinned(bent.false_positive_rate + bent.true_positive_rate)
    return {
        "area": curve.area,
        "false_positive_rate": _rounded(bent.false_positive_rate[kept]),
        "true_positive_rate": _rounded(bent.true_positive_rate[kept]),
    }


def precision_recall_points(curve: PrecisionRecallCurve) -> PrecisionRecallDocument:
    """Return the average precision as "area", from all points of a curve, and at most POINTS of them.

    Of the points of equal recall the first is kept, whose precision is best: no other threshold is worth choosing.
    """
    kept = _thinned(curve.recall)
    return {
        "area": curve.average_precision,
        "recall": _rounded(curve.recall[kept]),
        "precision": _rounded(curve.precision[kept]),
    }


def _thinned(positions: Scores) -> NDArray[np.int64]:
    """The indices of points about evenly spaced along positions that never fall, both ends among them."""
    if len(positions) <= POINTS:
        return np.arange(len(positions))
    wanted = np.linspace(positions[0], positions[-1], POINTS)
    return np.unique(np.append(np.searchsorted(positions, wanted[:-1]), len(positions) - 1))


def _rounded(values: Scores) -> list[float]:
    return [round(value, DIGITS) for value in values.tolist()]
