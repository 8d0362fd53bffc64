"""Result documents that come back from a file: taken where they can be of this model, and nothing else is said of them.

A file can say anything. What is checked is that it is whole, that its findings are the model's, and that its numbers
are numbers; whether they are true only another analysis tells.
"""

import json
import math
from collections.abc import Iterable
from typing import Any, cast

from sitegen_runtime.bundle.model import Model
from sitegen_runtime.document_types import ResultDocument
from sitegen_runtime.projection.loop import ROLE
from sitegen_runtime.running import image_input
from sitegen_runtime.wording.changes import describe_what_if
from sitegen_runtime.wording.projection import describe_projection
from sitegen_runtime.wording.results import describe

_NUMBERS = ("logit", "probability", "operating_point")
_MAYBE = ("calibrated", "calibrated_operating_point")
_WRONG = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError)


def described_again(data: bytes, model: Model) -> tuple[ResultDocument, dict[str, Any]] | None:
    """Return the document in JSON text, and what is to be said of it; None where it is none of this model's.

    What is said is that of `results.describe`, `what_if` (see `changes.describe_what_if`) and `projection` (see
    `projection.describe_projection`), None where there was none.
    """
    try:
        document = json.loads(data)
        wording = describe(document, model) | {
            "what_if": describe_what_if(document, model),
            "projection": _projection(document, model),
        }
        return (cast(ResultDocument, document), wording) if _is_of(document, model) else None
    except _WRONG:
        return None


def _is_of(document: dict[str, Any], model: Model) -> bool:
    image = document["image"]
    if document["bundle"]["sha256"] != model.sha256 or not isinstance(image["name"], str):
        return False
    findings = document.get("findings", [])
    labels = [label.name for label in model.labels]
    whole = not findings or [finding["label"] for finding in findings] == labels
    return whole and all(map(_has_numbers, findings)) and all(map(_is_try, document.get("what_if", [])))


def _projection(document: dict[str, Any], model: Model) -> dict[str, Any] | None:
    entry = document.get("projection")
    if entry is None or ROLE not in model.graphs:
        return None
    told = [entry[key] for key in ("steps", "steps_asked", "seed", "error", "similarity")]
    told += [*entry["worst"].values(), *(number for pair in entry["distances"] for number in pair)]
    if not _are_numbers(told) or entry["steps_asked"] < 1:
        raise ValueError("a projection of no numbers")
    return describe_projection(entry, image_input(model, ROLE).side)


def _has_numbers(finding: dict[str, Any]) -> bool:
    given = [finding[key] for key in _NUMBERS]
    given += [finding[key] for key in _MAYBE if finding[key] is not None]
    return _are_numbers(given)


def _is_try(entry: dict[str, Any]) -> bool:
    if "attack" in entry:
        return _is_attack(entry)
    regions = entry["regions"]
    if not regions or any(len(region) != 4 for region in regions) or not isinstance(entry["filling"], str):
        return False
    return _are_numbers([edge for region in regions for edge in region] + _effects(entry))


def _is_attack(entry: dict[str, Any]) -> bool:
    attack, finding = entry["attack"], entry["attack"]["finding"]
    if not isinstance(attack["method"], str) or not isinstance(finding, str | None):
        return False
    return _are_numbers([attack["strength"], attack["steps"], attack["seed"], *_effects(entry)])


def _effects(entry: dict[str, Any]) -> list[Any]:
    effects = entry.get("findings", ())
    return [value for effect in effects for key, value in effect.items() if key != "label" and value is not None]


def _are_numbers(values: Iterable[Any]) -> bool:
    return all(isinstance(value, float | int) and math.isfinite(value) for value in values)
