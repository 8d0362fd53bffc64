"""From a logit to the number that people read.

    piecewise-linear   the probability, stretched so that the operating point becomes 50 %
    temperature        sigmoid(logit / temperature)
    platt              sigmoid(slope * logit + intercept)
    beta, isotonic     the probability, looked up in a table of breakpoints

`sitegen.calibration.fit` fits them; docs/bundle.md says what each keeps in the bundle.
"""

from bisect import bisect_right
from collections.abc import Sequence
from math import exp, log, log1p

from sitegen_runtime.bundle.model import Label


def sigmoid(logit: float) -> float:
    """Return 1 / (1 + exp(-logit)), without overflow for large negative logits."""
    if logit >= 0:
        return 1.0 / (1.0 + exp(-logit))
    power = exp(logit)
    return power / (1.0 + power)


def logit_of(probability: float) -> float:
    """Return log(p / (1 - p)), what `sigmoid` takes back to a probability strictly between 0 and 1."""
    return log(probability) - log1p(-probability)


def piecewise_linear(probability: float, operating_point: float) -> float:
    """Return the probability stretched so that the operating point becomes 50 %.

    Cohen, Bertin, Frappier: "Chester" (2020), Eq. 1: x / (2 opt) up to opt, 1 - (1 - x) / (2 (1 - opt)) above. Both
    arguments and the result lie in 0..1; the ends stay where they are, and the order of scores is kept.
    """
    if probability <= operating_point:
        return probability / (2 * operating_point) if operating_point else 0.5
    return 1 - (1 - probability) / (2 * (1 - operating_point))


def interpolate(probability: float, table: Sequence[tuple[float, float]]) -> float:
    """Return the value at a probability on the line through the table's points, constant beyond its ends.

    `table` holds (probability, value) pairs: probabilities rise strictly, values never fall, both lie in 0..1. The
    result never leaves the values of the two neighbouring points, so the order of scores is kept.
    """
    right = bisect_right(table, probability, key=_position)
    if right == 0:
        return table[0][1]
    if right == len(table):
        return table[-1][1]
    (left_at, low), (right_at, high) = table[right - 1], table[right]
    return min(low + (high - low) * ((probability - left_at) / (right_at - left_at)), high)


def calibrate(logit: float, probability: float, label: Label) -> float | None:
    """Return the calibrated probability of a finding (0..1), or None where its label has no calibration.

    `probability` is the sigmoid of the logit: each method starts from the one that it needs. Raises ValueError for a
    calibration that is not known here.
    """
    calibration = label.calibration
    if calibration is None:
        return None
    match calibration.method:
        case "piecewise-linear":
            return piecewise_linear(probability, label.operating_point)
        case "temperature":
            return sigmoid(logit / calibration.temperature)
        case "platt":
            return sigmoid(calibration.slope * logit + calibration.intercept)
        case "beta" | "isotonic":
            return interpolate(probability, calibration.table)
    raise ValueError(f"label {label.name!r} asks for the calibration {calibration.method!r}, which is not known here")


def calibrated_operating_point(label: Label) -> float | None:
    """Return where the operating point lies on the calibrated scale, or None where there is no calibration."""
    return calibrate(logit_of(label.operating_point), label.operating_point, label)


def _position(point: tuple[float, float]) -> float:
    return point[0]
