"""What documents say of the page and of the code is so, and their links lead somewhere."""

import re
from pathlib import Path

import pytest

from sitegen import resources
from sitegen.browser.parity import BORDERS, WASM, WEBGPU, Tolerance
from sitegen.evaluation.explanations import perturbation
from sitegen.site.page import index_policy
from sitegen_runtime import golden
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


def test_documented_tolerances_of_graphics_cards_are_the_ones_that_are_checked() -> None:
    text = read("docs/webgpu.md")
    assert (golden.LOGIT_TOLERANCE, golden.MAP_TOLERANCE, golden.SCORE_TOLERANCE) == (1e-3, 1e-2, 1e-3)
    assert "| `logits` | largest difference, of a logit beyond −1..1 as a share of it | 1e-3 |" in text
    assert "feature maps and their gradients | Euclidean distance, as a share of the norm | 1e-2 |" in text
    assert "| the gate's SSIM | difference | 1e-3 |" in text
    allowed = "probabilities must lie within 2.5e-4, gate scores and those beside the SSIM within 1e-3"
    assert allowed in read("docs/verify.md")


def test_documented_figures_of_perturbations_are_those_of_the_code() -> None:
    text = read("docs/explanation-evaluation.md")
    assert (perturbation.BLUR, perturbation.NOISE, perturbation.TOLERANCE) == (0.05, 0.01, 1e-4)
    assert "a standard deviation of 5 % of the side" in text
    assert "(1/6 at the sides, 1/12 at the corners)" in text
    assert "solved to 1e-4. Then comes noise of 1 % of the image's range" in text
    assert perturbation.ROAD_SHARES == (0.1, 0.2, 0.3, 0.5, 0.7, 0.9)
    assert "10, 20, 30, 50, 70 and 90 %" in text


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
