"""Where an image lies among those of the training distribution: a table of each score's quantiles, and the direction.

The table is what a page has of the validation images: of each score the value at every level of `quantile_levels`.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sitegen.errors import DataError, SettingsError
from sitegen_runtime.bundle.gate import Combination, Gate, Quantiles
from sitegen_runtime.gate.metrics import METRICS, UNLIKE
from sitegen_runtime.gate.positions import position

DIGITS = 7  # of the spread of a score's values
_TAIL = (0.0005, 0.001, 0.002, 0.005)  # finer than a hundredth, where refusals are decided

Values = NDArray[np.float64]


def unlikeness(metric: str, values: ArrayLike) -> Values:
    """Return the values of a metric, turned so that higher is more unlike. Twice turned, they are as they were.

    Raises SettingsError for a metric that does not exist.
    """
    if metric not in METRICS:
        raise SettingsError(f"there is no metric {metric!r} of a gate; there are {', '.join(METRICS)}")
    given = np.asarray(values, np.float64)
    return given if METRICS[metric].higher == UNLIKE else -given


def quantile_levels(images: int) -> list[float]:
    """Return the levels for so many images: every hundredth from 0 to 1, and finer ones near both ends.

    A finer level is there where at least one image lies beyond it.
    """
    fine = [level for level in _TAIL if level * images >= 1]
    hundredths = [step / 100 for step in range(101)]
    return sorted({*hundredths, *fine, *(round(1 - level, 4) for level in fine)})


def quantile_table(scores: Mapping[str, ArrayLike], of: str = "validation") -> dict[str, Any]:
    """Return the table of `bundle.json`: levels, and the raw values of each metric there, rising.

    `scores` has for each metric its values for the same images [N]. Between two images a value is interpolated, as
    NumPy does by default; it is rounded to DIGITS digits of the metric's spread. Raises DataError for no images,
    numbers that differ, and values that are not finite.
    """
    columns = {metric: _checked(metric, values) for metric, values in scores.items()}
    counts = {len(column) for column in columns.values()}
    if len(counts) > 1:
        raise DataError(f"Metrics have values for {sorted(counts)} images; a table needs all of the same images.")
    levels = quantile_levels(max(counts, default=0))
    return {
        "levels": levels,
        "of": of,
        "values": {metric: _rounded(np.quantile(column, levels)) for metric, column in columns.items()},
    }


def positions(scores: Mapping[str, ArrayLike], table: Mapping[str, Any]) -> dict[str, Values]:
    """Return where values lie in a table of quantiles, by the runtime's rule: the share that is less unlike, 0 to 1.

    Raises SettingsError for a metric that the table does not have.
    """
    gate = gate_with_table(table)
    return {metric: _positions(metric, given, gate) for metric, given in scores.items()}


def gate_with_table(table: Mapping[str, Any], weights: Mapping[str, float] | None = None, intercept: float = 0) -> Gate:
    """Return a gate as the runtime reads it, with nothing in it but the table and a combination's weights."""
    values = {metric: tuple(column) for metric, column in table["values"].items()}
    quantiles = Quantiles(table["of"], tuple(table["levels"]), values)
    return Gate("ssim", 0.0, quantiles=quantiles, combination=Combination(weights, intercept) if weights else None)


def _positions(metric: str, values: ArrayLike, gate: Gate) -> Values:
    found = [position(float(value), metric, gate) for value in np.asarray(values, np.float64)]
    if None in found:
        raise SettingsError(f"the table of quantiles has no metric {metric!r}; make one with it")
    return np.array(found, np.float64)


def _checked(metric: str, values: ArrayLike) -> Values:
    column = np.asarray(values, np.float64)
    if column.ndim != 1 or not len(column):
        raise DataError(f"The metric {metric} has no values of validation images; a table of quantiles needs some.")
    if not np.isfinite(column).all():
        raise DataError(f"The metric {metric} has values that are no finite numbers; leave out these images, or it.")
    return column


def _rounded(values: Values) -> list[float]:
    """The values with as many decimals as their spread needs; rounding keeps their order."""
    spread = float(values[-1] - values[0]) or abs(float(values[0])) or 1.0
    decimals = DIGITS - int(np.ceil(np.log10(spread)))
    return [round(float(value), decimals) + 0.0 for value in values]
