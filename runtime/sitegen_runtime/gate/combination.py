"""Several scores as one: a logistic function of where each lies among the reference images.

Positions (see `positions`) have one scale for all metrics, whatever their unit and direction: that is a combination of
ranks. The bundle holds weights and intercept.
"""

from collections.abc import Mapping

from sitegen_runtime.bundle.gate import Gate
from sitegen_runtime.calibration import sigmoid
from sitegen_runtime.gate.positions import position


def combined(measured: Mapping[str, float], gate: Gate) -> float:
    """Return sigmoid(intercept + the sum of weight * position), from 0 to 1, of raw values by metric.

    Raises ValueError where the gate has no combination, or no table for one of its metrics.
    """
    if gate.combination is None:
        raise ValueError("the gate has no combination")
    total = gate.combination.intercept
    for metric, weight in gate.combination.weights.items():
        place = position(measured[metric], metric, gate)
        if place is None:
            raise ValueError(f"the gate has no quantiles of {metric!r}, which its combination needs")
        total += weight * place
    return sigmoid(total)
