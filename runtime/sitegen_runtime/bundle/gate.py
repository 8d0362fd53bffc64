"""What a bundle says of its gate: which scores decide, from where on, and how they lie among reference images.

A reading of `gate` in a valid `bundle.json`; `sitegen.bundle` validates it when a bundle is made.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class ScoreLimit:
    """One score beside the SSIM, and the last value with which an image passes.

    `higher` says what a higher value means: "alike" or "unlike" (the training images).
    """

    metric: str
    threshold: float
    higher: str


@dataclass(frozen=True)
class Quantiles:
    """How the raw values of reference images lie: for each metric, the values at the same rising levels from 0 to 1.

    `of` is the split that the reference images are from.
    """

    of: str
    levels: tuple[float, ...]
    values: Mapping[str, tuple[float, ...]]


@dataclass(frozen=True)
class Combination:
    """A logistic function of positions among the reference images: the weight of each metric, and the intercept."""

    weights: Mapping[str, float]
    intercept: float


@dataclass(frozen=True)
class Gate:
    """Which scores decide whether an image is like the training data.

    `metric` is the SSIM, accepted at or above `threshold`; `scores` are others, all of which must pass.
    """

    metric: str
    threshold: float
    scores: tuple[ScoreLimit, ...] = ()
    quantiles: Quantiles | None = None
    combination: Combination | None = None
    vim_alpha: float | None = None


def read_gate(fields: Mapping[str, Any]) -> Gate:
    """Read the `gate` of a valid `bundle.json`; all but `metric` and `threshold` may be missing."""
    quantiles, combination = fields.get("quantiles"), fields.get("combination")
    limits = (ScoreLimit(entry["metric"], entry["threshold"], entry["higher"]) for entry in fields.get("scores") or ())
    return Gate(
        metric=fields["metric"],
        threshold=fields["threshold"],
        scores=tuple(limits),
        quantiles=_quantiles(quantiles) if quantiles else None,
        combination=Combination(combination["weights"], combination["intercept"]) if combination else None,
        vim_alpha=fields.get("vim_alpha"),
    )


def _quantiles(fields: Mapping[str, Any]) -> Quantiles:
    values = {metric: tuple(numbers) for metric, numbers in fields["values"].items()}
    return Quantiles(fields["of"], tuple(fields["levels"]), values)
