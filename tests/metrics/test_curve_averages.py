import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from sitegen.metrics import (
    auc,
    average_precision,
    macro_precision_recall,
    macro_roc,
    mean_over_findings,
    micro_precision_recall,
    micro_roc,
)
from tests.helpers.scored_examples import several

SEEDS = range(20)


def test_macro_roc_of_a_worked_example() -> None:
    # The first finding is told perfectly; the second only at a false positive rate of 1/2.
    scores = [[0.9, 0.5], [0.8, 0.4], [0.2, 0.9], [0.1, 0.1]]
    targets = [[1, 1], [1, 1], [0, 0], [0, 0]]
    curve = macro_roc(scores, targets)
    assert curve.false_positive_rate.tolist() == [0, 0, 0.5, 0.5, 1, 1]
    assert curve.true_positive_rate.tolist() == [0, 0.5, 0.5, 1, 1, 1]
    assert curve.area == 0.75


def test_macro_precision_recall_of_a_worked_example() -> None:
    # Precisions at recall 1/2 and 1: 1 and 1 for the first, 1/2 (after a negative) and 2/3 for the second.
    scores = [[0.9, 0.5], [0.8, 0.4], [0.2, 0.9], [0.1, 0.1]]
    targets = [[1, 1], [1, 1], [0, 0], [0, 0]]
    curve = macro_precision_recall(scores, targets)
    assert curve.recall.tolist() == [0, 0.5, 1]
    assert curve.precision == pytest.approx([1, 3 / 4, 5 / 6])


@pytest.mark.parametrize("seed", SEEDS)
def test_areas_equal_scikit_learns(seed: int) -> None:
    scores, targets = several(seed)
    areas = {average: roc_auc_score(targets, scores, average=average) for average in ("micro", "macro")}
    assert micro_roc(scores, targets).area == pytest.approx(areas["micro"], abs=1e-12)
    assert macro_roc(scores, targets).area == pytest.approx(areas["macro"], abs=1e-12)
    assert mean_over_findings(auc, scores, targets) == pytest.approx(areas["macro"], abs=1e-12)


@pytest.mark.parametrize("seed", SEEDS)
def test_average_precisions_equal_scikit_learns(seed: int) -> None:
    scores, targets = several(seed)
    expected = {average: average_precision_score(targets, scores, average=average) for average in ("micro", "macro")}
    assert micro_precision_recall(scores, targets).average_precision == pytest.approx(expected["micro"], abs=1e-12)
    assert macro_precision_recall(scores, targets).average_precision == pytest.approx(expected["macro"], abs=1e-12)
    assert mean_over_findings(average_precision, scores, targets) == pytest.approx(expected["macro"], abs=1e-12)


def test_the_macro_curve_runs_between_those_of_its_findings() -> None:
    scores, targets = several(3)
    curve = macro_roc(scores, targets)
    assert (np.diff(curve.false_positive_rate) >= 0).all()
    assert (np.diff(curve.true_positive_rate) >= 0).all()
    assert (curve.true_positive_rate[0], curve.true_positive_rate[-1]) == (0, 1)


def test_unknown_cells_and_findings_without_both_classes_are_left_out() -> None:
    scores, targets = several(5)
    cells = targets.astype(float)
    cells[10:, 1] = np.nan
    with_more = np.concatenate([cells, np.ones((40, 1)), np.full((40, 1), np.nan)], axis=1)
    more_scores = np.concatenate([scores, scores[:, :2]], axis=1)
    expected = np.mean([auc(scores[:10, 1], cells[:10, 1]), *(auc(scores[:, k], cells[:, k]) for k in (0, 2, 3))])
    assert macro_roc(more_scores, with_more).area == pytest.approx(expected, abs=1e-12)
    known = ~np.isnan(with_more)
    pooled = roc_auc_score(with_more[known], more_scores[known])
    assert micro_roc(more_scores, with_more).area == pytest.approx(pooled, abs=1e-12)


def test_what_is_wrong_is_said() -> None:
    with pytest.raises(ValueError, match="no finding has positives and negatives"):
        macro_roc([[0.5], [0.6]], [[1], [1]])
    absent: list[list[float | None]] = [[0], [None]]
    with pytest.raises(ValueError, match="no finding has a positive"):
        macro_precision_recall([[0.5], [0.6]], absent)
    with pytest.raises(ValueError, match=r"are \[N, L\]"):
        micro_roc([0.5, 0.6], [1, 0])
