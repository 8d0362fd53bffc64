"""Documents: what is said of an image, whatever was asked; and result documents (schema sitegen.result/1).

A result document is what `sitegen predict --json` prints and the page's `analyse` returns, documented in
docs/result.md. Fields may be added; their meaning never changes.
"""

from __future__ import annotations  # array[float] is a name for type checkers until Python 3.12

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, ClassVar, Generic, TypeVar, cast

from sitegen_runtime.bundle.model import Label, Model
from sitegen_runtime.calibration import calibrate, calibrated_operating_point, sigmoid
from sitegen_runtime.document_types import (
    BundleDocument,
    CheckDocument,
    Document,
    EngineDocument,
    ExplanationDocument,
    Finding,
    GateDocument,
    ImageDocument,
    ProjectionDocument,
    ResultDocument,
    ScoreDocument,
    SeenDocument,
    WhatIfDocument,
)
from sitegen_runtime.errors import AnalysisError
from sitegen_runtime.formats import InspectedImage
from sitegen_runtime.gate.decision import Check, Decision, Score
from sitegen_runtime.pixels.geometry import upright_size
from sitegen_runtime.pixels.tensor import tensor_hash

D = TypeVar("D", bound=Document)


@dataclass
class Draft(Generic[D]):
    """A document that is being written: it is complete, as far as the work has come, at any moment.

    This part is common to all kinds of documents; each kind adds its `schema` and its `answer`, the keys
    that its type of document has beyond `Document`.
    """

    schema: ClassVar[str]
    name: str
    model: Model
    engine: Mapping[str, Any]
    image: InspectedImage | None = None
    sha256: str | None = None
    tensors: dict[str, str] = field(default_factory=dict)
    seen: SeenDocument | None = None  # once the image was scaled
    decision: Decision | None = None
    forced: bool = False
    correction: str | None = None
    timings: dict[str, float] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def hash_file(self, data: bytes) -> None:
        """Enter the SHA-256 of the file's bytes."""
        self.sha256 = sha256(data).hexdigest()

    def enter_tensors(self, tensors: Mapping[str, array[float]]) -> None:
        """Enter the hashes of the network inputs."""
        self.tensors = {role: tensor_hash(values) for role, values in sorted(tensors.items())}

    @property
    def refused(self) -> bool:
        """Whether the gate refuses the image, and nobody has forced it."""
        return self.decision is not None and not self.decision.accepted and not self.forced

    def answer(self) -> dict[str, Any]:
        """Return what the networks said of the image, which is nothing where the gate refused it."""
        raise NotImplementedError

    def result(self) -> D:
        """Return the document of work that came to its end."""
        document = self._head() | {"gate": gate_document(self.decision)} | self.answer() | self._tail()
        if self.correction:
            document["correction"] = self.correction
        if self.forced:
            document["forced"] = True
        return cast(D, document)

    def failure(self, error: AnalysisError) -> D:
        """Return the document of work that failed."""
        return cast(D, self._head() | {"error": error.fields()} | self._tail())

    def _head(self) -> dict[str, Any]:
        bundle: BundleDocument = {
            "name": self.model.name,
            "version": self.model.version,
            "sha256": self.model.sha256,
        }
        return {
            "schema": self.schema,
            "image": _image(self.name, self.image, self.sha256),
            "bundle": bundle,
            "engine": cast(EngineDocument, dict(self.engine)),
            "tensors": self.tensors,
        } | ({"seen": self.seen} if self.seen else {})

    def _tail(self) -> dict[str, Any]:
        return {"timings": self.timings, "notes": self.notes}


@dataclass
class ResultDraft(Draft[ResultDocument]):
    """A result document that is being written."""

    schema = "sitegen.result/1"
    findings: list[Finding] = field(default_factory=list)
    explanations: list[ExplanationDocument] | None = None  # where none was asked for
    what_if: list[WhatIfDocument] | None = None  # likewise
    projection: ProjectionDocument | None = None  # likewise

    def enter_findings(self, logits: Sequence[float]) -> None:
        """Enter a finding for each label, in the order of the bundle."""
        self.findings = [_finding(label, float(logit)) for label, logit in zip(self.model.labels, logits, strict=True)]

    def answer(self) -> dict[str, Any]:
        """Return the findings, and what else was asked for."""
        asked = {"explanations": self.explanations, "what_if": self.what_if, "projection": self.projection}
        return {"findings": self.findings} | {key: entries for key, entries in asked.items() if entries is not None}


def _image(name: str, image: InspectedImage | None, digest: str | None) -> ImageDocument:
    if image is None:
        return {"name": name, "type": None, "width": None, "height": None, "bits": None, "sha256": digest, "notes": []}
    width, height = upright_size(image.width, image.height, image.orientation)
    return {
        "name": name,
        "type": image.media_type,
        "width": width,
        "height": height,
        "bits": image.bits,
        "sha256": digest,
        "notes": list(image.notes),
    }


def gate_document(decision: Decision | None) -> GateDocument | None:
    """Return what the gate says as a document has it, None where there is no gate."""
    if decision is None:
        return None
    return {
        "metric": decision.metric,
        "score": decision.score,
        "threshold": decision.threshold,
        "accepted": decision.accepted,
        "reason": decision.reason,
        "position": decision.position,
        "scores": [_score(score) for score in decision.scores],
        "checks": [_check(check) for check in decision.checks],
    }


def _check(check: Check) -> CheckDocument:
    return {"check": check.check, "message": check.message, "correction": check.correction}


def _score(score: Score) -> ScoreDocument:
    return {
        "metric": score.metric,
        "value": score.value,
        "threshold": score.threshold,
        "higher": score.higher,
        "passed": score.passed,
        "position": score.position,
    }


def _finding(label: Label, logit: float) -> Finding:
    probability = sigmoid(logit)
    return {
        "label": label.name,
        "logit": logit,
        "probability": probability,
        "operating_point": label.operating_point,
        "calibrated": calibrate(logit, probability, label),
        "calibration": label.calibration.method if label.calibration else None,
        "calibrated_operating_point": calibrated_operating_point(label),
    }
