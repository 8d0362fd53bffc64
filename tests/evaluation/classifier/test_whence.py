"""What an evaluation says of where its images are from: literal cases, few findings and many, known labels and none."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sitegen.bundle.origin import Collection
from sitegen.data.origin import Origin
from sitegen.data.records import Record
from sitegen.evaluation.classifier.document import evaluation_document
from sitegen.evaluation.classifier.page import as_html
from sitegen.evaluation.classifier.scored import Scored
from sitegen.evaluation.classifier.tables import as_tables, heading
from tests.helpers.scored_images import known_images, scored, scored_images

FEW: dict[str, Any] = {"resamples": 40}


def from_two_places(near: Any = "other-patients", far: Any = "elsewhere", **changes: Any) -> Scored:
    """Images of "one" told well, of "two" told by chance: every third."""
    given = scored_images(300, unknown=0.0, skill=4.0, **changes)
    logits = given.logits.copy()
    logits[::3] = np.random.default_rng(1).normal(0, 1, logits[::3].shape)
    told = {"one": Origin(Collection("Near", "H"), near), "two": Origin(Collection("Far", "G"), far)}
    mixed = scored(given.records, given.labels, logits, given.operating_points)
    return replace(mixed, origins={record.path: told[record.source] for record in given.records})


def test_the_least_favourable_source_is_told_first_though_it_has_fewer_images() -> None:
    document = evaluation_document(from_two_places(), **FEW)
    first = document["headline"]
    assert first is not None
    assert (first["from"], first["source"], first["split"], first["of"]) == ("elsewhere", "two", "test", 3)
    assert [(each["from"], each["images"]) for each in document["sources"]] == [
        ("other-patients", 200),
        ("elsewhere", 100),
    ]
    by_source = document["findings"][0]["by"]["source"]
    assert {name: group["from"] for name, group in by_source.items()} == {"one": "other-patients", "two": "elsewhere"}
    mean = np.mean([entry["by"]["source"]["two"]["auc"]["value"] for entry in document["findings"]])
    assert first["mean_auc"]["value"] == pytest.approx(mean, abs=1e-12)
    assert all(entry["least_favourable"]["source"] == "two" for entry in document["findings"])
    assert all(entry["least_favourable"]["weak"] for entry in document["findings"])
    assert (document["from"], document["not_measured"], document["remarks"]) == ("other-patients", "", [])
    assert "on images from elsewhere (Far); least for " in heading(document)
    assert "images from elsewhere (Far)" in as_html(document)


def test_what_was_not_measured_is_said_before_any_figure() -> None:
    document = evaluation_document(from_two_places(far="same-hospital"), **FEW)
    assert heading(document).startswith("Not measured: images from elsewhere. Least favourable: Mean AUC ")
    page = as_html(document)
    assert page.index("Not measured: images from elsewhere.") < page.index("Least favourable: Mean AUC")


def test_images_that_were_trained_on_are_told_loudly() -> None:
    document = evaluation_document(from_two_places(far="trained-on"), **FEW)
    assert document["headline"]["source"] == "one"
    assert document["from"] == "trained-on"
    (trained, same) = document["remarks"]
    assert trained == "Images of 100 patients were trained on: no figure over them says anything of others."
    assert same.startswith("The test images are other patients' of the same collection")


def test_a_model_that_records_nothing_has_images_of_unknown_origin() -> None:
    document = evaluation_document(scored_images(), **FEW)
    assert document["from"] == document["headline"]["from"] == "unknown"
    assert document["not_measured"].startswith("Not measured: other patients of its collections, another collection")
    assert document["remarks"][0].startswith("Of one, two it is not known how near they are")


def test_twelve_findings_of_which_one_place_knows_two() -> None:
    labels = [f"F{at}" for at in range(12)]
    given = from_two_places(labels=labels)
    lacking: list[Record] = [
        replace(record, labels={label: record.labels[label] if at < 2 else None for at, label in enumerate(labels)})
        if record.source == "two"
        else record
        for record in given.records
    ]
    document = evaluation_document(replace(given, records=tuple(lacking)), **FEW)
    assert (document["headline"]["measured"], document["headline"]["of"]) == (2, 12)
    assert "over 2 of 12 findings" in document["headline"]["words"]
    assert [entry["least_favourable"]["source"] for entry in document["findings"]] == ["two"] * 2 + ["one"] * 10
    assert [entry["from"] for entry in document["findings"]] == ["other-patients"] * 12
    assert as_html(document)
    assert as_tables(document)


def test_a_split_without_any_known_label_breaks_nothing() -> None:
    given = scored_images()
    unknown = tuple(replace(record, labels={}) for record in given.records)
    document = evaluation_document(replace(given, records=unknown), **FEW)
    assert document["headline"] is None
    assert document["flagged_without_finding"] is None
    assert [entry["least_favourable"] for entry in document["findings"]] == [None] * 3
    assert "No AUC could be measured." in heading(document)
    assert "No AUC could be measured." in as_html(document)
    assert as_tables(document)


def test_images_without_any_finding_that_are_flagged() -> None:
    records = known_images([(0.0, 0.0), (0.0, 0.0), (0.0, 0.0), (1.0, 0.0), (0.0, None)], ("Mass", "Nodule"))
    views = tuple(
        replace(record, view=view, patient=patient)
        for record, view, patient in zip(records, ("PA", "PA", "AP", "AP", "AP"), "aabcd", strict=True)
    )
    logits = [[3.0, -3.0], [-3.0, 3.0], [-3.0, -3.0], [3.0, 3.0], [3.0, 3.0]]
    document = evaluation_document(scored(views, ("Mass", "Nodule"), logits, (0.5, 0.5)), **FEW)
    flagged = document["flagged_without_finding"]
    assert flagged is not None
    assert (flagged["images"], flagged["patients"], flagged["flagged"]) == (3, 2, 2)
    assert flagged["share"]["value"] == pytest.approx(2 / 3)
    assert {view: (part["flagged"], part["images"]) for view, part in flagged["by"]["view"].items()} == {
        "PA": (2, 2),
        "AP": (0, 1),
    }
    assert "Of 3 images with none of the findings, 2 had at least one at or above its operating point" in heading(
        document
    )


def test_no_finding_as_a_label_is_no_finding() -> None:
    labels = ("Mass", "No Finding")
    records = known_images([(0.0, 1.0), (None, 1.0), (1.0, 0.0), (0.0, None)], labels)
    document = evaluation_document(scored(records, labels, [[-3.0, 3.0]] * 4, (0.5, 0.5)), **FEW)
    assert document["flagged_without_finding"]["images"] == 3
    assert document["flagged_without_finding"]["flagged"] == 0
    assert Path("0.png") == records[0].path
