"""Regions to cells: centres, half-open edges, turned images; and what is no intervention."""

from typing import Any

import pytest

from sitegen_runtime.errors import BadIntervention
from sitegen_runtime.interventions.regions import check_mask, mask_of, read_interventions
from sitegen_runtime.pixels.geometry import Place

SQUARE = Place(
    20, 0, 40, 40
)  # of an image of 80 x 40, seen in 4 x 4 cells of 10 pixels, with centres at 25, 35, 45, 55


def rows(*regions: tuple[float, float, float, float], orientation: int = 1) -> list[str]:
    mask = mask_of(regions, SQUARE, (4, 4), orientation)
    return ["".join(str(cell) for cell in mask[start : start + 4]) for start in range(0, 16, 4)]


@pytest.mark.parametrize(
    ("region", "expected"),
    [
        ((20, 0, 10, 10), ["1000", "0000", "0000", "0000"]),
        ((25, 5, 10, 10), ["1000", "0000", "0000", "0000"]),  # its left and upper edges count, the others do not
        ((25, 5, 10.01, 10), ["1100", "0000", "0000", "0000"]),
        ((25.01, 5, 10, 10), ["0100", "0000", "0000", "0000"]),
        ((-100, 14, 1000, 2), ["0000", "1111", "0000", "0000"]),
        ((44, -5, 2, 100), ["0010", "0010", "0010", "0010"]),
        ((26, 6, 8, 8), ["0000", "0000", "0000", "0000"]),
        ((70, 0, 10, 10), ["0000", "0000", "0000", "0000"]),
    ],
)
def test_cells_whose_centres_lie_in_a_region(region: Any, expected: list[str]) -> None:
    assert rows(region) == expected


def test_regions_add_up() -> None:
    assert rows((20, 0, 20, 10), (30, 0, 10, 20)) == ["1100", "0100", "0000", "0000"]


def test_a_turned_image_is_changed_where_the_picture_was() -> None:
    assert rows((20, 0, 20, 10), orientation=6) == ["0001", "0001", "0000", "0000"]  # clockwise by 90 degrees
    assert rows((20, 0, 20, 10), orientation=3) == ["0000", "0000", "0000", "0011"]


@pytest.mark.parametrize(
    ("region", "words"),
    [
        ((70, 0, 5, 5), "lies outside of what the model sees. The model sees [20, 0, 40, 40]"),
        ((60, 0, 5, 5), "outside"),
        ((26, 6, 8, 8), "[[26, 6, 8, 8]] holds the centre of no cell"),
        ((0, 0, 80, 40), "covers all that the model sees, [20, 0, 40, 40]"),
    ],
)
def test_nothing_and_everything_are_refused(region: Any, words: str) -> None:
    with pytest.raises(BadIntervention) as caught:
        check_mask(mask_of([region], SQUARE, (4, 4)), [region], [20, 0, 40, 40], bytes([1]) * 16)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        (None, 'must be {"interventions"'),
        ("black", 'must be {"interventions"'),
        ({"intervention": []}, 'must be {"interventions"'),
        ([{}] * 101, "There are 101 interventions, and at most 100"),
        ([{"regions": [[0, 0, 1, 1]]}], "Intervention 1 must be"),
        ([{"regions": [], "filling": "black"}], "Intervention 1 must have a list of regions"),
        ([{"regions": [[0, 0, 1, 1]] * 4097, "filling": "black"}], "has 4097 regions; at most 4096"),
        ([{"regions": [[0, 0, 1]], "filling": "black"}], "[left, top, width, height], not [0, 0, 1]"),
        ([{"regions": [[0, 0, 1, True]], "filling": "black"}], "finite numbers"),
        ([{"regions": [[0, float("nan"), 1, 1]], "filling": "black"}], "finite numbers"),
        ([{"regions": [[0, 0, 1, "2"]], "filling": "black"}], "finite numbers"),
        ([{"regions": [[0, 0, 0, 1]], "filling": "black"}], "above 0: [0, 0, 0, 1]"),
        ([{"regions": [[0, 0, 1, 1]], "filling": ["black"]}], "not ['black']"),
    ],
)
def test_what_is_no_intervention(wanted: Any, words: str) -> None:
    with pytest.raises(BadIntervention) as caught:
        read_interventions(wanted)
    assert words in str(caught.value)


def test_a_list_and_a_file_say_the_same() -> None:
    wanted = [{"regions": [[1, 2, 3, 4.5]], "filling": "blur"}]
    (read,) = read_interventions({"interventions": wanted})
    assert (read.regions, read.filling) == (((1.0, 2.0, 3.0, 4.5),), "blur")
    assert read_interventions(wanted) == (read,)
