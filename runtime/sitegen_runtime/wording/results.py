"""Results in words and shares, for people: the page draws these and decides nothing.

The bars run from 0 to 1 with the operating point marked: at one half by construction where the calibration is piecewise
linear, elsewhere where the calibration takes it. Without a calibration the bar shows the probability itself.
"""

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from sitegen_runtime.bundle.figures import is_absence
from sitegen_runtime.bundle.model import Label, Model
from sitegen_runtime.calibration import CALIBRATIONS
from sitegen_runtime.document_types import ErrorDocument, Finding, ResultDocument
from sitegen_runtime.wording.gate import BADGE, FORCE, describe_correction, describe_gate, reasons, whose_gate
from sitegen_runtime.wording.known import NOBODY, what_is_known
from sitegen_runtime.wording.predictive import describe_predictive
from sitegen_runtime.wording.seen import describe_seen
from sitegen_runtime.wording.verdict import is_above, ranks, verdict_of

_FAILURES = {
    "unsupported-type": "This kind of file cannot be read",
    "damaged-image": "This file is damaged",
    "too-large": "This image is too large",
    "too-small": "This image is too small",
    "cancelled": "Cancelled",
}
_FAILED_ROWS = {
    "unsupported-type": "failed: no kind of file that can be read",
    "damaged-image": "failed: damaged",
    "too-large": "failed: too large",
    "too-small": "failed: too small",
    "unreadable-file": "failed: cannot be read",
    "cancelled": "cancelled",
}


def describe(document: ResultDocument, model: Model | None = None) -> dict[str, Any]:
    """Return what to say of a result document, which this model made; without it, nothing is known of its findings.

    Keys: `outcome` ("failed", "refused" or "findings"), `verdict` (the line that comes first), `strongest` (the finding
    that stands for the image in a list, or None) and `row` (what the list says); `headline`, `details` (sentences),
    `seen` (see `wording.seen`; None where all was seen), `findings` (see `_finding`), `gate` and `correction` (see
    `wording.gate`; None where there is none), `force` (`button`, `question` and `confirm`; None where nothing can be
    forced), `pictures` (what they show: the image `plain`, with its `errors`, and `unmapped`; its `reconstruction`;
    None for what failed), `badge` (`short` and `long`: what stands on everything that was forced; or None), `marks`
    (what the names of saved files carry) and `times` (their `name`, and `rows` with `stage` and `text`; None where
    nothing was timed).
    """
    if "error" in document:
        return describe_error(document["error"], document["notes"], document["timings"])
    judged, gate = document["gate"], model.gate if model else None
    refused = judged is not None and not judged["accepted"]
    badge = BADGE if document.get("forced") else None
    outcome = "refused" if refused and not document["findings"] else "findings"
    headline, correction = _headline(refused, bool(document["findings"])), describe_correction(document)
    words = _words(outcome, f"{headline} ({correction['done']})" if correction else headline, _details(document, model))
    return (
        words
        | _first(document)
        | {
            "seen": describe_seen(document, refused=outcome == "refused"),
            "findings": _findings(document["findings"], badge, model),
            "gate": describe_gate(document, gate) if gate and judged else None,
            "correction": correction,
            "force": FORCE if outcome == "refused" else None,
            "pictures": _pictures(document["image"]["name"], badge),
            "badge": badge,
            "marks": list(_marks(document)),
            "times": _times(document["timings"]),
        }
    )


def describe_error(
    error: ErrorDocument, notes: Iterable[str] = (), timings: Mapping[str, float] = MappingProxyType({})
) -> dict[str, Any]:
    """Return what to say of an image that could not be analysed, with the keys of `describe`."""
    headline = _FAILURES.get(error["code"], "This image could not be analysed")
    row = _FAILED_ROWS.get(error["code"], "failed")
    words = _words("failed", headline, [error["message"], *notes])
    return words | {"row": row, "times": _times(timings)}


def _words(outcome: str, headline: str, details: list[str]) -> dict[str, Any]:
    nothing = dict.fromkeys(("strongest", "seen", "gate", "correction", "force", "pictures", "badge", "times"))
    words = {"outcome": outcome, "verdict": headline, "row": outcome, "headline": headline, "details": details}
    return words | nothing | {"findings": [], "marks": []}


def _first(document: ResultDocument) -> dict[str, Any]:
    """Return the keys of what is said first of an image that was analysed; nothing where it was refused."""
    if not document["findings"]:
        return {}
    said = verdict_of(document["findings"])
    row = f"{said.row} ({BADGE['short'].lower()})" if document.get("forced") else said.row
    return {"verdict": said.verdict, "strongest": said.strongest, "row": row}


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
    return "Not analysed: this image is unlike those that the gate knows"


def _details(document: ResultDocument, model: Model | None) -> list[str]:
    gate = document["gate"]
    if gate is None:
        return ["This model has no gate: nothing checked whether the image is of the right kind.", *document["notes"]]
    borrowed = [whose_gate(model.provenance)] if model and model.provenance.borrowed_gate else []
    if not gate["accepted"]:
        return [*reasons(gate), *borrowed, *document["notes"]]
    score, threshold = gate["score"], gate["threshold"]
    accepted = f"The gate accepted the image: similarity {score:.3f}, at least {threshold:.3f} is needed."
    return [accepted, *borrowed, *document["notes"]]


def percent_means(method: str | None, *, told: bool = True) -> str:
    """Return what the percentage of a finding is, and what 50 % means, for a method of calibration or for none.

    `told` is whether the bundle tells on which validation images that was fitted.
    """
    if method is None:
        return "the model's probability; the mark is its operating point."
    row = CALIBRATIONS[method]
    return row.means if told else row.untold or row.means


def _pictures(name: str, badge: Mapping[str, str] | None) -> dict[str, str]:
    """What the pictures of an image show, for those who do not see them."""
    forced = f". {badge['long']}" if badge else ""
    return {
        "plain": f"The image {name}{forced}",
        "errors": f"The image {name}, with the places that its reconstruction misses in red{forced}",
        "reconstruction": f"The reconstruction of {name}{forced}",
        "unmapped": f"The image {name}, without a map yet",
    }


def _times(timings: Mapping[str, float]) -> dict[str, Any] | None:
    rows = [{"stage": stage, "text": f"{time:.0f} ms"} for stage, time in timings.items()]
    return {"name": "Time for each stage", "rows": rows} if rows else None


def _findings(
    findings: Iterable[Finding], badge: Mapping[str, str] | None, model: Model | None
) -> list[dict[str, Any]]:
    given = list(findings)
    places = ranks(given)
    labels = {label.name: label for label in model.labels} if model else {}
    return [
        _finding(finding, badge, labels.get(finding["label"]), model)
        | {"rank": places[finding["label"]], "absence": is_absence(finding["label"])}
        for finding in given
    ]


def _finding(
    finding: Finding, badge: Mapping[str, str] | None, label: Label | None, model: Model | None
) -> dict[str, Any]:
    """Return what to say of a finding.

    Keys: `label`, `share` and `mark` from 0 to 1, `value` (the share in whole percent), `percent`, `verdict`, `text`
    (both), `spoken`, `above`, `meaning` (what its percentage is), `weak` (how badly the model tells it, where it is
    hardly better than chance; else None), `known` (see `wording.known`), `predictive` (see `wording.predictive`) and,
    added by `_findings`, `rank` (see `wording.verdict`) and `absence` (whether it means that there is nothing).
    """
    calibrated, above = finding["calibrated"], is_above(finding)
    share = finding["probability"] if calibrated is None else calibrated
    percent, verdict = f"{100 * share:.0f} %", f"{'at or above' if above else 'below'} the operating point"
    text = f"{percent}, {verdict}"
    weak = f"Weak: {label.weak}" if label and label.weak else None
    told = model is not None and model.provenance.fitted_on(finding["label"]) is not None
    return {
        "label": finding["label"],
        "share": share,
        "mark": finding["operating_point"] if calibrated is None else finding["calibrated_operating_point"],
        "value": round(100 * share),
        "percent": percent,
        "verdict": verdict,
        "text": text,
        "spoken": ". ".join(filter(None, [text, weak, badge["long"] if badge else None])),
        "above": above,
        "meaning": percent_means(finding["calibration"], told=told),
        "weak": weak,
        "known": what_is_known(model, label) if model and label else [NOBODY],
        "predictive": describe_predictive(model, finding["label"]) if model else [],
    }
