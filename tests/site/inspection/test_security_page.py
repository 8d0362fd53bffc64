"""The page for those who must approve a site: what it shows is what holds."""

import json
import re
from dataclasses import replace
from hashlib import sha256
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import pytest

from sitegen.bundle import Bundle
from sitegen.site.inspection.security_page import MEANINGS, policy_of, security_text
from sitegen.site.integrity.checksums import POWERSHELL_LINE, SHELL_LINE
from sitegen.site.page import render_document


class Shown(HTMLParser):
    """Rows of tables, preformatted text, links and tags of a page."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.rows: list[list[str]] = []
        self.blocks: list[str] = []
        self.links: list[str] = []
        self.tags: list[str] = []
        self._into: list[str] | None = None
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "pre"):
            self._into = self.rows[-1] if tag == "td" else self.blocks
            self._into.append("")
        if tag == "a":
            self.links.append(dict(attributes)["href"] or "")

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "pre"):
            self._into = None

    def handle_data(self, data: str) -> None:
        if self._into is not None:
            self._into[-1] += data


@pytest.fixture(scope="module")
def html(site: Path) -> str:
    return (site / "security.html").read_text("utf-8")


@pytest.fixture(scope="module")
def shown(html: str) -> Shown:
    return Shown(html)


def test_the_policy_shown_is_that_of_the_index(site: Path, shown: Shown) -> None:
    index = (site / "index.html").read_text("utf-8")
    (carried,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', index)
    policy = {name: values for name, *values in (part.split() for part in unescape(carried).split(";"))}
    (block,) = (block for block in shown.blocks if "default-src" in block)
    assert {name: values for name, *values in (line.rstrip(";").split() for line in block.splitlines())} == policy
    assert policy["connect-src"] == ["'none'"]


def test_without_wheels_no_code_was_added(html: str) -> None:
    assert "Code that was added" not in html


def test_every_directive_is_explained(site: Path, shown: Shown) -> None:
    names = [part.split()[0] for part in policy_of((site / "index.html").read_text("utf-8")).split(";")]
    explained = dict(row for row in shown.rows if len(row) == 2)
    assert {name: explained[name] for name in names} == {name: MEANINGS[name].replace("`", "") for name in names}


def test_every_file_is_listed_but_those_that_come_after(site: Path, shown: Shown) -> None:
    listed = {
        name: (size, digest)
        for name, size, digest in (row for row in shown.rows if len(row) == 3 and len(row[-1]) == 64)
    }
    files = {path.relative_to(site).as_posix(): path.read_bytes() for path in site.rglob("*") if path.is_file()}
    after = {"security.html", "manifest.json", "SHA256SUMS"}
    assert listed == {
        name: (f"{len(content):,}", sha256(content).hexdigest()) for name, content in files.items() if name not in after
    }
    # What cannot be listed here is in the manifest and in SHA256SUMS, which are listed by no file but can be told.
    assert set(json.loads(files["manifest.json"])["files"]) == set(listed) | {"security.html"}
    assert f"{sha256(files['security.html']).hexdigest()}  security.html" in files["SHA256SUMS"].decode()


def test_the_lines_to_check_with_are_those_that_are_tested(shown: Shown) -> None:
    lines = [line for block in shown.blocks for line in block.splitlines()]
    assert SHELL_LINE in lines
    assert POWERSHELL_LINE in lines
    assert "sitegen verify --site FOLDER --integrity --sha256 NUMBER" in lines


def test_it_says_what_the_policy_does_not_stop(html: str) -> None:
    text = " ".join(unescape(re.sub("<[^>]*>", "", html)).split())
    for words in (
        "Browser extensions. They stand outside",
        "Policies do not govern navigation at all",
        "WebRTC",
        "Whoever changes index.html changes the policy",
        "Not for diagnostic use",
        "It is not tested in Safari",
        "Whom to ask",
        "does not update itself",
    ):
        assert words in text, words


def test_links_lead_to_files_and_the_index_leads_here(site: Path, shown: Shown) -> None:
    assert [link for link in shown.links if not (site / link).is_file()] == []
    assert {"sbom.json", "licences/index.html", "index.html"} <= set(shown.links)
    assert "security.html" in Shown((site / "index.html").read_text("utf-8")).links


def test_it_runs_no_script_and_its_own_policy_allows_none(html: str, shown: Shown) -> None:
    assert "script" not in shown.tags
    assert "script-src" not in policy_of(html)
    assert policy_of(html).startswith("default-src 'none'; ")


def test_a_contact_and_names_are_shown_as_they_are(site: Path, bundle: Bundle, tmp_path: Path) -> None:
    (tmp_path / "index.html").write_bytes((site / "index.html").read_bytes())
    (tmp_path / "a|b_c*d.txt").write_bytes(b"")
    nasty = bundle.description.model_copy(update={"title": "A <b>|*model*"})
    text = security_text(tmp_path, [replace(bundle, description=nasty)], contact="Ask **radiology**.", updates="Never.")
    page = render_document("t", text, "index.html")
    rows = {row[0] for row in Shown(page).rows if len(row) == 3 and len(row[-1]) == 64}
    assert rows == {"index.html", "a|b_c*d.txt"}
    assert "b" not in Shown(page).tags
    assert "A &lt;b&gt;|*model* (test-model 1.0)" in page
    assert "Ask <strong>radiology</strong>." in page
    assert "Never. A new version" in page


def test_a_page_needs_exactly_one_policy() -> None:
    meta = '<meta http-equiv="Content-Security-Policy" content="default-src &#39;none&#39;">'
    assert policy_of(meta) == "default-src 'none'"
    for html in ("", meta * 2):
        with pytest.raises(ValueError, match="policies, not 1"):
            policy_of(html)
