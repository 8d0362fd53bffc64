"""Comparing result documents: the page's against Python's.

What must hold: tensors identical to the bit; probabilities within 1e-5; gate scores within 1e-6 (of a score above 1,
within that share of it; within 1e-5 where it comes from the classifier, as probabilities do); decisions, and what was
found in the picture, equal; the same error code where an image cannot be analysed. Of the page's logits and
probabilities Python must make the page's calibrated values: within 1e-9 where the calibration takes exp and log of
them, within 1e-12 where it interpolates. Where the page runs on a graphics card, WEBGPU holds in place of WASM.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from sitegen_runtime.bundle.model import Label
from sitegen_runtime.calibration import CALIBRATIONS, calibrate
from sitegen_runtime.document_types import Finding, GateDocument, ResultDocument, ScoreDocument
from sitegen_runtime.gate.metrics import METRICS, STAGE_ONE
from sitegen_runtime.golden import SCORE_TOLERANCE

CALIBRATION_TOLERANCE = {name: 1e-12 if method.interpolates else 1e-9 for name, method in CALIBRATIONS.items()}
# Upper borders of the histogram's bins; the last bin is open.
BORDERS = (0.0, 1e-9, 1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2)
# Cohen, Bertin, Frappier: "Chester" (2020), section 5: predictions in the browser against PyTorch, over 20 images.
CHESTER = {"mean": 0.03, "worst": 0.20}


@dataclass(frozen=True)
class Tolerance:
    """How far apart numbers may be: probabilities and what the classifier gives, and what the gate's network gives."""

    probability: float
    gate: float


WASM = Tolerance(probability=1e-5, gate=1e-6)
# A logit may be off by 1e-3, beyond -1..1 by that share (see `golden`); no probability moves by more than 2.5e-4 then.
WEBGPU = Tolerance(probability=2.5e-4, gate=SCORE_TOLERANCE)
TOLERANCES = {"wasm": WASM, "webgpu": WEBGPU}


@dataclass
class Differences:
    """Absolute differences of one quantity over all images."""

    values: list[float] = field(default_factory=list)

    def summary(self) -> dict[str, Any]:
        """Return count, maximum, mean and histogram: one count for each border of BORDERS, one above the last."""
        counts = [0] * (len(BORDERS) + 1)
        for value in self.values:
            counts[bisect_left(BORDERS, value)] += 1
        mean = sum(self.values) / len(self.values) if self.values else 0.0
        return {"count": len(self.values), "max": max(self.values, default=0.0), "mean": mean, "histogram": counts}


def bin_names() -> list[str]:
    """Return a name for each bin of a histogram."""
    between = [f"≤ {high:.0e}".replace("e-0", "e-") for _, high in pairwise(BORDERS)]
    return ["0", *between, f"> {BORDERS[-1]:.0e}".replace("e-0", "e-")]


class Comparison:
    """Collects pairs of documents of the same image, made by a model with these `labels`, the page's on `provider`."""

    def __init__(self, labels: Iterable[Label], provider: str = "wasm") -> None:
        self.provider, self.tolerance = provider, TOLERANCES[provider]
        self.labels = {label.name: label for label in labels}
        self.failures: list[str] = []
        self.findings: dict[str, Differences] = {}
        self.gate = Differences()
        self.scores: dict[str, Differences] = {}
        self.tensors: dict[str, list[int]] = {}
        self.codes: Counter[str] = Counter()
        self.images = 0

    def add(self, name: str, page: ResultDocument, reference: ResultDocument) -> None:
        """Compare two documents of the image `name`."""
        self.images += 1
        codes = [document["error"]["code"] if "error" in document else None for document in (page, reference)]
        if codes[0] != codes[1]:
            self.failures.append(f"{name}: the page says {codes[0] or 'a result'}, Python {codes[1] or 'a result'}")
        elif codes[0]:
            self.codes[codes[0]] += 1
        else:
            self._compare_results(name, page, reference)

    def _compare_results(self, name: str, page: ResultDocument, reference: ResultDocument) -> None:
        if self.provider == "webgpu" and page["engine"]["provider"] != "webgpu":  # no card's numbers were compared
            self.failures.append(f"{name}: not analysed on WebGPU. {page['engine'].get('note', '')}".rstrip())
        same = page["tensors"] == reference["tensors"]
        counts = self.tensors.setdefault(str(reference["image"]["type"]), [0, 0])
        counts[0] += same
        counts[1] += 1
        if not same:
            self.failures.append(f"{name}: tensors differ")
        for key in ("image", "bundle", "seen", "notes", "forced", "correction"):
            if _comparable(page, key) != _comparable(reference, key):
                self.failures.append(f"{name}: {key} differs: {page.get(key)} and {reference.get(key)}")
        self._compare_gates(name, page["gate"], reference["gate"])
        self._compare_findings(name, page["findings"], reference["findings"])

    def _compare_gates(self, name: str, page: GateDocument | None, reference: GateDocument | None) -> None:
        if page is None or reference is None:
            if page is not reference:
                self.failures.append(f"{name}: only one side has a gate")
            return
        difference = abs(page["score"] - reference["score"])
        self.gate.values.append(difference)
        if not difference <= self.tolerance.gate:  # so that NaN fails too
            self.failures.append(f"{name}: gate scores differ by {difference:.1e}")
        if any(page[key] != reference[key] for key in ("metric", "threshold", "accepted")):
            self.failures.append(f"{name}: the page and Python decide differently: {page} and {reference}")
        if _found(page) != _found(reference):
            self.failures.append(f"{name}: checks differ: {_found(page)} and {_found(reference)}")
        self._compare_scores(name, page["scores"], reference["scores"])

    def _compare_scores(self, name: str, page: list[ScoreDocument], reference: list[ScoreDocument]) -> None:
        if [_decided(score) for score in page] != [_decided(score) for score in reference]:
            self.failures.append(f"{name}: scores differ: {page} and {reference}")
            return
        for ours, theirs in zip(page, reference, strict=True):
            metric = ours["metric"]
            difference = abs(ours["value"] - theirs["value"]) / max(1.0, abs(theirs["value"]))
            self.scores.setdefault(metric, Differences()).values.append(difference)
            if not difference <= score_tolerance(metric, self.tolerance):
                self.failures.append(f"{name}: the score {metric} differs by {difference:.1e}")

    def _compare_findings(self, name: str, page: list[Finding], reference: list[Finding]) -> None:
        if [finding["label"] for finding in page] != [finding["label"] for finding in reference]:
            self.failures.append(f"{name}: findings differ")
            return
        for ours, theirs in zip(page, reference, strict=True):
            difference = abs(ours["probability"] - theirs["probability"])
            self.findings.setdefault(ours["label"], Differences()).values.append(difference)
            if not difference <= self.tolerance.probability:
                self.failures.append(f"{name}: {ours['label']} differs by {difference:.1e}")
            if not _same_scale(ours, theirs, self.labels[ours["label"]]):
                self.failures.append(f"{name}: {ours['label']} is calibrated differently: {ours} and {theirs}")

    def summary(self) -> dict[str, Any]:
        """Return the comparison as plain data."""
        return {
            "images": self.images,
            "tensors": {kind: {"identical": same, "total": total} for kind, (same, total) in self.tensors.items()},
            "findings": {label: differences.summary() for label, differences in self.findings.items()},
            "gate": self.gate.summary(),
            "scores": {metric: differences.summary() for metric, differences in self.scores.items()},
            "errors": dict(self.codes),
            "failures": self.failures,
        }


def score_tolerance(metric: str, tolerance: Tolerance = WASM) -> float:
    """Return how far apart a score of the gate may be, of one above 1 as a share of it."""
    if METRICS[metric].stage == STAGE_ONE:
        return tolerance.gate
    return max(tolerance.probability, tolerance.gate)


def _found(gate: GateDocument) -> list[tuple[str, str | None]]:
    return [(check["check"], check["correction"]) for check in gate["checks"]]


def _decided(score: ScoreDocument) -> tuple[Any, ...]:
    return tuple(score[key] for key in ("metric", "threshold", "higher", "passed"))


def _same_scale(page: Finding, reference: Finding, label: Label) -> bool:
    """Whether the operating points agree, and the page calibrated its own logit as Python calibrates that logit."""
    if any(page[key] != reference[key] for key in ("operating_point", "calibration")):
        return False
    tolerance = CALIBRATION_TOLERANCE[label.calibration.method] if label.calibration else 0.0
    expected = calibrate(page["logit"], page["probability"], label)
    marks = page["calibrated_operating_point"], reference["calibrated_operating_point"]
    return _close(page["calibrated"], expected, tolerance) and _close(*marks, tolerance)


def _close(ours: float | None, theirs: float | None, tolerance: float) -> bool:
    if ours is None or theirs is None:
        return ours is theirs
    return abs(ours - theirs) <= tolerance


def _comparable(document: ResultDocument, key: str) -> Any:
    value = document.get(key)
    if key == "image":
        return {name: entry for name, entry in document["image"].items() if name != "name"}
    return value
