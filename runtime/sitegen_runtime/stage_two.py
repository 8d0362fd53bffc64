"""The gate's second stage: scores of the classifier's logits and features, before any finding is entered.

The classifier gives its pooled features where a score needs them; a small graph of the role `features` then whitens
them, or takes the part of them that training images do not have.
"""

from __future__ import annotations  # array[float] is a name for type checkers until Python 3.12

from array import array
from collections.abc import Generator
from typing import Any

from sitegen_runtime.bundle.gate import Gate
from sitegen_runtime.bundle.model import Model
from sitegen_runtime.document import Draft
from sitegen_runtime.gate.metrics import STAGE_TWO, Evidence, measure, needed, of_stage
from sitegen_runtime.requests import Feed, LoadGraph, Progress, Request
from sitegen_runtime.running import Outputs, run_graph, run_network, timed

FEATURES = "features"  # the role of a graph, and of the classifier's output that it takes


def classify(
    model: Model, draft: Draft[Any], values: array[float], force: bool
) -> Generator[Request, Any, array[float]]:
    """Run the classifier and return its logits; where the gate has a second stage, enter what that says.

    Afterwards `draft.refused` says whether the gate lets any finding be entered.
    """
    gate = model.gate
    metrics = of_stage(STAGE_TWO, gate) if gate else ()
    outputs = ("logits", *sorted(needed("classifier", metrics) - {"logits"}))
    yield Progress("classifier", 0.0)
    with timed(draft, "classifier"):
        answer = yield from run_network(model, "classifier", values, outputs)
    if gate and draft.decision and metrics:
        seen = {("classifier", role): part for role, part in answer.items()}
        if wanted := tuple(sorted(needed(FEATURES, metrics))):
            yield Progress(FEATURES, 0.0)
            with timed(draft, FEATURES):
                made = yield from _features(model, answer[FEATURES], wanted)
            seen |= {(FEATURES, role): part for role, part in made.items()}
        measured = measure(metrics, Evidence(seen, vim_alpha=gate.vim_alpha or 0.0))
        draft.decision = draft.decision.measuring(measured, gate, STAGE_TWO)
        draft.forced = force and not draft.decision.accepted
    return answer["logits"]


def has_second_stage(gate: Gate | None) -> bool:
    """Whether a gate needs the classifier to run before it has decided."""
    return gate is not None and bool(of_stage(STAGE_TWO, gate))


def _features(model: Model, pooled: array[float], outputs: tuple[str, ...]) -> Generator[Request, Any, Outputs]:
    yield LoadGraph(FEATURES)
    (entry,) = model.graphs[FEATURES].vectors
    return (yield from run_graph(model, FEATURES, outputs, Feed(entry.name, entry.shape, pooled)))
