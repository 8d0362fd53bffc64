"""Which images a comparison of gates is made of."""

import csv
from collections.abc import Callable
from pathlib import Path

import pytest

from sitegen.data.layouts.manifest import read_manifest
from sitegen.errors import DataError, SettingsError
from sitegen.evaluation.gate.images import patients_of, read_inside, read_outside
from tests.helpers.outside_images import CATEGORIES, write_outside
from tests.helpers.radiographs import write_radiographs, write_recipe


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("gate-images")
    write_radiographs(folder / "data", {"train": 2, "valid": 3, "test": 4}, side=32)
    write_outside(folder / "outside", ["test-5.png", "valid-3.png"], each=6, side=24)
    write_outside(folder / "folders", [], each=6, side=24, manifest=False)
    return folder


def rows_of(place: Path) -> list[dict[str, str]]:
    with (place / "outside" / "manifest.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize(("half", "digits"), [("development", "01234567"), ("test", "89abcdef")])
def test_halves_are_told_by_the_first_digit_of_the_hash(place: Path, half: str, digits: str) -> None:
    expected = [row["file"] for row in rows_of(place) if row["sha256"][0] in digits]
    found = read_outside(place / "outside", half)
    assert [file.path.relative_to(place / "outside").as_posix() for file in found.files] == expected
    assert 0 < len(expected) < 24


def test_without_a_manifest_folders_are_categories_and_hashes_are_computed(place: Path) -> None:
    for half in ("development", "test", "all"):
        listed = read_outside(place / "outside", half).files
        found = read_outside(place / "folders", half).files
        assert sorted((file.category, file.path.name) for file in found) == sorted(
            (file.category, file.path.name) for file in listed
        )
    assert len(found) == 24


def test_categories_are_near_by_pattern(place: Path) -> None:
    near = {file.category for file in read_outside(place / "outside", "all").files if file.near}
    assert near == set(CATEGORIES[:2])
    files = read_outside(place / "outside", "all", ("st*", "noise")).files
    assert {file.category for file in files if file.near} == {"noise", "stripes"}


def test_originals_are_left_out_whichever_half_their_copies_are_in(place: Path) -> None:
    for half in ("development", "test"):
        outside = read_outside(place / "outside", half)
        inside = read_inside(place / "data", None, "test", outside.originals)
        assert [record.path.name for record in inside.left_out] == ["test-5.png"]
        assert [record.path.name for record in inside.records] == ["test-6.png", "test-7.png", "test-8.png"]
        assert [record.path.name for record in inside.validation] == ["valid-2.png", "valid-4.png"]


def test_an_altered_image_is_its_originals_patients(place: Path) -> None:
    files = read_outside(place / "outside", "all").files[:3]
    owners = patients_of(files, read_manifest(place / "data"))
    assert owners[:2] == ["p5", "p3"]
    assert owners[2] == f"outside:{files[2].path}"


def test_a_recipe_says_how_the_data_is_read(place: Path) -> None:
    recipe = write_recipe(place / "recipe.json", place / "data")
    inside = read_inside(None, recipe, "all", ())
    assert len(inside.records) == 9
    assert set(inside.records[0].labels) == {"Opacity"}


@pytest.mark.parametrize(
    ("call", "error", "said"),
    [
        (lambda place: read_outside(place / "outside", "third"), SettingsError, "no half 'third'"),
        (lambda place: read_outside(place / "nowhere", "all"), DataError, "does not exist"),
        (
            lambda place: read_inside(place / "data", None, "no", ()),
            DataError,
            "'no'; the splits are: test, train, valid",
        ),
        (lambda place: read_inside(None, None, "test", ()), DataError, "--data DIR"),
    ],
)
def test_wrong_use_is_told(
    place: Path,
    call: Callable[[Path], object],
    error: type[Exception],
    said: str,
) -> None:
    with pytest.raises(error, match=said):
        call(place)


def test_a_folder_without_images_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="has no images"):
        read_outside(tmp_path, "all")


def test_a_half_without_images_is_told(place: Path, tmp_path: Path) -> None:
    row = next(row for row in rows_of(place) if row["sha256"][0] in "01234567")
    (tmp_path / "manifest.csv").write_text(f"file,category,sha256\nx.png,noise,{row['sha256']}\n", encoding="utf-8")
    assert len(read_outside(tmp_path, "development").files) == 1
    with pytest.raises(DataError, match="None of the 1 images"):
        read_outside(tmp_path, "test")


def test_a_listed_file_that_is_missing_is_told(tmp_path: Path) -> None:
    (tmp_path / "manifest.csv").write_text("file,category\nx.png,noise\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"x\.png cannot be read"):
        read_outside(tmp_path, "all")
