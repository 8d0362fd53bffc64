"""How sure a median is, from the rounds alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import comb


@dataclass(frozen=True)
class MedianInterval:
    """A median with its interval; `share` is how often such an interval holds the true one."""

    median: float
    low: float
    high: float
    share: float

    def text(self, digits: int = 2) -> str:
        """Write it as "median (low to high)"."""
        return f"{self.median:.{digits}f} ({self.low:.{digits}f} to {self.high:.{digits}f})"


def median_interval(values: Sequence[float], wanted: float = 0.95) -> MedianInterval:
    """Return the median and the narrowest pair of ordered values that holds the true one with a chance of `wanted`.

    The chance that the true median lies outside the k-th values from either end is that of at most k - 1 heads in as
    many tosses as there are values, twice: no assumption on how times are distributed. With fewer values than that
    needs, six for 95 %, the whole range is all there is, and `share` is below `wanted`. Raises ValueError without
    values.
    """
    ordered = sorted(values)
    count = len(ordered)
    if not count:
        raise ValueError("a median needs at least one value")
    middle = (ordered[(count - 1) // 2] + ordered[count // 2]) / 2
    shares = [1 - 2 * sum(comb(count, heads) for heads in range(k)) / 2**count for k in range(1, count // 2 + 1)]
    k = max([number for number, share in enumerate(shares, 1) if share >= wanted], default=1)
    return MedianInterval(middle, ordered[k - 1], ordered[-k], max(0.0, shares[k - 1]) if shares else 0.0)
