import csv
import json
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sitegen.errors import SettingsError
from sitegen.training.range_test.curve import WEIGHT_DECAYS, RangeCurve, range_rates
from sitegen.training.range_test.picture import draw_range_curves, range_document, range_picture, write_range_curves

SVG = "{http://www.w3.org/2000/svg}"


def curve(weight_decay: float = 0.0, steepest: float = 1e-3, noise: float = 0.0) -> RangeCurve:
    """A loss that falls fastest at a rate that is known, and explodes at the end."""
    rates = range_rates(1e-6, 1.0, 60)
    losses = 0.2 + 1 / (1 + (rates / steepest) ** 2) + np.where(rates > 0.3, 40 * rates, 0)
    losses += np.random.default_rng(1).normal(0, noise, len(losses))
    return RangeCurve(weight_decay, tuple(rates.tolist()), tuple(losses.tolist()))


CURVES = [curve(decay, rate, 0.02) for decay, rate in zip(WEIGHT_DECAYS, (1e-3, 1e-4, 1e-2, 3e-3), strict=True)]


def texts(svg: str) -> list[str]:
    return ["".join(part.itertext()) for part in ET.fromstring(svg).iter(f"{SVG}text")]  # noqa: S314 - our own


def drawn_lines(svg: str) -> list[ET.Element]:
    """The lines of the curves: of each the faint one, then the smoothed one with its mark."""
    axes = next(part for part in ET.fromstring(svg).iter(f"{SVG}g") if part.get("id") == "axes_1")  # noqa: S314
    return [part for part in axes.findall(f"{SVG}g") if (part.get("id") or "").startswith("line2d")]


def styled(line: ET.Element) -> dict[str, str]:
    style: Any = line.find(f"{SVG}path").get("style")
    return dict(each.split(": ") for each in style.split("; "))


def test_the_legend_says_what_each_weight_decay_suggests() -> None:
    found = texts(range_picture([curve(0.0, 1e-3), curve(0.1, 1e-4)]))
    assert "0: suggests 1.0e-03" in found
    assert "0.1: suggests 1.0e-04" in found
    assert {"weight decay", "learning rate", "loss of the batch"} <= set(found)


def test_each_curve_is_drawn_faintly_and_smoothed_in_colours_and_dashes_of_its_own() -> None:
    styles = [styled(line) for line in drawn_lines(range_picture(CURVES))]
    raw, smooth = styles[::2], styles[1::2]
    assert [each["stroke-opacity"] for each in raw] == ["0.25"] * 4
    assert not any("stroke-opacity" in each for each in smooth)
    colours = ["#0072b2", "#d55e00", "#009e73", "#cc79a7"]
    assert [each["stroke"] for each in raw] == [each["stroke"] for each in smooth] == colours
    assert len({each.get("stroke-dasharray") for each in smooth}) == 4


def test_suggestions_are_marked_on_a_logarithmic_scale() -> None:
    curves = [curve(steepest=rate) for rate in (1e-4, 1e-3, 1e-2)]
    assert [each.suggestion for each in curves] == pytest.approx([1e-4, 1e-3, 1e-2])
    marks = [mark for line in drawn_lines(range_picture(curves)) for mark in line.iter(f"{SVG}use")]
    left, middle, right = (float(mark.attrib["x"]) for mark in marks)
    assert middle - left == pytest.approx(right - middle, abs=0.01)
    assert middle - left > 50
    heights = [float(mark.attrib["y"]) for mark in marks]
    assert max(heights) - min(heights) < 5  # each halfway down the same wave


def test_an_explosion_does_not_flatten_the_rest() -> None:
    steep = curve()
    assert max(steep.losses) > 30 * steep.losses[0]
    numbers = [text for text in texts(range_picture([steep])) if text.replace(".", "").isdecimal()]
    assert 1.2 <= max(float(text) for text in numbers) <= 2.5


def test_a_curve_that_suggests_nothing_says_so() -> None:
    rising = RangeCurve(0.0, (1e-3, 1e-2, 1e-1, 1.0), (1.0, 2.0, 3.0, 4.0))
    assert rising.suggestion is None
    assert "0: suggests nothing" in texts(range_picture([rising]))


def test_equal_curves_give_equal_files_without_a_date() -> None:
    first = range_picture(CURVES)
    assert range_picture(CURVES) == first
    assert "dc:date" not in first
    assert range_picture([replace(CURVES[0], weight_decay=0.5), *CURVES[1:]]) != first


def test_the_picture_is_written_as_it_is(tmp_path: Path) -> None:
    draw_range_curves(CURVES, tmp_path / "curves.svg")
    assert (tmp_path / "curves.svg").read_bytes() == range_picture(CURVES).encode()
    with pytest.raises(SettingsError, match=r"curves\.png should end with \.svg"):
        draw_range_curves(CURVES, tmp_path / "curves.png")


def test_the_picture_can_be_read_aloud() -> None:
    title = ET.fromstring(range_picture([curve(0.1, 1e-3)])).find(f"{SVG}title").text  # noqa: S314 - our own
    assert title == "Loss against learning rate; by weight decay, 0.1: suggests 1.0e-03"


@pytest.mark.parametrize("curves", [[], [RangeCurve(0.0, (), ())]])
def test_there_must_be_something_to_draw(curves: list[RangeCurve]) -> None:
    with pytest.raises(ValueError, match="at least one curve, and a loss in each"):
        range_picture(curves)


def test_a_table_has_a_row_for_every_point(tmp_path: Path) -> None:
    short = RangeCurve(0.1, (1e-3, 1e-2, 1e-1), (3.0, 1.5, 6.0))
    write_range_curves([short, curve()], tmp_path / "curves.csv")
    with (tmp_path / "curves.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["weight_decay", "rate", "loss", "smoothed"]
    assert rows[1:4] == [["0.1", "0.001", "3.0", "3.0"], ["0.1", "0.01", "1.5", "3.5"], ["0.1", "0.1", "6.0", "6.0"]]
    assert len(rows) == 1 + 3 + 61


def test_a_document_has_curves_and_suggestions(tmp_path: Path) -> None:
    write_range_curves(CURVES, tmp_path / "curves.json")
    document = json.loads((tmp_path / "curves.json").read_text("utf-8"))
    assert document == range_document(CURVES)
    assert document["schema"] == "sitegen.range-test/1"
    assert [each["weight_decay"] for each in document["curves"]] == [0.0, 0.1, 1e-3, 1e-5]
    assert document["curves"][2]["suggestion"] == CURVES[2].suggestion
    assert document["curves"][2]["losses"] == list(CURVES[2].losses)


def test_the_ending_says_how_to_write(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"curves\.txt should end with \.csv or \.json"):
        write_range_curves(CURVES, tmp_path / "curves.txt")


def test_a_folder_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"nowhere.curves\.csv cannot be written: No such file"):
        write_range_curves(CURVES, tmp_path / "nowhere" / "curves.csv")
