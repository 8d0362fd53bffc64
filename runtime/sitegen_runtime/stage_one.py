"""The gate's first stage: its network, the scores that need no other, and the image turned and inverted.

The variants cost four more runs of the gate's network. They are tried where the bundle lists a score of them, and
otherwise where the scores refuse an image that one of them might put right.
"""

from __future__ import annotations  # array[float] is a name for type checkers until Python 3.12

from array import array
from collections.abc import Generator, Iterable, Iterator
from typing import Any

from sitegen_runtime.bundle.model import Model
from sitegen_runtime.gate.decision import Check, Decision, decide
from sitegen_runtime.gate.metrics import METRICS, STAGE_ONE, needed, of_stage
from sitegen_runtime.gate.reconstruction_scores import Planes, as_shares
from sitegen_runtime.gate.variants import Variant, closest, is_offered
from sitegen_runtime.pixels.corrections import CORRECTIONS, corrected
from sitegen_runtime.requests import Progress, Request
from sitegen_runtime.running import image_input, run_network

_RUNS = 1 + len(CORRECTIONS)


def judge(model: Model, values: array[float], checks: Iterable[Check] = ()) -> Generator[Request, Any, Decision]:
    """Return the decision of stage one on the values of the gate's input; `checks` are what was found before.

    The model must have a gate. Raises EngineFailed where its network gives numbers that are not finite.
    """
    gate, checks = model.gate, tuple(checks)
    assert gate is not None  # noqa: S101 - for the type checker
    metrics = of_stage(STAGE_ONE, gate)
    yield Progress("gate", 0.0)
    others = sorted(needed("gate", metrics) - {"reconstruction"})
    answer = yield from run_network(model, "gate", values, ("reconstruction", *others))
    tried = any(METRICS[metric].variants for metric in metrics)
    variant = (yield from _best_variant(model, values)) if tried else None
    decision = decide(values, answer, image_input(model, "gate"), gate, variant)
    if variant is None and not decision.accepted and not checks:
        variant = yield from _best_variant(model, values)
    return decision.noting((*checks, *_offers(variant, decision)))


def _best_variant(model: Model, values: array[float]) -> Generator[Request, Any, Variant]:
    entry = image_input(model, "gate")
    rebuilt: dict[str, tuple[Planes, Planes]] = {}
    for number, correction in enumerate(CORRECTIONS, 1):
        yield Progress("gate", number / _RUNS)
        variant = corrected(values, correction, entry)
        answer = yield from run_network(model, "gate", variant, ("reconstruction",))
        rebuilt[correction] = as_shares(variant, entry), as_shares(answer["reconstruction"], entry)
    return closest(rebuilt, entry.side)


def _offers(variant: Variant | None, decision: Decision) -> Iterator[Check]:
    if variant is None or not is_offered(variant, decision.score, decision.threshold):
        return
    asked = CORRECTIONS[variant.correction]
    gain = f"{variant.similarity:.3f} instead of {decision.score:.3f}"
    message = f"This image seems to be {asked.check}: {asked.how}, its similarity is {gain}."
    yield Check(asked.check, message, variant.correction)
