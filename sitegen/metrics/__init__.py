"""All that is measured, in one place: how well scores tell positives from negatives, and how sure that is.

Scores are float64, targets 0 or 1, and NaN or None where unknown; a score at or above a threshold counts as positive.
docs/metrics.md says how each figure is defined.
"""

from sitegen.metrics.class_weights import balanced_weights, class_weights
from sitegen.metrics.confusion import Counts, count_outcomes
from sitegen.metrics.curve_averages import (
    macro_precision_recall,
    macro_roc,
    mean_over_findings,
    micro_precision_recall,
    micro_roc,
)
from sitegen.metrics.examples import Examples, Scores, Targets, examples, known_targets
from sitegen.metrics.finding_figures import FindingFigures, age_band, by_group, finding_figures
from sitegen.metrics.precision_recall import (
    PrecisionRecallCurve,
    average_precision,
    iso_f1,
    precision_recall_curve,
)
from sitegen.metrics.reliability import (
    Bin,
    brier_score,
    calibration_error_by_chance,
    expected_calibration_error,
    reliability_diagram,
)
from sitegen.metrics.resampling import Interval, bootstrap_interval, half_split_deviation, interval_by_patient
from sitegen.metrics.roc import OperatingPoint, RocCurve, auc, operating_point, roc_curve
from sitegen.metrics.score_averages import Ratios, binary_scores, exact_match, finding_scores
from sitegen_runtime.predictive_values import PredictiveValues, predictive_values

__all__ = [
    "Bin",
    "Counts",
    "Examples",
    "FindingFigures",
    "Interval",
    "OperatingPoint",
    "PrecisionRecallCurve",
    "PredictiveValues",
    "Ratios",
    "RocCurve",
    "Scores",
    "Targets",
    "age_band",
    "auc",
    "average_precision",
    "balanced_weights",
    "binary_scores",
    "bootstrap_interval",
    "brier_score",
    "by_group",
    "calibration_error_by_chance",
    "class_weights",
    "count_outcomes",
    "exact_match",
    "examples",
    "expected_calibration_error",
    "finding_figures",
    "finding_scores",
    "half_split_deviation",
    "interval_by_patient",
    "iso_f1",
    "known_targets",
    "macro_precision_recall",
    "macro_roc",
    "mean_over_findings",
    "micro_precision_recall",
    "micro_roc",
    "operating_point",
    "precision_recall_curve",
    "predictive_values",
    "reliability_diagram",
    "roc_curve",
]
