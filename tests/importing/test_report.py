"""The report of an import: every figure of its document, in a page that loads nothing."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import pytest

from sitegen.importing.report.figures import fraction_curve, histogram
from sitegen.importing.report.page import as_html, points
from tests.helpers.importing.report_documents import document


class _Page(HTMLParser):
    """The tags of a page with their attributes, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def test_the_page_has_the_figures() -> None:
    page = _Page(as_html(document()))
    for words in (
        "Import of A demo & more",
        "logits differ by 3.4e-07 at most from those of PyTorch 9.9 on 9 images",
        "probabilities differ by 1.87 percentage points at most",
        "28.4 MB",
        "224 × 224 rgb, the centred square, values 0 to 1, less 0.485 0.456 0.406, divided by 0.229 0.224 0.225",
        "none: nothing checks whether an image is of the right kind",
        "2.2e-06 apart in the median and 3.3e-03 at most",
        "Weights are rounded to 16 bits. The form has 6,966,034 numbers.",
        "0.01 percentage points on average and by 0.42 at most",
        "<b>Mass</b> 0.51 1.23 1.87 3 of 8",
        "tensors come closest with fraction = 0.875",
        "a<i>.png: is cut short",
        "b.png: is no image",
        "The last layer was cut.",
        "file, sha256 ab12",
        "Not for diagnostic use.",
    ):
        assert words in page.text, words


def test_nothing_is_loaded_or_run_and_texts_are_escaped() -> None:
    page = _Page(as_html(document()))
    assert {tag for tag, _ in page.tags}.isdisjoint({"script", "img", "link", "iframe", "b", "i"})
    policy = next(each["content"] for tag, each in page.tags if tag == "meta" and "http-equiv" in each)
    assert policy == "default-src 'none'; style-src 'unsafe-inline'"
    addresses = [value for _, each in page.tags for key, value in each.items() if key in ("src", "href")]
    assert [value for value in addresses if not str(value).startswith("#")] == []
    ids = [each["id"] for _, each in page.tags if "id" in each]
    assert len(ids) == len(set(ids))
    assert {str(value)[1:] for value in addresses} <= set(ids)
    figures = [each for tag, each in page.tags if tag == "svg"]
    assert len(figures) == 2
    assert all(each["role"] == "img" and each["aria-label"] for each in figures)


def _cases() -> Iterator[tuple[dict[str, Any], str]]:
    yield {"preprocessing": None}, "The source says nothing of how it makes numbers of an image file"
    yield {"weights": None}, "Preprocessing"
    without = {"images": 9, "library": None, "logits": {"gradient.onnx": 0.0}, "probability": None, "gradients": None}
    yield {"proof": without | {"tolerance": 1e-5}}, "there was no original to compare with"
    yield {"gate": {"name": "other", "version": "2", "sha256": "1"}}, "taken over from other 2"
    nothing: dict[str, Any] = {"images": 0, "tensor": None, "findings": [], "fractions": [], "suggested": None}
    yield {"preprocessing": document()["preprocessing"] | nothing}, "none of the images could be prepared"
    kept = document()["preprocessing"] | {"suggested": None}
    yield {"preprocessing": kept}, "No: none of the shares that were tried comes much closer to the source than 1.0"


@pytest.mark.parametrize(("changes", "words"), list(_cases()))
def test_what_there_is_not_is_said(changes: dict[str, Any], words: str) -> None:
    page = _Page(as_html(document(**changes)))
    assert words in page.text
    assert ("Weights are rounded to 16 bits" in page.text) == ("weights" not in changes)


def test_the_same_document_gives_the_same_bytes() -> None:
    assert as_html(document()) == as_html(document())


def test_bars_are_as_high_as_their_counts() -> None:
    drawn = histogram(document()["preprocessing"]["findings"][0])
    heights = [float(value) for value in re.findall(r'<rect [^>]* height="([\d.]+)"', drawn)]
    assert [round(4 * height / max(heights), 2) for height in heights] == [4, 3, 1]
    assert "0.51 percentage points on average, 1.87 at most, over 8 images" in drawn
    assert "&lt;b&gt;Mass" in drawn
    assert ">+2<" in drawn
    assert ">-2<" in drawn


def test_the_curve_marks_what_is_set_and_what_is_best() -> None:
    fractions = document()["preprocessing"]["fractions"]
    rings = r'<circle [^>]*r="6"'
    assert len(re.findall(rings, fraction_curve(fractions, 1.0, 0.875))) == 2
    assert len(re.findall(rings, fraction_curve(fractions, 1.0, None))) == 1
    assert "1 is set now. The best of them is 0.875" in fraction_curve(fractions, 1.0, 0.875)


@pytest.mark.parametrize(
    ("value", "words"),
    [(None, "–"), (0.0, "0.00"), (0.5, "0.50"), (12.345, "12.35"), (0.0042, "0.004"), (3e-5, "3e-05")],
)
def test_small_percentage_points_keep_a_digit(value: float | None, words: str) -> None:
    assert points(value) == words
