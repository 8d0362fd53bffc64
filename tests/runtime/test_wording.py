"""Results in words: each outcome from a literal document."""

from typing import Any

import pytest

from sitegen_runtime.wording import describe

ACCEPTED = {"metric": "ssim", "score": 0.75, "threshold": 0.6, "accepted": True, "reason": None}
REFUSED = {"metric": "ssim", "score": 0.25, "threshold": 0.6, "accepted": False, "reason": "It is unlike."}
ABOVE = {"label": "Effusion", "logit": 0.0, "probability": 0.5, "operating_point": 0.25, "calibrated": 0.6667}
BELOW = {"label": "Mass", "logit": -2.0, "probability": 0.1192, "operating_point": 0.5, "calibrated": None}


def document(gate: dict[str, Any] | None = None, *findings: dict[str, Any], **others: Any) -> dict[str, Any]:
    return {"gate": gate, "findings": list(findings), "notes": [], **others}


def test_findings() -> None:
    words = describe(document(ACCEPTED, ABOVE, BELOW, notes=["Only the first frame was analysed."]))
    assert words == {
        "outcome": "findings",
        "headline": "Analysed",
        "details": [
            "The gate accepted the image: similarity 0.750, at least 0.600 is needed.",
            "Only the first frame was analysed.",
        ],
        "findings": [
            {
                "label": "Effusion",
                "share": 0.6667,
                "mark": 0.5,
                "percent": "67 %",
                "verdict": "at or above the operating point",
                "above": True,
            },
            {
                "label": "Mass",
                "share": 0.1192,
                "mark": 0.5,
                "percent": "12 %",
                "verdict": "below the operating point",
                "above": False,
            },
        ],
    }


def test_without_calibration_the_mark_is_the_operating_point() -> None:
    entry = describe(document(ACCEPTED, BELOW | {"operating_point": 0.05}))["findings"][0]
    assert (entry["share"], entry["mark"], entry["above"]) == (0.1192, 0.05, True)


def test_a_probability_at_the_operating_point_is_above() -> None:
    finding = ABOVE | {"probability": 0.25, "calibrated": 0.5}
    assert describe(document(ACCEPTED, finding))["findings"][0]["above"] is True


def test_refused() -> None:
    assert describe(document(REFUSED, notes=["A note."])) == {
        "outcome": "refused",
        "headline": "Not analysed: this image is unlike the training images",
        "details": ["It is unlike.", "A note."],
        "findings": [],
    }


def test_forced() -> None:
    words = describe(document(REFUSED, ABOVE, forced=True))
    assert words["outcome"] == "findings"
    assert words["headline"] == "Analysed although the gate refused it: do not rely on this"
    assert words["details"] == ["It is unlike."]
    assert [entry["label"] for entry in words["findings"]] == ["Effusion"]


def test_a_model_without_gate_says_so() -> None:
    words = describe(document(None, ABOVE))
    assert words["outcome"] == "findings"
    assert words["details"] == ["This model has no gate: nothing checked whether the image is of the right kind."]


@pytest.mark.parametrize(
    ("code", "headline"),
    [
        ("unsupported-type", "This kind of file cannot be read"),
        ("damaged-image", "This file is damaged"),
        ("too-large", "This image is too large"),
        ("too-small", "This image is too small"),
        ("cancelled", "Cancelled"),
        ("engine-failed", "This image could not be analysed"),
        ("a-code-of-the-future", "This image could not be analysed"),
    ],
)
def test_failures(code: str, headline: str) -> None:
    error = {"code": code, "message": "What happened."}
    assert describe({"error": error, "notes": ["A note."]}) == {
        "outcome": "failed",
        "headline": headline,
        "details": ["What happened.", "A note."],
        "findings": [],
    }
