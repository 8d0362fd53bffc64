"""Adversarial noise as an intervention: the classifier's input after an attack, and the gate's, changed alike."""

from __future__ import annotations  # array[float] is a name for type checkers until Python 3.12

from array import array
from collections.abc import Generator, Mapping
from typing import Any

from sitegen_runtime.attacks.methods import Wish, attack
from sitegen_runtime.bundle.model import Model
from sitegen_runtime.document_types import AttackDocument, WhatIfDocument
from sitegen_runtime.interventions.carried_over import carried_over
from sitegen_runtime.interventions.fillings import Canvas
from sitegen_runtime.requests import Request


def add_noise(
    model: Model, canvases: Mapping[str, Canvas], wanted: AttackDocument
) -> Generator[Request, Any, tuple[dict[str, array[float]], WhatIfDocument]]:
    """Return the changed inputs by role, and what the attack did to its loss.

    Raises BadAttack for what there is not, MissingNetwork where the bundle has no gradient, and EngineFailed.
    """
    original = canvases["classifier"]
    attacked = yield from attack(model, original.values, Wish(**wanted))
    changed = {"classifier": attacked.image}
    if "gate" in canvases:
        changed["gate"] = carried_over(original, attacked.image, canvases["gate"])
    before, after = attacked.losses
    return changed, {"loss": {"before": before, "after": after}}
