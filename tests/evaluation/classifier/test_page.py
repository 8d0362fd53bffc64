import copy
import json
import re
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sitegen.evaluation.classifier.document import evaluation_document
from sitegen.evaluation.classifier.page import as_html
from sitegen.evaluation.report.drawing import FIRST, figure
from sitegen.evaluation.report.forest import Row, forest_figure
from tests.helpers.scored_images import known_images, scored, scored_images

HOSTILE = '<script>alert("x")</script> $x_1$ --> {{ 7 * 7 }} & co'
VOID = {"meta", "br", "link", "img", "input", "hr"}


class Page(HTMLParser):
    """Elements in their order, the text of each, and whether every one that opens is closed again."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, Any]]] = []
        self.open: list[str] = []
        self.texts: list[str] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attributes)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.texts.append(data)

    def all(self, tag: str) -> list[Any]:
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())


@pytest.fixture(scope="module")
def document() -> Any:
    given = scored_images(accepted=np.arange(120) % 4 > 0, unreadable=((Path("broken.png"), "It is damaged."),))
    return evaluation_document(given, resamples=30, prevalences=[0.01, 0.1], against=scored_images(seed=4))


@pytest.fixture(scope="module")
def html(document: dict[str, Any]) -> str:
    return as_html(document)


@pytest.fixture(scope="module")
def page(html: str) -> Page:
    return Page(html)


def test_it_says_first_that_it_is_not_for_diagnosis(html: str, page: Page) -> None:
    assert page.text.index("Not for diagnostic use.") < page.text.index("At a glance")
    assert html.index("Not for diagnostic use.") < html.index("<table")


def test_it_loads_and_runs_nothing(html: str, page: Page) -> None:
    assert "http" not in html.replace("http-equiv", "")
    assert not re.search(r"url\((?!#)|@import|javascript:", html)
    assert not {"script", "link", "img", "iframe", "object", "form"} & {tag for tag, _ in page.elements}
    assert not [name for _, attributes in page.elements for name in attributes if name.startswith("on")]
    references = [attributes[name] for _, attributes in page.elements for name in ("href", "src") if name in attributes]
    assert references
    assert all(reference.startswith("#") for reference in references)
    policy = next(meta["content"] for meta in page.all("meta") if meta.get("http-equiv"))
    assert policy == "default-src 'none'; style-src 'unsafe-inline'"


def test_the_same_document_gives_the_same_bytes(document: dict[str, Any], html: str) -> None:
    assert as_html(json.loads(json.dumps(document))) == html
    assert not re.search(r"\b20\d\d-\d\d-\d\d", html)


def test_every_reference_meets_one_element(page: Page) -> None:
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    inside = [attributes["href"][1:] for _, attributes in page.elements if "href" in attributes]
    assert set(inside) <= set(ids)
    clips = re.findall(r"url\(#([^)]*)\)", " ".join(str(attributes) for _, attributes in page.elements))
    assert clips
    assert set(clips) <= set(ids)
    labelled = [attributes["aria-labelledby"] for _, attributes in page.elements if "aria-labelledby" in attributes]
    assert set(labelled) <= set(ids)


def test_tables_and_figures_have_names(page: Page) -> None:
    tables = [name for name, _ in page.elements if name == "table"]
    assert len(tables) == len(page.all("caption")) > 8
    assert all(attributes.get("scope") in ("col", "row", "colgroup") for attributes in page.all("th"))
    figures = page.all("svg")
    # Of each finding ROC, precision-recall, reliability, groups; the overview; three pairs and their differences.
    assert len(figures) == 3 * 4 + 3 + 3 * 2 + 1
    assert all(svg["role"] == "img" and svg["aria-label"].endswith(".") for svg in figures)
    boxes = [attributes for tag, attributes in page.elements if attributes.get("class") == "scroll"]
    assert len(boxes) == len(tables)
    assert all(box["tabindex"] == "0" and box["role"] == "region" and box["aria-label"] for box in boxes)


def test_headings_leave_no_level_out(page: Page) -> None:
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch(r"h\d", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_figures_follow_light_and_dark(html: str) -> None:
    drawings = re.findall(r"<svg.*?</svg>", html, re.DOTALL)
    assert not [each for drawing in drawings for each in re.findall(r": (#[0-9a-f]{6})", drawing)]
    assert all("var(--first)" in drawing for drawing in drawings)
    style = html[html.index("<style>") : html.index("</style>")]
    assert style.count("prefers-color-scheme: dark") >= 2
    used = set(re.findall(r"var\((--[a-z-]+)\)", html))
    assert used <= set(re.findall(r"(--[a-z-]+):", style))


def test_the_numbers_are_the_documents(document: dict[str, Any], page: Page) -> None:
    for entry in document["findings"]:
        assert f"AUC {entry['auc']['value']:.3f} ({entry['auc']['low']:.3f} to {entry['auc']['high']:.3f})" in page.text
    assert f"accepts 75.0 % of the images ({100 * document['accepted']['low']:.1f} %" in page.text
    assert "broken.png: It is damaged." in page.text
    told = " ".join(svg["aria-label"] for svg in page.all("svg"))
    assert f"ROC curve of Mass. AUC {document['findings'][0]['auc']['value']:.3f}" in told
    difference = document["against"]["findings"][0]["auc"]["difference"]
    assert f"Mass {difference['value']:.3f} ({difference['low']:.3f} to {difference['high']:.3f})" in told


def test_labels_and_names_are_text(document: dict[str, Any]) -> None:
    hostile = copy.deepcopy(document)
    for part in (hostile, hostile["against"]):
        part["model"] |= {"name": HOSTILE, "file": HOSTILE, "version": HOSTILE}
        part["findings"][0]["label"] = HOSTILE
    hostile["operating_points"] = hostile["unreadable"][0]["problem"] = hostile["data"]["splits"][0] = HOSTILE
    hostile["findings"][0]["by"] = {HOSTILE: {HOSTILE: hostile["findings"][0]["by"]["sex"]["F"]}}
    html = as_html(hostile)
    page = Page(html)
    assert "script" not in {tag for tag, _ in page.elements}
    assert page.text.count(HOSTILE) > 10
    assert "49" not in re.findall(r"\{\{ (\d+) \}\}", page.text)
    assert f"ROC curve of {HOSTILE}. " in " ".join(svg["aria-label"] for svg in page.all("svg"))


def test_one_label_of_which_nothing_is_known_makes_a_page() -> None:
    given = scored(known_images([[None], [None]], "A"), "A", [[1], [2]], [None], chosen_on="")
    page = Page(as_html(evaluation_document(given, resamples=20, prevalences=[0.1])))
    assert "there is nothing to measure" in page.text
    assert "none: sensitivity and what follows from it are not measured" in page.text
    assert page.all("svg") == []


@pytest.mark.parametrize("targets", [[0, 0, 0], [1, 1, 1]])
def test_one_class_alone_makes_a_page(targets: list[int]) -> None:
    given = scored(known_images([[value] for value in targets], "A"), "A", [[-1], [1], [2]], [0.5])
    page = Page(as_html(evaluation_document(given, resamples=20, prevalences=[0.1], against=given)))
    assert "Without both classes there is no AUC." in page.text
    assert "ROC" not in " ".join(svg["aria-label"] for svg in page.all("svg"))


def test_a_checkpoint_is_described() -> None:
    checkpoint = {"kind": "checkpoint", "name": "mine", "network": "densenet", "parameters": 4321, "file": "a/b.pt"}
    text = Page(as_html(evaluation_document(scored_images(model=checkpoint), resamples=20))).text
    assert "mine, checkpoint, densenet, 4321 weights, a/b.pt" in text


def test_a_drawing_has_no_traces_of_a_file() -> None:
    with figure("a", 3, 3) as drawn:
        drawn.axes.plot([0, 1], [0, 1], color=FIRST, label="$a$ <b>")
        drawn.axes.legend()
    svg = drawn.svg('says "so" & more')
    assert svg.startswith('<svg viewBox="0 0 216 216" role="img" aria-label="says &quot;so&quot; &amp; more"')
    assert svg.endswith("</svg>")
    assert "$a$ &lt;b&gt;</text>" in svg
    assert not re.search(r"<metadata|<!--|<\?xml|<style|DOCTYPE|xmlns|matplotlib|\.\d{3}", svg)


def test_two_drawings_share_no_ids() -> None:
    rows = [Row("all", {"value": 0.8, "low": 0.7, "high": 0.9}), Row("none")]
    one, same, other = (forest_figure(name, "Told.", rows, "AUC", 0.5) for name in ("one", "one", "other"))
    assert one == same
    assert set(re.findall(r'id="([^"]*)"', one)).isdisjoint(re.findall(r'id="([^"]*)"', other))
    assert 'aria-label="Told. all 0.800 (0.700 to 0.900); none not measurable."' in one


def test_long_names_are_cut_in_figures_alone() -> None:
    rows = [Row("a name that is much longer than others", {"value": 0.8, "low": 0.7, "high": 0.9})]
    svg = forest_figure("long", "Told.", rows, "AUC")
    assert "a name that is much l…</text>" in svg
    assert "a name that is much longer than others 0.800" in svg
