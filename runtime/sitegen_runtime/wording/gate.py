"""What the gate found, in words and shares: its reasons, what it measured and where that lies among known images.

A position is the share of the reference images of a bundle that are less unlike. It is said in words and drawn as a
scale from 0 to 1, on which the threshold lies where the same table puts it.
"""

from collections.abc import Iterator
from math import floor
from typing import Any, cast

from sitegen_runtime.bundle.model import Gate
from sitegen_runtime.bundle.provenance import Provenance
from sitegen_runtime.document_types import Document, GateDocument, ScoreDocument
from sitegen_runtime.gate.metrics import METRICS
from sitegen_runtime.gate.positions import position
from sitegen_runtime.gate.refusal import reason_of_score, reason_of_ssim
from sitegen_runtime.pixels.corrections import CORRECTIONS
from sitegen_runtime.wording.shares import listed

CAPTIONS = {
    "image": "The image as the gate took it",
    "reconstruction": "Its reconstruction: the nearest to it that the gate's network draws",
    "errors": "Where the image differs from its reconstruction",
}
NAMES = {"all": "How the gate judged this image", "others": "Other measures of the gate"}
SCALE_ENDS = {"alike": "like known images", "unlike": "unlike them"}
FORCE = {
    "button": "Analyse anyway…",
    "question": "The gate knows no images like this; the model's answer means nothing. Really?",
    "confirm": "Yes, and mark it as forced",
}
BADGE = {"short": "Forced", "long": "Forced: the gate refused this image"}


def describe_gate(document: Document, gate: Gate) -> dict[str, Any]:
    """Return what to say of the gate's judgement, which the document must have.

    Keys: `accepted`; `plain`, why nothing was analysed, without the figures of scores, None where something was;
    `measures`, the SSIM first, each with `label`, `text` (the value and its limit), `passed` and
    `verdict`, `telling` (it refused the image, and its scale says how clearly), `sentence` (the position in words),
    `share` and `mark` (the positions of the image and of the threshold, 0 to 1), `percent` (the image's), `scale` (its
    name) and `spoken` (the scale in words), of which there are none without a table of quantiles; `ends` of the scales;
    `names` of the lists of measures; `offers`, each with `correction`, `message` and `button`; `captions` of the
    pictures.
    """
    judged = cast(GateDocument, document["gate"])
    return {
        "accepted": judged["accepted"],
        "plain": None if judged["accepted"] or document.get("findings") else _plain_reason(judged),
        "measures": [_measure(entry, gate) for entry in _measured(judged)],
        "offers": [] if document.get("correction") else list(_offers(judged)),
        "captions": CAPTIONS,
        "ends": SCALE_ENDS,
        "names": NAMES,
    }


def whose_gate(made: Provenance, *, has_gate: bool = True) -> str:
    """Return whose images the gate of a bundle knows, as far as the bundle tells; or that there is none."""
    if not has_gate:
        return "This model has no gate: nothing checks whether an image is of the right kind."
    if made.own_gate:
        return "Its gate refuses images that are unlike its training images."
    borrowed = made.borrowed_gate
    if borrowed is None:
        return "Its gate refuses images that are unlike those that the gate was made with."
    trained_on = f", which was trained on images of {listed(list(borrowed.trained_on))}" if borrowed.trained_on else ""
    return (
        f"Its gate was taken over from the model {borrowed.bundle}{trained_on}: it refuses images that are unlike "
        "those that it was made with there."
    )


def describe_correction(document: Document) -> dict[str, str] | None:
    """Return what was done to the image before its analysis (`done`), and the name of the way back (`undo`)."""
    correction = document.get("correction")
    if correction is None:
        return None
    return {"done": CORRECTIONS[correction].done, "undo": "Analyse it as it is in the file"}


def reasons(judged: GateDocument) -> list[str]:
    """Return why the gate refused an image, a sentence or two for each reason; what it offers is no reason."""
    found = [] if judged["score"] >= judged["threshold"] else [reason_of_ssim(judged["score"], judged["threshold"])]
    for score in judged.get("scores", ()):
        if not score["passed"]:
            found.append(reason_of_score(score["metric"], score["value"], score["threshold"], score["higher"]))
    return found + [check["message"] for check in judged.get("checks", ()) if not check["correction"]]


def _plain_reason(judged: GateDocument) -> str:
    """Return why in words alone: what its form and its header say, else pictures before features."""
    if messages := [check["message"] for check in judged.get("checks", ()) if not check["correction"]]:
        return " ".join(messages)
    if judged["score"] < judged["threshold"]:
        return "The gate's network could not draw this image well enough."
    return "What the networks make of this image is unlike what they make of the images that the gate was made with."


def position_in_words(share: float | None, gate: Gate) -> str | None:
    """Say where an image lies among the reference images; None without a position."""
    if share is None or gate.quantiles is None:
        return None
    known = f"the {gate.quantiles.of} images that the gate was set on"
    if share >= 1:
        return f"At least as unlike as all of {known}."
    percent = _percent(share)
    return f"More unlike than {percent:.1f} % of {known}." if percent else f"Hardly more unlike than any of {known}."


def _measured(judged: GateDocument) -> Iterator[ScoreDocument]:
    passed = judged["score"] >= judged["threshold"]
    yield {
        "metric": judged["metric"],
        "value": judged["score"],
        "threshold": judged["threshold"],
        "higher": "alike",
        "passed": passed,
        "position": judged.get("position"),
    }
    yield from judged.get("scores", ())


def _measure(entry: ScoreDocument, gate: Gate) -> dict[str, Any]:
    share = entry["position"]
    sentence = position_in_words(share, gate)
    mark = None if sentence is None else position(entry["threshold"], entry["metric"], gate)
    row = METRICS[entry["metric"]]
    label = row.label
    return {
        "label": label,
        "text": row.scale.limit(entry["value"], entry["threshold"], at_least=entry["higher"] == "alike"),
        "passed": entry["passed"],
        "verdict": "Passed" if entry["passed"] else "Refused",
        "telling": share is not None and not entry["passed"],
        "sentence": sentence,
        "share": share,
        "mark": mark,
        "percent": None if share is None else _percent(share),
        "scale": None if share is None else f"How unlike: {label}",
        "spoken": None if mark is None else f"{sentence} Refused beyond {100 * mark:.1f} %.",
    }


def _percent(share: float) -> float:
    return floor(1000 * share) / 10  # rounding up could make 100 % of less than all


def _offers(judged: GateDocument) -> Iterator[dict[str, str]]:
    for check in judged.get("checks", ()):
        if correction := check.get("correction"):
            button = f"{CORRECTIONS[correction].button} and analyse"
            yield {"correction": correction, "message": check["message"], "button": button}
