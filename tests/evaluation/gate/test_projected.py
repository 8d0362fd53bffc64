"""Tables of distances as detectors: rows found by names, SSIM turned, thresholds from validation images."""

from pathlib import Path

import numpy as np
import pytest

from sitegen.errors import DataError
from sitegen.evaluation.gate.projected import ProjectedTable, projected_detectors, scores_of
from sitegen.evaluation.gate.scored import Selected
from sitegen.evaluation.reconstructions.table import turned_scores

PATHS = [Path("data/a/1.png"), Path("data/b/1.png"), Path("data/2.jpeg"), Path("data/3.png")]


def table(folder: Path, text: str) -> ProjectedTable:
    file = folder / "distances.csv"
    file.write_text(text, "utf-8")
    return ProjectedTable(file, *turned_scores(file))


def test_rows_are_found_by_the_end_of_paths(tmp_path: Path) -> None:
    found = scores_of(table(tmp_path, "image,mse,ssim\nb/1,4,0.5\na/1,3,0.25\n2,1,1\n"), PATHS)
    assert found.name == tmp_path.name
    np.testing.assert_array_equal(found.scores["mse"], [3, 4, 1, np.nan])
    np.testing.assert_array_equal(found.scores["ssim"], [-0.25, -0.5, -1, np.nan])
    assert list(found.problems) == [3] and "has no row of it" in found.problems[3]


def test_columns_with_empty_cells_are_left_out(tmp_path: Path) -> None:
    assert list(table(tmp_path, "image,mse,body_mse\n1,4,\n2,3,5\n").scores) == ["mse"]


def test_what_does_not_fit_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"has none of the 4 images; its first is 'x', and theirs is '1\.png'"):
        scores_of(table(tmp_path, "image,mse\nx,1\n"), PATHS)
    with pytest.raises(DataError, match="names an image twice"):
        scores_of(table(tmp_path, "image,mse\n2,1\n2,2\n"), PATHS)


def test_thresholds_let_nineteen_of_twenty_validation_images_pass(tmp_path: Path) -> None:
    paths = [Path(f"{n}.png") for n in range(24)]
    lines = "".join(f"{n},{n + 1}\n" for n in range(24))
    rows = Selected(np.array([20, 21]), np.array([22, 23]), np.arange(20), [""] * 20)
    ((detector,), problem) = projected_detectors(scores_of(table(tmp_path, f"image,mse\n{lines}"), paths), rows)
    assert problem is None
    assert (detector.metric, detector.threshold, detector.chosen_on) == ("mse", 19.0, "validation")
    assert detector.inside.tolist() == [21, 22] and detector.outside.tolist() == [23, 24]
    few = Selected(np.array([20]), np.array([22]), np.arange(5), [""] * 5)
    ((detector,), problem) = projected_detectors(scores_of(table(tmp_path, f"image,mse\n{lines}"), paths), few)
    assert detector.threshold is None and problem is not None and "scores without a threshold" in problem
