"""The figures of detectors on images, against scikit-learn and counts."""

from typing import Any

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from sitegen.errors import DataError
from sitegen.evaluation.gate.detectors import Detector, GateImages
from sitegen.evaluation.gate.document import ALL_PAIRS, gate_document
from sitegen.metrics.resampling import Resampling
from tests.helpers.gates import detector, images

FEW = Resampling(resamples=40, permutations=200)


@pytest.fixture(scope="module")
def given() -> GateImages:
    return images()


@pytest.fixture(scope="module")
def detectors(given: GateImages) -> list[Detector]:
    return [detector(given, "l2"), detector(given, "l1", 0.5, 1), detector(given, "latent", 0, 2, threshold=None)]


@pytest.fixture(scope="module")
def document(given: GateImages, detectors: list[Detector]) -> Any:
    return gate_document(given, detectors, FEW)


def test_categories_and_sources_are_counted(document: dict[str, Any]) -> None:
    assert document["categories"] == [
        {"category": "derived_flipped", "group": "near", "images": 6},
        {"category": "things 0", "group": "far", "images": 5},
        {"category": "things 1", "group": "far", "images": 1},
    ]
    assert document["sources"] == [
        {"source": "one", "images": 20, "patients": 15},
        {"source": "two", "images": 10, "patients": 10},
    ]


def test_each_category_is_told_from_all_images_inside(
    document: dict[str, Any], given: GateImages, detectors: list[Detector]
) -> None:
    for found, each in zip(document["detectors"], detectors, strict=True):
        assert found["name"] == f"demo {each.metric}"
        for category, figures in found["categories"].items():
            members = each.outside[given.of_category(category)]
            scores, targets = np.concatenate([each.inside, members]), np.arange(30 + len(members)) >= 30
            assert figures["auroc"]["value"] == pytest.approx(roc_auc_score(targets, scores), abs=1e-12)
            assert figures["aupr"]["value"] == pytest.approx(average_precision_score(targets, scores), abs=1e-12)
            assert figures["auroc"]["low"] <= figures["auroc"]["high"]


def test_groups_are_means_over_categories(document: dict[str, Any]) -> None:
    for found in document["detectors"]:
        far = [found["categories"][f"things {at}"]["auroc"]["value"] for at in range(2)]
        assert found["far"]["auroc"]["value"] == pytest.approx(np.mean(far), abs=1e-12)
        assert found["near"]["auroc"] == found["categories"]["derived_flipped"]["auroc"]


def test_what_lies_above_the_threshold_is_refused(
    document: dict[str, Any], given: GateImages, detectors: list[Detector]
) -> None:
    found, each = document["detectors"][0], detectors[0]
    assert (found["threshold"], found["threshold_from"]) == (1.0, "validation")
    assert found["accepted"]["value"] == pytest.approx(np.mean(each.inside <= 1))
    assert found["accepted_by_source"]["two"]["value"] == pytest.approx(np.mean(each.inside[::3] <= 1))
    assert found["near"]["refused"]["value"] == pytest.approx(np.mean(each.outside[:6] > 1))


def test_without_a_threshold_nothing_is_said_of_refusals(document: dict[str, Any]) -> None:
    found = document["detectors"][2]
    assert (found["threshold"], found["threshold_from"], found["accepted"]) == (None, None, None)
    assert found["accepted_by_source"] == {"one": None, "two": None}
    assert found["near"]["refused"] is None
    assert found["near"]["auroc"] is not None


def test_every_image_is_in_one_bin(document: dict[str, Any], given: GateImages, detectors: list[Detector]) -> None:
    for found, each in zip(document["detectors"], detectors, strict=True):
        edges, sets = found["distribution"]["edges"], found["distribution"]["sets"]
        assert [(part["set"], part["group"], sum(part["counts"])) for part in sets] == [
            ("one", "inside", 20),
            ("two", "inside", 10),
            ("derived_flipped", "near", 6),
            ("things 0", "far", 5),
            ("things 1", "far", 1),
        ]
        assert all(np.diff(edges) > 0)
        assert sets[0]["median"] == np.median(each.inside[given.of_source("one")])


def test_equal_scores_still_have_bins(given: GateImages) -> None:
    flat = detector(given)
    flat = type(flat)("demo", "l2", np.zeros(30), np.zeros(12))
    found = gate_document(given, [flat], FEW)["detectors"][0]
    assert found["near"]["auroc"] == {"value": 0.5, "low": 0.5, "high": 0.5}
    assert sum(found["distribution"]["sets"][0]["counts"]) == 20


def test_few_detectors_are_compared_each_with_each(document: dict[str, Any]) -> None:
    tests = document["comparisons"]
    pairs = [("demo l2", "demo l1"), ("demo l2", "demo latent"), ("demo l1", "demo latent")]
    assert [(each["group"], each["first"], each["second"]) for each in tests] == [
        (group, *pair) for group in ("near", "far") for pair in pairs
    ]
    areas = {each["name"]: each["near"]["auroc"]["value"] for each in document["detectors"]}
    for each in tests[:3]:
        assert each["difference"]["value"] == pytest.approx(areas[each["first"]] - areas[each["second"]], abs=1e-12)
        assert each["corrected"] >= each["p"]
    assert tests[1]["p"] < 0.05  # skill of 1.5 against none


def test_many_detectors_are_compared_with_one(given: GateImages) -> None:
    many = [detector(given, f"m{at}", seed=at) for at in range(ALL_PAIRS + 1)]
    once = Resampling(resamples=2, permutations=10)
    firsts = {each["first"] for each in gate_document(given, many, once)["comparisons"]}
    assert firsts == {"demo m0"}
    tests = gate_document(given, many, once, "demo m3")["comparisons"]
    assert {each["first"] for each in tests} == {"demo m3"}
    assert len(tests) == 2 * ALL_PAIRS


def test_the_seed_decides(document: dict[str, Any], given: GateImages, detectors: list[Detector]) -> None:
    assert gate_document(given, detectors, FEW) == document
    other = gate_document(given, detectors, Resampling(40, permutations=200, seed=1))
    assert other["detectors"][0]["near"]["auroc"]["low"] != document["detectors"][0]["near"]["auroc"]["low"]
    assert other["detectors"][0]["near"]["auroc"]["value"] == document["detectors"][0]["near"]["auroc"]["value"]


def test_a_group_without_categories_is_left_empty() -> None:
    given = images(far=())
    document = gate_document(given, [detector(given), detector(given, "l1")], FEW)
    assert document["detectors"][0]["far"] is None
    assert {each["group"] for each in document["comparisons"]} == {"near"}


@pytest.mark.parametrize(
    ("change", "against", "said"),
    [
        ({"inside": 0}, None, "no images of the training distribution"),
        ({"near": 0, "far": ()}, None, "no images outside of it"),
        ({}, "demo vim", "no detector 'demo vim' to compare with; there are demo l2"),
    ],
)
def test_wrong_use_is_told(change: dict[str, Any], against: str | None, said: str) -> None:
    given = images(**change)
    with pytest.raises(DataError, match=said):
        gate_document(given, [detector(given)], FEW, against)
