"""Operating points and calibrations, chosen on validation images and on no others."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sitegen.bundle import Label
from sitegen.bundle.calibration import Calibration, Method
from sitegen.calibration.fit import calibrated, fit_calibration
from sitegen.evaluation.classifier.scored import Scored
from sitegen.metrics import OperatingPoint, Scores, expected_calibration_error, known_targets
from sitegen.recipe.operating_points import choose_points
from sitegen.settings.recipe import PointRule, YoudenRule
from sitegen.training.examples import equal_weights

DEFAULT_POINT = 0.5
DIGITS = (6, 9, 12)


@dataclass(frozen=True)
class FittedLabel:
    """A label of a bundle, and how it was fitted.

    Of so many validation images of which it is known, with so many positives. The expected calibration errors are those
    of the probabilities and of the calibrated values on these images, None where there are none. `remarks` are
    sentences on what could not be done as asked.
    """

    label: Label
    images: int
    positives: int
    error_before: float | None
    error_after: float | None
    remarks: tuple[str, ...] = ()

    def document(self) -> dict[str, Any]:
        """Return how the label was fitted, as plain data."""
        return {
            "images": self.images,
            "positives": self.positives,
            "calibration_error_before": self.error_before,
            "calibration_error_after": self.error_after,
            "remarks": list(self.remarks),
        }


@dataclass(frozen=True)
class _Known:
    """The images of which a label is known: logits, probabilities, targets, and weights or None, each [N]."""

    logits: Scores
    probabilities: Scores
    targets: NDArray[np.bool_]
    weights: Scores | None


def fit_labels(
    validation: Scored, method: Method, balance_sources: bool, rule: PointRule | None = None
) -> list[FittedLabel]:
    """Return the labels with operating point, by `rule` (Youden's without one), and calibration.

    With `balance_sources` every source weighs the same, among the images of which the label is known. A label that
    lacks one of its classes gets the operating point 0.5; a calibration that cannot be fitted is piecewise linear
    instead. Both are said in the label's remarks.
    """
    sources = [record.source for record in validation.records] if balance_sources else None
    known = [_known(validation, at, sources) for at in range(len(validation.labels))]
    points = choose_points(validation, rule or YoudenRule(), [each.weights for each in known])
    fitted = [
        _fit(name, each, point, method) for name, each, point in zip(validation.labels, known, points.of, strict=True)
    ]
    return [replace(fitted[0], remarks=(*points.remarks, *fitted[0].remarks)), *fitted[1:]] if fitted else []


def _known(validation: Scored, at: int, sources: Sequence[str] | None) -> _Known:
    known, positive = known_targets(validation.targets[:, at])
    weights = None
    if sources is not None and known.any():
        weights = equal_weights(np.asarray(sources)[known].tolist()).double().numpy()
    return _Known(validation.logits[known, at], validation.probabilities[known, at], positive[known], weights)


def _fit(name: str, known: _Known, point: OperatingPoint | None, method: Method) -> FittedLabel:
    images, positives = len(known.targets), int(known.targets.sum())
    if point is None:
        remark = (
            f"{name}: {positives} of {images} validation images have it, so that nothing could be chosen. "
            f"The operating point is {DEFAULT_POINT}, and the probability is shown as it is."
        )
        return _measured(Label(name=name, operating_point=DEFAULT_POINT), known, [remark])
    remarks = []
    if point.sensitivity <= point.false_positive_rate:
        remarks.append(f"{name}: no operating point tells the classes of the validation images apart.")
    try:
        calibration = fit_calibration(method, known.logits, known.targets, known.weights)
    except ValueError as error:
        calibration = Calibration(method="piecewise-linear")
        remarks.append(f"{name}: the calibration is piecewise linear, because {method} could not be fitted: {error}.")
    label = Label(name=name, operating_point=short_threshold(point.threshold, point.score), calibration=calibration)
    return _measured(label, known, remarks)


def short_threshold(threshold: float, score: float) -> float:
    """Return a threshold inside 0..1 with few digits that decides as `threshold` does.

    That lies in the middle between `score`, the lowest score that counts, and the next lower one; so whatever is nearer
    to it than `score` is decides alike.
    """
    for digits in DIGITS:
        rounded = round(threshold, digits)
        if 0 < rounded < 1 and abs(rounded - threshold) < abs(score - threshold):
            return rounded
    return float(np.clip(threshold, np.nextafter(0, 1), np.nextafter(1, 0)))


def _measured(label: Label, known: _Known, remarks: Sequence[str]) -> FittedLabel:
    before = after = None
    if len(known.targets):
        shown = calibrated(known.logits, label)
        before = round(expected_calibration_error(known.probabilities, known.targets, known.weights), 4)
        after = round(expected_calibration_error(shown, known.targets, known.weights), 4)
    return FittedLabel(label, len(known.targets), int(known.targets.sum()), before, after, tuple(remarks))
