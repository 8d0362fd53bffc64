"""Figures of maps against boxes: which images, which boxes, what is left out, and the verdict."""

from pathlib import Path

import numpy as np
import pytest

from sitegen.errors import DataError
from sitegen.evaluation.explanations.localisation.boxes import Box
from sitegen.evaluation.explanations.localisation.cases import Listed, gather
from sitegen.evaluation.explanations.localisation.document import localisation_document, verdict
from sitegen.evaluation.explanations.localisation.measured import BASELINES, Answers, Localised, Row, add_map
from sitegen.evaluation.explanations.localisation.regions import Frame, as_boxes, inside_of

IMAGES = [
    Listed(Path("1.png"), "a", "test"),
    Listed(Path("2.png"), "b", "test"),
    Listed(Path("3.png"), "c", "train"),
    Listed(Path("4.png"), "a", "test"),
]
LABELS = ["Mass", "Nodule"]


def box(image: str, finding: str = "Mass", split: str = "", left: float = 0.0) -> Box:
    return Box(image, split, finding, left, 0.0, left + 0.5, 0.5)


def test_images_with_boxes_of_the_models_findings() -> None:
    boxes = [box("1"), box("1", left=0.25), box("1", "nodule"), box("2", "Hernia"), box("3"), box("9", split="test")]
    found = gather(boxes, IMAGES, LABELS, None)
    (image,) = found.images
    assert (image.path, image.patient, found.split) == (Path("1.png"), "a", "test")
    assert {finding: len(drawn) for finding, drawn in image.drawn.items()} == {0: 2, 1: 1}
    assert (found.without_image, found.other_findings, found.shared) == (1, {"Hernia": 1}, 0)
    assert [(each.finding, each.patient) for each in found.training] == [("mass", "c")]


def test_a_data_sets_split_comes_before_that_of_the_boxes() -> None:
    found = gather([box("1", split="train"), box("3", split="test")], IMAGES, LABELS, "test")
    assert [image.path.name for image in found.images] == ["1.png"]
    assert [each.patient for each in found.training] == ["c"]


def test_boxes_without_splits_know_the_usual_place_of_each_other() -> None:
    images = [Listed(each.path, each.patient) for each in IMAGES]
    found = gather([box("1"), box("2"), box("4")], images, LABELS, None)
    assert (found.split, len(found.images), found.shared) == (None, 3, 2)
    assert [each.patient for each in found.usual.others("mass", "a")] == ["b"]


def test_every_split_at_once() -> None:
    found = gather([box("1"), box("3")], IMAGES, LABELS, "all")
    assert (len(found.images), found.shared) == (2, 1)
    assert found.usual.others("mass", "c") == []


@pytest.mark.parametrize(
    ("boxes", "split", "words"),
    [
        ([box("1", "Hernia")], None, "No box is of what the model finds (Mass, Nodule); the boxes are of Hernia"),
        ([box("3")], None, "No box of what the model finds is of a test image"),
        ([box("9", split="test")], None, "The first is of 9"),
        ([box("1")], "valid", "No box is of the split 'valid'; the splits are: test."),
    ],
)
def test_nothing_to_look_at_is_said(boxes: list[Box], split: str | None, words: str) -> None:
    with pytest.raises(DataError) as caught:
        gather(boxes, IMAGES, LABELS, split)
    assert words in str(caught.value)


DRAWN = as_boxes([(0.0, 0.0, 0.5, 0.5)])


def localised(usual: list[float]) -> Localised:
    """Cases of as many patients: maps of "good" are the box, those of "bad" lie beside it."""
    rows = [Row(f"p{at}", at % 2, at < 3, DRAWN, 0.25, Frame()) for at in range(len(usual))]
    answers = {name: Answers() for name in ("good", "bad", *BASELINES)}
    inside = inside_of(DRAWN, (8, 8)).astype(float)
    for value in usual:
        add_map(answers["good"], inside, DRAWN)
        add_map(answers["bad"], 1 - inside, DRAWN)
        for name in BASELINES:
            answers[name].add(value if name == "usual" else 0.25, float("nan"), None)
    return Localised(rows, answers, 1, 2, [])


def test_figures_and_verdicts() -> None:
    gathered = gather([box("1"), box("3")], IMAGES, LABELS, "test")
    document = localisation_document(localised([0.0, 1.0] * 10), gathered, LABELS, "boxes.csv", 200, 0)
    whole = {each["name"]: each for each in document["all"]["maps"]}
    assert (document["all"]["cases"], document["all"]["patients"], document["all"]["said_yes"]) == (20, 20, 3)
    assert (document["outside"], document["cut"], document["training"]["patients"]) == (1, 2, 1)
    assert whole["good"]["pointing"] == {"value": 1.0, "low": 1.0, "high": 1.0}
    assert whole["good"]["energy"] == {"value": 1.0, "low": 1.0, "high": 1.0}
    assert whole["bad"]["pointing"] == {"value": 0.0, "low": 0.0, "high": 0.0}
    assert whole["good"]["pointing_of_others"] == {"value": 1.0, "low": 1.0, "high": 1.0}
    difference = whole["good"]["difference"]
    assert difference is not None
    assert difference["value"] == 0.5
    assert 0.2 < difference["low"] < 0.5 < difference["high"] < 0.8
    assert {name: each["verdict"] for name, each in whole.items()} == {
        "good": "better",
        "bad": "worse",
        **dict.fromkeys(BASELINES),
    }
    assert whole["usual"]["pointing"] is not None
    assert whole["usual"]["pointing"]["value"] == 0.5
    assert [at["hits"] and at["hits"]["value"] for at in whole["good"]["iou"]] == [1.0] * 7
    assert [at["false_positives"] for at in whole["bad"]["iou"]] == [0.0, 0.0, 1.0, 1.0, 1.0, 1.0, 1.0]
    assert whole["random"]["iou"] == []
    first, second = document["findings"]
    assert (first["finding"], first["cases"], second["finding"], second["cases"]) == ("Mass", 10, "Nodule", 10)
    assert {each["name"]: each["verdict"] for each in second["maps"]}["good"] == "too-few"


def test_without_a_usual_place_there_is_no_verdict() -> None:
    gathered = gather([box("1")], IMAGES, LABELS, "test")
    document = localisation_document(localised([float("nan")] * 4), gathered, LABELS, "boxes.csv", 10, 0)
    whole = {each["name"]: each for each in document["all"]["maps"]}
    assert (whole["usual"]["pointing"], whole["good"]["difference"], whole["good"]["verdict"]) == (
        None,
        None,
        "unknown",
    )


@pytest.mark.parametrize(
    ("low", "high", "patients", "found"),
    [
        (0.01, 0.3, 20, "better"),
        (0.01, 0.3, 19, "too-few"),
        (0.0, 0.3, 20, "no-better"),
        (-0.2, 0.0, 20, "no-better"),
        (-0.2, -0.01, 20, "worse"),
    ],
)
def test_the_verdict_is_the_whole_intervals(low: float, high: float, patients: int, found: str) -> None:
    assert verdict({"value": float(np.mean([low, high])), "low": low, "high": high}, patients) == found
    assert verdict(None, patients) == "unknown"
