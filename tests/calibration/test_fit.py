from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize, minimize_scalar
from scipy.special import expit
from sklearn.calibration import _SigmoidCalibration
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from sitegen.bundle import Calibration, Label
from sitegen.bundle.calibration import Method
from sitegen.calibration.fit import calibrated, fit_calibration
from sitegen.calibration.isotonic import rising_steps
from sitegen.metrics import expected_calibration_error
from tests.helpers.scored_examples import scored, weighted

METHODS: tuple[Method, ...] = ("temperature", "platt", "beta", "isotonic")


def logits_of(
    truth: Callable[[np.ndarray], np.ndarray], images: int = 3000, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Logits, and targets that are positive with the chance truth(logit)."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 2, images)
    return logits, rng.random(images) < truth(logits)


def log_loss(logits: np.ndarray, targets: np.ndarray, weights: np.ndarray | None = None) -> float:
    return float(np.average(np.logaddexp(0, logits) - targets * logits, weights=weights))


def label(calibration: Calibration | None) -> Label:
    return Label(name="Mass", operating_point=0.5, calibration=calibration)


def test_temperature_has_the_least_log_loss() -> None:
    logits, targets = logits_of(lambda z: expit(z / 3))
    weights = np.random.default_rng(1).uniform(0.5, 2, len(logits))
    expected = minimize_scalar(
        lambda t: log_loss(logits / t, targets, weights), bounds=(0.1, 30), method="bounded", options={"xatol": 1e-10}
    ).x
    assert fit_calibration("temperature", logits, targets, weights).temperature == pytest.approx(expected, rel=1e-6)
    assert expected == pytest.approx(3, rel=0.1)


def test_platt_equals_scikit_learns() -> None:
    logits, targets = logits_of(lambda z: expit(0.5 * z - 1), images=400)
    reference = _SigmoidCalibration().fit(logits, targets)
    fitted = fit_calibration("platt", logits, targets)
    # There the slope and intercept stand with the other sign; its optimiser stops a little early.
    assert (fitted.slope, fitted.intercept) == pytest.approx((-reference.a_, -reference.b_), rel=1e-4)


def test_platt_has_no_slope_left_in_the_loss_of_its_targets() -> None:
    logits, targets = logits_of(lambda z: expit(0.5 * z - 1), images=100)
    fitted = fit_calibration("platt", logits, targets)
    positives, negatives = targets.sum(), (~targets).sum()
    drawn_in = np.where(targets, (positives + 1) / (positives + 2), 1 / (negatives + 2))
    assert fitted.slope is not None and fitted.intercept is not None
    residual = drawn_in - expit(fitted.slope * logits + fitted.intercept)
    assert residual.sum() == pytest.approx(0, abs=1e-9)
    assert residual @ logits == pytest.approx(0, abs=1e-9)


def test_platt_bears_classes_that_are_separated() -> None:
    fitted = fit_calibration("platt", [-2.0, -1.0, 1.0, 2.0], [0, 0, 1, 1])
    # With targets 1/4 and 3/4 the scores of both sides lie evenly around 0.
    assert fitted.intercept == pytest.approx(0, abs=1e-9)
    assert fitted.slope is not None
    assert 0 < fitted.slope < 1


def test_platts_targets_do_not_depend_on_the_unit_of_the_weights() -> None:
    logits, targets = logits_of(expit, images=50)
    weights = np.random.default_rng(2).uniform(0.5, 2, 50)
    small, large = (fit_calibration("platt", logits, targets, scale * weights) for scale in (1, 1000))
    assert (small.slope, small.intercept) == pytest.approx((large.slope, large.intercept), rel=1e-9)


def beta_curve(probabilities: np.ndarray, a: float, b: float, c: float) -> np.ndarray:
    return expit(a * np.log(probabilities) - b * np.log1p(-probabilities) + c)


def test_the_table_of_a_beta_map_stays_close_to_the_fitted_curve() -> None:
    logits, targets = logits_of(lambda z: beta_curve(expit(z), 0.6, 1.7, 0.4), images=5000)
    features = np.stack([-np.logaddexp(0, -logits), np.logaddexp(0, logits)], axis=1)
    regression = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(features, targets)
    fitted = label(fit_calibration("beta", logits, targets))
    at = np.linspace(-12, 12, 1001)
    (a, b), c = regression.coef_[0], regression.intercept_[0]
    expected = beta_curve(expit(at), a, b, c)
    assert np.abs(calibrated(at, fitted) - expected).max() < 2e-4
    assert fitted.calibration is not None and fitted.calibration.table is not None
    assert len(fitted.calibration.table) < 300
    assert fitted.calibration.table[0] == (0.0, 0.0)
    assert fitted.calibration.table[-1] == (1.0, 1.0)


@pytest.mark.parametrize(("a", "b"), [(1.5, -0.3), (-0.3, 1.5)])
def test_a_beta_map_that_would_fall_leaves_a_term_out(a: float, b: float) -> None:
    # The share of positives falls again towards one end, which no rising map can follow.
    logits, targets = logits_of(lambda z: expit(-a * np.logaddexp(0, -z) + b * np.logaddexp(0, z)), images=4000)
    features = np.stack([-np.logaddexp(0, -logits), np.logaddexp(0, logits)], axis=1)
    free = LogisticRegression(C=np.inf).fit(features, targets).coef_[0]
    assert min(free) < 0 < max(free)
    kept = features[:, [int(np.argmax(free))]]
    regression = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(kept, targets)
    fitted = calibrated(logits, label(fit_calibration("beta", logits, targets)))
    assert np.abs(fitted - regression.predict_proba(kept)[:, 1]).max() < 2e-4


@given(weighted())
def test_isotonic_regression_equals_scikit_learns(example: tuple[np.ndarray, ...]) -> None:
    scores, targets, weights = example
    table = rising_steps(scores, targets.astype(float), weights)
    reference = IsotonicRegression(out_of_bounds="clip").fit(scores, targets, sample_weight=weights)
    at = np.linspace(-0.1, 1.1, 121)
    x, y = zip(*table, strict=True)
    ours = np.interp(at, x, y)
    np.testing.assert_allclose(ours, reference.predict(at), rtol=0, atol=1e-12)


@given(scored())
def test_isotonic_tables_rise(example: tuple[np.ndarray, np.ndarray]) -> None:
    scores, targets = example
    table = rising_steps(scores, targets.astype(float), np.ones(len(scores)))
    positions, values = zip(*table, strict=True)
    assert list(positions) == sorted(set(positions))
    assert list(values) == sorted(values)
    assert 0 <= values[0] <= values[-1] <= 1


def test_isotonic_steps_of_a_worked_example() -> None:
    # 0.2 and 0.3 are out of order and share 1/2; the two images at 0.6 are averaged; 0.9 stands alone.
    steps = rising_steps(np.array([0.1, 0.2, 0.3, 0.6, 0.6, 0.9]), np.array([0, 1, 0, 1, 0.2, 1]), np.ones(6))
    assert steps == [(0.1, 0.0), (0.2, 0.5), (0.3, 0.5), (0.6, 0.6), (0.9, 1.0)]


def test_images_of_no_weight_have_no_say() -> None:
    steps = rising_steps(np.array([0.1, 0.5, 0.9]), np.array([0.0, 1.0, 0.5]), np.array([1.0, 0.0, 1.0]))
    assert steps == [(0.1, 0.0), (0.9, 0.5)]


@pytest.mark.parametrize("method", METHODS)
def test_what_is_fitted_is_calibrated_on_images_not_seen(method: Method) -> None:
    def truth(z: np.ndarray) -> np.ndarray:
        return expit(z / 2.5)

    logits, targets = logits_of(truth, seed=1)
    unseen, unseen_targets = logits_of(truth, images=20_000, seed=2)
    entry = label(fit_calibration(method, logits, targets))
    before = expected_calibration_error(expit(unseen), unseen_targets)
    after = expected_calibration_error(calibrated(unseen, entry), unseen_targets)
    assert before > 0.1
    assert after < 0.025


@pytest.mark.parametrize("method", METHODS)
@given(seed=st.integers(0, 1000))
def test_every_fit_rises_within_0_and_1(method: Method, seed: int) -> None:
    logits, targets = logits_of(expit, images=60, seed=seed)
    shown = calibrated(np.linspace(-30, 30, 61), label(fit_calibration(method, logits, targets)))
    assert (np.diff(shown) >= 0).all()
    assert 0 <= shown[0] <= shown[-1] <= 1


@pytest.mark.parametrize("method", METHODS)
def test_unknown_targets_are_left_out(method: Method) -> None:
    logits, targets = logits_of(expit, images=60, seed=3)
    cells = np.concatenate([targets.astype(float), [np.nan] * 5])
    more = np.concatenate([logits, [9.0] * 5])
    assert fit_calibration(method, more, cells) == fit_calibration(method, logits, targets)


@pytest.mark.parametrize("method", METHODS)
def test_weights_count_like_repetitions(method: Method) -> None:
    logits, targets = logits_of(lambda z: expit(z / 2), images=80, seed=4)
    counts = np.random.default_rng(5).integers(1, 4, 80)
    repeated = fit_calibration(method, np.repeat(logits, counts), np.repeat(targets, counts))
    at = np.linspace(-8, 8, 50)
    difference = calibrated(at, label(repeated)) - calibrated(
        at, label(fit_calibration(method, logits, targets, counts))
    )
    # Platt counts images, of which there are more when they are repeated.
    assert np.abs(difference).max() < (0.02 if method == "platt" else 1e-7)


def test_piecewise_linear_has_nothing_to_fit() -> None:
    fitted = fit_calibration("piecewise-linear", [0.0, 1.0], [0, 1])
    assert fitted == Calibration(method="piecewise-linear")
    shown = calibrated([0.0], Label(name="Mass", operating_point=0.25, calibration=fitted))
    assert shown.tolist() == [pytest.approx(2 / 3)]


def test_without_a_calibration_people_read_the_probability() -> None:
    assert calibrated([0.0, 2.0], label(None)) == pytest.approx(expit([0.0, 2.0]), abs=1e-15)


@pytest.mark.parametrize("method", ["temperature", "beta"])
def test_separated_classes_have_no_best_fit(method: Method) -> None:
    with pytest.raises(ValueError, match="a least log loss does not exist"):
        fit_calibration(method, [-3.0, -1.0, 0.5, 2.0], [0, 0, 1, 1])


@pytest.mark.parametrize("method", METHODS[:3])
def test_logits_that_rank_the_wrong_way_are_an_error(method: Method) -> None:
    logits, targets = logits_of(lambda z: expit(-z))
    with pytest.raises(ValueError, match="score lower than others"):
        fit_calibration(method, logits, targets)


@pytest.mark.parametrize("method", [*METHODS, "piecewise-linear"])
def test_both_classes_are_needed(method: Method) -> None:
    with pytest.raises(ValueError, match="positives and negatives are both needed"):
        fit_calibration(method, [0.0, 1.0], [1, 1])


@pytest.mark.parametrize("method", METHODS)
def test_logits_that_do_not_vary_say_nothing(method: Method) -> None:
    with pytest.raises(ValueError, match=r"nothing can be fitted|do not vary|nothing to calibrate"):
        fit_calibration(method, [0.0, 0.0, 0.0, 0.0], [1, 0, 0, 1])


def test_the_general_optimiser_finds_the_same_beta_map() -> None:
    logits, targets = logits_of(lambda z: beta_curve(expit(z), 1.3, 0.7, -0.2), images=2000, seed=6)
    features = np.stack([-np.logaddexp(0, -logits), np.logaddexp(0, logits), np.ones(2000)], axis=1)
    best = minimize(lambda w: log_loss(features @ w, targets), np.zeros(3), method="BFGS", options={"gtol": 1e-9}).x
    shown = calibrated([-2.0, 0.0, 2.0], label(fit_calibration("beta", logits, targets)))
    assert shown == pytest.approx(beta_curve(expit([-2.0, 0.0, 2.0]), *best), abs=2e-4)
