"""What one model's gate says of a list of images, ready to be compared with others.

    detectors_of(scored, inside, outside, validation)      its scores, turned, with their thresholds

`bundle_scores` and `gate.network_scores` make it, of a bundle and of a trained reconstruction network.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sitegen.errors import DataError
from sitegen.evaluation.gate.detectors import DECISION, Detector
from sitegen.gate.quantiles import unlikeness
from sitegen.gate.thresholds import SHARE, fit_thresholds
from sitegen.metrics.examples import Scores, Targets
from sitegen_runtime.bundle.model import NetworkInput

BUNDLE, VALIDATION = "bundle", "validation"

Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Decided:
    """A bundle's own decision on P images: which it refuses, bool [P], and how unlike it finds them, float64 [P]."""

    refused: Targets
    unlike: Scores


@dataclass(frozen=True)
class GateScored:
    """A model's raw scores [P] by metric, for the P images of one list; NaN for those that it cannot analyse.

    `problems` says of the latter what is wrong, by place. `thresholds` are raw, and the model's own; metrics without
    one have none yet. `reconstructions` are shares of the range, float32 [P, C, side, side]. Of a bundle there are its
    decision, its `labels`, and the classifier's logits, float64 [P, L]. `model` is plain data that names the model.
    """

    model: Mapping[str, Any]
    metrics: Mapping[str, Scores]
    problems: Mapping[int, str]
    image: NetworkInput
    reconstructions: NDArray[np.float32]
    thresholds: Mapping[str, float] = field(default_factory=dict)
    decided: Decided | None = None
    labels: tuple[str, ...] = ()
    logits: Scores | None = None

    @property
    def name(self) -> str:
        """What the model is called in the report."""
        return str(self.model["name"])


@dataclass(frozen=True)
class Selected:
    """Which of the list's images are inside, outside, and of the validation split with its `sources`."""

    inside: Rows
    outside: Rows
    validation: Rows
    sources: Sequence[str]


def detectors_of(scored: GateScored, which: Selected) -> tuple[list[Detector], str | None]:
    """Return a model's detectors, its decision first, and a sentence where thresholds are missing, else None.

    A metric without a threshold of its own gets the strictest one with which 95 % of the validation images of every
    source pass it alone; where there are too few of them, it gets none.
    """
    found = [_decision(scored, which)] if scored.decided else []
    problem = None
    for metric, values in scored.metrics.items():
        turned = unlikeness(metric, values)
        detector = Detector(scored.name, metric, turned[which.inside], turned[which.outside])
        try:
            limit, chosen_on = _threshold(scored, metric, which)
        except DataError as error:
            problem = f"{scored.name} has scores without a threshold: {error}"
            found.append(detector)
        else:
            found.append(detector.with_threshold(float(unlikeness(metric, limit)), chosen_on))
    return found, problem


def _threshold(scored: GateScored, metric: str, which: Selected) -> tuple[float, str]:
    if metric in scored.thresholds:
        return scored.thresholds[metric], BUNDLE
    values = scored.metrics[metric][which.validation]
    return fit_thresholds({metric: values}, which.sources, SHARE).values[metric], VALIDATION


def _decision(scored: GateScored, which: Selected) -> Detector:
    decided = scored.decided
    assert decided is not None  # noqa: S101 - for the type checker: the caller has just looked
    return Detector(
        scored.name,
        DECISION,
        decided.unlike[which.inside],
        decided.unlike[which.outside],
        decided.refused[which.inside],
        decided.refused[which.outside],
        chosen_on=BUNDLE,
    )


def unusable(models: Sequence[GateScored], paths: Sequence[Path]) -> dict[int, str]:
    """Return the places of images that one of the models cannot analyse, with what is wrong, by place."""
    found: dict[int, str] = {}
    for model in models:
        for at, problem in model.problems.items():
            found.setdefault(at, problem if str(paths[at]) in problem else f"{paths[at]}: {problem}")
    return dict(sorted(found.items()))
