"""The combination of scores is scikit-learn's logistic regression, and the runtime computes the same."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from sitegen.errors import DataError, SettingsError
from sitegen.gate.combination import Combination, combined_scores, fit_combination
from sitegen.gate.quantiles import positions, quantile_table

METRICS = ("ssim", "turned", "energy")


def scores(images: int, shift: float, seed: int) -> dict[str, np.ndarray]:
    """Raw values; with a shift, of images that each of the metrics finds more unlike."""
    random = np.random.default_rng(seed)
    common = random.normal(size=images) + shift
    return {
        "ssim": 0.8 - 0.05 * (common + random.normal(size=images)),
        "turned": -0.2 + 0.1 * (common / 2 + random.normal(size=images)),
        "energy": -3 + common / 4 + random.normal(size=images),
    }


INSIDE, OUTSIDE = scores(400, 0, 1), scores(300, 2, 2)
KINDS = ["cropped"] * 200 + ["noise"] * 100
TABLE = quantile_table(INSIDE)


def fitted() -> Combination:
    return fit_combination(positions(INSIDE, TABLE), positions(OUTSIDE, TABLE), KINDS)


def reference() -> LogisticRegression:
    """The same without this code: the rarer kind counts twice, and both sides 400 in all."""
    rows = np.concatenate([np.stack(list(positions(side, TABLE).values()), axis=1) for side in (INSIDE, OUTSIDE)])
    weights = np.concatenate([np.ones(400), np.where(np.array(KINDS) == "noise", 2.0, 1.0)])
    model = LogisticRegression(C=1.0, solver="newton-cholesky", tol=1e-12)
    return model.fit(rows, np.arange(700) >= 400, weights)


def test_weights_are_those_of_another_solver() -> None:
    ours, theirs = fitted(), reference()
    assert list(ours.weights) == list(METRICS)
    assert list(ours.weights.values()) == pytest.approx(theirs.coef_[0], abs=1e-4)
    assert ours.intercept == pytest.approx(theirs.intercept_[0], abs=1e-4)
    assert min(ours.weights.values()) > 0.3


def test_the_runtimes_score_is_scikit_learns_probability() -> None:
    ours = fitted()
    model = LogisticRegression().fit(np.eye(3), [0, 1, 0])
    model.coef_, model.intercept_ = np.array([list(ours.weights.values())]), np.array([ours.intercept])
    rows = np.stack([positions(OUTSIDE, TABLE)[metric] for metric in METRICS], axis=1)
    assert np.abs(combined_scores(OUTSIDE, TABLE, ours) - model.predict_proba(rows)[:, 1]).max() <= 1e-12


def test_it_tells_more_apart_than_each_of_its_parts() -> None:
    def area(ordinary: np.ndarray, unlike: np.ndarray) -> float:
        return float((unlike[:, np.newaxis] > ordinary).mean())

    fresh_inside, fresh_outside = scores(500, 0, 3), scores(500, 2, 4)
    joint = area(*(combined_scores(side, TABLE, fitted()) for side in (fresh_inside, fresh_outside)))
    alone = [area(*(positions(side, TABLE)[metric] for side in (fresh_inside, fresh_outside))) for metric in METRICS]
    assert joint > max(alone)


def test_the_same_images_give_the_same_weights() -> None:
    assert fitted() == fitted()
    assert fitted().document == {"weights": dict(fitted().weights), "intercept": fitted().intercept}


def test_what_cannot_be_combined_is_told() -> None:
    inside, outside = positions(INSIDE, TABLE), positions(OUTSIDE, TABLE)
    with pytest.raises(SettingsError, match=r"one other metric at least, not of \[\]"):
        fit_combination({}, {}, KINDS)
    with pytest.raises(SettingsError, match="combined"):
        fit_combination({"combined": [0.1]}, {"combined": [0.1]}, ["noise"])
    with pytest.raises(DataError, match=r"validation images have the metrics .*'turned'.* altered ones \['ssim'\]"):
        fit_combination(inside, {"ssim": outside["ssim"]}, KINDS)
    with pytest.raises(DataError, match="300 altered images, and 2 kinds"):
        fit_combination(inside, outside, ["cropped", "noise"])
    with pytest.raises(DataError, match="every one of the altered images, and there must be some"):
        fit_combination(inside, dict.fromkeys(METRICS, np.array([])), [])
    with pytest.raises(DataError, match="validation images is not between 0 and 1; give positions"):
        fit_combination(INSIDE, outside, KINDS)
    with pytest.raises(DataError, match=r"there are none of \['energy'\]"):
        combined_scores({name: INSIDE[name] for name in ("ssim", "turned")}, TABLE, fitted())
