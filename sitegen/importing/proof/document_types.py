"""The keys of a comparison of two ways of preparing images, and the type of each; see docs/import.md."""

from typing import TypedDict

from sitegen.data.audit.document_types import ProblemDocument


class SpreadDocument(TypedDict):
    """Of differences."""

    mean: float
    p95: float
    largest: float


class HistogramDocument(TypedDict):
    """Differences in bins."""

    edges: list[float]
    counts: list[int]


class FindingDifferences(SpreadDocument):
    """How far a finding moves with sitegen's way of preparing images, in percentage points."""

    label: str
    operating_point: float
    changed: int
    histogram: HistogramDocument


class FractionDocument(TypedDict):
    """The mean differences with one fraction of the image."""

    fraction: float
    tensor: float
    probability: float


class PreprocessingDocument(TypedDict):
    """The source's way of preparing images against sitegen's."""

    described: str
    images: int
    problems: list[ProblemDocument]
    tensor: SpreadDocument | None
    findings: list[FindingDifferences]
    fractions: list[FractionDocument]
    suggested: float | None
