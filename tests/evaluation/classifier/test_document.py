import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    brier_score_loss,
    f1_score,
    precision_recall_fscore_support,
    roc_auc_score,
)
from sklearn.utils.class_weight import compute_sample_weight

from sitegen.errors import DataError
from sitegen.evaluation.classifier.comparison import average_precision_of_draws
from sitegen.evaluation.classifier.curve_points import POINTS, precision_recall_points, roc_points
from sitegen.evaluation.classifier.document import evaluation_document
from sitegen.evaluation.classifier.scored import Scored
from sitegen.metrics import precision_recall_curve, roc_curve
from tests.helpers.json_keys import keys_of
from tests.helpers.scored_images import LABELS, known_images, scored, scored_images

DOCUMENTATION = Path(__file__).parents[3] / "docs" / "evaluation.md"
FEW: dict[str, Any] = {"resamples": 30}


def columns(given: Scored) -> list[tuple[np.ndarray, np.ndarray]]:
    """Scores and targets of each label, where these are known."""
    known = ~np.isnan(given.targets)
    return [(given.probabilities[known[:, at], at], given.targets[known[:, at], at]) for at in range(len(given.labels))]


def test_the_figures_of_each_finding_are_scikit_learns() -> None:
    given = scored_images()
    document = evaluation_document(given, **FEW)
    assert [entry["label"] for entry in document["findings"]] == list(LABELS)
    for entry, (scores, targets) in zip(document["findings"], columns(given), strict=True):
        found = scores >= 0.4
        assert (entry["images"], entry["positives"]) == (len(targets), targets.sum())
        assert entry["auc"]["value"] == pytest.approx(roc_auc_score(targets, scores), abs=1e-12)
        assert entry["roc"]["area"] == pytest.approx(entry["auc"]["value"], abs=1e-12)
        assert entry["average_precision"] == pytest.approx(average_precision_score(targets, scores), abs=1e-12)
        assert entry["precision_recall"]["area"] == pytest.approx(entry["average_precision"], abs=1e-12)
        assert entry["reliability"]["probability"]["brier"] == pytest.approx(brier_score_loss(targets, scores))
        assert entry["decisions"]["plain"]["accuracy"] == pytest.approx(accuracy_score(targets, found))
        balanced = f1_score(targets, found, sample_weight=compute_sample_weight("balanced", targets))
        assert entry["decisions"]["balanced"]["f1"] == pytest.approx(balanced, abs=1e-12)
        assert entry["decisions"]["true_positives"] == (found & (targets == 1)).sum()
        assert entry["sensitivity"]["value"] == pytest.approx(entry["decisions"]["plain"]["recall"])
        assert entry["auc"]["low"] < entry["auc"]["value"] < entry["auc"]["high"]


@pytest.mark.parametrize("average", ["micro", "macro", "weighted", "samples"])
def test_averages_over_findings_are_scikit_learns(average: str) -> None:
    given = scored_images(unknown=0)
    document = evaluation_document(given, **FEW)
    found = given.probabilities >= 0.4
    expected = precision_recall_fscore_support(given.targets, found, average=average, zero_division=0)[:3]
    measured = document["averages"]["plain"][average]
    assert [measured[name] for name in ("precision", "recall", "f1")] == pytest.approx(expected, abs=1e-12)
    assert document["averages"]["exact_match"] == pytest.approx(accuracy_score(given.targets, found))


def test_averaged_curves_are_scikit_learns() -> None:
    given = scored_images(unknown=0)
    curves = evaluation_document(given, **FEW)["curves"]
    for name in ("micro", "macro"):
        assert curves[name]["roc"]["area"] == pytest.approx(
            roc_auc_score(given.targets, given.probabilities, average=name), abs=1e-12
        )
        assert curves[name]["precision_recall"]["area"] == pytest.approx(
            average_precision_score(given.targets, given.probabilities, average=name), abs=1e-12
        )


def test_calibration_is_measured_before_and_after() -> None:
    entry = evaluation_document(scored_images(), **FEW)["findings"][0]
    reliability: Any = entry["reliability"]
    before, after = reliability["probability"], reliability["calibrated"]
    assert after["calibration_error"] == entry["calibration_error"] != before["calibration_error"]
    assert after["brier"] == entry["brier"] != before["brier"]
    assert sum(part["images"] for part in before["bins"]) == entry["images"]


def test_one_label_is_judged_over_both_of_its_classes() -> None:
    given = scored_images(labels=("Mass",), unknown=0)
    document = evaluation_document(given, **FEW)
    targets, found = given.targets[:, 0], given.probabilities[:, 0] >= 0.4
    assert set(document["averages"]["plain"]) == {"binary", "micro", "macro", "weighted"}
    assert document["averages"]["plain"]["macro"]["f1"] == pytest.approx(f1_score(targets, found, average="macro"))
    weights = compute_sample_weight("balanced", targets)
    assert document["averages"]["balanced"]["weighted"]["f1"] == pytest.approx(
        f1_score(targets, found, average="weighted", sample_weight=weights), abs=1e-12
    )
    assert document["averages"]["exact_match"] is None
    assert document["curves"] == {"micro": None, "macro": None}


def test_what_the_images_do_not_allow_is_null() -> None:
    targets = [[1, None, 0], [0, None, 0], [1, None, 0]]
    given = scored(known_images(targets), LABELS, [[2, 0, -2], [-2, 0, 2], [1, 0, -1]], [0.5, 0.5, 0.5])
    both, unknown, absent = evaluation_document(given, **FEW)["findings"]
    assert both["auc"]["value"] == 1
    assert (unknown["images"], unknown["auc"], unknown["decisions"], unknown["roc"]) == (0, None, None, None)
    assert (unknown["predictive_values"], unknown["by"]) == ([], {})
    assert unknown["reliability"] == {"probability": None, "calibrated": None}
    assert (absent["auc"], absent["roc"], absent["precision_recall"], absent["sensitivity"]) == (None,) * 4
    assert absent["specificity"]["value"] == pytest.approx(2 / 3)


def test_images_without_any_finding_leave_the_averages_open() -> None:
    given = scored(known_images([[0, 0], [0, 0]], "AB"), "AB", [[1, -1], [-1, -1]], [0.5, 0.5])
    document = evaluation_document(given, **FEW)
    assert document["averages"] is None
    assert document["curves"] == {"micro": None, "macro": None}
    assert document["findings"][0]["decisions"]["false_positives"] == 1


def test_without_an_operating_point_nothing_is_decided() -> None:
    document = evaluation_document(scored_images(points=None, chosen_on=""), prevalences=[0.1], **FEW)
    assert document["operating_points"] is None
    assert document["averages"] is None
    for entry in document["findings"]:
        assert entry["auc"]["value"] > 0.5
        assert (entry["operating_point"], entry["decisions"], entry["sensitivity"], entry["specificity"]) == (None,) * 4
        assert entry["predictive_values"] == []


def test_findings_without_an_operating_point_are_left_out_of_averages() -> None:
    given = scored_images(unknown=0)
    some = replace(given, operating_points=(0.4, None, 0.4))
    expected = f1_score(given.targets[:, [0, 2]], given.probabilities[:, [0, 2]] >= 0.4, average="macro")
    assert evaluation_document(some, **FEW)["averages"]["plain"]["macro"]["f1"] == pytest.approx(expected, abs=1e-12)


def test_predictive_values_follow_bayes() -> None:
    # Of four with the finding three are found, of five without it one: at 10 %, 0.075 / (0.075 + 0.18) have it.
    logits = [[value] for value in (1, 1, 1, -1, 1, -1, -1, -1, -1)]
    given = scored(known_images([[value] for value in (1, 1, 1, 1, 0, 0, 0, 0, 0)], "A"), "A", logits, [0.5])
    document = evaluation_document(given, prevalences=[0.1, 0.5], **FEW)
    tenth, half = document["findings"][0]["predictive_values"]
    assert tenth == {
        "prevalence": 0.1,
        "positive": pytest.approx(0.075 / 0.255),
        "negative": pytest.approx(0.72 / 0.745),
    }
    assert half["positive"] == pytest.approx(0.75 / 0.95)


def test_groups_are_measured_on_their_own() -> None:
    given = scored_images(unknown=0)
    entry = evaluation_document(given, **FEW)["findings"][0]
    assert set(entry["by"]) == {"source", "sex", "age"}  # nothing is said of views
    assert list(entry["by"]["source"]) == ["one", "two"]
    members = [record.source == "two" for record in given.records]
    expected = roc_auc_score(given.targets[members, 0], given.probabilities[members, 0])
    assert entry["by"]["source"]["two"]["auc"]["value"] == pytest.approx(expected, abs=1e-12)
    assert sum(group["images"] for group in entry["by"]["age"].values()) == entry["images"] == 120


def test_impossible_ages_count_as_unknown() -> None:
    given = scored_images(images=6, unknown=0)
    ages = [12.0, 45.0, 414.0, -1.0, None, 80.0]
    records = tuple(replace(record, age=age) for record, age in zip(given.records, ages, strict=True))
    groups = evaluation_document(replace(given, records=records), **FEW)["findings"][0]["by"]["age"]
    assert {name: group["images"] for name, group in groups.items()} == {
        "0–17": 1,
        "40–59": 1,
        "80 and over": 1,
        "unknown": 3,
    }


def test_the_gate_is_told_with_its_interval() -> None:
    accepted = np.arange(120) % 4 > 0
    document = evaluation_document(scored_images(accepted=accepted), **FEW)
    assert document["accepted"]["value"] == 0.75
    assert document["accepted"]["low"] < 0.75 < document["accepted"]["high"]
    assert evaluation_document(scored_images(), **FEW)["accepted"] is None


def test_the_same_scores_give_the_same_document() -> None:
    given = scored_images()
    once = json.dumps(evaluation_document(given, **FEW), allow_nan=False)
    assert json.dumps(evaluation_document(given, **FEW), allow_nan=False) == once
    other = evaluation_document(given, seed=1, **FEW)
    assert other["findings"][0]["auc"]["value"] == json.loads(once)["findings"][0]["auc"]["value"]
    assert other["findings"][0]["auc"]["low"] != json.loads(once)["findings"][0]["auc"]["low"]


def test_every_key_is_documented() -> None:
    text = DOCUMENTATION.read_text("utf-8")
    given = scored_images(accepted=np.ones(120, bool), unreadable=((Path("a.png"), "damaged"),))
    checkpoint = {"kind": "checkpoint", "name": "a", "network": "b", "parameters": 1, "file": "c"}
    other = replace(scored_images(labels=("Mass",), seed=4), model=checkpoint)
    documents = [evaluation_document(given, prevalences=[0.1], against=other, **FEW), evaluation_document(other, **FEW)]
    groups = {"one", "two", "F", "M", "0–17", "18–39", "40–59", "60–79", "80 and over"}
    assert {key for document in documents for key in keys_of(document) if f"`{key}`" not in text} - groups == set()
    assert f'`"{documents[0]["schema"]}"`' in text


def test_curves_are_thinned_to_points_of_the_curve() -> None:
    random = np.random.default_rng(8)
    targets = random.random(5000) < 0.2
    scores = random.normal(targets * 1.2, 1.0)
    curve, points = roc_curve(scores, targets), roc_points(roc_curve(scores, targets))
    assert 100 < len(points["true_positive_rate"]) <= POINTS
    everything = {
        (round(x, 6), round(y, 6))
        for x, y in zip(curve.false_positive_rate.tolist(), curve.true_positive_rate.tolist(), strict=True)
    }
    thinned = list(zip(points["false_positive_rate"], points["true_positive_rate"], strict=True))
    assert set(thinned) <= everything
    assert (thinned[0], thinned[-1]) == ((0, 0), (1, 1))
    area = np.trapezoid(points["true_positive_rate"], points["false_positive_rate"])
    assert area == pytest.approx(points["area"], abs=2e-3)
    recall = precision_recall_points(precision_recall_curve(scores, targets))
    assert len(recall["recall"]) <= POINTS
    assert recall["area"] == pytest.approx(average_precision_score(targets, scores), abs=1e-12)
    steps = np.diff(recall["recall"]) @ np.array(recall["precision"][1:])
    assert steps == pytest.approx(recall["area"], abs=5e-3)


def test_short_curves_keep_all_their_points() -> None:
    points = roc_points(roc_curve([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1]))
    assert points["false_positive_rate"] == [0, 0, 0.5, 0.5, 1]
    assert points["true_positive_rate"] == [0, 0.5, 0.5, 1, 1]


def test_a_model_does_not_differ_from_itself() -> None:
    given = scored_images()
    against = evaluation_document(given, against=given, **FEW)["against"]
    for entry in against["findings"]:
        for figure in (entry["auc"], entry["average_precision"]):
            assert figure["first"] == figure["second"]
            assert figure["difference"] == {"value": 0, "low": 0, "high": 0}


def test_differences_are_paired() -> None:
    """The second model is the first with a little noise: nearly all that varies with the images is common to both."""
    first = scored_images(images=300)
    noise = np.random.default_rng(1).normal(0, 0.05, first.logits.shape)
    second = scored(first.records, first.labels, first.logits + noise, first.operating_points)
    document = evaluation_document(first, against=second, resamples=200)
    for entry, own in zip(document["against"]["findings"], document["findings"], strict=True):
        difference = entry["auc"]["difference"]
        assert difference["value"] == pytest.approx(entry["auc"]["first"] - entry["auc"]["second"], abs=1e-15)
        assert difference["high"] - difference["low"] < (own["auc"]["high"] - own["auc"]["low"]) / 3


def test_a_second_model_is_paired_by_file_and_by_name() -> None:
    first = scored_images(unknown=0)
    names = ("EFFUSION", "mass")
    second = scored_images(labels=names, seed=9, unknown=0).only(list(range(100))[::-1])
    against = evaluation_document(first, against=second, **FEW)["against"]
    assert against["images"] == 100
    assert [entry["label"] for entry in against["findings"]] == ["Mass", "Effusion"]
    mass = against["findings"][0]["auc"]
    targets = first.targets[:100, 0]
    assert mass["first"] == pytest.approx(roc_auc_score(targets, first.probabilities[:100, 0]), abs=1e-12)
    assert mass["second"] == pytest.approx(roc_auc_score(targets, second.probabilities[::-1, 1]), abs=1e-12)


def test_models_with_nothing_in_common_are_refused() -> None:
    with pytest.raises(DataError, match="share no label: one has Mass, Nodule, Effusion, the other Hernia"):
        evaluation_document(scored_images(), against=scored_images(labels=("Hernia",)), **FEW)
    elsewhere = scored_images()
    records = tuple(replace(record, path=Path("other") / record.path) for record in elsewhere.records)
    with pytest.raises(DataError, match="no image in common"):
        evaluation_document(scored_images(), against=replace(elsewhere, records=records), **FEW)


def test_a_comparison_of_one_class_is_null() -> None:
    given = scored(known_images([[0], [0], [None]], "A"), "A", [[1], [2], [3]], [0.5])
    (entry,) = evaluation_document(given, against=given, **FEW)["against"]["findings"]
    assert (entry["images"], entry["auc"], entry["average_precision"], entry["roc"]) == (2, None, None, None)


def test_average_precision_of_draws_is_scikit_learns() -> None:
    random = np.random.default_rng(4)
    scores, targets = random.integers(0, 12, 50) / 12, random.random(50) < 0.4
    draws = random.integers(0, 3, (6, 50)).astype(float)
    expected = [average_precision_score(targets, scores, sample_weight=row) for row in draws]
    assert average_precision_of_draws(scores, targets, draws) == pytest.approx(expected, abs=1e-12)
    nothing = average_precision_of_draws(scores, targets, (~targets).astype(float)[np.newaxis])
    assert np.isnan(nothing).all()


def test_a_prevalence_outside_its_range_is_refused() -> None:
    with pytest.raises(ValueError, match=re.escape("prevalence must lie in 0..1, not at 1.5")):
        evaluation_document(scored_images(), prevalences=[1.5], **FEW)
