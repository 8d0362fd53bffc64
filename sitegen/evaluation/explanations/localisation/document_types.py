"""The keys of `localisation` in an evaluation of explanations, and the type of each.

docs/explanation-evaluation.md says what they mean. None is what the boxes do not allow to measure.
"""

from typing import TypedDict

from sitegen.metrics.document_types import IntervalDocument


class ThresholdDocument(TypedDict):
    """What the boxes of a map are worth where they count as hits above this overlap."""

    above: float
    hits: IntervalDocument | None
    false_positives: float | None


class LocalisedMap(TypedDict):
    """One map of a method, or a baseline."""

    name: str
    kind: str
    pointing: IntervalDocument | None
    pointing_where_yes: IntervalDocument | None
    pointing_of_others: IntervalDocument | None
    energy: IntervalDocument | None
    iou: list[ThresholdDocument]
    iobb: list[ThresholdDocument]
    difference: IntervalDocument | None
    verdict: str | None


class LocalisedPart(TypedDict):
    """All maps, on the boxes of one finding or of all."""

    cases: int
    patients: int
    boxes: int
    said_yes: int
    area: float
    maps: list[LocalisedMap]


class LocalisedFinding(LocalisedPart):
    """The same of one finding."""

    finding: str


class TrainingBoxes(TypedDict):
    """The boxes that the usual places are known from."""

    boxes: int
    images: int
    patients: int
    shared_patients: int


class LocalisationDocument(TypedDict):
    """Maps against boxes."""

    boxes_file: str
    split: str | None
    images: int
    levels: list[int]
    outside: int
    cut: int
    without_image: int
    other_findings: dict[str, int]
    training: TrainingBoxes
    all: LocalisedPart
    findings: list[LocalisedFinding]
