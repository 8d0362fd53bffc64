"""The keys of an evaluation of robustness (sitegen.robustness/1), and the type of each; see docs/robustness.md."""

from typing import NotRequired, TypedDict

from sitegen.data.audit.document_types import ProblemDocument


class LevelDocument(TypedDict):
    """A level of distortion: degrees, and shares of the side."""

    rotation: float
    shift: float
    scale: float


class RowDocument(TypedDict):
    """A model, and the level that it was trained at."""

    name: str
    file: str
    trained_at: str | None


class JudgedDocument(TypedDict):
    """A set of images that models are judged on."""

    name: str
    images: int
    patients: int


class SetsDocument(TypedDict):
    """The data that the models come from, and other data where some was given."""

    internal: JudgedDocument
    external: NotRequired[JudgedDocument]


class CellDocument(TypedDict):
    """One model at one level."""

    auc: float
    low: float | None
    high: float | None
    half_split_deviation: float | None


class MatrixDocument(TypedDict):
    """One finding on one set: a row a model, a column a level; None where a class is missing."""

    images: int
    positives: int
    cells: list[list[CellDocument | None]]


class RobustnessFinding(TypedDict):
    """One finding on each set."""

    label: str
    internal: MatrixDocument
    external: NotRequired[MatrixDocument]


class RobustnessFigures(TypedDict):
    """The matrices of all findings."""

    schema: str
    half_splits: int
    resamples: int
    seed: int
    levels: dict[str, LevelDocument]
    models: list[RowDocument]
    data: SetsDocument
    findings: list[RobustnessFinding]


class RobustnessDocument(RobustnessFigures):
    """The matrices, and the images that were left out."""

    unreadable: list[ProblemDocument]
