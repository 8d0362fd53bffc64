"""Between which numbers a tensor lies, told from how it is made: what tells probabilities from logits.

A sigmoid gives 0 to 1, a mean of several of them 0 to 1 again, 100 times it 0 to 100, a linear layer anything. The
same arithmetic serves ONNX graphs (`sitegen.importing.graph.ending`) and operators of PyTorch as they run
(`sitegen.importing.sources.torch_watch`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

CLOSE = 1e-4  # of 0 and 1: constants such as 1/3 are rounded
FAR = 1e30  # what no number comes near; infinity would make NaN of products


@dataclass(frozen=True)
class Bounds:
    """Numbers from `low` to `high`.

    `share` says that probabilities are among what they were made of; `whole` that along the last axis they are a
    softmax, whose sum is 1.
    """

    low: float
    high: float
    share: bool = False
    whole: bool = False

    @property
    def probability(self) -> bool:
        """Whether they are made of probabilities, and lie between 0 and 1."""
        return self.share and self.low >= -CLOSE and self.high <= 1 + CLOSE


SIGMOID = Bounds(0.0, 1.0, share=True)
SOFTMAX = Bounds(0.0, 1.0, share=True, whole=True)
UNCLEAR = Bounds(-FAR, FAR, share=True)  # what may be a probability that is written out, its logarithm, a count
Known = Bounds | None  # None: anything


def constant(values: ArrayLike) -> Known:
    """Return the bounds of numbers that are known."""
    numbers = np.asarray(values, np.float64)
    if not numbers.size or not np.isfinite(numbers).all():
        return None
    return Bounds(float(numbers.min()), float(numbers.max()))


def part(given: Known) -> Known:
    """Of some of the numbers, which no longer have the sum that all had."""
    return replace(given, whole=False) if given else None


def hull(given: Sequence[Known]) -> Known:
    """Of numbers from several tensors side by side; also of their means, and of the greater and lesser of them."""
    known = [each for each in given if each is not None]
    if not known or len(known) < len(given):
        return mixed(given)
    return _bounds(min(each.low for each in known), max(each.high for each in known), any(e.share for e in known))


def total(given: Sequence[Known]) -> Known:
    """Of sums of one number of each."""
    known = [each for each in given if each is not None]
    if not known or len(known) < len(given):
        return mixed(given)
    return _bounds(sum(each.low for each in known), sum(each.high for each in known), any(e.share for e in known))


def mixed(given: Sequence[Known]) -> Known:
    """Of what is computed of numbers of which some may be anything."""
    return UNCLEAR if any(each is not None and each.share for each in given) else None


def _bounds(low: float, high: float, share: bool) -> Bounds:
    return Bounds(max(low, -FAR), min(high, FAR), share)


def negative(given: Known) -> Known:
    """Of the numbers with the other sign."""
    return Bounds(-given.high, -given.low, given.share) if given else None


def product(one: Known, other: Known) -> Known:
    """Of products."""
    if one is None or other is None:
        return mixed([one, other])
    corners = [a * b for a in (one.low, one.high) for b in (other.low, other.high)]
    return _bounds(min(corners), max(corners), one.share or other.share)


def quotient(one: Known, other: Known) -> Known:
    """Of x / y. A divisor that may be anything can be a sum of x and others, so that shares come of it."""
    if other is None:
        return UNCLEAR
    if other.low * other.high <= 0:
        return UNCLEAR if other.share or one is not None else None
    return product(one, Bounds(1 / other.high, 1 / other.low, other.share))


def clipped(given: Known, low: float | None, high: float | None) -> Known:
    """Of numbers that are kept between two; each may be open."""
    low = low if low is not None else given.low if given else None
    high = high if high is not None else given.high if given else None
    if low is None or high is None:
        return None
    if given is None:
        return Bounds(low, high)
    return Bounds(min(max(given.low, low), high), max(min(given.high, high), low), given.share)


def weighted(given: Known, matrix: ArrayLike, added: Known = None) -> Known:
    """Of sums with weights [outputs, inputs], where probabilities are added up; anything where a weight is negative.

    A layer of both signs may give logits, whatever goes in.
    """
    weights = np.asarray(matrix, np.float64)
    if given is None or not given.share or given.low < -CLOSE or given.high >= FAR:
        return None
    if weights.ndim != 2 or not weights.size or (weights < 0).any():
        return None
    if given.whole:
        sums = Bounds(float(weights.min()), float(weights.max()), share=True)
    else:
        rows = weights.sum(axis=1)
        sums = _bounds(float((rows * given.low).min()), float((rows * given.high).max()), share=True)
    return total([sums, added]) if added is not None else sums


def power(given: Known, exponent: float) -> Known:
    """Of x to a positive power, for numbers that are not negative."""
    if given is None or given.low < 0 or exponent <= 0 or given.high >= FAR:
        return mixed([given])
    return _bounds(given.low**exponent, given.high**exponent, given.share)
