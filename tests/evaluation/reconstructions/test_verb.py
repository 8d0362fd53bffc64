"""`sitegen evaluate reconstructions`: folders, bundles, and what is wrong with them."""

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from sitegen.cli.evaluate import evaluate
from sitegen.errors import DataError, SettingsError
from sitegen.evaluation.reconstructions.table import numbers, read_table
from sitegen.phantom import phantom, write_phantom
from tests.helpers.bundles import make_bundle

Rows = list[dict[str, str]]


def save(path: Path, plane: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(plane).save(path)


def run(*arguments: object) -> Result:
    return CliRunner().invoke(evaluate, ["reconstructions", *map(str, arguments)])


def rows(path: Path) -> Rows:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Three phantoms, one of them of 16 bits, and reconstructions which lack a bright square at column 40, row 20."""
    for seed in range(3):
        made = phantom(seed, 64)
        image = made.copy()
        image[20:36, 40:56] = 255
        grey = [plane.astype(np.uint16) * 257 if seed == 2 else plane for plane in (image, made)]
        save(tmp_path / "images" / f"{seed}.png", grey[0])
        save(tmp_path / "made" / f"{seed}.png", grey[1])
    return tmp_path


def test_a_folder_becomes_a_table_and_pictures(place: Path) -> None:
    out = place / "out.csv"
    asked = ["--images", place / "images", "--reconstructions", place / "made", "--patch", 16]
    result = run(*asked, "-o", out, "--pairs", place / "pairs")
    assert result.exit_code == 0, result.output
    found = rows(out)
    assert [row["image"] for row in found] == ["0", "1", "2"]
    assert [row["bits"] for row in found] == ["8", "8", "16"]
    assert {(row["patch_mse_x"], row["patch_mse_y"]) for row in found} == {("40", "20")}
    with Image.open(place / "pairs" / "1-mse.png") as pair:
        shown = np.asarray(pair)
    assert shown.shape == (16, 32)
    assert (shown[:, :16] == 255).all()
    assert (shown[:, 16:] == phantom(1, 64)[20:36, 40:56]).all()
    assert run(*asked, "-o", place / "again.csv", "--workers", 2).exit_code == 0
    assert (place / "again.csv").read_bytes() == out.read_bytes()


def test_regions_that_are_not_asked_for_are_empty(place: Path) -> None:
    given = ["--images", place / "images", "--reconstructions", place / "made", "-o", place / "out.csv"]
    assert run(*given, "--region", "whole").exit_code == 0
    row = rows(place / "out.csv")[0]
    assert row["mse"]
    assert not any(row[name] for name in row if name.startswith(("body", "patch")))
    assert run(*given, "--region", "half").exit_code == 2


def test_names_that_do_not_match_are_listed(place: Path) -> None:
    (place / "made" / "1.png").rename(place / "made" / "other.png")
    result = run("--images", place / "images", "--reconstructions", place / "made", "-o", place / "out.csv")
    assert isinstance(result.exception, DataError)
    assert result.exception.exit_code == 2
    assert "have no reconstruction" in str(result.exception)
    assert ": 1." in str(result.exception)
    assert ": other." in str(result.exception)
    assert not (place / "out.csv").exists()


def test_an_unreadable_image_is_named_and_the_others_are_done(place: Path) -> None:
    (place / "images" / "0.png").write_bytes(b"no image")
    save(place / "made" / "1.png", np.zeros((9, 9), np.uint8))
    out = place / "out.csv"
    result = run("--images", place / "images", "--reconstructions", place / "made", "-o", out, "--patch", 16)
    assert result.exit_code == 1
    found = rows(out)
    assert "0.png cannot be read" in found[0]["note"]
    assert "9 x 9 pixels of 8 bits" in found[1]["note"]
    assert [row["mse"] == "" for row in found] == [True, True, False]
    assert "0.png cannot be read" in result.output


def test_a_patch_larger_than_an_image_is_told_with_the_file(place: Path) -> None:
    out = place / "out.csv"
    result = run("--images", place / "images", "--reconstructions", place / "made", "-o", out, "--patch", 65)
    assert result.exit_code == 1
    assert "0.png: a patch of 65 pixels is larger than the image, 64 x 64" in " ".join(result.output.split())
    assert [bool(row["mse"]) for row in rows(out)] == [True] * 3
    assert [row["patch_mse"] for row in rows(out)] == [""] * 3


def test_masks_say_what_is_the_body(place: Path) -> None:
    for seed in range(3):
        mask = np.zeros((64, 64), np.uint8)
        mask[20:36, 40:56] = 1
        save(place / "masks" / f"{seed}.png", mask)
    given = ["--images", place / "images", "--reconstructions", place / "made", "-o", place / "out.csv"]
    assert run(*given, "--masks", place / "masks", "--region", "body").exit_code == 0
    expected = ((255.0 - phantom(0, 64)[20:36, 40:56]) ** 2).mean()
    assert float(rows(place / "out.csv")[0]["body_mse"]) == pytest.approx(expected)
    assert rows(place / "out.csv")[0]["body_pixels"] == "256"


def test_a_bundles_gate_rebuilds_images(tmp_path: Path) -> None:
    make_bundle(tmp_path / "bundle")
    (tmp_path / "images").mkdir()
    write_phantom(tmp_path / "images" / "a.png", size=100)
    save(tmp_path / "images" / "wide.png", phantom(1, 100)[:80])
    result = run(
        "--images", tmp_path / "images", "--bundle", tmp_path / "bundle", "-o", tmp_path / "o.csv", "--patch", 8
    )
    assert result.exit_code == 0, result.output
    found = rows(tmp_path / "o.csv")
    assert [float(found[0][f"seen_{side}"]) for side in ("left", "top", "width", "height")] == [0, 0, 1, 1]
    assert [float(found[1][f"seen_{side}"]) for side in ("left", "top", "width", "height")] == [0.1, 0, 0.8, 1]
    assert found[0]["width"] == found[0]["height"]
    assert 0 <= float(found[0]["wasserstein"]) <= 255


def test_options_that_do_not_go_together_are_refused(place: Path) -> None:
    result = run("--images", place / "images", "-o", place / "out.csv")
    assert isinstance(result.exception, SettingsError)


def test_tables_with_what_is_no_number_are_refused(tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_text("image,mse\na,1.5\nb,\nc,nan\n")
    given = read_table(table)
    with pytest.raises(DataError, match=r"t\.csv, row 3 after the header: mse is 'nan'"):
        numbers(table, given, "mse")
    with pytest.raises(DataError, match="has no column 'ssim'"):
        numbers(table, given, "ssim")
    table.write_text("image,mse\na,1.5\nb,\n")
    assert numbers(table, read_table(table), "mse") == [1.5, None]
    table.write_text("image,mse\n")
    with pytest.raises(DataError, match="has no rows"):
        read_table(table)
