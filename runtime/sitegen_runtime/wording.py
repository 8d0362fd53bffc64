"""Results in words and shares, for people: the page draws these and decides nothing.

The bars run from 0 to 1 with the operating point marked. Calibrated probabilities have it at one half by construction;
where a label has no calibration, the bar shows the probability itself and the mark lies at the operating point.
"""

from typing import Any

from sitegen_runtime.document import Document

_FAILURES = {
    "unsupported-type": "This kind of file cannot be read",
    "damaged-image": "This file is damaged",
    "too-large": "This image is too large",
    "too-small": "This image is too small",
    "cancelled": "Cancelled",
}


def describe(document: Document) -> dict[str, Any]:
    """Return what to say of a result document.

    Keys: `outcome` ("failed", "refused" or "findings"), `headline`, `details` (sentences), `findings` (each with
    `label`, `share` and `mark` from 0 to 1, `percent`, `verdict`, `above`).
    """
    if "error" in document:
        code, message = document["error"]["code"], document["error"]["message"]
        headline = _FAILURES.get(code, "This image could not be analysed")
        return {"outcome": "failed", "headline": headline, "details": [message, *document["notes"]], "findings": []}
    gate = document["gate"]
    refused = gate is not None and not gate["accepted"]
    findings = [_finding(finding) for finding in document["findings"]]
    if refused and not findings:
        headline = "Not analysed: this image is unlike the training images"
        return {"outcome": "refused", "headline": headline, "details": _details(document), "findings": []}
    headline = "Analysed although the gate refused it: do not rely on this" if refused else "Analysed"
    return {"outcome": "findings", "headline": headline, "details": _details(document), "findings": findings}


def _details(document: Document) -> list[str]:
    gate = document["gate"]
    if gate is None:
        return ["This model has no gate: nothing checked whether the image is of the right kind.", *document["notes"]]
    if not gate["accepted"]:
        return [gate["reason"], *document["notes"]]
    score, threshold = gate["score"], gate["threshold"]
    accepted = f"The gate accepted the image: similarity {score:.3f}, at least {threshold:.3f} is needed."
    return [accepted, *document["notes"]]


def _finding(finding: Document) -> dict[str, Any]:
    calibrated = finding["calibrated"]
    share = finding["probability"] if calibrated is None else calibrated
    mark = finding["operating_point"] if calibrated is None else 0.5
    above = finding["probability"] >= finding["operating_point"]
    return {
        "label": finding["label"],
        "share": share,
        "mark": mark,
        "percent": f"{100 * share:.0f} %",
        "verdict": "at or above the operating point" if above else "below the operating point",
        "above": above,
    }
