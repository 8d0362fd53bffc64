"""Which images a recipe means, under which labels, in which split."""

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sitegen.data.dataset import read_records
from sitegen.data.splits import write_split
from sitegen.errors import DataError, SettingsError
from sitegen.settings.recipe import network_input, read_recipe_file, recipe_of
from tests.helpers.radiographs import write_radiographs


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_radiographs(tmp_path_factory.mktemp("radiographs"), {"train": 24, "valid": 10, "test": 6}, side=16)


def records(data: Path, folder: Path | str = "", **settings: Any) -> list[Any]:
    return read_records(recipe_of({"name": "r", "data": {"place": str(data)} | settings}, folder))


def test_all_labels_and_given_splits_by_default(data: Path) -> None:
    found = records(data)
    assert Counter(record.split for record in found) == {"train": 24, "valid": 10, "test": 6}
    assert set(found[0].labels) == {"ILL", "WELL"}


def test_labels_are_chosen_and_called_as_the_recipe_says(data: Path) -> None:
    assert set(records(data, labels=["ILL"])[0].labels) == {"ILL"}
    renamed = records(data, labels={"Opacity": "ILL"})
    assert [record.labels["Opacity"] for record in renamed[:4]] == [0.0, 1.0, 0.0, 1.0]
    with pytest.raises(DataError, match=r"has no label 'Mass'; it has "):
        records(data, labels=["Mass"])


def test_sources_are_chosen(data: Path) -> None:
    assert {record.source for record in records(data, sources=["two"])} == {"two"}
    with pytest.raises(DataError, match="no image that the recipe"):
        records(data, sources=["nowhere"])


def test_new_splits_of_everything_or_of_one_part(data: Path) -> None:
    anew = records(data, split="80/20", seed=3)
    assert Counter(record.split for record in anew) == {"train": 32, "valid": 8}
    part = records(data, split={"train": 0.5, "valid": 0.5}, divide="train")
    counts = Counter(record.split for record in part)
    assert counts == {"train": 12, "valid": 22, "test": 6}
    assert [record.path for record in part] == [record.path for record in records(data)]
    assert [record.split for record in anew] == [record.split for record in records(data, split="80/20", seed=3)]
    assert [record.split for record in anew] != [record.split for record in records(data, split="80/20", seed=4)]


def test_a_split_file_decides(data: Path, tmp_path: Path) -> None:
    given = [replace(record, split="test") for record in records(data)[:5]]
    write_split(given, data, tmp_path / "split.csv")
    found = records(data, tmp_path, split_file="split.csv")
    assert Counter(record.split for record in found)["test"] == 5


def test_missing_images_stop_nobody_who_says_so(data: Path, tmp_path: Path) -> None:
    copy = write_radiographs(tmp_path / "copy", {"train": 4}, side=16)
    (copy / "train-1.png").unlink()
    assert len(records(copy, only_present=True)) == 3


@pytest.mark.parametrize(
    ("image", "shape", "mean"),
    [
        ({"side": 64}, (1, 1, 64, 64), (0.0,)),
        ({"side": 32, "colour": "rgb"}, (1, 3, 32, 32), (0.0, 0.0, 0.0)),
        ({"side": 32, "colour": "rgb", "mean": [0.1, 0.2, 0.3]}, (1, 3, 32, 32), (0.1, 0.2, 0.3)),
    ],
)
def test_the_networks_input(image: dict[str, Any], shape: tuple[int, ...], mean: tuple[float, ...]) -> None:
    entry = network_input(recipe_of({"name": "r", "image": image}, "").image)
    assert (entry.shape, entry.mean) == (shape, mean)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name = ", "is not valid TOML"),
        ('name = "a/b"', "name"),
        ('name = "a"\n[data]\nplce = "x"', "data.plce"),
        ('name = "a"\n[data]\nsplit = "60/40"', "data.split"),
        ('name = "a"\n[image]\nside = 0', "image.side"),
    ],
)
def test_what_does_not_fit_is_named_with_its_file(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "r.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        read_recipe_file(path)
    assert str(path) in str(caught.value)
    assert message in str(caught.value)
