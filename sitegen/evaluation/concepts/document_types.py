"""The keys of a study of concepts (sitegen.concepts/1) and of a second label (sitegen.second-label-effects/1).

docs/concepts.md and docs/effects.md have their meanings.
"""

from typing import Any, TypedDict

from sitegen.data.audit.document_types import ProblemDocument
from sitegen.metrics.document_types import IntervalDocument
from sitegen_runtime.document_types import BundleDocument


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


class RaisingUnit(TypedDict):
    """A unit that was set to zero, and how much it raises the second label's logit where it was chosen."""

    unit: int
    raises: float


class SecondLabelFinding(TypedDict):
    """The expected effect on one finding, and that less the mean one of as many random units."""

    label: str
    effect: IntervalDocument
    logit_effect: IntervalDocument
    difference: IntervalDocument
    logit_difference: IntervalDocument


class SecondLabelDocument(TypedDict):
    """What becomes of every finding where the units that raise a second one are zero."""

    schema: str
    bundle: BundleDocument
    second: str
    layer: str
    shape: list[int]
    units: list[RaisingUnit]
    draws: int
    seed: int
    resamples: int
    chosen_on: int
    images: int
    patients: int
    findings: list[SecondLabelFinding]
    unreadable: list[ProblemDocument]
