"""What documents say of the page and of the code is so, and their links lead somewhere."""

import re
from pathlib import Path

import pytest

from sitegen import resources
from sitegen.browser.parity import BORDERS, WASM, WEBGPU, Tolerance
from sitegen.site.page import index_policy
from tests.helpers.documents import DOCUMENTS, ROOT, read


def test_the_pages_api_is_documented() -> None:
    script = (resources.templates() / "page" / "api.js").read_text("utf-8")
    body = script[script.index("globalThis.sitegen = ") :]
    members = re.findall(r"^  (?:async )?(\w+)[:(]", body, re.MULTILINE)
    assert members == ["ready", "bundles", "configure", "analyse", "gradient"]
    text = read("docs/page-api.md")
    assert all(f"sitegen.{member}" in text for member in members)
    options = ["name", "bundle", "force", "signal", "onProgress", "seed"]
    assert all(f"| `{option}` |" in text for option in options)


def test_documented_tolerances_are_the_ones_that_are_checked() -> None:
    text = read("docs/verify.md")
    assert (Tolerance(1e-5, 1e-6), Tolerance(2.5e-4, 1e-3)) == (WASM, WEBGPU)
    assert "| probabilities | within 1e-5 |" in text
    assert "| gate scores | within 1e-6 |" in text
    assert len(BORDERS) + 1 == 10
    assert "ten counts" in text


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document: Path) -> None:
    targets = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", document.read_text("utf-8"))
    local = [target for target in targets if "://" not in target]
    assert [target for target in local if not (document.parent / target).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_nothing_was_left_to_fill_in(document: Path) -> None:
    assert not re.search(r"\{\{|TODO|FIXME|XXX", document.read_text("utf-8"))


def test_the_map_of_the_code_is_the_code() -> None:
    text = read("README.md")
    named = text[text.index("## Map of the code") : text.index("Dependencies point one way")]
    tool, runtime = ROOT / "sitegen", ROOT / "runtime" / "sitegen_runtime"
    packages = {path.parent.name for folder in (tool, runtime) for path in folder.glob("*/__init__.py")}
    assert {"cli", "gradient", "site", "formats", "wording"} <= packages
    assert [package for package in packages if f"{package}/" not in named] == []


def test_the_documented_policy_is_the_one_that_is_built() -> None:
    text = " ".join(read("docs/site.md").split())
    policy = re.sub(r"'sha256-[^']+'", "'sha256-…'", index_policy("script", "style"))
    assert policy in text


def test_documented_messages_are_the_pages_own() -> None:
    pages = "".join(path.read_text("utf-8") for path in sorted(resources.templates().rglob("*.[jh]*")))
    rows = re.findall(r"^\| (?!message|-)(.+?) \|", read("docs/site.md"), re.MULTILINE)
    assert len(rows) == 5
    for row in rows:
        assert re.sub(r"The file assets/… is (missing|damaged)", "The file ${file} is ${problem}", row) in pages
