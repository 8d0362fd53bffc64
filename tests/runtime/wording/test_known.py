"""What is known of a finding, from literal figures; what may be claimed at all, tests/site/test_page_facts.py holds."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from sitegen_runtime.bundle.figures import Interval, read_figures
from sitegen_runtime.bundle.model import Label, Model
from sitegen_runtime.bundle.provenance import Provenance
from sitegen_runtime.wording.known import what_is_known
from sitegen_runtime.wording.predictive import PREVALENCES, describe_predictive
from sitegen_runtime.wording.shares import chance, right, wrong
from tests.helpers.help_bundles import HERE, METRICS, TRAINED, part, rate, related
from tests.helpers.runtime.models import model

CHOSEN = "The threshold was chosen where it told 80 validation images, 30 of them with the finding, apart best."


def with_figures(metrics: Mapping[str, Any], made: Mapping[str, Any] = TRAINED, name: str = "Pneumonia") -> Model:
    label = Label(name, 0.25, None)
    return replace(model(), labels=(label,), measured=read_figures(metrics, {name}), provenance=Provenance(made))


def known(given: Model) -> list[str]:
    return what_is_known(given, given.labels[0])


def test_figures_by_source_and_where_they_are_from() -> None:
    assert known(with_figures(related("Not measured: the moon.", "elsewhere"))) == [
        "At this threshold, on 200 test images of Here X-rays (images of other patients of a collection that it was "
        "trained on), it caught 90 % (80–98) of the 50 with it and flagged 25 % (20–30) of the 150 without.",
        "At this threshold, on 90 test images of there (images from elsewhere), it caught 80 % (66–90) of the 40 with "
        "it and flagged 4 % (0–10) of the 50 without.",
        "Not measured: the moon.",
        CHOSEN,
    ]


def test_figures_whose_images_are_not_recorded() -> None:
    said = known(with_figures(METRICS))
    assert said[2:4] == [
        "Where these images come from, seen from its training, is not recorded.",
        "It learned from the same collections: expect more mistakes on images from elsewhere.",
    ]
    strangers = known(with_figures(METRICS, TRAINED | {"data": {"images": {"train": {"here": 9}}}}))
    assert strangers[3] == "It did not learn from there."
    assert known(with_figures(METRICS, {}))[3] == "Whether it learned from the same collections is not told."


def test_without_figures_nobody_has_measured_it() -> None:
    nobody = "Nobody has measured this here."
    by_whom = "The threshold was chosen by whoever made the model; whether it is a good one nobody has measured here."
    assert known(with_figures({}, {})) == [nobody, by_whom]
    assert known(with_figures({"train": METRICS["test"]}, {})) == [nobody, by_whom]
    unread = known(with_figures({"test": {"auc": 0.9}}, {}))
    assert unread[0] == "The model's description holds figures in a form that is not known here."


def test_validation_images_count_where_there_are_no_others() -> None:
    valid = {"findings": {"Pneumonia": HERE}}
    assert "Nobody has measured it on test images." in known(with_figures({"valid": valid}))
    both = known(with_figures({"valid": valid, "test": {"findings": {"Pneumonia": HERE}}}))
    assert [said for said in both if "validation images," in said] == [CHOSEN]


def test_a_class_that_is_missing_is_left_out_and_few_images_are_told() -> None:
    split = {"findings": {"Pneumonia": part(12, 0, None, rate(0.5, 0.25, 0.75))}}
    said = known(with_figures({"test": split}))
    assert said[0] == "At this threshold, on 12 test images, it flagged 50 % (25–75) of the 12 without."
    assert said[1] == "Of fewer than 30 images, a range is hardly to be trusted."
    assert describe_predictive(with_figures({"test": split}), "Pneumonia") == []


def test_the_absence_of_findings_has_words_of_its_own() -> None:
    given = with_figures({"test": {"findings": {"No finding": HERE}}}, name="No finding")
    assert known(given)[0] == (
        "At this threshold, on 200 test images, it was above for 90 % (80–98) of the 50 without any finding and "
        "wrongly for 25 % (20–30) of the 150 others."
    )
    assert describe_predictive(given, "No finding") == []


def test_predictive_values_are_the_least_favourable() -> None:
    told = describe_predictive(with_figures(METRICS), "Pneumonia")
    assert [each["prevalence"] for each in told] == list(PREVALENCES)
    # here: 0.9 and 0.75; there: 0.8 and 0.96. At 10 %: 9 of 31.5 flagged; of 88.4 that stay below 2 have it.
    assert told[6]["text"] == (
        "Where 10 of 100 have it, 28 % of those above the threshold have it and 97 % of those below do not (by the "
        "least favourable figures: above, those of test images of here; below, those of test images of there)."
    )


def test_one_group_is_no_choice() -> None:
    told = describe_predictive(with_figures({"test": {"findings": {"Pneumonia": HERE}}}), "Pneumonia")
    # 0.9 * 0.001 / (0.9 * 0.001 + 0.25 * 0.999) = 0.0036; 0.75 * 0.999 / (0.75 * 0.999 + 0.1 * 0.001) = 0.99987
    assert told[0]["text"] == (
        "Where 0.1 of 100 have it, 0.3 % of those above the threshold have it and 99.9 % of those below do not (by the "
        "figures of test images)."
    )


@pytest.mark.parametrize(
    ("share", "told"),
    [
        (0.0, "less than 0.1 %"),
        (0.0099, "0.9 %"),
        (0.287, "28 %"),
        (0.9, "90 %"),
        (0.9999, "99.9 %"),
        (1.0, "more than 99.9 %"),
    ],
)
def test_chances_are_rounded_down_and_never_certain(share: float, told: str) -> None:
    assert chance(share) == told


def test_what_was_right_is_rounded_down_and_what_was_wrong_up() -> None:
    assert right(Interval(0.987, 0.96, 0.999)) == "98 % (96–99)"
    assert wrong(Interval(0.745, 0.67, 0.801)) == "26 % (20–33)"
