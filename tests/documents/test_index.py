"""Everybody finds the way: the index links every document, and figures that are quoted are one and the same."""

import re
from pathlib import Path

from sitegen import resources
from sitegen.bundle import load_bundle
from sitegen.site.help import help_text
from tests.helpers.documents import ROOT, read

PERSONAS = ("clinician", "teach", "hospital IT", "researcher", "data scientist", "developer")


def links(document: str) -> set[Path]:
    """The files of the repository that a document leads to."""
    folder = (ROOT / document).parent
    targets = re.findall(r"\]\(([^)#]+)", read(document))
    return {(folder / target).resolve() for target in targets if "://" not in target}


def test_every_document_is_linked_from_the_index() -> None:
    documents = {path.resolve() for path in (ROOT / "docs").glob("*.md")} - {ROOT / "docs" / "index.md"}
    assert len(documents) > 30
    assert documents - links("docs/index.md") == set()


def test_the_readme_leads_to_the_index_the_licence_and_nowhere_else() -> None:
    places = {path.relative_to(ROOT).as_posix() for path in links("README.md")}
    assert places == {"docs/index.md", "docs/screenshot.png", "LICENSE"}


def test_there_is_a_part_for_everybody() -> None:
    headings = re.findall(r"^## (.+)$", read("docs/index.md"), re.MULTILINE)
    assert [persona for persona in PERSONAS if not any(persona in heading for heading in headings)] == []
    assert len(headings) == len(PERSONAS)


def test_the_headline_is_the_worst_that_was_measured() -> None:
    study = read("docs/external-test.md")
    assert "**0.280 (0.226–0.337)**" in study
    assert "**0.280** (0.226–0.337)" in read("README.md")
    figures = read("docs/figures.md")
    aucs = [float(value) for value in re.findall(r"\b0\.\d{3}\b(?= \()", figures)]
    assert len(aucs) == 3
    assert aucs[0] == min(aucs) == 0.280
    sentence = "Figures from the collections of a training do not hold elsewhere"
    for document in ("README.md", "docs/figures.md", "docs/reading-a-result.md"):
        assert sentence in " ".join(read(document).split()), document


def test_what_is_quoted_of_the_shipped_model_is_what_its_page_says() -> None:
    written = " ".join(help_text([load_bundle(resources.default_bundle())]).replace("\\", "").split())
    headline = re.findall(r"At its worst it .*?, and flagged .*?\)\.", written)[0]
    quoted = " ".join(line.removeprefix("> ") for line in read("docs/reading-a-result.md").splitlines())
    assert headline in quoted
    flagged = re.findall(r"flagged (\d+) of 100 .*?\((\d+ to \d+);", headline)
    assert f"flagged | {flagged[0][0]} ({flagged[0][1]}) |" in read("docs/figures.md")
