"""What every training image weighs: patients and sources, balanced as a recipe says."""

from pathlib import Path

import pytest

from sitegen.data.records import Record
from sitegen.errors import DataError
from sitegen.settings.data import DataSettings
from sitegen.training.examples import image_weights

RECORDS = [
    Record(Path(f"{number}.png"), patient, {}, source=source)
    for number, (patient, source) in enumerate([("a", "one")] * 4 + [("b", "one"), ("c", "two"), ("d", "two")])
]


def weights(**settings: object) -> list[float]:
    found = image_weights(RECORDS, DataSettings(**settings))  # type: ignore[arg-type]
    assert found.mean().item() == pytest.approx(1.0)
    return [round(value, 4) for value in found.tolist()]


def test_all_images_weigh_the_same_by_default() -> None:
    assert weights() == [1.0] * 7


def test_an_image_of_four_weighs_half_of_one_that_is_alone() -> None:
    a, *_, b, c, d = weights(balance_patients=True)
    assert (b, c, d) == (2 * a, 2 * a, 2 * a)


def test_sources_weigh_the_same_or_by_their_shares() -> None:
    assert weights(balance_sources=True) == [0.7] * 5 + [1.75] * 2
    assert weights(source_shares={"one": 0.8, "two": 0.2}) == [1.12] * 5 + [0.7] * 2


def test_patients_are_balanced_within_their_source() -> None:
    both = weights(balance_patients=True, source_shares={"one": 0.5, "two": 0.5})
    assert sum(both[:5]) == pytest.approx(3.5, abs=1e-3)
    assert both[4] == pytest.approx(2 * both[0], abs=1e-3)


@pytest.mark.parametrize("shares", [{"one": 0.5}, {"one": 0.5, "two": 0.4, "three": 0.1}])
def test_every_source_needs_a_share(shares: dict[str, float]) -> None:
    with pytest.raises(DataError, match=r"source_shares .* the training images are of one, two\. Give every source"):
        weights(source_shares=shares)
