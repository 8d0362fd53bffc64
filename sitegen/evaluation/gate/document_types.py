"""The keys of a comparison of gates (sitegen.gate-evaluation/1), and the type of each.

docs/gate-evaluation.md says what they mean. None is what the images do not allow to measure.
"""

from typing import Any, TypedDict

from sitegen.data.audit.document_types import ProblemDocument
from sitegen.metrics.document_types import IntervalDocument


class CategoryDocument(TypedDict):
    """A kind of images outside."""

    category: str
    group: str
    images: int


class SourceDocument(TypedDict):
    """A source of images inside."""

    source: str
    images: int
    patients: int


class OutsideFigures(TypedDict):
    """How well a category, or a group of them, is told from the images inside."""

    auroc: IntervalDocument | None
    aupr: IntervalDocument | None
    fpr95: IntervalDocument | None
    refused: IntervalDocument | None


class SetDocument(TypedDict):
    """How the scores of a set of images are distributed."""

    set: str
    group: str
    median: float
    counts: list[int]


class DistributionDocument(TypedDict):
    """The same of all sets, in the same bins."""

    edges: list[float]
    sets: list[SetDocument]


class DetectorDocument(TypedDict):
    """Everything that is measured of one detector."""

    name: str
    model: str
    metric: str
    threshold: float | None
    threshold_from: str | None
    accepted: IntervalDocument | None
    accepted_by_source: dict[str, IntervalDocument | None]
    categories: dict[str, OutsideFigures | None]
    near: OutsideFigures | None
    far: OutsideFigures | None
    distribution: DistributionDocument


class ComparedPair(TypedDict):
    """A test of two detectors."""

    group: str
    first: str
    second: str
    difference: IntervalDocument | None
    p: float
    exact: bool
    corrected: float


class GateDataDocument(TypedDict):
    """Where the images are from, and how many there are."""

    inside: str
    split: str | None
    images: int
    patients: int
    left_out: int
    validation: int
    outside: str
    half: str
    outside_images: int
    near: list[str]


class Stringency(TypedDict):
    """How a classifier does on ever fewer images."""

    retained: list[float]
    images: list[int]
    auc: list[float | None]


class StringencyCurve(Stringency):
    """The same by one detector."""

    detector: str


class StringencyDocument(TypedDict):
    """The same by all detectors, for the labels of a model."""

    model: str
    labels: list[str]
    curves: list[StringencyCurve]


class GateFigures(TypedDict):
    """The figures: what is measured of detectors on images."""

    schema: str
    positive: str
    resamples: int
    permutations: int
    seed: int
    categories: list[CategoryDocument]
    sources: list[SourceDocument]
    detectors: list[DetectorDocument]
    comparisons: list[ComparedPair]


class GateStudyDocument(GateFigures):
    """The figures, and what is known of models and files; `models` have what their kind tells."""

    models: list[dict[str, Any]]
    data: GateDataDocument
    stringency: list[StringencyDocument]
    notes: list[str]
    unreadable: list[ProblemDocument]
