"""The keys of documents, and the type of each: of results (sitegen.result/1) and of gradients (sitegen.gradient/1).

Their meanings are in docs/result.md, docs/explanations.md and docs/gradient-document.md. A key that is NotRequired is
absent where there is nothing to say: a failure has an `error` in place of what the networks would have answered.
"""

from typing import NotRequired, TypedDict


class ErrorDocument(TypedDict):
    """Why something could not be had: a code for programs, a sentence for people."""

    code: str
    message: str


class ImageDocument(TypedDict):
    """The file that was given, upright; what could not be told of it is None."""

    name: str
    type: str | None
    width: int | None
    height: int | None
    bits: int | None
    sha256: str | None
    notes: list[str]  # of the file alone: what was left out of it, what made it grey


class BundleDocument(TypedDict):
    """The model that saw the image."""

    name: str
    version: str
    sha256: str


class EngineDocument(TypedDict):
    """What ran the networks."""

    runtime: str
    provider: str
    threads: int
    note: NotRequired[str]


class SeenPart(TypedDict):
    """What one network sees of the image: the share of its area, and the square [left, top, width, height].

    In pixels of the image as its file has it, upright; a correction is taken back.
    """

    share: float
    square: list[int]


class SeenDocument(SeenPart):
    """What the network that was asked sees, and what the gate does where that is another square."""

    gate: NotRequired[SeenPart]


class ScoreDocument(TypedDict):
    """One score of the gate, with its limit."""

    metric: str
    value: float
    threshold: float
    higher: str
    passed: bool
    position: float | None


class CheckDocument(TypedDict):
    """What was found in the picture itself."""

    check: str
    message: str
    correction: str | None


class GateDocument(TypedDict):
    """What the gate says of the image."""

    metric: str
    score: float
    threshold: float
    accepted: bool
    reason: str | None
    position: float | None
    scores: list[ScoreDocument]
    checks: list[CheckDocument]


class Finding(TypedDict):
    """What the classifier says of one label."""

    label: str
    logit: float
    probability: float
    operating_point: float
    calibrated: float | None
    calibration: str | None
    calibrated_operating_point: float | None


class ExplanationDocument(TypedDict):
    """One map, or the error in its place.

    A map that is a mean over random masks has how many `runs` of those asked for it is from, the largest standard
    error of its values, and, with those, all of them.
    """

    finding: str
    method: str
    shape: NotRequired[list[int]]
    min: NotRequired[float]
    max: NotRequired[float]
    sha256: NotRequired[str]
    values: NotRequired[list[float]]
    runs: NotRequired[int]
    runs_asked: NotRequired[int]
    largest_error: NotRequired[float]
    standard_errors: NotRequired[list[float]]
    error: NotRequired[ErrorDocument]


class Effect(TypedDict):
    """What an intervention changes of one finding: its probability before and after, and the difference.

    `logit_effect` is that of the logit. The calibrated ones are what people are shown; None without calibration.
    """

    label: str
    before: float
    after: float
    effect: float
    logit_effect: float
    calibrated_before: float | None
    calibrated_after: float | None


class AttackDocument(TypedDict):
    """Adversarial noise: the attack, ε as a share of the input's range, its steps, the finding it is on (None: all),
    the seed of its random start."""

    method: str
    strength: float
    steps: int
    finding: str | None
    seed: int


class LossDocument(TypedDict):
    """What an attack raises: the binary cross-entropy against what was said of the image, in nats."""

    before: float
    after: float


class WhatIfDocument(TypedDict):
    """One intervention: where, with what, how many cells of the classifier's input, and what came of it; or an error.

    Adversarial noise has `attack` and `loss` in place of the first three. `gate` is what the gate says of the changed
    image.
    """

    regions: NotRequired[list[list[float]]]
    filling: NotRequired[str]
    cells: NotRequired[int]
    attack: NotRequired[AttackDocument]
    loss: NotRequired[LossDocument]
    findings: NotRequired[list[Effect]]
    gate: NotRequired[GateDocument | None]
    error: NotRequired[ErrorDocument]


class WorstPatch(TypedDict):
    """Where a reconstruction is worst: a square of cells, and its mean squared error in shares of the range."""

    x: int
    y: int
    size: int
    error: float


class ProjectionDocument(TypedDict):
    """How near a generator came to the image.

    `distances` are pairs of a step and the mean squared error there, in shares of the range; `error` is that of the
    reconstruction, cut to the range, `similarity` its SSIM. `sha256` is that of the reconstruction's values.
    """

    steps: int
    steps_asked: int
    seed: int
    space: str
    distances: list[list[float]]
    error: float
    similarity: float
    worst: WorstPatch
    sha256: str


class Document(TypedDict):
    """What documents of all kinds have: a document, whatever was asked of the image."""

    schema: str
    image: ImageDocument
    bundle: BundleDocument
    engine: EngineDocument
    tensors: dict[str, str]
    seen: NotRequired[SeenDocument]
    gate: NotRequired[GateDocument | None]
    correction: NotRequired[str]
    forced: NotRequired[bool]
    error: NotRequired[ErrorDocument]
    timings: dict[str, float]
    notes: list[str]


class ResultDocument(Document):
    """A result document: the findings, and the explanations and interventions where some were asked for."""

    findings: NotRequired[list[Finding]]
    explanations: NotRequired[list[ExplanationDocument]]
    what_if: NotRequired[list[WhatIfDocument]]
    projection: NotRequired[ProjectionDocument]


class GradientPart(TypedDict):
    """One tensor of values that lie beside a gradient document."""

    role: str
    shape: list[int]
    min: float
    max: float
    sha256: str


class GradientDocument(Document):
    """A gradient document: the seed, and what it gave."""

    seed: NotRequired[dict[str, float]]
    logits: NotRequired[dict[str, float]]
    gradients: NotRequired[list[GradientPart]]
