"""The keys of a study of concepts (sitegen.concepts/1), and the type of each; see docs/concepts.md."""

from typing import Any, TypedDict

from sitegen.data.audit.document_types import ProblemDocument
from sitegen.metrics.document_types import IntervalDocument


class ConceptModel(TypedDict):
    """The bundle, and the layer that the concepts are of."""

    file: str
    name: str
    version: str
    sha256: str
    labels: list[str]
    layer: str
    shape: list[int]


class LossDocument(TypedDict):
    """The mean of each loss in an epoch."""

    shallow: float
    deep: float
    interpretability: float
    total: float


class EffectDocument(TypedDict):
    """An expected effect: its mean over images and labels; and on each image's most probable label, on probability."""

    probability: IntervalDocument
    logit: IntervalDocument
    top: IntervalDocument


class FindingEffect(TypedDict):
    """The expected effect of a concept set to zero on one finding."""

    label: str
    probability: IntervalDocument
    logit: IntervalDocument


class PlaceDocument(TypedDict):
    """Where a concept is strongest: the centre of its cell, as shares of what the classifier sees."""

    file: str
    left: float
    top: float
    value: float


class NodeDocument(TypedDict):
    """One concept."""

    node: int
    effects: dict[str, EffectDocument]
    findings: list[FindingEffect]
    strongest: list[PlaceDocument]


class ConceptsDocument(TypedDict):
    """All concepts of a layer."""

    schema: str
    model: ConceptModel
    settings: dict[str, Any]
    resamples: int
    train_images: int
    images: int
    patients: int
    losses: list[LossDocument]
    moved: IntervalDocument
    nodes: list[NodeDocument]
    unreadable: list[ProblemDocument]
