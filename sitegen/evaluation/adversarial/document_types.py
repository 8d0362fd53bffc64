"""The keys of an evaluation of attacks and of what detects them (sitegen.adversarial/1); see docs/attacks.md."""

from typing import TypedDict

from sitegen.data.audit.document_types import ProblemDocument
from sitegen.metrics.document_types import IntervalDocument


class AttackedModel(TypedDict):
    """The bundle that was attacked."""

    file: str
    name: str
    version: str
    sha256: str
    labels: list[str]


class MaskDocument(TypedDict):
    """The masks whose effects the detectors read."""

    count: int
    share: float
    filling: str


class ConditionDocument(TypedDict):
    """What an attack of a strength does; "none" is the clean images."""

    attack: str
    strength: float
    loss: IntervalDocument
    changed: IntervalDocument
    refused: IntervalDocument | None
    effect: IntervalDocument
    probability_effect: IntervalDocument
    deviation: IntervalDocument


class FoundDocument(TypedDict):
    """How well a detector tells the images of an attack from clean ones."""

    attack: str
    strength: float
    auroc: IntervalDocument | None


class DetectorDocument(TypedDict):
    """One detector against every attack."""

    name: str
    kind: str
    attacks: list[FoundDocument]


class AdversarialFigures(TypedDict):
    """The figures of attacks and detectors."""

    schema: str
    images: int
    patients: int
    resamples: int
    seed: int
    steps: int
    finding: str | None
    weight: float
    masks: MaskDocument
    conditions: list[ConditionDocument]
    detectors: list[DetectorDocument]
    limit: float
    holds: bool | None


class AdversarialDocument(AdversarialFigures):
    """The figures, the model, and the images that were left out."""

    model: AttackedModel
    unreadable: list[ProblemDocument]
