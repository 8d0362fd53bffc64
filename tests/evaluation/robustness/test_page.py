import re
from html import unescape
from html.parser import HTMLParser
from typing import Any

import pytest
from rich.console import Console

from sitegen.evaluation.robustness.figure import cell_colours
from sitegen.evaluation.robustness.matrix import JudgedSet, Row, robustness_document
from sitegen.evaluation.robustness.page import as_html, as_tables
from sitegen.metrics.resampling import Resampling
from sitegen.training.augment import LEVELS

HOSTILE = '<script>alert("1")</script> $x_1$ & more'


def made(
    labels: tuple[str, ...] = ("Mass", "Hernia"), external: bool = True, names: tuple[str, ...] = ("none", "other.pt")
) -> dict[str, Any]:
    """A document of two models, whose AUCs are known: the first is right, the second wrong about one pair in four."""
    import numpy as np

    targets = np.tile(np.array([[0.0], [0.0], [1.0], [1.0]]), (1, len(labels)))
    targets[:, 1:] = 0.0  # nobody has any other finding
    sets = {"internal": JudgedSet("ours, test", targets, list("abcd"))}
    if external:
        sets["external"] = JudgedSet("theirs", targets, list("abcd"))
    right, wrong = np.arange(4.0)[:, None], np.array([[0.0], [2.0], [1.0], [3.0]])
    rows = [
        Row(
            name, f"{name}.pt", level, {role: dict.fromkeys(LEVELS, np.tile(scores, (1, len(labels)))) for role in sets}
        )
        for name, level, scores in zip(names, ("none", ""), (right, wrong), strict=True)
    ]
    return robustness_document(rows, sets, list(labels), Resampling(resamples=20)) | {"unreadable": []}


class Elements(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def elements(page: str, tag: str) -> list[dict[str, str | None]]:
    parser = Elements()
    parser.feed(page)
    return [attributes for name, attributes in parser.found if name == tag]


def test_every_finding_has_a_heat_map_and_tables() -> None:
    page = as_html(made())
    assert len(elements(page, "svg")) == 2
    captions = re.findall(r"<caption>(.*?)</caption>", page)
    assert [caption.split(":")[0] for caption in captions] == ["ours, test", "theirs"] * 2
    heads = re.findall(r"<thead>(.*?)</thead>", page)
    assert re.findall(r'<th scope="col">(.*?)</th>', heads[0]) == ["in training", *LEVELS]
    assert re.findall(r'<th scope="row">(.*?)</th>', page)[:2] == ["none", "other.pt"]
    first, second, *_ = re.findall(r"<tbody>(.*?)</tbody>", page, re.DOTALL)
    assert re.findall(r"<td>([\d.]+)<br>", first) == ["1.000"] * 4 + ["0.750"] * 4
    assert re.findall(r"<td>([\d.]+)<br>", second) == ["1.000"] * 4 + ["0.750"] * 4
    assert page.count("<td>–</td>") == 16  # both data sets lack the second finding
    assert "Not for diagnostic use." in page


def drawing_in(page: str) -> str:
    found = re.search(r"<svg.*?</svg>", page, re.DOTALL)
    assert found
    return found[0]


def test_the_heat_map_has_the_numbers_as_text_in_both_halves() -> None:
    drawing = drawing_in(as_html(made()))
    words = [unescape(text).strip() for text in re.findall(r"<text[^>]*>(.*?)</text>", drawing, re.DOTALL)]
    assert words.count("1.00") == 8
    assert words.count("0.75") == 8
    assert {"ours, test", "theirs", "none", "other.pt"} <= set(words)
    fills = re.findall(r"fill: (#[0-9a-f]{6})", drawing)
    assert fills.count(cell_colours(1.0)[0]) == 8
    assert fills.count(cell_colours(0.75)[0]) == 8


def test_without_external_data_there_is_one_half() -> None:
    page = as_html(made(external=False))
    assert len(re.findall(r"<caption>", page)) == 2
    assert "Data that training never saw" not in page
    assert drawing_in(page).count("1.00") == 4


def test_equal_documents_give_equal_pages_that_load_nothing() -> None:
    page = as_html(made())
    assert as_html(made()) == page
    assert not elements(page, "script") and not elements(page, "link") and not elements(page, "img")
    assert "url(http" not in page and " src=" not in page
    policy = next(each for each in elements(page, "meta") if each.get("http-equiv"))
    assert policy["content"] == "default-src 'none'; style-src 'unsafe-inline'"
    names = [each["id"] for tag in ("h2", "path", "clippath", "g") for each in elements(page, tag) if "id" in each]
    assert len(names) == len(set(names))


def test_names_are_text_wherever_they_stand() -> None:
    document = made(labels=(HOSTILE, "Mass"), names=(HOSTILE, "b"))
    document["data"]["internal"]["name"] = HOSTILE
    document["unreadable"] = [{"file": HOSTILE, "problem": HOSTILE}]
    page = as_html(document)
    assert "<script" not in page
    assert HOSTILE in unescape(page)
    assert page.count("$x_1$") >= 8  # Matplotlib took it for no formula


def test_unusable_images_are_named() -> None:
    problems = [{"file": "scan.png", "problem": "The file ends too early."}]
    page = as_html(made() | {"unreadable": problems})
    assert "<li>scan.png: The file ends too early.</li>" in page
    assert "could not be used" not in as_html(made())


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("area", [0.0, 0.5, 0.6, 0.7, 0.75, 0.8, 0.9, 1.0])
def test_text_on_a_cell_can_be_read(area: float) -> None:
    dark, light = sorted(luminance(colour) for colour in cell_colours(area))
    assert (light + 0.05) / (dark + 0.05) >= 4.5


def test_colours_rise_in_lightness_from_guessing_to_perfect() -> None:
    lightness = [luminance(cell_colours(area)[0]) for area in (0.5, 0.6, 0.7, 0.8, 0.9, 1.0)]
    assert lightness == sorted(lightness)
    assert cell_colours(0.2) == cell_colours(0.5)
    assert cell_colours(0.49) != cell_colours(0.6)


def test_tables_for_the_terminal() -> None:
    console = Console(width=80, record=True, force_terminal=False)
    for table in as_tables(made()):
        console.print(table)
    text = console.export_text()
    assert "Mass, ours, test: 2 of 4 images have it" in text
    assert "Hernia, theirs: 0 of 4 images have it" in text
    rows = [re.findall(r"[\d.]+ ±[\d.]+", line) for line in text.splitlines()]
    assert sum(len(row) == 4 for row in rows) == 4
