"""`sitegen evaluate localisation` and `permutation`: windows against boxes and masks, columns against columns."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from sitegen.cli.evaluate import evaluate
from sitegen.errors import DataError, SettingsError
from sitegen.evaluation.anomaly.document_types import DifferencesDocument, LocalisationStudyDocument
from sitegen.evaluation.anomaly.explained import strongest
from sitegen.evaluation.anomaly.localisation import Window, hits
from sitegen.evaluation.anomaly.regions import of_mask
from sitegen.evaluation.explanations.localisation.regions import Frame
from sitegen.phantom import phantom
from tests.helpers.bundles import make_bundle
from tests.helpers.typed_documents import hold


def run(*arguments: object) -> Result:
    return CliRunner().invoke(evaluate, list(map(str, arguments)))


def save(path: Path, plane: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(plane).save(path)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Four images of 40 x 30: objects at known places, which the reconstruction lacks, but for the last, which lacks
    something else."""
    rng = np.random.default_rng(0)
    boxes = ["image,finding,x,y,w,h"]
    for at in range(4):
        made = rng.integers(90, 110, (30, 40)).astype(np.uint8)
        image = made.copy()
        x, y = 2 + 6 * at, 3 + 4 * at
        image[y : y + 5, x : x + 7] = 230
        mask = np.zeros((30, 40), np.uint8)
        mask[y : y + 5, x : x + 7] = 255
        if at == 3:
            image = made.copy()
            image[0:5, 0:5] = 230
        save(tmp_path / "images" / f"{at}.png", image)
        save(tmp_path / "made" / f"{at}.png", made)
        save(tmp_path / "masks" / f"{at}.png", mask)
        save(tmp_path / "heat" / f"{at}.png", np.abs(image.astype(int) - made).astype(np.uint8))
        boxes.append(f"{at},needle,{x / 40},{y / 30},{7 / 40},{5 / 30}")
    (tmp_path / "boxes.csv").write_text("\n".join(boxes))
    made_table = ["--images", tmp_path / "images", "--reconstructions", tmp_path / "made", "--patch", 8]
    assert run("reconstructions", *made_table, "-o", tmp_path / "d.csv").exit_code == 0
    return tmp_path


def document(place: Path, *arguments: object) -> LocalisationStudyDocument:
    result = run("localisation", *arguments, "--resamples", 50, "--json", place / "out.json")
    assert result.exit_code == 0, (result.output, result.exception)
    found: LocalisationStudyDocument = json.loads((place / "out.json").read_text())
    return found


def test_boxes_masks_and_heat_maps_give_the_same(place: Path) -> None:
    by_boxes = document(place, "--distances", place / "d.csv", "--boxes", place / "boxes.csv")
    hold(LocalisationStudyDocument, [by_boxes])
    by_masks = document(place, "--distances", place / "d.csv", "--masks", place / "masks")
    by_heat = document(place, "--heat-maps", place / "heat", "--masks", place / "masks", "--patch", 8)
    assert [each["distance"] for each in by_boxes["localised"]] == ["mse", "wasserstein", "ssim"]
    for found in (by_boxes, by_masks, by_heat):
        first = found["localised"][0]
        assert (first["images"], first["hits"]["value"]) == (4, 0.75)
        assert 0.1 < first["chance"] < 0.5
        assert first["above_chance"]["value"] == pytest.approx(0.75 - first["chance"])
    assert by_boxes["localised"][0]["chance"] == by_masks["localised"][0]["chance"]
    assert by_masks["localised"][0]["covered"] == pytest.approx(35 / 1200)


def test_chance_is_the_share_of_windows_that_overlap() -> None:
    mask = np.zeros((10, 12), np.bool_)
    mask[4, 5] = mask[9, 11] = True
    window = Window("a", "a", 2, 1, 4, 12, 10)
    (hit, chance), (missed, _) = hits([window, Window("a", "a", 1, 1, 4, 12, 10)], {"a": of_mask(mask)})
    counted = [mask[y : y + 4, x : x + 4].any() for y in range(7) for x in range(9)]
    assert (hit, missed) == (True, False)
    assert chance == pytest.approx(np.mean(counted))


def test_windows_of_a_part_of_the_picture_are_brought_to_the_whole() -> None:
    """A gate that saw the middle half of the width at another scale."""
    window = Window("a", "a", 0, 0, 4, 8, 8, Frame(0.25, 0, 0.5, 1))
    assert window.chosen().tolist() == [[0.25, 0.0, 0.5, 0.5]]
    mask = np.zeros((100, 200), np.bool_)
    mask[49, 99] = True
    assert of_mask(mask).overlaps(window.chosen()).all()
    mask[49, 99] = False
    mask[50, 99] = mask[49, 100] = mask[0, 49] = True
    assert not of_mask(mask).overlaps(window.chosen()).any()


def test_what_does_not_match_is_said(place: Path) -> None:
    result = run("localisation", "--distances", place / "d.csv")
    assert isinstance(result.exception, SettingsError)
    result = run("localisation", "--boxes", place / "boxes.csv")
    assert isinstance(result.exception, SettingsError)
    (place / "boxes.csv").write_text("image,finding,x,y,w,h\nother,needle,0.1,0.1,0.1,0.1\n")
    result = run("localisation", "--distances", place / "d.csv", "--boxes", place / "boxes.csv")
    assert isinstance(result.exception, DataError)
    assert "None of the 4 images of d.csv has an anomaly in boxes.csv" in str(result.exception)
    asked = ["--heat-maps", place / "heat", "--masks", place / "masks", "--patch", 31]
    result = run("localisation", *asked)
    assert isinstance(result.exception, DataError)
    assert "0.png: a window of 31 pixels is larger than the 30 pixels" in str(result.exception)


def test_columns_are_tested_as_a_family(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    for name, shift in (("a", 0.9), ("b", 0.0)):
        rows = [f"{rng.normal(shift):.6f},{rng.normal():.6f}" for _ in range(15)]
        (tmp_path / f"{name}.csv").write_text("\n".join(["x,y", *rows]))
    given = ["permutation", "--first", tmp_path / "a.csv", "--second", tmp_path / "b.csv", "--column", "x"]
    more = ["--column", "y", "--alternative", "greater", "--permutations", 2000, "--simulations", 60]
    result = run(*given, *more, "--power-permutations", 100, "--json", tmp_path / "out.json")
    assert result.exit_code == 0, result.output
    found: DifferencesDocument = json.loads((tmp_path / "out.json").read_text())
    hold(DifferencesDocument, [found])
    x, y = found["tests"]
    assert x["p"] < 0.1 < y["p"]
    assert (x["holm"], y["holm"]) == (2 * x["p"], y["p"])
    assert x["power"]["value"] > y["power"]["value"]
    assert run(*given, "--simulations", 0, "--second-column", "y", "--permutations", 100).exit_code == 0
    assert isinstance(run(*given, "--second-column", "y", "--second-column", "x").exception, SettingsError)


def test_groups_that_cannot_be_tested_are_named(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("x\n1\n\n2\n")
    (tmp_path / "b.csv").write_text("x,z\n1.25,nan\n,\n")
    given = ["permutation", "--first", tmp_path / "a.csv", "--second", tmp_path / "b.csv", "--column"]
    assert "b.csv has the one value 1.25 of x" in str(run(*given, "x").exception)
    assert "a.csv has no column 'z'" in str(run(*given, "z").exception)
    assert "z is 'nan'" in str(run(*given, "x", "--second-column", "z").exception)


def test_explanations_are_asked_the_same(tmp_path: Path) -> None:
    make_bundle(tmp_path / "bundle", explained=True)
    for seed in range(2):
        save(tmp_path / "images" / f"{seed}.png", phantom(seed, 96))
        save(tmp_path / "masks" / f"{seed}.png", np.full((96, 96), 255, np.uint8))
    given = ["--images", tmp_path / "images", "--bundle", tmp_path / "bundle", "--masks", tmp_path / "masks", "--force"]
    found = document(tmp_path, *given, "--patch", 5, "--method", "grad-cam", "--method", "saliency")
    hold(LocalisationStudyDocument, [found])
    assert {each["distance"] for each in found["localised"]} <= {"grad-cam", "saliency"}
    assert all(each["hits"]["value"] == each["chance"] == 1 for each in found["localised"])  # all of it is anomaly
    for more, message in (
        (["--method", "nothing"], "'nothing' is no method of explanation"),
        (["--finding", "Nothing"], "has no finding 'Nothing'"),
        (["--patch", "999"], "window of 999 pixels is larger"),
        (["--heat-maps", tmp_path / "masks"], "--images go with --bundle"),
    ):
        result = run("localisation", *given, *more)
        assert isinstance(result.exception, SettingsError)
        assert message in str(result.exception)


def test_the_strongest_window_of_a_map_has_the_largest_sum() -> None:
    given = np.random.default_rng(7).normal(0, 1, (20, 31))
    sums = {(x, y): np.maximum(given, 0)[y : y + 6, x : x + 6].sum() for x in range(26) for y in range(15)}
    assert strongest(given, 6) == max(sums, key=lambda place: sums[place])
    assert strongest(-np.abs(given), 6) is None
