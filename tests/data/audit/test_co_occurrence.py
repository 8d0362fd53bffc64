import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np

from sitegen.data.audit.co_occurrence import as_svg, co_occurrence
from sitegen.data.records import Record

SVG = "{http://www.w3.org/2000/svg}"


def record(**labels: float | None) -> Record:
    return Record(Path("a.png"), "a", labels)


RECORDS = [
    record(Mass=1.0, Nodule=1.0, Hernia=0.0),
    record(Mass=1.0, Nodule=0.0, Hernia=0.0),
    record(Mass=1.0, Nodule=None, Hernia=0.0),
    record(Mass=0.0, Nodule=1.0, Hernia=0.0),
    record(Mass=0.0, Nodule=0.0, Hernia=0.0),
]


def test_a_worked_example() -> None:
    pairs = co_occurrence(RECORDS)
    assert pairs.names == ["Mass", "Nodule", "Hernia"]
    assert pairs.together.tolist() == [[3, 1, 0], [1, 2, 0], [0, 0, 0]]
    # One of the three images with a mass was not judged for nodules.
    assert pairs.judged.tolist() == [[3, 2, 3], [2, 2, 2], [0, 0, 0]]
    expected = [[1, 0.5, 0], [0.5, 1, 0], [np.nan] * 3]
    assert np.array_equal(pairs.shares, expected, equal_nan=True)


def test_names_choose_and_order() -> None:
    assert co_occurrence(RECORDS, ["Nodule", "Mass"]).together.tolist() == [[2, 1], [1, 3]]


def test_the_picture_says_what_the_table_says() -> None:
    drawing = ET.fromstring(as_svg(co_occurrence(RECORDS)))  # noqa: S314 - our own
    cells = drawing.findall(f"{SVG}g")
    assert [cell.find(f"{SVG}text").text for cell in cells] == ["3", "50", "0", "50", "2", "0", "–", "–", "0"]
    told = [cell.find(f"{SVG}title").text for cell in cells]
    assert told[0] == "Mass: 3 images"
    assert told[1] == "Mass with Nodule: 1 of 2 images"
    assert told[6] == "Hernia: nothing known of Mass"
    colours = [cell.find(f"{SVG}rect").get("fill") for cell in cells]
    assert colours[1] == "#accaea"  # half way from white to #5896d6, halves to even
    assert colours[2] == "#ffffff"
    assert drawing.find(f"{SVG}title").text == "Which findings come together"


def test_names_are_text_in_the_picture_too() -> None:
    drawing = ET.fromstring(as_svg(co_occurrence([record(**{"<b>&": 1.0})])))  # noqa: S314 - our own
    assert drawing.find(f"{SVG}text").text == "<b>&"


def test_a_share_that_is_small_is_not_nothing() -> None:
    records = [record(A=1.0, B=float(number == 0)) for number in range(300)]
    assert ">&lt;1</text>" in as_svg(co_occurrence(records))
