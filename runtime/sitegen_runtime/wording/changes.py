"""What-if answers in words and shares: what changes of each finding where a part of the image is something else.

The page draws these and decides nothing. Shares are those that findings are shown with: calibrated where the bundle
calibrates, otherwise the model's own probability.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sitegen_runtime.bundle.figures import is_absence
from sitegen_runtime.bundle.model import Model
from sitegen_runtime.document_types import Effect, Finding, GateDocument, ResultDocument, WhatIfDocument
from sitegen_runtime.interventions.fillings import BLUR, FILLINGS, RECONSTRUCTION
from sitegen_runtime.running import image_input
from sitegen_runtime.wording.gate import reasons
from sitegen_runtime.wording.noise import describe_noise, told_noise
from sitegen_runtime.wording.shares import listed
from sitegen_runtime.wording.verdict import is_above, ranks
from sitegen_runtime.wording.what_if import NOISE, REGION

GRIDS = ((8, "large"), (16, "medium"), (32, "small"))
_REMARKABLE = 0.01  # a percentage point
_MINUS = "−"


def describe_choices(model: Model) -> dict[str, Any]:
    """Return what the page offers for a model: `fillings`, `filling` (which comes first), `grids`, and `noise` (see
    `noise.describe_noise`).

    A filling has `value`, `name`, `sentence` and `reason` (why it cannot be chosen, or None); a grid has `cells` (on a
    side of what the model sees) and `name`.
    """
    rows = [
        {"value": value, "name": row.name, "sentence": row.sentence, "reason": _reason(model, value)}
        for value, row in FILLINGS.items()
    ]
    grids = [{"cells": cells, "name": f"{name} ({cells} × {cells})"} for cells, name in GRIDS]
    return {
        "fillings": rows,
        "filling": RECONSTRUCTION if model.gate else BLUR,
        "grids": grids,
        "noise": describe_noise(model),
    }


def _reason(model: Model, filling: str) -> str | None:
    if filling == RECONSTRUCTION and model.gate is None:
        return "This model has no gate, so that there is no reconstruction."
    return None


def describe_what_if(document: ResultDocument, model: Model) -> list[dict[str, Any]]:
    """Return what to say of each intervention of a document, in its order.

    Keys: `name`, `show` and `remove` (what it is called, with a place for its number, and what its buttons do), `title`
    (what stands in the region, and its size, or what the noise is), `brief` (the same for narrow columns), `summary`
    (the largest change, and who crosses its operating point), `findings` (see `_changes`, in the order in which
    findings are shown), `gate` (its `text`, and whether it `accepted` the changed image, None without a gate) and
    `problem` (why there is no answer; then the rest is empty, or None).
    """
    return [_describe(entry, document, model) for entry in document.get("what_if", ())]


def _describe(entry: WhatIfDocument, document: ResultDocument, model: Model) -> dict[str, Any]:
    title, brief = _told(entry, model)
    kind = NOISE if "attack" in entry else REGION
    words = {**kind, "title": title, "brief": brief}
    if "findings" not in entry:
        problem = entry["error"]["message"]
        return words | {"summary": problem, "findings": [], "gate": None, "problem": problem}
    findings = list(_changes(entry["findings"], document["findings"]))
    judged, before = entry.get("gate"), document.get("gate")
    return words | {
        "summary": _summary(findings),
        "findings": findings,
        "gate": {
            "accepted": judged["accepted"] if judged else None,
            "text": _gate(judged, refused=before is not None and not before["accepted"]),
        },
        "problem": None,
    }


def _told(entry: WhatIfDocument, model: Model) -> tuple[str, str]:
    """What was done, in a line and for narrow columns."""
    if "attack" in entry:
        return told_noise(entry["attack"])
    filling = FILLINGS[entry["filling"]].name if entry["filling"] in FILLINGS else entry["filling"]
    if "cells" not in entry:
        return filling, filling
    part = _part(entry["cells"] / image_input(model, "classifier").area)
    return f"{filling}, over {part} of what the model sees", f"{filling}, {part}"


def _changes(effects: Sequence[Effect], findings: Sequence[Finding]) -> Iterator[dict[str, Any]]:
    """Yield what to say of each finding, in the order in which findings are shown.

    Keys: `label`; `before` and `after` in percent, and `change` in points, as texts; `start`, `end` and `mark` (the
    operating point) as shares from 0 to 1; `above` (whether the changed image is); `crossed` (in words, or None);
    `moved` (by a point or more); `spoken` (all of it).
    """
    places = ranks(findings)
    pairs = sorted(zip(effects, findings, strict=True), key=lambda pair: places[pair[1]["label"]])
    for effect, finding in pairs:
        start, end, mark = _shares(effect, finding)
        above = effect["after"] >= finding["operating_point"]
        crossed = None
        if above != is_above(finding):
            crossed = "now at or above the operating point" if above else "now below the operating point"
        before, after, change = _percent(start), _percent(end), _points(end - start)
        spoken = f"{finding['label']}: {before} before, {after} after, {change} points"
        yield {
            "label": finding["label"],
            "before": before,
            "after": after,
            "change": change,
            "start": start,
            "end": end,
            "mark": mark,
            "above": above,
            "crossed": crossed,
            "moved": abs(end - start) >= _REMARKABLE,
            "spoken": f"{spoken}, {crossed}." if crossed else f"{spoken}.",
        }


def _shares(effect: Effect, finding: Finding) -> tuple[float, float, float]:
    """The shares before and after, and that of the operating point, as findings are shown."""
    before, after = effect["calibrated_before"], effect["calibrated_after"]
    mark = finding["calibrated_operating_point"]
    if before is None or after is None or mark is None:
        return effect["before"], effect["after"], finding["operating_point"]
    return before, after, mark


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _points(change: float) -> str:
    """A change in percentage points: with a decimal where it is small, "±0" where nothing is left of it."""
    points = 100 * change
    if abs(points) < 0.05:
        return "±0"
    return f"{points:+.1f}".replace("-", _MINUS) if abs(points) < 9.95 else f"{points:+.0f}".replace("-", _MINUS)


def _part(share: float) -> str:
    percent = 100 * share
    if percent < 0.1:
        return "less than 0.1 %"
    return f"{percent:.1f} %" if percent < 10 else f"{percent:.0f} %"


def _summary(findings: Sequence[dict[str, Any]]) -> str:
    most = max(findings, key=lambda finding: abs(finding["end"] - finding["start"]))
    said = "Nothing changes by a percentage point or more."
    if most["moved"]:
        said = f"Most changed: {_named(most)}, {most['before']} before, {most['after']} after."
    above = [_named(finding) for finding in findings if finding["crossed"] and finding["above"]]
    below = [_named(finding) for finding in findings if finding["crossed"] and not finding["above"]]
    return " ".join([said, *_crossing(above, "at or above"), *_crossing(below, "below")])


def _named(finding: Mapping[str, Any]) -> str:
    label: str = finding["label"]
    return f"“{label}”" if is_absence(label) else label


def _crossing(names: list[str], where: str) -> Iterator[str]:
    if names:
        yield f"{listed(names)} {'is' if len(names) == 1 else 'are'} now {where} the operating point."


def _gate(judged: GateDocument | None, *, refused: bool) -> str:
    if judged is None:
        return "This model has no gate: nothing checks whether the changed image is of the right kind."
    if judged["accepted"]:
        score, threshold = judged["score"], judged["threshold"]
        return f"The gate accepts the changed image: similarity {score:.3f}, at least {threshold:.3f} is needed."
    also = ", as it refuses the image itself" if refused else ""
    means = "The model's answer for it means little."
    return " ".join([f"The gate refuses the changed image{also}.", *reasons(judged), means])
