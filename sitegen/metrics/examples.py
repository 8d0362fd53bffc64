"""Scores with their targets, checked, and without those whose target is unknown.

    known_targets(targets)                 which are known, which are positive
    examples(scores, targets, weights)     the known examples of one finding

Targets are True or 1, False or 0, and NaN or None where nobody knows. Everything in this room takes them so.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

Scores = NDArray[np.float64]
Targets = NDArray[np.bool_]
Given = ArrayLike | Sequence[float | None] | Sequence[Sequence[float | None]]  # targets; None where nobody knows
Figure = TypeVar("Figure")


@dataclass(frozen=True)
class Examples:
    """The known examples of one finding: scores, weights float64 [N], targets bool [N], and which of all they are."""

    scores: Scores
    targets: Targets
    weights: Scores
    known: Targets

    @property
    def positives(self) -> float:
        """The weight of all positives."""
        return float(self.weights[self.targets].sum())

    @property
    def negatives(self) -> float:
        """The weight of all negatives."""
        return float(self.weights[~self.targets].sum())

    def need_both(self) -> None:
        """Raise ValueError where one of the two classes is missing."""
        if not self.positives or not self.negatives:
            raise ValueError(
                f"positives and negatives are both needed, not {self.positives:g} and {self.negatives:g} of them"
            )


def known_targets(targets: Given) -> tuple[Targets, Targets]:
    """Return two masks of the targets' shape: which are known, and which are known to be positive.

    Raises ValueError for a target that is neither 0, 1, NaN nor None.
    """
    values = np.asarray(targets)
    if values.dtype == np.bool_:
        return np.ones(values.shape, np.bool_), values
    values = values.astype(np.float64)  # None becomes NaN
    known = ~np.isnan(values)
    strange = values[known & (values != 0) & (values != 1)]
    if strange.size:
        raise ValueError(f"targets are 0, 1, or NaN where unknown, not {strange[0]:g}")
    return known, values == 1


def finite(values: ArrayLike, what: str) -> Scores:
    """Return values as float64. Raises ValueError, naming the first place, where one is NaN or infinite."""
    array = np.asarray(values, np.float64)
    bad = np.argwhere(~np.isfinite(array))
    if len(bad):
        place = bad[0].tolist()
        raise ValueError(f"{what} must be finite, but {what}{place} is {array[tuple(place)]}")
    return array


def examples(scores: ArrayLike, targets: Given, weights: ArrayLike | None = None) -> Examples:
    """Return the examples whose target is known, each with its weight (1 by default).

    All three arguments are [N]. Raises ValueError where they differ in length, where a score or weight is not finite,
    a weight is negative, or no target is known.
    """
    checked = finite(scores, "scores")
    known, positive = known_targets(targets)
    weighted = np.ones(checked.shape) if weights is None else checked_weights(weights)
    _same_length(scores=checked, targets=known, weights=weighted)
    if not known.any():
        raise ValueError("none of the targets is known")
    return Examples(checked[known], positive[known], weighted[known], known)


def checked_weights(weights: ArrayLike) -> Scores:
    """Return weights as float64. Raises ValueError where one is negative, NaN or infinite."""
    checked = finite(weights, "weights")
    if (checked < 0).any():
        raise ValueError(f"weights must not be negative, but the smallest is {checked.min():g}")
    return checked


def _same_length(**arrays: NDArray[Any]) -> None:
    shapes = {name: array.shape for name, array in arrays.items()}
    if any(len(shape) != 1 for shape in shapes.values()) or len(set(shapes.values())) > 1:
        raise ValueError(f"one value for each example is needed, in one dimension, not shapes {shapes}")


def or_none(figure: Callable[[], Figure]) -> Figure | None:
    """Return a figure, or None where the examples do not define it: a class is missing, or there are too few."""
    try:
        return figure()
    except ValueError:
        return None
