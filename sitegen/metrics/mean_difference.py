"""Do two groups have different means? Permutation tests, one- and two-sided, and how often such a test would find it.

If it does not matter which group a value is in, each division of all values into groups of these sizes is as likely as
the one that was seen. p is the share of divisions whose difference of means is as large, the seen one among them: of
all divisions where these are few, else (1 + such) / (1 + random ones) (Phipson, Smyth, "Permutation p-values should
never be zero", 2010).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, islice
from math import comb

import numpy as np
from numpy.typing import NDArray

ALTERNATIVES = ("two-sided", "greater", "less")
"""Of the first group's mean, beside the second's. Two-sided compares absolute differences."""

CELLS = 2_000_000  # of values in memory at once
SHARING = 25  # simulations that see the same random divisions
ROUNDING = 1e-12  # of the largest value: divisions that give one difference may give it in another last digit

Values = NDArray[np.float64]


@dataclass(frozen=True)
class MeanTest:
    """The difference of means, first less second, and p; `exact` tells that all divisions were looked at."""

    difference: float
    p: float
    permutations: int
    exact: bool


@dataclass(frozen=True)
class Power:
    """The share of simulations in which p was at most alpha, and the ends of its 95 % interval (Wilson 1927)."""

    share: float
    low: float
    high: float


def mean_test(
    first: Sequence[float] | Values,
    second: Sequence[float] | Values,
    alternative: str = "two-sided",
    permutations: int = 100_000,
    seed: int = 0,
) -> MeanTest:
    """Return the test of two groups of values. Raises ValueError for fewer than two values, or what is no number."""
    groups = _checked(first, second)
    pooled, size = np.concatenate(groups), len(groups[0])
    divisions = comb(len(pooled), size)
    exact = divisions <= permutations
    seen = pooled[np.newaxis, :size].sum(axis=1)
    extreme = total = 0
    for members in _all(len(pooled), size) if exact else _random(len(pooled), size, permutations, seed):
        sums = pooled[members].sum(axis=1)
        extreme += int(_as_extreme(sums, seen, pooled, size, alternative).sum())
        total += len(sums)
    p = extreme / total if exact else (1 + extreme) / (1 + total)
    return MeanTest(float(groups[0].mean() - groups[1].mean()), p, total, exact)


def power(
    first: Sequence[float] | Values,
    second: Sequence[float] | Values,
    alternative: str = "two-sided",
    alpha: float = 0.05,
    simulations: int = 1000,
    permutations: int = 1000,
    seed: int = 0,
) -> Power:
    """Return how often the test would say p <= alpha of groups drawn anew from these two.

    Every simulation draws as many values as a group has, with replacement, and tests what it drew. Groups of a few
    simulations are tested with the same random divisions, which leaves each test's size as it is. Raises ValueError as
    `mean_test` does.
    """
    groups = _checked(first, second)
    size, every = len(groups[0]), len(groups[0]) + len(groups[1])
    rng = np.random.default_rng(seed)
    found = 0
    for start in range(0, simulations, SHARING):
        rows = min(SHARING, simulations - start)
        drawn = np.hstack([group[rng.integers(0, len(group), (rows, len(group)))] for group in groups])
        members = np.zeros((permutations, every))
        at = np.concatenate(list(_random(every, size, permutations, int(rng.integers(2**62)))))
        np.put_along_axis(members, at, 1.0, axis=1)
        sums, seen = drawn @ members.T, drawn[:, :size].sum(axis=1)
        extreme = _as_extreme(sums, seen[:, np.newaxis], drawn, size, alternative).sum(axis=1)
        found += int(((1 + extreme) / (1 + permutations) <= alpha).sum())
    return Power(found / simulations, *_wilson(found, simulations))


def _as_extreme(sums: Values, seen: Values, values: Values, size: int, alternative: str) -> NDArray[np.bool_]:
    """Which sums of a first group are as far out as the seen one; `values` are all, along the last axis."""
    slack = ROUNDING * max(float(np.abs(values).max()), np.finfo(np.float64).tiny) * values.shape[-1]
    if alternative == "greater":
        return np.asarray(sums >= seen - slack)
    if alternative == "less":
        return np.asarray(sums <= seen + slack)
    if alternative != "two-sided":
        raise ValueError(f"the alternative {alternative!r} is not one of {', '.join(ALTERNATIVES)}")
    middle = values.sum(axis=-1, keepdims=True) * (size / values.shape[-1])  # of a sum, where groups have one mean
    return np.asarray(np.abs(sums - middle) >= np.abs(seen - middle) - slack)


def _all(every: int, size: int) -> Iterator[NDArray[np.intp]]:
    """All divisions, as the places of the first group's values, in parts."""
    divisions = combinations(range(every), size)
    while part := list(islice(divisions, max(1, CELLS // size))):
        yield np.array(part, np.intp)


def _random(every: int, size: int, wanted: int, seed: int) -> Iterator[NDArray[np.intp]]:
    rng = np.random.default_rng(seed)
    rows = max(1, CELLS // every)
    for start in range(0, wanted, rows):
        mixed = rng.random((min(rows, wanted - start), every)).argpartition(size - 1, axis=1)
        yield mixed[:, :size]


def _checked(first: Sequence[float] | Values, second: Sequence[float] | Values) -> tuple[Values, Values]:
    groups = np.asarray(first, np.float64), np.asarray(second, np.float64)
    for name, group in zip(("first", "second"), groups, strict=True):
        if len(group) < 2:
            raise ValueError(f"the {name} group has {len(group)} value(s); a test needs two or more")
        if not np.isfinite(group).all():
            raise ValueError(f"the {name} group has {group[~np.isfinite(group)][0]}, which is no finite number")
    return groups


def _wilson(found: int, of: int) -> tuple[float, float]:
    z = 1.959963984540054  # of 95 %
    share = found / of
    middle = (share + z * z / (2 * of)) / (1 + z * z / of)
    half = z / (1 + z * z / of) * (share * (1 - share) / of + z * z / (4 * of * of)) ** 0.5
    return max(0.0, middle - half), min(1.0, middle + half)
