"""From a logit to the number that people read."""

from math import exp

from sitegen_runtime.model import Label


def sigmoid(logit: float) -> float:
    """Return 1 / (1 + exp(-logit)), without overflow for large negative logits."""
    if logit >= 0:
        return 1.0 / (1.0 + exp(-logit))
    power = exp(logit)
    return power / (1.0 + power)


def piecewise_linear(probability: float, operating_point: float) -> float:
    """Return the probability stretched so that the operating point becomes 50 %.

    Cohen, Bertin, Frappier: "Chester" (2020), Eq. 1: x / (2 opt) up to opt, 1 - (1 - x) / (2 (1 - opt)) above. Both
    arguments and the result lie in 0..1; the ends stay where they are, and the order of scores is kept.
    """
    if probability <= operating_point:
        return probability / (2 * operating_point) if operating_point else 0.5
    return 1 - (1 - probability) / (2 * (1 - operating_point))


def calibrate(probability: float, label: Label) -> float | None:
    """Return the calibrated probability of a finding, or None where its label has no calibration."""
    if label.calibration is None:
        return None
    if label.calibration != "piecewise-linear":
        raise ValueError(
            f"label {label.name!r} asks for the calibration {label.calibration!r}, which is not known here"
        )
    return piecewise_linear(probability, label.operating_point)
