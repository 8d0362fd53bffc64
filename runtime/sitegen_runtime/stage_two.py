"""The gate's second stage: scores of the classifier's logits and features, before any finding is entered.

The classifier gives its pooled features where a score needs them; a small graph of the role `features` then whitens
them, or takes the part of them that training images do not have.
"""

from __future__ import annotations  # array[float] is a name for type checkers until Python 3.12

from array import array
from collections.abc import Callable, Generator
from typing import Any

from sitegen_runtime.bundle.gate import Gate
from sitegen_runtime.bundle.model import Model
from sitegen_runtime.document import Draft
from sitegen_runtime.gate.feature_scores import energy, mahalanobis, max_logit, vim
from sitegen_runtime.gate.metrics import METRICS, STAGE_TWO, measured_metrics, of_stage
from sitegen_runtime.requests import Feed, LoadGraph, Progress, Request
from sitegen_runtime.running import Outputs, run_graph, run_network, timed

FEATURES = "features"  # the role of a graph, and of the classifier's output that it takes


def classify(model: Model, draft: Draft, values: array[float], force: bool) -> Generator[Request, Any, array[float]]:
    """Run the classifier and return its logits; where the gate has a second stage, enter what that says.

    Afterwards `draft.refused` says whether the gate lets any finding be entered.
    """
    gate = model.gate
    needs = _needs(gate) if gate else set()
    outputs = ("logits", FEATURES) if ("classifier", FEATURES) in needs else ("logits",)
    yield Progress("classifier", 0.0)
    with timed(draft, "classifier"):
        answer = yield from run_network(model, "classifier", values, outputs)
    if gate and draft.decision and needs:
        if any(role == FEATURES for role, _ in needs):
            yield Progress(FEATURES, 0.0)
            with timed(draft, FEATURES):
                answer |= yield from _features(model, answer[FEATURES], needs)
        draft.decision = draft.decision.measuring(measure(answer, gate), gate, STAGE_TWO)
        draft.forced = force and not draft.decision.accepted
    return answer["logits"]


def measure(answer: Outputs, gate: Gate) -> dict[str, float]:
    """Return the raw values of this gate's metrics of stage two, given "logits", "whitened" and "residual" by role."""
    formulas: dict[str, Callable[[], float]] = {
        "energy": lambda: energy(answer["logits"]),
        "max-logit": lambda: max_logit(answer["logits"]),
        "mahalanobis": lambda: mahalanobis(answer["whitened"]),
        "vim": lambda: vim(answer["residual"], answer["logits"], gate.vim_alpha or 0.0),
    }
    return {metric: formulas[metric]() for metric in of_stage(STAGE_TWO, gate)}


def has_second_stage(gate: Gate | None) -> bool:
    """Whether a gate needs the classifier to run before it has decided."""
    return gate is not None and bool(of_stage(STAGE_TWO, gate))


def _needs(gate: Gate) -> set[tuple[str, str]]:
    metrics = (METRICS[metric] for metric in measured_metrics(gate))
    return {need for metric in metrics if metric.stage == STAGE_TWO for need in metric.needs}


def _features(model: Model, pooled: array[float], needs: set[tuple[str, str]]) -> Generator[Request, Any, Outputs]:
    yield LoadGraph(FEATURES)
    outputs = tuple(sorted(output for role, output in needs if role == FEATURES))
    (entry,) = model.graphs[FEATURES].vectors
    return (yield from run_graph(model, FEATURES, outputs, Feed(entry.name, entry.shape, pooled)))
