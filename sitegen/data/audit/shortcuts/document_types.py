"""The keys of the shortcut audit within an audit's report, and the type of each; docs/data.md says what they mean."""

from typing import TypedDict


class IntervalDocument(TypedDict):
    """An AUC with the ends of its 95 % interval by patient."""

    value: float
    low: float
    high: float


class ToldDocument(TypedDict):
    """How well one label is told, on all images (`within` is "") or on those of one source."""

    label: str
    within: str
    images: int
    positives: int
    patients: int
    unmeasured: str
    families: dict[str, IntervalDocument | None]
    whole_image: IntervalDocument | None
    shuffled: IntervalDocument | None


class SourceToldDocument(TypedDict):
    """How well a source is told from its images, among images that have a label, or lack it."""

    source: str
    label: str
    present: bool
    images: int
    measures: IntervalDocument | None
    thumbnail: IntervalDocument | None


class FailureDocument(TypedDict):
    """A family that tells a label too well; `accepted` is why a person takes responsibility for it, "" where none."""

    label: str
    family: str
    within: str
    auc: IntervalDocument
    accepted: str


class LimitsDocument(TypedDict):
    """What the lower end of an interval may not be above, for one family and for all measures together."""

    family: float
    together: float


class ShortcutsDocument(TypedDict):
    """The shortcut audit."""

    images: int
    splits: list[str]
    left_out: int
    measures: dict[str, list[str]]
    told: list[ToldDocument]
    sources_told: list[SourceToldDocument]
    limits: LimitsDocument
    failures: list[FailureDocument]
    at_fault: list[str]
    remarks: list[str]
