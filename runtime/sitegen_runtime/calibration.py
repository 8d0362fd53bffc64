"""From a logit to the number that people read: the one table of calibrations, and how each maps.

`sitegen.calibration.fit` fits them; docs/bundle.md, made from this table, says what each keeps in the bundle.
"""

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import exp, log, log1p

from sitegen_runtime.bundle.model import Calibration, Label


@dataclass(frozen=True)
class Point:
    """Where a finding lies: its logit, its probability (the sigmoid of that), and the label's operating point."""

    logit: float
    probability: float
    operating_point: float


@dataclass(frozen=True)
class Method:
    """A row: which numbers a bundle keeps, how they make the value that people read (0..1), and what that means.

    `numbers` has for each number what bounds it, for the documentation; `value` says there what people read.
    `interpolates` tells that neither exp nor log is taken of the logit, so that engines agree more closely. `means`
    says what a percentage is, on the page, and `untold` says that where a bundle does not tell on which images the
    calibration was fitted; "" where that does not matter.
    """

    numbers: Mapping[str, str]
    apply: Callable[[Point, Calibration], float]
    interpolates: bool
    value: str
    means: str
    untold: str = ""


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


def _share_of_images(fitted: str) -> str:
    return (
        f"a probability calibrated on validation images ({fitted}): of those shown at 50 %, about half had "
        "the finding. Where the finding is rarer than among them, fewer do. The mark is the operating point."
    )


def _fitted(fitted: str) -> str:
    return (
        f"a probability that was calibrated ({fitted}), on which images is not told: nobody can say whether of those "
        "shown at 50 % half have the finding. The mark is the operating point."
    )


CALIBRATIONS: Mapping[str, Method] = {
    "piecewise-linear": Method(
        {},
        lambda at, _: piecewise_linear(at.probability, at.operating_point),
        interpolates=True,
        value="p / (2 · opt) up to the operating point, 1 − (1 − p) / (2 · (1 − opt)) above",
        means="the model's probability, stretched so that its operating point lies at 50 %, where the mark is. "
        "50 % does not mean that every second image has the finding.",
    ),
    "temperature": Method(
        {"temperature": "above 0"},
        lambda at, numbers: sigmoid(at.logit / numbers.temperature),
        interpolates=False,
        value="the sigmoid of z / `temperature`",
        means=_share_of_images("temperature scaling"),
        untold=_fitted("temperature scaling"),
    ),
    "platt": Method(
        {"slope": "above 0", "intercept": ""},
        lambda at, numbers: sigmoid(numbers.slope * at.logit + numbers.intercept),
        interpolates=False,
        value="the sigmoid of `slope` · z + `intercept`",
        means=_share_of_images("Platt scaling"),
        untold=_fitted("Platt scaling"),
    ),
    "beta": Method(
        {"table": ""},
        lambda at, numbers: interpolate(at.probability, numbers.table),
        interpolates=True,
        value="p, looked up in the table",
        means=_share_of_images("beta calibration"),
        untold=_fitted("beta calibration"),
    ),
    "isotonic": Method(
        {"table": ""},
        lambda at, numbers: interpolate(at.probability, numbers.table),
        interpolates=True,
        value="p, looked up in the table",
        means=_share_of_images("isotonic regression"),
        untold=_fitted("isotonic regression"),
    ),
}


def calibrate(logit: float, probability: float, label: Label) -> float | None:
    """Return the calibrated probability of a finding (0..1), or None where its label has no calibration.

    `probability` is the sigmoid of the logit: each method starts from the one that it needs. Raises ValueError for a
    calibration that is not known here.
    """
    calibration = label.calibration
    if calibration is None:
        return None
    if calibration.method not in CALIBRATIONS:
        asked = f"label {label.name!r} asks for the calibration {calibration.method!r}"
        raise ValueError(f"{asked}, which is not known here")
    point = Point(logit, probability, label.operating_point)
    return CALIBRATIONS[calibration.method].apply(point, calibration)


def calibrated_operating_point(label: Label) -> float | None:
    """Return where the operating point lies on the calibrated scale, or None where there is no calibration."""
    return calibrate(logit_of(label.operating_point), label.operating_point, label)


def _position(point: tuple[float, float]) -> float:
    return point[0]
