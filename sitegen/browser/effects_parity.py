"""Comparing what the page makes of changed images with Python: what-if answers, and causal effect maps of a few masks.

A few images are enough: that the page reads every file as Python does is compared for all of them. What must hold
stands in LIMITS, and in docs/verify.md.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sitegen.browser.parity import Differences
from sitegen.prediction import Predictor
from sitegen_runtime.bundle.model import Model
from sitegen_runtime.document_types import Effect, ExplanationDocument, ResultDocument, WhatIfDocument
from sitegen_runtime.interventions.fillings import FILLINGS, RECONSTRUCTION
from sitegen_runtime.maps.methods import METHODS

IMAGES = 2  # the first that have findings
RUNS = 8  # masks of each map


@dataclass(frozen=True)
class Limits:
    """How far apart page and Python may be: probabilities, logits' changes and maps' cells, the gate's score.

    Of logits beyond -1..1 `logit` and `cell` are shares.
    """

    probability: float
    logit: float
    cell: float
    gate: float


# On a graphics card a logit may be off by 1e-3 (see `golden`). A cell of a map is a contrast of means, which is off by
# twice as much at most; a change is a difference of two.
LIMITS = {"wasm": Limits(1e-5, 1e-4, 1e-4, 1e-5), "webgpu": Limits(2.5e-4, 2e-3, 2.5e-3, 1e-3)}


def wishes(model: Model, document: ResultDocument) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return what is asked of an image that was analysed: the maps, and the interventions, as `analyse` takes both.

    Every method of random masks, for the first label; and the middle ninth of what the model sees, with every filling.
    """
    left, top, width, height = document["seen"]["square"]
    region = [left + width / 3, top + height / 3, width / 3, height / 3]
    fillings = [name for name in FILLINGS if model.gate or name != RECONSTRUCTION]
    maps = [
        {"finding": model.labels[0].name, "method": name, "runs": RUNS} for name, row in METHODS.items() if row.masked
    ]
    return maps, [{"regions": [region], "filling": filling} for filling in fillings]


def chosen(documents: Mapping[Path, ResultDocument]) -> list[Path]:
    """Return the images on which is compared."""
    return [path for path, document in documents.items() if document.get("findings")][:IMAGES]


def reference(predictor: Predictor, path: Path, document: ResultDocument) -> ResultDocument:
    """Return what Python says of the changed image: the result document with its maps' values, and `what_if`."""
    maps, interventions = wishes(predictor.model, document)
    explained = predictor.explain(path, maps, values=True, force=True)
    tried = predictor.what_if(path, interventions, force=True, seen=explained.seen).document
    return {**explained.document, "what_if": tried["what_if"]}


class EffectsComparison:
    """Collects pairs of documents of the same image with its maps and interventions, the page's on `provider`."""

    def __init__(self, provider: str = "wasm") -> None:
        self.limits = LIMITS[provider]
        self.failures: list[str] = []
        self.effects, self.logits, self.cells, self.gate = (Differences() for _ in range(4))
        self.images = 0

    def add(self, name: str, page: ResultDocument, expected: ResultDocument) -> None:
        """Compare two documents of the image `name`."""
        self.images += 1
        scales = {finding["label"]: max(1.0, abs(finding["logit"])) for finding in expected["findings"]}
        for ours, theirs in _pairs(page.get("explanations"), expected["explanations"]):
            self._compare_maps(name, ours, theirs, scales)
        for tried, wanted in _pairs(page.get("what_if"), expected["what_if"]):
            self._compare_tries(name, tried, wanted, scales)

    def _compare_maps(
        self,
        name: str,
        page: ExplanationDocument | None,
        expected: ExplanationDocument,
        scales: Mapping[str, float],
    ) -> None:
        what = f"{name}: the map {expected['method']} of {expected['finding']}"
        if page is None or "values" not in page or "values" not in expected:
            self.failures += _one_sided(what, page, expected, "values")
            return
        if any(page.get(key) != expected.get(key) for key in ("finding", "method", "shape", "runs", "runs_asked")):
            self.failures.append(f"{what} is another in the page: {_facts(page)}, in Python {_facts(expected)}")
            return
        scale = scales[expected["finding"]]
        cells = {
            "values": (page["values"], expected["values"]),
            "standard errors": (page["standard_errors"], expected["standard_errors"]),
        }
        for kind, (ours, theirs) in cells.items():
            self._note(self.cells, _furthest(ours, theirs) / scale, self.limits.cell, f"{what} ({kind})")

    def _compare_tries(
        self, name: str, page: WhatIfDocument | None, expected: WhatIfDocument, scales: Mapping[str, float]
    ) -> None:
        what = f"{name}: what if {expected['filling']}"
        if page is None or "findings" not in page or "findings" not in expected:
            self.failures += _one_sided(what, page, expected, "findings")
            return
        if any(page.get(key) != expected.get(key) for key in ("regions", "filling", "cells")):
            self.failures.append(f"{what}: {page.get('cells')} cells in the page, {expected.get('cells')} in Python")
        for ours, theirs in zip(page["findings"], expected["findings"], strict=True):
            self._compare_effects(what, ours, theirs, scales[theirs["label"]])
        judged, wanted = page.get("gate"), expected.get("gate")
        if judged and wanted:
            self._note(self.gate, abs(judged["score"] - wanted["score"]), self.limits.gate, f"{what}: the gate's score")
        if (judged and judged["accepted"]) != (wanted and wanted["accepted"]):
            self.failures.append(f"{what}: the gate decides differently")

    def _compare_effects(self, what: str, page: Effect, expected: Effect, scale: float) -> None:
        label = expected["label"] if page["label"] == expected["label"] else f"{page['label']}/{expected['label']}"
        steps = {
            "before": abs(page["before"] - expected["before"]),
            "after": abs(page["after"] - expected["after"]),
            "effect": abs(page["effect"] - expected["effect"]) / 2,  # a difference of two
        }
        for key, difference in steps.items():
            self._note(self.effects, difference, self.limits.probability, f"{what}: {label}, {key},")
        difference = abs(page["logit_effect"] - expected["logit_effect"]) / scale
        self._note(self.logits, difference, self.limits.logit, f"{what}: {label}, change of the logit,")

    def _note(self, kind: Differences, difference: float, limit: float, what: str) -> None:
        kind.values.append(difference)
        if not difference <= limit:  # so that NaN fails too
            self.failures.append(f"{what} differs by {difference:.1e}")

    def summary(self) -> dict[str, Any]:
        """Return the comparison as plain data, its failures apart."""
        kinds = {"what_if": self.effects, "logits": self.logits, "maps": self.cells, "gate": self.gate}
        return {"images": self.images} | {name: differences.summary() for name, differences in kinds.items()}


def _pairs(page: Sequence[Any] | None, expected: Sequence[Any]) -> Iterator[tuple[Any, Any]]:
    given = list(page or ())
    return zip([*given, *[None] * len(expected)], expected, strict=False)


def _one_sided(what: str, page: Any, expected: Any, key: str) -> Iterator[str]:
    """Say so where only one side could answer; where neither could, both must say the same."""
    codes = [_code(entry, key) for entry in (page, expected)]
    if codes[0] != codes[1]:
        yield f"{what}: the page says {codes[0]}, Python {codes[1]}"


def _code(entry: Any, key: str) -> str:
    if entry is None:
        return "nothing"
    return "a result" if key in entry else str(entry["error"]["code"])


def _facts(entry: Mapping[str, Any]) -> str:
    return f"{entry['finding']}, {entry['method']}, {entry.get('shape')}, {entry.get('runs')} runs"


def _furthest(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """The largest difference of two lists of one length; NaN where one is none."""
    differences = [abs(one - other) for one, other in zip(ours, theirs, strict=True)]
    return max(differences, key=lambda difference: (difference != difference, difference))
