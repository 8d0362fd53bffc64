"""Images at hand beside those that a model was trained on."""

from pathlib import Path

import pytest

from sitegen.bundle.origin import Collection
from sitegen.data.origin import learned_from, origins, recorded
from sitegen.data.records import Record
from sitegen.settings.data import DataSettings

SPLITS = ("train", "train", "valid", "test", "test")


def records(source: str, splits: tuple[str, ...] = SPLITS) -> list[Record]:
    return [
        Record(Path(f"{source}-{at}.png"), f"p{at}", {"Mass": 0.0}, split, source) for at, split in enumerate(splits)
    ]


def relations(at_hand: list[Record], divided: list[Record], **named: Collection) -> list[str]:
    learned = learned_from(recorded(records("nih"), DataSettings()))
    found = origins(at_hand, learned, divided, named)
    return [found[record.path].relation for record in at_hand]


def test_what_is_recorded_can_be_read_again() -> None:
    document = recorded([*records("nih"), *records("far", ("outside",))], DataSettings())
    assert document == {
        "images": {
            "outside": {"far": 1},
            "test": {"nih": 2},
            "train": {"nih": 2},
            "valid": {"nih": 1},
        },
        "collections": {"far": {"collection": "far", "hospital": ""}, "nih": {"collection": "nih", "hospital": ""}},
    }
    learned = learned_from(document)
    assert learned is not None
    assert learned.known_as == [Collection("nih")]  # nothing was trained on "far"


@pytest.mark.parametrize("document", [None, "words", {}, {"images": 3}, {"images": {}}, {"images": {"test": {"a": 1}}}])
def test_a_model_may_record_nothing(document: object) -> None:
    assert learned_from(document) is None
    found = origins(records("nih"), None, records("nih"), {})
    assert {each.relation for each in found.values()} == {"unknown"}


def test_the_trainings_own_data_is_known_by_its_counts() -> None:
    own = records("nih")
    assert relations(own, own) == ["trained-on", "trained-on", "chosen-on", "other-patients", "other-patients"]
    assert relations(own[3:], own[1:]) == ["unknown", "unknown"]  # an image of the training is not there


def test_data_that_the_recipe_divides_otherwise_is_followed_by_patient() -> None:
    again = [Record(Path(f"again-{at}.png"), f"p{at}", {}, "test", "nih") for at in (0, 2, 4, 9)]
    assert relations(again, records("nih")) == ["trained-on", "chosen-on", "other-patients", "unknown"]


def test_other_data_is_elsewhere_only_where_both_hospitals_are_known() -> None:
    far = records("far", ("test",))
    assert relations(far, far, far=Collection("far", "Shenzhen")) == ["unknown"]
    document = recorded(records("nih"), DataSettings())
    document["collections"]["nih"] = {"collection": "ChestX-ray14", "hospital": "NIH"}
    learned = learned_from(document)
    assert [each.relation for each in origins(far, learned, far, {"far": Collection("far", "Shenzhen")}).values()] == [
        "elsewhere"
    ]
    assert [each.relation for each in origins(far, learned, far, {"far": Collection("far", "nih")}).values()] == [
        "same-hospital"
    ]
    assert [each.relation for each in origins(records("nih"), learned, [], {}).values()] == ["unknown"] * 5
