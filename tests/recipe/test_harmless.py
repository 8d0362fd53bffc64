"""A smaller form of a network beside the original: AUCs of both on the same draws of patients."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from sitegen.data.records import Record
from sitegen.errors import ExportError
from sitegen.evaluation.classifier.scored import Scored
from sitegen.recipe.document_types import JudgedDocument, JudgedFinding
from sitegen.recipe.harmless import judged
from tests.helpers.typed_documents import hold

RANDOM = np.random.default_rng(11)
ILL = RANDOM.random(300) < 0.4


def scored(logits: np.ndarray, known: int = 300) -> Scored:
    """300 images of 100 patients; of `known` of them the first finding is known, the second is absent in all."""
    records = [
        Record(
            path=Path(f"{at}.png"),
            patient=str(at // 3),
            labels={"Mass": float(ILL[at]) if at < known else None, "Nodule": 0.0},
        )
        for at in range(300)
    ]
    both = np.stack([logits, logits], axis=1)
    shares = 1 / (1 + np.exp(-both))
    return Scored({}, ("Mass", "Nodule"), tuple(records), both, shares, shares, (None, None))


ORIGINAL = RANDOM.normal(size=300) + 1.5 * ILL


def test_the_same_order_of_scores_changes_no_auc() -> None:
    found = judged(scored(ORIGINAL), scored(2 * ORIGINAL), margin=0, resamples=100)
    hold(JudgedDocument, [found])
    assert found["mean_difference"] == {"value": 0, "low": 0, "high": 0}
    assert found["findings"]["Nodule"] is None  # no image has it
    moved = np.abs(1 / (1 + np.exp(-2 * ORIGINAL)) - 1 / (1 + np.exp(-ORIGINAL)))
    assert found["moved"]["value"] == pytest.approx(moved.mean(), abs=1e-5)
    assert found["moved"]["low"] < found["moved"]["value"] < found["moved"]["high"] < found["largest"]
    assert found["largest"] == pytest.approx(moved.max(), abs=1e-5)


def test_differences_are_those_of_scikit_learn_on_known_images() -> None:
    changed = ORIGINAL + RANDOM.normal(0, 0.05, 300)
    found = judged(scored(ORIGINAL, 240), scored(changed, 240), resamples=200)
    mass = found["findings"]["Mass"]
    assert mass is not None
    hold(JudgedFinding, [mass])
    before, after = (roc_auc_score(ILL[:240], each[:240]) for each in (ORIGINAL, changed))
    assert (mass["original"], mass["auc"]) == (pytest.approx(before, abs=1e-5), pytest.approx(after, abs=1e-5))
    assert (mass["images"], mass["positives"]) == (240, int(ILL[:240].sum()))
    assert mass["difference"]["value"] == pytest.approx(after - before, abs=2e-5)
    assert mass["difference"]["low"] < mass["difference"]["value"] < mass["difference"]["high"]
    assert mass["difference"]["high"] - mass["difference"]["low"] < 0.02  # paired: the AUC itself is far less sure


@pytest.mark.parametrize("worse", [-0.8, 0.8], ids=["worse", "better"])
def test_an_interval_beyond_the_margin_is_refused(worse: float) -> None:
    changed = scored(ORIGINAL + worse * ILL)
    with pytest.raises(ExportError, match=r"not proved harmless.* the AUC of Mass changes by [+-]0\.\d{4} .* 0\.01"):
        judged(scored(ORIGINAL), changed, resamples=100)
    assert judged(scored(ORIGINAL), changed, margin=0.3, resamples=100)["margin"] == 0.3


def test_where_no_class_is_told_apart_nothing_is_judged() -> None:
    found = judged(scored(ORIGINAL, 0), scored(ORIGINAL, 0), resamples=100)
    assert (found["mean_difference"], found["findings"]) == (None, {"Mass": None, "Nodule": None})


def test_other_images_cannot_be_compared() -> None:
    one = scored(ORIGINAL)
    with pytest.raises(ExportError, match="cannot be compared"):
        judged(one, replace(one, records=one.records[1:]), resamples=100)
