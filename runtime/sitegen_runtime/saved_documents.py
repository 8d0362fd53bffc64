"""Result documents that come back from a file: taken where they can be of this model, and nothing else is said of them.

A file can say anything. What is checked is that it is whole, that its findings are the model's, and that its numbers
are numbers; whether they are true only another analysis tells.
"""

import json
import math
from typing import Any, cast

from sitegen_runtime.bundle.model import Model
from sitegen_runtime.document_types import ResultDocument
from sitegen_runtime.wording.results import describe

_NUMBERS = ("logit", "probability", "operating_point")
_MAYBE = ("calibrated", "calibrated_operating_point")
_WRONG = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError)


def described_again(data: bytes, model: Model) -> tuple[ResultDocument, dict[str, Any]] | None:
    """Return the document in JSON text, and what is to be said of it; None where it is none of this model's."""
    try:
        document = json.loads(data)
        wording = describe(document, model)
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
    return whole and all(map(_has_numbers, findings))


def _has_numbers(finding: dict[str, Any]) -> bool:
    given = [finding[key] for key in _NUMBERS]
    given += [finding[key] for key in _MAYBE if finding[key] is not None]
    return all(isinstance(value, float | int) and math.isfinite(value) for value in given)
