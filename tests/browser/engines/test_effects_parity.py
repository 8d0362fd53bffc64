"""Comparing changed images: each kind of difference is found, and what lies within the limits is not."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sitegen.browser.effects_parity import EffectsComparison, chosen, reference
from sitegen.bundle import Bundle
from sitegen.prediction import Predictor
from tests.helpers.browser.support import encoded


@pytest.fixture(scope="module")
def expected(bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What Python says of one image with a bundle of three labels and a gate."""
    path = tmp_path_factory.mktemp("images") / "a.png"
    path.write_bytes(encoded(seed=4, size=64))
    predictor = Predictor(bundle)
    return reference(predictor, path, predictor.predict(path, force=True))


def compared(expected: Any, change: Callable[[Any], object], provider: str = "wasm") -> EffectsComparison:
    page = copy.deepcopy(expected)
    change(page)
    comparison = EffectsComparison(provider)
    comparison.add("a.png", page, expected)
    return comparison


def test_the_same_is_no_difference(expected: Any) -> None:
    comparison = compared(expected, lambda page: None)
    assert comparison.failures == []
    summary = comparison.summary()
    assert [summary[kind]["count"] for kind in ("what_if", "logits", "gate", "maps")] == [4 * 3 * 3, 4 * 3, 4, 2 * 2]
    assert [entry["runs"] for entry in expected["explanations"]] == [8, 8]
    assert [entry["filling"] for entry in expected["what_if"]] == ["black", "mean", "blur", "reconstruction"]


@pytest.mark.parametrize(
    ("change", "failure"),
    [
        (
            lambda page: page["what_if"][0]["findings"][1].update(after=0.5),
            "what if black: Pneumonia, after, differs by",
        ),
        (
            lambda page: page["what_if"][2]["findings"][0].update(logit_effect=9.0),
            "what if blur: Atelectasis, change of",
        ),
        (lambda page: page["what_if"][1].update(cells=1), "what if mean: 1 cells in the page"),
        (lambda page: page["what_if"][1]["gate"].update(score=0.25), "what if mean: the gate's score differs by"),
        (lambda page: page["what_if"][1]["gate"].update(accepted=None), "what if mean: the gate decides differently"),
        (lambda page: page["what_if"].pop(), "what if reconstruction: the page says nothing, Python a result"),
        (lambda page: page.pop("what_if"), "what if black: the page says nothing, Python a result"),
        (
            lambda page: page["explanations"][0]["values"].__setitem__(7, 99.0),
            "the map cem of Atelectasis (values) differs",
        ),
        (
            lambda page: page["explanations"][1]["values"].__setitem__(7, float("nan")),
            "cem-paper of Atelectasis (values)",
        ),
        (lambda page: page["explanations"][0]["standard_errors"].__setitem__(7, 9.0), "(standard errors) differs by"),
        (
            lambda page: page["explanations"][0].update(runs=7),
            "is another in the page: Atelectasis, cem, [32, 32], 7 runs",
        ),
    ],
)
def test_each_difference_is_told(expected: Any, change: Callable[[Any], object], failure: str) -> None:
    failures = compared(expected, change).failures
    assert any(failure in each for each in failures), failures


def test_a_graphics_card_may_be_further_off(expected: Any) -> None:
    def change(page: Any) -> None:
        page["what_if"][0]["findings"][0]["after"] += 2e-4

    assert len(compared(expected, change).failures) == 1
    assert compared(expected, change, "webgpu").failures == []


def test_an_error_on_one_side_alone_is_a_difference(expected: Any) -> None:
    def change(page: Any) -> None:
        page["what_if"][0] = {"regions": [], "filling": "black", "error": {"code": "engine-failed", "message": ""}}

    assert compared(expected, change).failures == ["a.png: what if black: the page says engine-failed, Python a result"]


def test_images_with_findings_are_chosen() -> None:
    documents: Any = {
        Path(name): {"findings": found} for name, found in (("a", []), ("b", [1]), ("c", [1]), ("d", [1]))
    }
    assert chosen(documents) == [Path("b"), Path("c")]
