"""What documents of anomaly detection hold; docs/anomaly.md describes every key."""

from typing import TypedDict

from sitegen.metrics.document_types import IntervalDocument


class SubsampledDocument(TypedDict):
    """The AUROC over subsamples without replacement: how many, of how many images a side, mean and deviation."""

    draws: int
    size: int
    mean: float
    deviation: float


class DetectedDocument(TypedDict):
    """How well one distance tells one set of anomalies from the baseline.

    None where a number does not exist; `note` says why.
    """

    anomaly: str
    distance: str
    baseline_images: int
    anomaly_images: int
    auroc: IntervalDocument | None
    bootstrap_mean: float | None
    bootstrap_deviation: float | None
    subsampled: SubsampledDocument | None
    note: str


class MeanDocument(TypedDict):
    """The mean AUROC of a distance over all sets of anomalies, and the deviation from set to set."""

    distance: str
    sets: int
    auroc: IntervalDocument
    between_sets: float | None


class ComparedDocument(TypedDict):
    """A distance against the one that was named: the difference of mean AUROC, p, and p after Holm's correction."""

    distance: str
    against: str
    difference: float
    p: float
    holm: float
    exact: bool
    exchanges: int
    images: int


class AnomalyDocument(TypedDict):
    """The figures of one baseline and several sets of anomalies."""

    schema: str
    baseline: str
    anomalies: list[str]
    resamples: int
    seed: int
    detected: list[DetectedDocument]
    means: list[MeanDocument]
    compared: list[ComparedDocument]
    notes: list[str]


class DifferenceDocument(TypedDict):
    """One column against another: sizes and means of both groups, the test, and its power."""

    first: str
    second: str
    sizes: list[int]
    means: list[float]
    difference: float
    p: float
    holm: float
    permutations: int
    exact: bool
    power: IntervalDocument | None
    note: str


class DifferencesDocument(TypedDict):
    """A family of tests of two tables' columns."""

    schema: str
    first: str
    second: str
    alternative: str
    alpha: float
    simulations: int
    seed: int
    tests: list[DifferenceDocument]


class LocalisedDocument(TypedDict):
    """How often windows chosen by one distance, or by heat maps, overlap the anomaly.

    `hits` is the share of images with its interval, `deviation` that of its bootstrap; `chance` the mean share of
    windows that overlap, whichever is taken; `above_chance` the difference.
    """

    distance: str
    images: int
    patients: int
    hits: IntervalDocument
    deviation: float
    chance: float
    above_chance: IntervalDocument
    covered: float


class LocalisationStudyDocument(TypedDict):
    """All distances of a table, or one set of heat maps, against boxes or masks."""

    schema: str
    windows: str
    anomalies: str
    resamples: int
    seed: int
    without_anomaly: int
    without_window: list[str]
    localised: list[LocalisedDocument]
