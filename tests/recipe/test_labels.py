"""Operating points and calibrations of a bundle: chosen on validation images, and what happens where that cannot be."""

from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import roc_curve

from sitegen.bundle.calibration import Calibration
from sitegen.calibration.fit import fit_calibration
from sitegen.data.records import Record
from sitegen.evaluation.classifier.scored import Scored
from sitegen.metrics import operating_point
from sitegen.recipe.labels import fit_labels, short_threshold
from sitegen_runtime.calibration import sigmoid


def scored(logits: list[list[float]], targets: list[list[float | None]], sources: list[str] | None = None) -> Scored:
    names = tuple(f"label {at}" for at in range(len(logits[0])))
    records = tuple(
        Record(
            Path(f"{row}.png"),
            str(row),
            dict(zip(names, values, strict=True)),
            "valid",
            (sources or ["a"])[row % len(sources or ["a"])],
        )
        for row, values in enumerate(targets)
    )
    given = np.array(logits)
    probabilities = np.vectorize(sigmoid)(given)
    return Scored({}, names, records, given, probabilities, probabilities, (None,) * len(names))


def random_scores(count: int = 200, seed: int = 3) -> Scored:
    random = np.random.default_rng(seed)
    positive = random.random(count) < 0.4
    logits = random.normal(positive * 1.5 - 1, 1.2)
    logits[::4] += 1.5  # every fourth image is of another source
    return scored(logits[:, np.newaxis].tolist(), positive[:, np.newaxis].astype(float).tolist(), ["a", "b", "b", "b"])


def test_the_operating_point_decides_as_scikit_learns_best_threshold_does() -> None:
    given = random_scores()
    (fitted,) = fit_labels(given, "piecewise-linear", balance_sources=False)
    rates = roc_curve(given.targets[:, 0], given.probabilities[:, 0], drop_intermediate=False)
    best = rates[2][np.argmax(rates[1] - rates[0])]
    point = fitted.label.operating_point
    assert ((given.probabilities >= point) == (given.probabilities >= best)).all()
    assert point == round(point, 6)
    assert (fitted.images, fitted.positives) == (200, int(given.targets.sum()))
    assert fitted.remarks == ()


def test_balanced_sources_weigh_the_same() -> None:
    given = random_scores()
    weights = [2.0 if record.source == "a" else 2 / 3 for record in given.records]
    expected = operating_point(given.probabilities[:, 0], given.targets[:, 0], weights)
    (balanced,) = fit_labels(given, "platt", balance_sources=True)
    (plain,) = fit_labels(given, "platt", balance_sources=False)
    assert balanced.label.operating_point == pytest.approx(expected.threshold, abs=1e-6)
    assert balanced.label.operating_point != plain.label.operating_point
    fitted = fit_calibration("platt", given.logits[:, 0], given.targets[:, 0], weights)
    assert balanced.label.calibration is not None
    assert balanced.label.calibration.slope == pytest.approx(fitted.slope, rel=1e-5)
    assert balanced.label.calibration.intercept == pytest.approx(fitted.intercept, rel=1e-5)
    assert balanced.label.calibration != plain.label.calibration


def test_sources_are_balanced_among_the_images_of_which_a_label_is_known() -> None:
    given = random_scores()
    known = [at for at, record in enumerate(given.records) if record.source == "b" or at < 8]
    targets = [[value if at in known else None] for at, value in enumerate(given.targets[:, 0].tolist())]
    partly = scored(given.logits.tolist(), targets, ["a", "b", "b", "b"])
    assert fit_labels(partly, "platt", True)[0].label == fit_labels(given.only(known), "platt", True)[0].label


def test_calibration_brings_the_error_down() -> None:
    random = np.random.default_rng(5)
    true = random.normal(0, 1.5, 4000)
    positive = random.random(4000) < 1 / (1 + np.exp(-true))
    given = scored((3 * true)[:, np.newaxis].tolist(), positive[:, np.newaxis].astype(float).tolist())
    (fitted,) = fit_labels(given, "temperature", balance_sources=False)
    assert fitted.label.calibration is not None
    assert fitted.label.calibration.temperature == pytest.approx(3, rel=0.1)
    assert fitted.error_before is not None
    assert fitted.error_after is not None
    assert fitted.error_before > 0.1 > 0.03 > fitted.error_after


@pytest.mark.parametrize("values", [[0.0, 0.0, 0.0], [1.0, 1.0, 1.0], [None, None, None], [1.0, None, None]])
def test_a_label_that_lacks_a_class_is_reported_from_one_half(values: list[float | None]) -> None:
    given = scored([[0.3], [-2.0], [1.0]], [[value] for value in values])
    (fitted,) = fit_labels(given, "isotonic", balance_sources=True)
    assert fitted.label.operating_point == 0.5
    assert fitted.label.calibration is None
    known = sum(value is not None for value in values)
    positives = values.count(1.0)
    assert fitted.remarks == (
        f"label 0: {positives} of {known} validation images have it, so that nothing could be chosen. "
        "The operating point is 0.5, and the probability is shown as it is.",
    )


def test_a_calibration_that_cannot_be_fitted_is_piecewise_linear() -> None:
    separated = scored([[-2.0], [-1.0], [1.0], [2.0]], [[0.0], [0.0], [1.0], [1.0]])
    (fitted,) = fit_labels(separated, "temperature", balance_sources=False)
    assert fitted.label.calibration == Calibration(method="piecewise-linear")
    assert fitted.label.operating_point == 0.5
    (remark,) = fitted.remarks
    assert remark.startswith("label 0: the calibration is piecewise linear, because temperature could not be fitted: ")


def test_a_label_that_ranks_the_wrong_way_round_is_named() -> None:
    given = scored([[2.0], [1.0], [-1.0], [-2.0]], [[0.0], [0.0], [1.0], [1.0]])
    (fitted,) = fit_labels(given, "piecewise-linear", balance_sources=False)
    assert fitted.remarks == ("label 0: no operating point tells the classes of the validation images apart.",)


def test_labels_are_fitted_each_by_itself() -> None:
    random = np.random.default_rng(0)
    logits, targets = random.normal(size=(60, 2)), (random.random((60, 2)) < 0.5).astype(float)
    both = fit_labels(scored(logits.tolist(), targets.tolist()), "platt", False)
    alone = fit_labels(scored(logits[:, 1:].tolist(), targets[:, 1:].tolist()), "platt", False)
    assert both[1].label == alone[0].label.model_copy(update={"name": "label 1"})


@pytest.mark.parametrize(
    ("threshold", "score", "short"),
    [
        (0.3915023456789, 0.392, 0.391502),
        (0.39150234567891, 0.391502345678912, 0.39150234567891),  # nine digits would pass the score
        (0.99999999999, 1.0, 0.99999999999),
        (1.0, 1.0, np.nextafter(1, 0)),
        (1e-8, 2e-8, 1e-8),
        (0.5, 0.5, 0.5),
    ],
)
def test_a_short_threshold_decides_alike(threshold: float, score: float, short: float) -> None:
    assert short_threshold(threshold, score) == short
    assert 2 * threshold - score < short <= score or threshold == score
