"""Where the images of a figure come from, and which figure is told first: literal cases."""

from typing import Any

import pytest

from sitegen.bundle.headline import Interval, Part, headline, is_weak, least_favourable, unmeasured
from sitegen.bundle.origin import Collection, not_measured, relation, together

NIH, GUANGZHOU = Collection("NIH ChestX-ray14", "NIH Clinical Center"), Collection("Kermany", "Guangzhou")
LEARNED = [NIH, GUANGZHOU]


@pytest.mark.parametrize(
    ("images", "learned", "use", "found"),
    [
        (NIH, LEARNED, "trained", "trained-on"),
        (NIH, LEARNED, "chosen", "chosen-on"),
        (NIH, LEARNED, "kept", "other-patients"),
        (NIH, LEARNED, None, "unknown"),  # the same patients, perhaps
        (Collection("nih  chestx-ray14"), LEARNED, "kept", "other-patients"),
        (Collection("NIH CXR 2", "nih clinical center"), LEARNED, None, "same-hospital"),
        (Collection("", "Guangzhou"), LEARNED, None, "unknown"),  # the same collection, perhaps
        (Collection("Shenzhen", "Shenzhen No. 3"), LEARNED, None, "elsewhere"),
        (Collection("", "Shenzhen No. 3"), LEARNED, None, "elsewhere"),
        (Collection("Shenzhen"), LEARNED, None, "unknown"),
        (Collection("Shenzhen", "Shenzhen No. 3"), [NIH, Collection("other")], None, "unknown"),
        (Collection("Shenzhen", "Shenzhen No. 3"), [], None, "unknown"),
        (Collection("Shenzhen", "Shenzhen No. 3"), [], "kept", "unknown"),
        (Collection(""), [Collection("")], "kept", "other-patients"),
    ],
)
def test_a_relation_is_never_guessed_as_good(images: Any, learned: Any, use: Any, found: str) -> None:
    assert relation(images, learned, use) == found


def test_several_relations_are_the_one_that_flatters_most() -> None:
    assert together(["elsewhere", "other-patients"]) == "other-patients"
    assert together(["unknown", "other-patients", "elsewhere"]) == "unknown"
    assert together(["chosen-on", "unknown"]) == "chosen-on"
    assert together([]) == "unknown"


def test_what_was_not_measured() -> None:
    assert not_measured(["elsewhere", "chosen-on"]) == ""
    assert not_measured(["chosen-on", "same-hospital"]) == "Not measured: images from elsewhere."
    away = "another collection of the same hospital and images from elsewhere."
    assert not_measured(["other-patients", "unknown"]) == f"Not measured: {away}"
    assert not_measured(["unknown"]) == (
        "Not measured: other patients of its collections, another collection of the same hospital and images from "
        "elsewhere."
    )


def interval(value: float, low: float = 0.65) -> Interval:
    return {"value": value, "low": low, "high": 0.99}


def part(relation: Any, source: str, mean: float | None, **aucs: float | None) -> Part:
    named = {label: None if auc is None else interval(auc) for label, auc in aucs.items()}
    return Part(relation, "test", source, "", None if mean is None else interval(mean), named)


def test_the_least_favourable_group_is_told_first_with_its_own_findings() -> None:
    near = part("other-patients", "near", 0.85, Mass=0.9, Nodule=0.8)
    far = part("elsewhere", "far", 0.72, Mass=0.72, Nodule=None)
    found = headline([near, far, part("trained-on", "seen", 0.5, Mass=0.5)], ["Mass", "Nodule"])
    assert found is not None
    assert (found["from"], found["source"], found["measured"], found["of"]) == ("elsewhere", "far", 1, 2)
    assert found["least"] == {"label": "Mass", "auc": interval(0.72)}
    assert found["words"] == (
        "Mean AUC 0.720 (0.650–0.990) over 1 of 2 findings on images from elsewhere (far); least for Mass, "
        "0.720 (0.650–0.990)."
    )
    assert unmeasured([near, part("elsewhere", "far", None, Mass=None)]).endswith("images from elsewhere.")
    assert unmeasured([near, far]) == ""


def test_the_least_favourable_figure_of_a_finding_may_be_from_another_group() -> None:
    parts = [part("other-patients", "near", 0.85, Mass=0.9, Nodule=0.68), part("elsewhere", "far", 0.72, Mass=0.72)]
    mass, nodule = (least_favourable(parts, label) for label in ("Mass", "Nodule"))
    assert mass and nodule
    assert (mass["source"], mass["weak"]) == ("far", False)
    assert (nodule["source"], nodule["weak"]) == ("near", True)
    assert least_favourable(parts, "Hernia") is None


def test_images_that_were_trained_on_count_where_there_are_no_others() -> None:
    found = headline([part("trained-on", "seen", 0.99, Mass=0.99)], ["Mass"])
    assert found is not None
    assert found["words"] == "AUC 0.990 (0.650–0.990) on images that it was trained on (seen)."
    assert headline([part("elsewhere", "far", None, Mass=None)], ["Mass"]) is None


def test_weak_is_a_low_figure_or_a_low_end() -> None:
    assert is_weak(interval(0.69))
    assert is_weak(interval(0.85, low=0.59))
    assert not is_weak(interval(0.70, low=0.60))
