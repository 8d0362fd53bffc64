"""The keys of an import's report (sitegen.import/1), and the type of each; docs/import.md says what they mean."""

from typing import Any, TypedDict

from sitegen.data.audit.document_types import ProblemDocument
from sitegen.importing.proof.document_types import PreprocessingDocument


class ImportedModel(TypedDict):
    """The bundle that was made."""

    name: str
    version: str
    title: str


class InputDocument(TypedDict):
    """What the network sees."""

    side: int | list[int]
    colour: str
    fit: str
    fill: list[float]
    seen: str
    fraction: float
    range: list[float]
    mean: list[float]
    std: list[float]


class LabelDocument(TypedDict):
    """A finding, as it will be shown."""

    label: str
    operating_point: float
    calibration: str | None


class ImagesDocument(TypedDict):
    """The images that were compared on."""

    used: int
    synthetic: bool
    problems: list[ProblemDocument]


class GradientDifferencesDocument(TypedDict):
    """Relative L2 distances of gradients."""

    images: int
    median: float
    largest: float


class ProofDocument(TypedDict):
    """The largest differences from the original."""

    images: int
    library: str | None
    logits: dict[str, float]
    probability: float | None
    gradients: GradientDifferencesDocument | None
    tolerance: float
    float32: float | None


class StoredDocument(TypedDict):
    """What the form of the weights did."""

    form: str
    numbers: int
    images: int
    logits: dict[str, float]
    mean: float
    largest: float


class _Report(TypedDict):
    schema: str
    sitegen: str
    onnxruntime: str
    model: ImportedModel
    input: InputDocument
    labels: list[LabelDocument]
    graphs: list[str]
    feature_map: bool
    gate: dict[str, Any] | None
    bytes: int
    images: ImagesDocument
    proof: ProofDocument
    weights: StoredDocument | None
    preprocessing: PreprocessingDocument | None
    remarks: list[str]


_Import = TypedDict("_Import", {"import": dict[str, Any]})  # a word of Python's own; each source has keys of its own


class ImportDocument(_Report, _Import):
    """The report on an import."""
