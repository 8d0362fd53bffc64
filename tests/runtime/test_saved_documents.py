"""Documents that come back from a file: those of the model are described again, all others are nothing."""

import json
from typing import Any

import pytest

from sitegen import resources
from sitegen.bundle import Bundle
from sitegen.prediction import Predictor
from sitegen_runtime.saved_documents import described_again
from sitegen_runtime.wording.results import describe


@pytest.fixture(scope="module")
def document(bundle: Bundle) -> Any:
    return Predictor(bundle).analyse((resources.default_bundle() / "golden.png").read_bytes(), "a.png").document


def test_words_are_made_anew(bundle: Bundle, document: Any) -> None:
    assert described_again(json.dumps(document).encode(), bundle.model) == (document, describe(document, bundle.model))


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
