"""The classifier's AUC on ever fewer images."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from sitegen.evaluation.gate.stringency import SHARES, mean_auc, measurable, stringency_curve


def test_the_most_unlike_images_go_first() -> None:
    # The two most unlike images are the ones that the classifier has wrong.
    unlike = np.arange(20.0)
    targets = (np.arange(20) % 2).astype(float)[:, np.newaxis]
    logits = targets * 2 - 1
    logits[18:] *= -5
    curve = stringency_curve(unlike, logits, targets)
    assert curve["images"] == list(range(20, 1, -1))
    assert curve["retained"] == pytest.approx(list(SHARES))
    assert curve["auc"][2:] == [1.0] * 17
    assert curve["auc"][0] == pytest.approx(roc_auc_score(targets[:, 0], logits[:, 0]))
    first, last = curve["auc"][0], curve["auc"][2]
    assert first is not None and last is not None
    assert first < last


def test_equal_scores_stay_together() -> None:
    unlike = np.repeat([0.0, 1.0], 10)
    targets = (np.arange(20) % 2).astype(float)[:, np.newaxis]
    curve = stringency_curve(unlike, targets, targets)
    assert curve["images"] == [20, 10]
    assert curve["retained"] == [1, 0.5]


def test_labels_are_averaged_and_a_lost_class_ends_the_curve() -> None:
    targets = np.array([[1, 1], [0, 0], [1, np.nan], [0, 1.0]])
    logits = np.array([[0.5, 0.4], [0.1, 0.2], [0.3, 9], [0.4, 0.1]])
    expected = (roc_auc_score([1, 0, 1, 0], logits[:, 0]) + roc_auc_score([1, 0, 1], logits[[0, 1, 3], 1])) / 2
    assert mean_auc(logits, targets) == pytest.approx(expected, abs=1e-12)
    assert mean_auc(logits[:1], targets[:1]) is None
    assert mean_auc(logits[:, :0], targets[:, :0]) is None
    assert stringency_curve(np.arange(4.0), logits, targets)["auc"][-1] is None


def test_only_labels_with_both_classes_can_be_measured() -> None:
    assert measurable(np.array([[1, 1, np.nan], [0, 1, np.nan]])) == [0]
