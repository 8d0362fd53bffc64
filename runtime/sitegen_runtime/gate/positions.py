"""Where a value lies among those of the reference images, from the bundle's table of quantiles.

The position is the share of reference images that are less unlike: 0 is the most alike of them, 1 more unlike than
all. Between two quantiles the straight line holds; images of exactly the same value are not less unlike.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from sitegen_runtime.bundle.gate import Gate
from sitegen_runtime.gate.metrics import METRICS, UNLIKE


def position(value: float, metric: str, gate: Gate) -> float | None:
    """Return the position of a metric's raw value (0..1), or None where the gate has no table of the metric."""
    table = gate.quantiles
    if table is None or metric not in table.values:
        return None
    values = table.values[metric]
    if METRICS[metric].higher == UNLIKE:
        return _share(table.levels, values, bisect_left(values, value), value)
    return 1.0 - _share(table.levels, values, bisect_right(values, value), value)


def _share(levels: Sequence[float], values: Sequence[float], at: int, value: float) -> float:
    """Return the share of values before the place `at`, where `value` would be inserted."""
    if at in (0, len(values)):
        return 0.0 if at == 0 else 1.0
    low, high = values[at - 1], values[at]
    return levels[at - 1] + (levels[at] - levels[at - 1]) * ((value - low) / (high - low))
