"""The keys of an evaluation document (sitegen.evaluation/1), and the type of each.

docs/evaluation.md says what they mean. None is what the images do not allow to measure.
"""

from typing import Any, NotRequired, TypedDict

from sitegen.bundle.headline import HeadlineDocument, LeastFavourable
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


# "from" is a word of Python's, and so cannot stand in a class.
_From = TypedDict("_From", {"from": str})
_MayBeFrom = TypedDict("_MayBeFrom", {"from": NotRequired[str]})


class SourceDocument(_From):
    """The images of one source: whose they are, how they are related to the training, how well findings were told."""

    source: str
    split: str
    collection: str
    hospital: str
    images: int
    patients: int
    mean_auc: IntervalDocument | None
    measured: int


class WhenceDocument(_From):
    """Where the images are from, and the least favourable figure."""

    not_measured: str
    headline: HeadlineDocument | None
    sources: list[SourceDocument]
    remarks: list[str]


class FlaggedGroupDocument(TypedDict):
    """Of images without any finding, those with at least one flagged."""

    images: int
    patients: int
    flagged: int
    share: IntervalDocument


class FlaggedDocument(FlaggedGroupDocument):
    """The same by groups."""

    by: dict[str, dict[str, FlaggedGroupDocument]]


class GroupDocument(_MayBeFrom):
    """The figures of a group of images; `from` where it is a source."""

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
    least_favourable: LeastFavourable | None


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


class ComparisonDocument(_From):
    """A second model beside the first, and where the images are from, seen from its training."""

    model: dict[str, Any]
    images: int
    operating_points: str | None
    findings: list[ComparedFinding]


class EvaluationDocument(WhenceDocument):
    """Everything that is measured of a model on a set of images; `model` says of its kind what is known."""

    schema: str
    model: dict[str, Any]
    data: DataDocument
    unreadable: list[ProblemDocument]
    resamples: int
    seed: int
    operating_points: str | None
    accepted: IntervalDocument | None
    flagged_without_finding: FlaggedDocument | None
    findings: list[FindingDocument]
    averages: AveragesDocument | None
    curves: CurvesDocument
    against: NotRequired[ComparisonDocument]
