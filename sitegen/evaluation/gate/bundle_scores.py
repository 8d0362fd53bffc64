"""Every score that a bundle's gate could have, of many images: through the analysis that users run, refused or not.

The runtime is asked for all metrics that the bundle's graphs allow. Those that the bundle does not list have a
threshold that everything passes, so the decision stays the bundle's own.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from math import inf
from pathlib import Path
from typing import Any

import numpy as np

from sitegen import parallel
from sitegen.bundle import Bundle
from sitegen.errors import SettingsError
from sitegen.evaluation.gate.scored import Decided, GateScored
from sitegen.prediction import Predictor
from sitegen.prediction.reading import read_image_file
from sitegen_runtime.analysis import Analysis
from sitegen_runtime.bundle.gate import Gate, ScoreLimit
from sitegen_runtime.bundle.model import Model
from sitegen_runtime.errors import AnalysisError
from sitegen_runtime.gate.metrics import ALIKE, COMBINED, METRICS, SSIM, unlikeness

OF_A_CHECK = 1e3  # how unlike an image is that a check refuses: more than any score makes one

_Answer = dict[str, Any] | str


def score_gate_bundle(bundle: Bundle, name: str, paths: Sequence[Path], workers: int | None = None) -> GateScored:
    """Return what a bundle's gate says of images; `workers` processes share them, None takes all cores.

    The decision's own score is how far the image lies beyond the limit that it passes least, see `beyond`: above 0
    where scores refuse it; OF_A_CHECK where a check of the picture itself does, unless a score is larger yet. Raises
    SettingsError where the bundle has no gate.
    """
    gate = bundle.model.gate
    if gate is None:
        raise SettingsError(f"{bundle.folder} has no gate, so there is nothing to measure. Name a bundle that has one.")
    answers = parallel.each(partial(_answer, _predictor(bundle), gate), paths, workers)
    good = [answer for answer in answers if not isinstance(answer, str)]
    image = bundle.model.graphs["gate"].images[0]
    return GateScored(
        model={
            "name": name,
            "kind": "bundle",
            "version": bundle.model.version,
            "sha256": bundle.model.sha256,
            "history": [],
        },
        metrics={metric: _column(answers, metric) for metric in possible_metrics(bundle.model)},
        problems={at: answer for at, answer in enumerate(answers) if isinstance(answer, str)},
        image=image,
        reconstructions=_stacked(answers, "reconstruction", image.shape[1:]).astype(np.float32),
        thresholds={gate.metric: gate.threshold} | {limit.metric: limit.threshold for limit in gate.scores},
        decided=Decided(_column(answers, "refused") == 1, _column(answers, "unlike")),
        labels=tuple(label.name for label in bundle.model.labels),
        logits=_stacked(answers, "logits", (len(bundle.model.labels),)) if good else None,
    )


def possible_metrics(model: Model) -> list[str]:
    """Return the metrics that a bundle's graphs and settings allow, in the runtime's order."""
    return [metric for metric in METRICS if _possible(metric, model)]


def with_all_scores(model: Model) -> Model:
    """Return the model with a gate that has all possible scores; those that it did not have refuse nothing."""
    gate = model.gate
    if gate is None:
        return model
    listed = {SSIM, *(limit.metric for limit in gate.scores)}
    more = [
        ScoreLimit(metric, -inf if METRICS[metric].higher == ALIKE else inf, METRICS[metric].higher)
        for metric in possible_metrics(model)
        if metric not in listed
    ]
    return replace(model, gate=replace(gate, scores=(*gate.scores, *more)))


def _possible(metric: str, model: Model) -> bool:
    gate = model.gate
    if gate is None:
        return False
    if metric == COMBINED:
        return gate.combination is not None and all(_possible(part, model) for part in gate.combination.weights)
    if any(getattr(gate, name) is None for name in METRICS[metric].settings):
        return False
    needed = METRICS[metric].needs
    return all(graph in model.graphs and output in model.graphs[graph].outputs for graph, output in needed)


def _predictor(bundle: Bundle) -> Predictor:
    """A predictor that computes all possible scores."""
    predictor = Predictor(bundle)
    predictor.model = with_all_scores(bundle.model)
    return predictor


def _answer(predictor: Predictor, gate: Gate, path: Path) -> _Answer:
    """What is needed of an image's analysis, or what is wrong with the image; `gate` is as the bundle has it."""
    try:
        data = read_image_file(path)
    except AnalysisError as error:
        return str(error)
    analysis = predictor.analyse(data, str(path), force=True)
    return str(analysis.document["error"]["message"]) if "error" in analysis.document else _told(analysis, gate)


def _told(analysis: Analysis, gate: Gate) -> dict[str, Any]:
    decision = analysis.decision
    assert decision is not None  # noqa: S101 - for the type checker: the bundle has a gate
    scores = {score.metric: score.value for score in decision.scores}
    limits = {gate.metric: gate.threshold} | {limit.metric: limit.threshold for limit in gate.scores}
    values = {SSIM: decision.score, **scores}
    unlike = max(beyond(metric, values[metric], limit, gate) for metric, limit in limits.items())
    return {
        SSIM: decision.score,
        **scores,
        "refused": float(not decision.accepted),
        "unlike": max(unlike, OF_A_CHECK) if any(check.refuses for check in decision.checks) else unlike,
        "reconstruction": np.array(decision.reconstruction, np.float32),
        "logits": [finding["logit"] for finding in analysis.document["findings"]],
    }


def beyond(metric: str, value: float, limit: float, gate: Gate) -> float:
    """Return how far a raw value lies beyond its limit, in units of what lies between the limit and the median image.

    0 is the limit, and above 0 is refused. Where the gate has no table of the metric, or the median is the limit, the
    unit is the metric's own.
    """
    table, unit = gate.quantiles, 1.0
    if table and metric in table.values:
        median = float(np.interp(0.5, table.levels, table.values[metric]))
        unit = abs(limit - median) or 1.0
    return (unlikeness(metric, value) - unlikeness(metric, limit)) / unit


def _column(answers: Sequence[_Answer], key: str) -> Any:
    return np.array([np.nan if isinstance(answer, str) else answer[key] for answer in answers], np.float64)


def _stacked(answers: Sequence[_Answer], key: str, shape: Sequence[int]) -> Any:
    """The values under a key as an array [P, *shape], NaN where there is none."""
    empty = np.full(tuple(shape), np.nan)
    rows = [empty if isinstance(answer, str) else np.reshape(answer[key], shape) for answer in answers]
    return np.stack(rows) if rows else np.empty((0, *shape))
