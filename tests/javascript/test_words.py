"""Scripts say what the page does; what is said of an image is Python's (`sitegen_runtime.wording`)."""

import re
from pathlib import Path

import pytest

from sitegen import resources

SCRIPTS = sorted(resources.templates().rglob("*.js"))
# What only sentences about an image, its scores or its maps are made of. File names and the engine are the page's own.
OF_RESULTS = re.compile(
    r"analys|refus|accept|reconstruct|training image|\bunlike|\balike|similarity|probab|operating point|calibrat|"
    r"\bfinding|\bgate\b|diagnos|forced|correction|inverted| ms$|\} %$",
    re.IGNORECASE,
)
NUMBER_FORMATS = ("toFixed(", "toPrecision(", "toLocaleString(", "NumberFormat")


def sentences(script: str) -> list[str]:
    """The texts of a script that have several words, comments apart."""
    code = re.sub(r"/\*.*?\*/|(?<![:\"'])//[^\n]*", "", script, flags=re.DOTALL)
    texts = [quoted or template for quoted, template in re.findall(r'"([^"\n]*)"|`([^`]*)`', code)]
    return [text for text in texts if re.search(r"\w[^\w$]* [^\w]*\w", text)]


def of_results(script: str) -> list[str]:
    return [text for text in sentences(script) if OF_RESULTS.search(text)]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_no_script_says_anything_of_results(script: Path) -> None:
    text = script.read_text("utf-8")
    assert of_results(text) == []
    assert [way for way in NUMBER_FORMATS if way in text] == []


def test_what_a_script_says_is_seen() -> None:
    main = (resources.templates() / "page" / "main.js").read_text("utf-8")
    assert "Ready. Nothing you open leaves this machine." in sentences(main)
    assert sentences('// "not this one"\nconst text = "but this one"; /* "nor this one" */') == ["but this one"]


@pytest.mark.parametrize(
    "script",
    [
        'const headline = "This image could not be analysed";',
        "canvas.setAttribute('aria-label', `The reconstruction of ${name}`);",
        'summary.textContent = "Other measures of the gate";',
        "cell.textContent = `${time} ms`;",
        'const question = "The model never saw images like this, so it is forced.";',
        "const verdict = `${percent}, above the operating point`;",
    ],
)
def test_a_sentence_about_results_is_found(script: str) -> None:
    assert len(of_results(script)) == 1
