"""Results in words and shares, for people: the page draws these and decides nothing.

The bars run from 0 to 1 with the operating point marked: at one half by construction where the calibration is piecewise
linear, elsewhere where the calibration takes it. Without a calibration the bar shows the probability itself.
"""

from collections.abc import Iterator
from typing import Any

from sitegen_runtime.bundle.model import Gate
from sitegen_runtime.calibration import CALIBRATIONS
from sitegen_runtime.document_types import Finding, ResultDocument
from sitegen_runtime.wording.gate import BADGE, describe_correction, describe_gate, reasons

_FAILURES = {
    "unsupported-type": "This kind of file cannot be read",
    "damaged-image": "This file is damaged",
    "too-large": "This image is too large",
    "too-small": "This image is too small",
    "cancelled": "Cancelled",
}


def describe(document: ResultDocument, gate: Gate | None = None) -> dict[str, Any]:
    """Return what to say of a result document, which a model with this gate made.

    Keys: `outcome` ("failed", "refused" or "findings"), `headline`, `details` (sentences), `findings` (each with
    `label`, `share` and `mark` from 0 to 1, `percent`, `verdict`, `above`, and `meaning`: what its percentage is),
    `gate` and `correction` (see `gate_wording`; None where there is none), `badge` (`short` and `long`: what stands on
    everything that was forced; or None) and `marks` (what the names of saved files carry).
    """
    if "error" in document:
        code, message = document["error"]["code"], document["error"]["message"]
        headline = _FAILURES.get(code, "This image could not be analysed")
        return _words("failed", headline, [message, *document["notes"]])
    judged = document["gate"]
    refused = judged is not None and not judged["accepted"]
    findings = [_finding(finding) for finding in document["findings"]]
    outcome = "refused" if refused and not findings else "findings"
    headline, correction = _headline(refused, bool(findings)), describe_correction(document)
    words = _words(outcome, f"{headline} ({correction['done']})" if correction else headline, _details(document))
    return words | {
        "findings": findings,
        "gate": describe_gate(document, gate) if gate and judged else None,
        "correction": correction,
        "badge": BADGE if document.get("forced") else None,
        "marks": list(_marks(document)),
    }


def _words(outcome: str, headline: str, details: list[str]) -> dict[str, Any]:
    nothing: dict[str, Any] = {"findings": [], "gate": None, "correction": None, "badge": None, "marks": []}
    return {"outcome": outcome, "headline": headline, "details": details} | nothing


def _marks(document: ResultDocument) -> Iterator[str]:
    if "correction" in document:
        yield document["correction"]
    if document.get("forced"):
        yield "forced"


def _headline(refused: bool, has_findings: bool) -> str:
    if not refused:
        return "Analysed"
    if has_findings:
        return "Analysed although the gate refused it: do not rely on this"
    return "Not analysed: this image is unlike the training images"


def _details(document: ResultDocument) -> list[str]:
    gate = document["gate"]
    if gate is None:
        return ["This model has no gate: nothing checked whether the image is of the right kind.", *document["notes"]]
    if not gate["accepted"]:
        return [*reasons(gate), *document["notes"]]
    score, threshold = gate["score"], gate["threshold"]
    accepted = f"The gate accepted the image: similarity {score:.3f}, at least {threshold:.3f} is needed."
    return [accepted, *document["notes"]]


def percent_means(method: str | None) -> str:
    """Return what the percentage of a finding is, and what 50 % means, for a method of calibration or for none."""
    if method is None:
        return "the model's probability; the mark is its operating point."
    return CALIBRATIONS[method].means


def _finding(finding: Finding) -> dict[str, Any]:
    calibrated = finding["calibrated"]
    above = finding["probability"] >= finding["operating_point"]
    share = finding["probability"] if calibrated is None else calibrated
    return {
        "label": finding["label"],
        "share": share,
        "mark": finding["operating_point"] if calibrated is None else finding["calibrated_operating_point"],
        "percent": f"{100 * share:.0f} %",
        "verdict": "at or above the operating point" if above else "below the operating point",
        "above": above,
        "meaning": percent_means(finding["calibration"]),
    }
