"""Fitting the calibrations that bundles keep, from logits [N] and targets [N] of validation images, and of no others.

Targets that are unknown (NaN, None) are left out; weights are one for each image. `sitegen_runtime.calibration` applies
what is fitted here. FITS has a fit for each method of its table; the first paragraph of the docstring says how it is
fitted, and becomes a line of docs/bundle.md.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sitegen.bundle import Label
from sitegen.bundle.calibration import Calibration, Method
from sitegen.calibration.isotonic import rising_steps
from sitegen.calibration.logistic import fit_logistic
from sitegen.metrics.examples import Examples, Scores, examples
from sitegen_runtime.bundle.model import read_label
from sitegen_runtime.calibration import calibrate, sigmoid

TABLE_TOLERANCE = 1e-4  # of a table from the curve that it stands for
TABLE_POINTS = 1000


def fit_calibration(
    method: Method, logits: ArrayLike, targets: ArrayLike, weights: ArrayLike | None = None
) -> Calibration:
    """Return the calibration of a method, fitted to logits (piecewise linear: nothing to fit).

    Raises ValueError where one of the classes is missing, where the classes are separated so well that no best
    temperature or beta map exists, and where the logits rank the classes the wrong way round.
    """
    given = examples(logits, targets, weights)
    given.need_both()
    return FITS[method](given)


def calibrated(logits: ArrayLike, label: Label) -> Scores:
    """Return what people read for logits [N] of a label, by the runtime's own function: what is to be evaluated.

    Without a calibration that is the probability itself.
    """
    entry = read_label(label.model_dump())
    pairs = ((logit, sigmoid(logit)) for logit in np.asarray(logits, np.float64).tolist())
    values = ((probability, calibrate(logit, probability, entry)) for logit, probability in pairs)
    return np.array([probability if value is None else value for probability, value in values])


def _piecewise_linear(given: Examples) -> Calibration:
    """nothing: it needs the operating point alone"""
    return Calibration(method="piecewise-linear")


def _temperature(given: Examples) -> Calibration:
    """least log loss (Guo et al. 2017)"""
    (slope,) = fit_logistic(given.scores[:, np.newaxis], given.targets.astype(np.float64), given.weights)
    return Calibration(method="temperature", temperature=1 / _rising(slope))


def _platt(given: Examples) -> Calibration:
    """least log loss against targets drawn in from 0 and 1 (Platt 1999), so that it exists where the classes are
    separated

    The targets are (n+ + 1) / (n+ + 2) and 1 / (n- + 2).
    """
    counts = given.weights / given.weights.mean()
    positives, negatives = counts[given.targets].sum(), counts[~given.targets].sum()
    drawn_in = np.where(given.targets, (positives + 1) / (positives + 2), 1 / (negatives + 2))
    features = np.stack([given.scores, np.ones_like(given.scores)], axis=1)
    slope, intercept = fit_logistic(features, drawn_in, given.weights)
    return Calibration(method="platt", slope=_rising(slope), intercept=float(intercept))


def _beta(given: Examples) -> Calibration:
    """least log loss of the sigmoid of a ln p − b ln(1 − p) + c with a, b ≥ 0 (Kull et al. 2017); the table stays
    within 1e-4 of that curve"""
    features = _beta_features(given.scores)
    targets = given.targets.astype(np.float64)
    fitted = fit_logistic(features, targets, given.weights)
    for falling, other in ((0, 1), (1, 0)):  # the map must rise: a term that would make it fall is left out
        if fitted[falling] < 0:
            kept = fit_logistic(features[:, [other, 2]], targets, given.weights)
            fitted = np.zeros(3)
            fitted[[other, 2]] = _rising(kept[0]), kept[1]
            break
    return Calibration(method="beta", table=_beta_table(fitted))


def _isotonic(given: Examples) -> Calibration:
    """least squared error of a rising function (Zadrozny and Elkan 2002); its ends may well be 0 % and 100 %"""
    probabilities = np.array([sigmoid(logit) for logit in given.scores.tolist()])
    table = rising_steps(probabilities, given.targets.astype(np.float64), given.weights)
    if len(table) < 2:
        raise ValueError("all images have the same probability: there is nothing to calibrate")
    return Calibration(method="isotonic", table=table)


def _rising(slope: float) -> float:
    if slope <= 0:
        raise ValueError(
            f"images that have the finding score lower than others (slope {slope:.3g}): nothing to calibrate"
        )
    return float(slope)


def _beta_features(logits: Scores) -> Scores:
    """Return ln p, -ln(1 - p) and 1 [N, 3], from logits, so that nothing is lost near 0 and 1."""
    return np.stack([-np.logaddexp(0, -logits), np.logaddexp(0, logits), np.ones_like(logits)], axis=1)


def _beta_table(fitted: NDArray[np.float64]) -> list[tuple[float, float]]:
    """Return points such that the lines between them stay within TABLE_TOLERANCE of the beta map.

    Pieces are halved until they do, or there are TABLE_POINTS: right at 0 and 1 a map can be steeper than any line.
    """
    positions = np.linspace(0.0, 1.0, 17)
    while True:
        values = _beta_map(positions, fitted)
        widths, rises = np.diff(positions), np.diff(values)
        errors = np.max(
            [
                np.abs(_beta_map(positions[:-1] + share * widths, fitted) - (values[:-1] + share * rises))
                for share in (0.25, 0.5, 0.75)
            ],
            axis=0,
        )
        middles = positions[:-1] + widths / 2
        split = (errors > TABLE_TOLERANCE) & (middles > positions[:-1]) & (middles < positions[1:])
        if not split.any() or len(positions) + split.sum() > TABLE_POINTS:
            return list(zip(positions.tolist(), np.maximum.accumulate(values).tolist(), strict=True))
        positions = np.sort(np.concatenate([positions, middles[split]]))


def _beta_map(probabilities: Scores, fitted: NDArray[np.float64]) -> Scores:
    """The map at probabilities, at 0 and 1 its limit: a term of weight 0 has no say, even of an infinite feature."""
    with np.errstate(divide="ignore"):
        features = (np.log(probabilities), -np.log1p(-probabilities))
    terms = [
        np.zeros_like(probabilities) if not weight else weight * feature
        for weight, feature in zip(fitted[:2], features, strict=True)
    ]
    with np.errstate(over="ignore"):
        return np.asarray(1 / (1 + np.exp(-(terms[0] + terms[1] + fitted[2]))))


FITS: dict[str, Callable[[Examples], Calibration]] = {
    "piecewise-linear": _piecewise_linear,
    "temperature": _temperature,
    "platt": _platt,
    "beta": _beta,
    "isotonic": _isotonic,
}
