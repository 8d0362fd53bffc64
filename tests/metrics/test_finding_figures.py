import numpy as np
import pytest
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score

from sitegen.metrics import age_band, by_group, finding_figures


def example(images: int = 200) -> tuple[np.ndarray, np.ndarray, list[str]]:
    rng = np.random.default_rng(11)
    targets = rng.random(images) < 0.3
    probabilities = np.clip(rng.normal(0.4 + 0.2 * targets, 0.15), 0, 1)
    return probabilities, targets, [f"p{index // 2}" for index in range(images)]


def test_figures_of_a_finding() -> None:
    probabilities, targets, patients = example()
    figures = finding_figures(probabilities, targets, patients, 0.5, resamples=200)
    found = probabilities >= 0.5
    assert (figures.images, figures.positives) == (200, targets.sum())
    assert figures.auc.value == pytest.approx(roc_auc_score(targets, probabilities), abs=1e-12)
    assert figures.average_precision == pytest.approx(average_precision_score(targets, probabilities), abs=1e-12)
    assert figures.sensitivity.value == pytest.approx(found[targets].mean())
    assert figures.specificity.value == pytest.approx((~found)[~targets].mean())
    assert figures.brier == pytest.approx(brier_score_loss(targets, probabilities), abs=1e-12)
    for interval in (figures.auc, figures.sensitivity, figures.specificity):
        assert interval.low < interval.value < interval.high
    assert figures.half_splits is not None
    assert 0 < figures.half_splits < (figures.auc.high - figures.auc.low) / 2


def test_unknown_targets_take_no_part() -> None:
    probabilities, targets, patients = example(60)
    cells = targets.astype(float)
    cells[40:] = np.nan
    assert finding_figures(probabilities, cells, patients, 0.5, resamples=50) == finding_figures(
        probabilities[:40], targets[:40], patients[:40], 0.5, resamples=50
    )


def test_calibration_is_judged_by_what_people_read() -> None:
    probabilities, targets, patients = example(60)
    calibrated = np.full(60, targets.mean())
    figures = finding_figures(probabilities, targets, patients, 0.5, calibrated, resamples=20)
    assert figures.calibration_error == pytest.approx(0, abs=1e-12)
    assert figures.brier == pytest.approx(targets.mean() * (1 - targets.mean()))


def test_one_class_leaves_open_what_needs_both() -> None:
    figures = finding_figures([0.25, 0.75], [0, 0], ["a", "b"], 0.5, resamples=20)
    assert (figures.auc, figures.half_splits, figures.average_precision, figures.sensitivity) == (None,) * 4
    assert figures.specificity.value == 0.5
    assert figures.brier == pytest.approx((0.0625 + 0.5625) / 2)


def test_groups_come_in_order_with_the_unknown_last() -> None:
    groups = ["80 and over", None, "5–17", "18–39", "5–17"]
    members = by_group(groups, lambda indices: indices.tolist())
    assert list(members.items()) == [("5–17", [2, 4]), ("18–39", [3]), ("80 and over", [0]), ("unknown", [1])]
    assert list(by_group(["M", "F", None], len).items()) == [("F", 1), ("M", 1), ("unknown", 1)]
    assert by_group([], len) == {}


@pytest.mark.parametrize(
    ("age", "band"),
    [
        (0, "0–17"),
        (17.9, "0–17"),
        (18, "18–39"),
        (59, "40–59"),
        (79, "60–79"),
        (80, "80 and over"),
        (414, "80 and over"),
        (None, None),
        (float("nan"), None),
    ],
)
def test_age_bands(age: float | None, band: str | None) -> None:
    assert age_band(age) == band


def test_other_bands_and_no_age() -> None:
    assert age_band(30, [65]) == "0–64"
    assert age_band(65, [65]) == "65 and over"
    with pytest.raises(ValueError, match="not negative, as -1 is"):
        age_band(-1)
