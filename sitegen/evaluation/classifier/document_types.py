"""The keys of an evaluation document (sitegen.evaluation/1), and the type of each.

docs/evaluation.md says what they mean. None is what the images do not allow to measure.
"""

from typing import Any, NotRequired, TypedDict

from sitegen.data.audit.document_types import ProblemDocument
from sitegen.metrics.document_types import IntervalDocument


class DataDocument(TypedDict):
    """The images that were measured."""

    splits: list[str]
    images: int
    patients: int


class RatiosDocument(TypedDict):
    """Ratios of decisions."""

    accuracy: float
    precision: float
    recall: float
    f1: float


class AveragesDocument(TypedDict):
    """Ratios over all findings, by the way of averaging."""

    plain: dict[str, RatiosDocument]
    balanced: dict[str, RatiosDocument]
    exact_match: float | None


class RocDocument(TypedDict):
    """Points of a ROC curve."""

    area: float
    false_positive_rate: list[float]
    true_positive_rate: list[float]


class PrecisionRecallDocument(TypedDict):
    """Points of a precision-recall curve."""

    area: float
    recall: list[float]
    precision: list[float]


class CurvePair(TypedDict):
    """Both curves of an average."""

    roc: RocDocument
    precision_recall: PrecisionRecallDocument


class CurvesDocument(TypedDict):
    """Curves over several findings."""

    micro: CurvePair | None
    macro: CurvePair | None


class DecisionsDocument(TypedDict):
    """Counts and ratios at the operating point."""

    true_positives: int
    false_positives: int
    true_negatives: int
    false_negatives: int
    plain: RatiosDocument
    balanced: RatiosDocument


class PredictiveValuesDocument(TypedDict):
    """Predictive values at one prevalence."""

    prevalence: float
    positive: float | None
    negative: float | None


class BinDocument(TypedDict):
    """One bin of a reliability diagram."""

    images: int
    weight: float
    predicted: float
    observed: float
    low: float
    high: float


class ReliabilityDocument(TypedDict):
    """How far probabilities are what they say."""

    calibration_error: float
    brier: float
    bins: list[BinDocument]


class ReliabilitiesDocument(TypedDict):
    """The same before and after calibration."""

    probability: ReliabilityDocument | None
    calibrated: ReliabilityDocument | None


class GroupDocument(TypedDict):
    """The figures of a group of images."""

    images: int
    patients: int
    positives: int
    auc: IntervalDocument | None
    half_splits: float | None
    average_precision: float | None
    sensitivity: IntervalDocument | None
    specificity: IntervalDocument | None
    calibration_error: float | None
    calibration_error_by_chance: float | None
    brier: float | None


class FindingDocument(GroupDocument):
    """Everything that is measured of one finding."""

    label: str
    operating_point: float | None
    decisions: DecisionsDocument | None
    predictive_values: list[PredictiveValuesDocument]
    reliability: ReliabilitiesDocument
    roc: RocDocument | None
    precision_recall: PrecisionRecallDocument | None
    by: dict[str, dict[str, GroupDocument]]


class DifferenceDocument(TypedDict):
    """A figure of two models."""

    first: float
    second: float
    difference: IntervalDocument


class ComparedFinding(TypedDict):
    """One finding of a second model beside the first."""

    label: str
    images: int
    auc: DifferenceDocument | None
    average_precision: DifferenceDocument | None
    operating_point: float | None
    decisions: DecisionsDocument | None
    roc: RocDocument | None
    precision_recall: PrecisionRecallDocument | None


class ComparisonDocument(TypedDict):
    """A second model beside the first."""

    model: dict[str, Any]
    images: int
    operating_points: str | None
    findings: list[ComparedFinding]


class EvaluationDocument(TypedDict):
    """Everything that is measured of a model on a set of images; `model` says of its kind what is known."""

    schema: str
    model: dict[str, Any]
    data: DataDocument
    unreadable: list[ProblemDocument]
    resamples: int
    seed: int
    operating_points: str | None
    accepted: IntervalDocument | None
    findings: list[FindingDocument]
    averages: AveragesDocument | None
    curves: CurvesDocument
    against: NotRequired[ComparisonDocument]
