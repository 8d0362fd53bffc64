"""The parts of the benchmarks that compute: statistics, the chart, the weights that other engines are given."""

import json
import re
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
import torch
from torch import nn

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "benchmarks"))  # scripts, not a package

from bar_chart import Bar, bar_chart  # noqa: E402
from browser_engines import PAGE  # noqa: E402
from densenet_files import WeightFile, scale_and_shift  # noqa: E402
from gradient_conditions import Condition, disagreements, relative_distance  # noqa: E402
from page import ratio_table, reference_of  # noqa: E402
from samples import ratios, summarise  # noqa: E402

SVG = "{http://www.w3.org/2000/svg}"


def test_a_summary_has_median_and_range_of_the_rounds_that_took_part() -> None:
    summary = summarise([5.0, None, 1.0, 2.0, None, 4.0])
    assert (summary.median, summary.least, summary.most) == (3.0, 1.0, 5.0)
    assert summary.text() == "3 (1 to 5)"
    assert summary.text(2) == "3.00 (1.00 to 5.00)"


def test_what_never_ran_has_no_summary() -> None:
    with pytest.raises(ValueError, match="never ran"):
        summarise([None, None])


def test_ratios_are_taken_within_rounds() -> None:
    # The machine is twice as slow in the second round: the medians' ratio would be 3.
    assert ratios([10.0, 20.0, 30.0], [5.0, 10.0, None]) == [2.0, 2.0]


def test_ratios_need_the_same_rounds() -> None:
    with pytest.raises(ValueError, match="shorter"):
        ratios([1.0, 2.0], [1.0])


@pytest.mark.parametrize(
    ("way", "reference"),
    [
        ("now, firefox, http, cold", "before, firefox, http, cold"),
        ("now, chromium, http, 2 threads, warm", "now, chromium, http, warm"),
        ("before, webkit, file, cold", "before, webkit, file, cold"),
    ],
)
def test_ways_are_compared_with_the_site_before_and_with_one_thread(way: str, reference: str) -> None:
    assert reference_of(way) == reference


def test_ratios_of_ways_are_medians_of_rounds() -> None:
    def visits(*usable: float) -> list[dict[str, float] | None]:
        return [{"usable": value} for value in usable]

    results: Any = {
        "before, a, file, cold": visits(10, 10, 40),
        "now, a, file, cold": visits(20, 30, 40),
        "now, b": [None],
    }
    columns = [list(column.cells) for column in ratio_table(results).columns]
    assert columns == [["now, a, file, cold"], ["before, a, file, cold"], ["2.00 (1.00 to 3.00)"], [""], [""], [""]]


def parsed(svg: str) -> ElementTree.Element:
    return ElementTree.fromstring(svg)  # noqa: S314 - written a line ago


def bars_of(svg: str) -> list[ElementTree.Element]:
    """The bars of a chart, in their order: the squares of the legend are square."""
    return [rect for rect in parsed(svg).iter(f"{SVG}rect") if rect.get("width") != rect.get("height")]


def texts_of(svg: str) -> list[str]:
    return [text.text or "" for text in parsed(svg).iter(f"{SVG}text")]


def test_bars_are_as_long_as_their_values() -> None:
    svg = bar_chart("Times", "Two bars.", [Bar("a", 50, 40, 60, "x"), Bar("b", 100, 90, 200, "y")])
    short, long = bars_of(svg)
    assert float(long.attrib["width"]) == pytest.approx(2 * float(short.attrib["width"]), abs=0.1)
    # The scale ends with the longest range: 860 less 240 for labels and 120 for values is 500 for 200 ms.
    assert float(short.attrib["width"]) == 125.0
    assert short.get("fill") != long.get("fill")
    assert texts_of(svg) == ["Times", "x", "y", "a", "50 ms", "b", "100 ms"]


def test_a_bar_beyond_the_limit_is_cut_and_keeps_its_value() -> None:
    svg = bar_chart("Times", "", [Bar("a", 100, 100, 100, "x"), Bar("b", 12345, 1, 20000, "x")], limit=200)
    short, long = bars_of(svg)
    assert (float(short.attrib["width"]), float(long.attrib["width"])) == (250.0, 500.0)
    assert [path.get("class") for path in parsed(svg).iter(f"{SVG}path")] == ["range", "cut"]
    assert "12,345 ms" in texts_of(svg)


def test_a_chart_can_be_read_aloud() -> None:
    root = parsed(bar_chart("A < B & C", "All of it", [Bar('"a"', 1, 1, 1, "<x>")]))
    assert root.get("role") == "img"
    parts = {part.get("id"): part.text for part in root}
    assert [parts[name] for name in root.attrib["aria-labelledby"].split()] == ["A < B & C", "All of it"]
    assert texts_of(ElementTree.tostring(root, encoding="unicode")) == ["A < B & C", "<x>", '"a"', "1 ms"]


def test_a_chart_without_bars_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one bar"):
        bar_chart("Times", "", [])


def test_weights_lie_one_after_another() -> None:
    file = WeightFile()
    places = [file.add(torch.tensor([[1.0, 2.0], [3.0, 4.0]]).T), file.add(torch.tensor([5.0]))]
    assert places == [{"offset": 0, "shape": [2, 2]}, {"offset": 16, "shape": [1]}]
    assert np.frombuffer(b"".join(file.parts), "<f4").tolist() == [1, 3, 2, 4, 5]


def test_a_normalisation_is_its_scale_and_shift() -> None:
    torch.manual_seed(0)
    norm = nn.BatchNorm2d(3)
    nn.init.normal_(norm.weight)
    nn.init.normal_(norm.bias)
    norm(torch.randn(2, 3, 4, 4))
    images = torch.randn(1, 3, 4, 4)
    scale, shift = (values[None, :, None, None] for values in scale_and_shift(norm))
    assert torch.allclose(norm.eval()(images), scale * images + shift, atol=1e-6)


def test_distance_is_relative_to_the_reference() -> None:
    assert relative_distance(np.array([[3.0, 0.0]]), np.array([3.0, 4.0])) == 0.8


def condition(engine: str, logits: list[float], slope: list[float]) -> Condition:
    outputs = {"logits": np.array(logits), "grad_image": np.array(slope)}
    return Condition(engine, "forward + gradient", lambda: 0.0, lambda: outputs)


def test_engines_that_compute_something_else_are_not_timed() -> None:
    reference = condition("PyTorch, native", [1.0, 2.0], [3.0, 4.0])
    close = condition("close", [1.0, 2.0], [3.0, 4.05])
    found = disagreements([close, reference])
    assert found["close: forward + gradient"] == {"logits": 0.0, "grad_image": pytest.approx(0.01)}
    with pytest.raises(ValueError, match=r"far: forward.*: grad_image"):
        disagreements([condition("far", [1.0, 2.0], [4.0, 3.0]), reference])
    with pytest.raises(ValueError, match=r"lost: forward.*: logits"):
        disagreements([condition("lost", [float("nan"), 2.0], [3.0, 4.0]), reference])


def test_what_is_compared_with_is_pinned_by_hash_and_names_no_host() -> None:
    lock = (PAGE / "package-lock.json").read_text("utf-8")
    packages = json.loads(lock)["packages"]
    wanted = packages.pop("")["dependencies"]
    assert wanted == json.loads((PAGE / "package.json").read_text("utf-8"))["dependencies"]
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in wanted.values())
    assert all(package["integrity"].startswith("sha512-") for package in packages.values())
    assert "://" not in lock
