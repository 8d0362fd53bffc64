"""The gate's judgement in words: positions, measures, reasons and offers from literal documents."""

from typing import Any

import pytest

from sitegen_runtime.bundle.gate import Gate, Quantiles
from sitegen_runtime.gate.refusal import reason_of_score, reason_of_ssim
from sitegen_runtime.wording.gate import CAPTIONS, describe_gate, position_in_words, reasons

TABLE = Quantiles("validation", (0.0, 0.5, 1.0), {"ssim": (0.5, 0.75, 1.0), "turned": (-1.0, 0.0, 1.0)})
GATE = Gate("ssim", 0.625, quantiles=TABLE)
TURNED = {"metric": "turned", "value": 0.5, "threshold": 0.25, "higher": "unlike", "passed": False, "position": 0.75}
LARGEST = {"metric": "max-logit", "value": 2.0, "threshold": 1.0, "higher": "alike", "passed": True, "position": None}
LAID_DOWN = {"check": "turned", "message": "It seems to lie on its side.", "correction": "turn-270"}
COLOURED = {"check": "colour", "message": "This is a colour photograph.", "correction": None}


def judged(score: float = 0.875, *scores: dict[str, Any], checks: tuple[dict[str, Any], ...] = ()) -> Any:
    fields = {"metric": "ssim", "score": score, "threshold": 0.625, "accepted": True, "reason": None, "position": 0.25}
    return fields | {"scores": list(scores), "checks": list(checks)}


def described(gate: dict[str, Any], settings: Gate = GATE, **others: Any) -> dict[str, Any]:
    document: Any = {"gate": gate, **others}
    return describe_gate(document, settings)


KNOWN = "of the validation images that the gate was set on."


@pytest.mark.parametrize(
    ("share", "words"),
    [
        (0.992, f"More unlike than 99.2 % {KNOWN}"),
        (0.5, f"More unlike than 50.0 % {KNOWN}"),
        (0.99999, f"More unlike than 99.9 % {KNOWN}"),
        (1.0, "At least as unlike as all " + KNOWN),
        (0.0, "Hardly more unlike than any " + KNOWN),
        (0.0009, "Hardly more unlike than any " + KNOWN),
        (None, None),
    ],
)
def test_positions_in_words(share: float | None, words: str | None) -> None:
    assert position_in_words(share, GATE) == words


def test_nothing_is_said_of_positions_without_a_table() -> None:
    assert position_in_words(0.5, Gate("ssim", 0.625)) is None


@pytest.mark.parametrize(
    ("gate", "sentence"),
    [
        (judged(0.5, TURNED, checks=(COLOURED,)), "This is a colour photograph."),
        (judged(0.5, TURNED, checks=(LAID_DOWN,)), "The gate's network could not draw this image well enough."),
        (
            judged(0.875, TURNED),
            "What the networks make of this image is unlike what they make of the images that the gate was made with.",
        ),
    ],
)
def test_a_refusal_has_one_plain_sentence(gate: dict[str, Any], sentence: str) -> None:
    refused = gate | {"accepted": False}
    assert described(refused, findings=[])["plain"] == sentence
    assert described(refused, findings=[{"label": "Pneumonia"}])["plain"] is None  # forced
    assert described(gate, findings=[])["plain"] is None


def test_measures_have_a_name_a_limit_and_a_place_on_the_scale() -> None:
    ssim, turned, largest = described(judged(0.875, TURNED, LARGEST))["measures"]
    assert ssim == {
        "label": "Similarity to its reconstruction (SSIM)",
        "text": "0.875; at least 0.625 is needed",
        "passed": True,
        "verdict": "Passed",
        "telling": False,
        "sentence": f"More unlike than 25.0 % {KNOWN}",
        "share": 0.25,
        "mark": 0.75,
        "percent": 25.0,
        "scale": "How unlike: Similarity to its reconstruction (SSIM)",
        "spoken": f"More unlike than 25.0 % {KNOWN} Refused beyond 75.0 %.",
    }
    assert (turned["text"], turned["passed"]) == ("0.500 higher; at most 0.250 higher is needed", False)
    assert (turned["share"], turned["mark"]) == (0.75, 0.625)
    assert largest["text"] == "88.1 %; at least 73.1 % is needed"
    assert (turned["verdict"], turned["telling"]) == ("Refused", True)
    assert {largest[key] for key in ("share", "mark", "percent", "scale", "sentence", "spoken")} == {None}


def test_a_measure_without_a_place_on_a_scale_tells_no_more_than_the_reason() -> None:
    missed = described(judged(0.875, LARGEST | {"passed": False}))["measures"][1]
    assert (missed["verdict"], missed["telling"]) == ("Refused", False)


def test_the_ssim_at_its_threshold_passes() -> None:
    assert described(judged(0.625))["measures"][0]["passed"] is True
    assert described(judged(0.624))["measures"][0]["passed"] is False


def test_documents_of_a_bundle_with_one_score_alone_are_read() -> None:
    old: Any = {"metric": "ssim", "score": 0.5, "threshold": 0.625, "accepted": False, "reason": "Unlike."}
    words = described(old, Gate("ssim", 0.625))
    assert words["accepted"] is False
    assert (words["offers"], words["captions"]) == ([], CAPTIONS)
    assert [measure["share"] for measure in words["measures"]] == [None]
    assert reasons(old) == [reason_of_ssim(0.5, 0.625)]


def test_reasons_are_those_of_what_failed() -> None:
    failed = judged(0.5, TURNED, LARGEST, checks=(COLOURED, LAID_DOWN))
    assert reasons(failed) == [
        reason_of_ssim(0.5, 0.625),
        reason_of_score("turned", 0.5, 0.25, "unlike"),
        "This is a colour photograph.",
    ]
    assert reasons(judged(0.875, LARGEST)) == []


@pytest.mark.parametrize(
    ("correction", "button"),
    [
        ("turn-90", "Turn by 90° clockwise and analyse"),
        ("turn-180", "Turn by 180° and analyse"),
        ("turn-270", "Turn by 90° anticlockwise and analyse"),
        ("invert", "Invert and analyse"),
    ],
)
def test_corrections_are_offered_in_words(correction: str, button: str) -> None:
    check = LAID_DOWN | {"correction": correction}
    expected = {"correction": correction, "message": "It seems to lie on its side.", "button": button}
    assert described(judged(0.5, checks=(COLOURED, check)))["offers"] == [expected]


def test_a_corrected_image_is_not_offered_another_correction() -> None:
    assert described(judged(0.5, checks=(LAID_DOWN,)), correction="turn-180")["offers"] == []
