"""The keys of an evaluation of explanations (sitegen.explanation-evaluation/1), and the type of each.

docs/explanation-evaluation.md says what they mean. None is what the images do not allow to measure.
"""

from typing import TypedDict

from sitegen.data.audit.document_types import ProblemDocument
from sitegen.evaluation.explanations.localisation.document_types import LocalisationDocument
from sitegen.metrics.document_types import IntervalDocument


class MethodDocument(TypedDict):
    """The curves of one map: areas by figure, means over images by curve."""

    name: str
    kind: str
    marked_as_failing: bool
    areas: dict[str, IntervalDocument | None]
    curves: dict[str, list[float] | None]


class AgreementDocument(TypedDict):
    """How alike the maps are: matrices, in the order of the names."""

    names: list[str]
    rank_correlation: list[list[IntervalDocument | None]]
    top_overlap: list[list[IntervalDocument | None]]


class PlantedMethod(TypedDict):
    """Whether one map finds the planted marks."""

    name: str
    hits: IntervalDocument
    mass: IntervalDocument
    finds: bool


class PlantedDocument(TypedDict):
    """The same of all maps."""

    images: int
    area: float
    methods: list[PlantedMethod]


class StageDocument(TypedDict):
    """A group of layers whose weights are drawn anew."""

    name: str
    layers: int


class SanityMethod(TypedDict):
    """What becomes of one map; similarities by measure, at each stage."""

    name: str
    passes: bool
    similarity: float
    limit: float
    by_chance: dict[str, float]
    cascading: list[dict[str, IntervalDocument | None]]
    independent: list[dict[str, IntervalDocument | None]]


class SanityDocument(TypedDict):
    """The same of all maps."""

    images: int
    draws: int
    stages: list[StageDocument]
    read_at: int
    deciding: str
    methods: list[SanityMethod]


class ExplanationFigures(TypedDict):
    """The figures of maps of the same images."""

    schema: str
    resamples: int
    seed: int
    images: int
    patients: int
    with_curves: int
    curves_at: dict[str, list[float]]
    methods: list[MethodDocument]
    agreement: AgreementDocument
    planted: PlantedDocument | None
    sanity: SanityDocument | None


class ExplainedModel(TypedDict):
    """The model whose maps are measured."""

    kind: str
    file: str
    labels: list[str]
    name: str
    version: str
    sha256: str


class UnavailableDocument(TypedDict):
    """A map that the bundle cannot give, and why."""

    name: str
    reason: str


class ExplanationStudyDocument(ExplanationFigures):
    """The figures, and what is known of model and files."""

    localisation: LocalisationDocument | None
    model: ExplainedModel
    finding: str | None
    findings: dict[str, int]
    unavailable: list[UnavailableDocument]
    unreadable: list[ProblemDocument]
