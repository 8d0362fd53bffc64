"""`sitegen data split`, `preview` and `unpack`, as the command line calls them."""

import csv
import gzip
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from sitegen.cli import app
from sitegen.errors import SitegenError
from tests.helpers.radiographs import write_radiographs


def sitegen(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["data", *map(str, arguments)])


def refused(*arguments: object) -> str:
    done = sitegen(*arguments)
    assert isinstance(done.exception, SitegenError), done.output
    assert done.exception.exit_code == 2
    return str(done.exception)


@pytest.fixture
def findings(tmp_path: Path) -> Path:
    """A table of images that need not be there: ten patients with two images each, of which one has a finding."""
    rows = [f"{patient}-{image}.png,{patient},{'Mass' if image else ''}" for patient in range(10) for image in (0, 1)]
    (tmp_path / "table.csv").write_text("\n".join(["file,patient,seen", *rows]), encoding="utf-8")
    return tmp_path / "table.csv"


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def test_a_split_is_written_and_counted(findings: Path) -> None:
    out = findings.parent / "split.csv"
    done = sitegen("split", findings, "-o", out, "--shares", "train=0.6,valid=0.2,test=0.2", "--findings", "seen")
    assert done.exit_code == 0, done.output
    rows = read(out)
    assert [(row["file"], row["patient"]) for row in rows[:2]] == [("0-0.png", "0"), ("0-1.png", "0")]
    assert {split: sum(row["split"] == split for row in rows) for split in ("train", "valid", "test")} == {
        "train": 12,
        "valid": 4,
        "test": 4,
    }
    table = [line.split() for line in done.stdout.splitlines()]
    assert ["│", "images", "│", "4", "│", "12", "│", "4", "│"] in table
    assert ["│", "patients", "│", "2", "│", "6", "│", "2", "│"] in table
    assert done.stdout.endswith(f"Wrote {out}.\n")


def test_the_seed_and_the_images_left_out(findings: Path) -> None:
    first, again, other = (findings.parent / name for name in ("1.csv", "2.csv", "3.csv"))
    for out, seed in ((first, 1), (again, 1), (other, 2)):
        assert sitegen("split", findings, "-o", out, "--seed", seed).exit_code == 0
    assert first.read_bytes() == again.read_bytes() != other.read_bytes()
    sitegen("split", findings, "-o", other, "--findings", "seen", "--only-with-findings")
    assert [row["file"] for row in read(other)] == [f"{patient}-1.png" for patient in range(10)]
    Image.new("L", (4, 4)).save(findings.parent / "3-0.png")
    sitegen("split", findings, "-o", other, "--only-present")
    assert [row["file"] for row in read(other)] == ["3-0.png"]


def test_one_given_split_is_divided(tmp_path: Path) -> None:
    place = write_radiographs(tmp_path / "data", {"train": 10, "test": 5})
    assert sitegen("split", place, "-o", tmp_path / "s.csv", "--shares", "80/20", "--divide", "train").exit_code == 0
    splits = [row["split"] for row in read(tmp_path / "s.csv")]
    assert (splits[10:], splits.count("train"), splits.count("valid")) == (["test"] * 5, 8, 2)


def test_a_split_that_makes_no_sense_is_refused(findings: Path) -> None:
    out = findings.parent / "split.csv"
    assert "'9/1' are no shares" in refused("split", findings, "-o", out, "--shares", "9/1")
    assert "has no split 'train' to divide; it has none" in refused("split", findings, "-o", out, "--divide", "train")
    assert "no image left" in refused("split", findings, "-o", out, "--only-present")
    assert "cannot be written" in refused("split", findings, "-o", findings.parent / "none" / "s.csv")
    assert not out.exists()


def test_the_preview_shows_images_and_variants(tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="it needs PyTorch, which is not installed")
    place, out = write_radiographs(tmp_path / "data", {"train": 3, "test": 3}), tmp_path / "sheet.png"
    recipe = tmp_path / "recipe.toml"
    recipe.write_text('name = "small"\n[data]\nlabels = { Ill = "ILL" }\n[image]\nside = 64\n', encoding="utf-8")
    done = sitegen("preview", place, "-o", out, "--config", recipe, "--level", "none", "--images", 2, "--variants", 3)
    assert (done.exit_code, done.stdout) == (0, f"Wrote {out}.\n"), done.output
    with Image.open(out) as sheet:
        pixels = np.asarray(sheet.convert("L"))
    assert pixels.shape == (2 * 20 + 2 * (20 + 128 + 6), 4 * (128 + 6) + 2 * 6)
    first = pixels[60 : 60 + 128, 6 : 6 + 128]
    train = [np.asarray(Image.open(path).convert("L")) for path in sorted(place.glob("train-*.png"))]
    # Twice as large, pixel by pixel; and without augmentation the variants are the image.
    assert any(np.array_equal(first[::2, ::2], each) for each in train)
    assert np.array_equal(first[1::2, 1::2], first[::2, ::2])
    for column in (1, 2, 3):
        left = 12 + column * 134
        assert np.abs(pixels[60 : 60 + 128, left : left + 128].astype(int) - first).max() <= 1


def test_the_recipes_augmentation_is_drawn_from_the_seed(tmp_path: Path) -> None:
    place = write_radiographs(tmp_path / "data", {"train": 2})
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(
        f'name = "small"\n[data]\nplace = "{place.name}"\nlabels = {{ Ill = "ILL" }}\n[image]\nside = 64\n'
        'colour = "rgb"\n[training]\npreset = "compact"\naugment = { rotation = 90.0 }\n',
        encoding="utf-8",
    )
    sheets = {}
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        done = sitegen("preview", "-o", tmp_path / name, "--config", recipe, "--images", 1, "--seed", seed)
        assert done.exit_code == 0, done.output
        sheets[name] = (tmp_path / name).read_bytes()
    assert sheets["a"] == sheets["b"] != sheets["c"]


def test_images_that_cannot_be_read_are_passed_over(tmp_path: Path) -> None:
    place = write_radiographs(tmp_path / "data", {"train": 3})
    for path in sorted(place.glob("*.png"))[:2]:
        path.write_bytes(b"")
    done = sitegen("preview", place, "-o", tmp_path / "sheet.png", "--variants", 1)
    assert done.exit_code == 0, done.output
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.height == 40 + 20 + 224 + 6  # one row
    (place / "train-2.png").unlink()
    assert "No image can be shown; the last problem: " in refused("preview", place)


def test_a_preview_of_nothing_is_refused(tmp_path: Path) -> None:
    assert "name a data set, or a recipe" in refused("preview")
    place = write_radiographs(tmp_path / "data", {"train": 1})
    assert "there are none, 15/5/5, 30/10/10, 45/15/15" in refused("preview", place, "--level", "5/5")
    assert "cannot be written" in refused("preview", place, "-o", tmp_path / "none" / "a.png", "--images", 1)


def test_unpack_says_what_it_was(tmp_path: Path) -> None:
    for name, count in (("train", 2), ("t10k", 1)):
        images = struct.pack(">BBBB3I", 0, 0, 8, 3, count, 28, 28) + bytes(784 * count)
        digits = struct.pack(">BBBBI", 0, 0, 8, 1, count) + bytes([3] * count)
        (tmp_path / f"{name}-images-idx3-ubyte.gz").write_bytes(gzip.compress(images))
        (tmp_path / f"{name}-labels-idx1-ubyte.gz").write_bytes(gzip.compress(digits))
    out = tmp_path / "digits"
    done = sitegen("unpack", tmp_path, "-o", out)
    assert (done.exit_code, done.stdout) == (0, f"Wrote 3 images of MNIST to {out}.\n")
    assert (out / "train" / "3" / "00001.png").is_file()
    assert "is not an empty folder" in refused("unpack", tmp_path, "-o", out)
