"""What the runs of several conditions say, when each condition ran once a round."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

Rounds = Sequence[float | None]
"""One value a round; None where a condition sat out."""


@dataclass(frozen=True)
class Summary:
    """The median, and how far the values spread."""

    median: float
    least: float
    most: float

    def text(self, digits: int = 0) -> str:
        """Write it as "median (least to most)"."""
        median, least, most = (f"{value:.{digits}f}" for value in (self.median, self.least, self.most))
        return f"{median} ({least} to {most})"


def summarise(values: Rounds) -> Summary:
    """Summarise the rounds that a condition took part in. Raises ValueError where there are none."""
    present = [value for value in values if value is not None]
    if not present:
        raise ValueError("a condition that never ran has no summary")
    return Summary(statistics.median(present), min(present), max(present))


def ratios(values: Rounds, reference: Rounds) -> list[float]:
    """Return value / reference for each round that has both.

    What slows a machine down for a while slows both alike, so that these spread less than the values do. Raises
    ValueError where the rounds are not the same ones.
    """
    pairs = zip(values, reference, strict=True)
    return [value / other for value, other in pairs if value is not None and other is not None]
