"""Documents that come back from a file: those of the model are described again, all others are nothing."""

import json
from typing import Any

import pytest

from sitegen import resources
from sitegen.bundle import Bundle
from sitegen.prediction import Predictor
from sitegen_runtime.saved_documents import described_again
from sitegen_runtime.wording.changes import describe_what_if
from sitegen_runtime.wording.results import describe


@pytest.fixture(scope="module")
def document(bundle: Bundle) -> Any:
    return Predictor(bundle).analyse((resources.default_bundle() / "golden.png").read_bytes(), "a.png").document


@pytest.fixture(scope="module")
def tried(bundle: Bundle) -> Any:
    """A result of which one region was tried, and one could not be."""
    wanted = [{"regions": [[40, 40, 99, 99]], "filling": filling} for filling in ("mean", "nothing")]
    data = (resources.default_bundle() / "golden.png").read_bytes()
    return Predictor(bundle).what_if(data, wanted, name="a.png").document


def test_words_are_made_anew(bundle: Bundle, document: Any) -> None:
    words = describe(document, bundle.model) | {"what_if": [], "projection": None}
    assert described_again(json.dumps(document).encode(), bundle.model) == (document, words)


def test_regions_that_were_tried_are_described_again(bundle: Bundle, tried: Any) -> None:
    again = described_again(json.dumps(tried).encode(), bundle.model)
    assert again is not None
    assert again[0] == tried
    assert again[1]["what_if"] == describe_what_if(tried, bundle.model)
    assert [each["problem"] is None for each in again[1]["what_if"]] == [True, False]


@pytest.mark.parametrize(
    "change",
    [
        {"regions": []},
        {"regions": [[0, 0, 5]]},
        {"regions": [[0, 0, 5, "5"]]},
        {"regions": [[0, 0, 5, float("inf")]]},
        {"filling": 3},
        {"findings": [{"label": "Measles"}]},
        {"findings": "all"},
        {"cells": "many"},
        {"gate": "accepted"},
    ],
)
def test_regions_that_say_anything_else_are_nothing(bundle: Bundle, tried: Any, change: dict[str, Any]) -> None:
    entry = tried["what_if"][0] | change
    assert described_again(json.dumps(tried | {"what_if": [entry]}).encode(), bundle.model) is None


def test_noise_that_was_tried_is_described_again(bundle: Bundle, tried: Any) -> None:
    attack = {"method": "fgsm", "strength": 0.3, "steps": 10, "finding": None, "seed": 0}
    findings, gate = (tried["what_if"][0][key] for key in ("findings", "gate"))
    entry = {"attack": attack, "loss": {"before": 0.1, "after": 2.0}, "findings": findings, "gate": gate}
    document = tried | {"what_if": [entry]}
    again = described_again(json.dumps(document).encode(), bundle.model)
    assert again is not None
    assert again[1]["what_if"] == describe_what_if(document, bundle.model)
    for wrong in ({"strength": "x"}, {"steps": None}, {"method": 3}, {"finding": 5}, {"seed": float("nan")}):
        changed = document | {"what_if": [entry | {"attack": attack | wrong}]}
        assert described_again(json.dumps(changed).encode(), bundle.model) is None


@pytest.mark.parametrize("key", ["before", "after", "calibrated_after"])
def test_effects_must_be_numbers(bundle: Bundle, tried: Any, key: str) -> None:
    entry = tried["what_if"][0]
    first, *others = entry["findings"]
    for value in ("x", float("nan"), [1]):
        changed = entry | {"findings": [first | {key: value}, *others]}
        assert described_again(json.dumps(tried | {"what_if": [changed]}).encode(), bundle.model) is None


@pytest.mark.parametrize(
    "change",
    [
        {"bundle": {"name": "x", "version": "1", "sha256": "0" * 64}},
        {"findings": [{"label": "Measles"}]},
        {"findings": None},
        {"image": {"name": None}},
        {"gate": "accepted"},
        {"seen": [1]},
    ],
)
def test_what_is_none_of_the_models_is_nothing(bundle: Bundle, document: Any, change: dict[str, Any]) -> None:
    assert described_again(json.dumps(document | change).encode(), bundle.model) is None


@pytest.mark.parametrize("value", ["x", None, float("nan"), [1]])
def test_numbers_must_be_numbers(bundle: Bundle, document: Any, value: Any) -> None:
    first, *others = document["findings"]
    for key in ("logit", "probability", "operating_point"):
        changed = document | {"findings": [first | {key: value}, *others]}
        assert described_again(json.dumps(changed).encode(), bundle.model) is None


@pytest.mark.parametrize("data", [b"", b"[]", b"3", b"\xff", b'{"findings": []}'])
def test_what_is_no_document_is_nothing(bundle: Bundle, data: bytes) -> None:
    assert described_again(data, bundle.model) is None
