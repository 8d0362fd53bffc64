"""Results in words: each outcome from a literal document."""

from dataclasses import replace
from typing import Any

import pytest

from sitegen_runtime.bundle.model import Label
from sitegen_runtime.calibration import CALIBRATIONS
from sitegen_runtime.gate.refusal import reason_of_ssim
from sitegen_runtime.wording.results import describe, percent_means
from tests.helpers.runtime.models import model

ACCEPTED = {"metric": "ssim", "score": 0.75, "threshold": 0.6, "accepted": True, "reason": None}
REFUSED = {"metric": "ssim", "score": 0.25, "threshold": 0.6, "accepted": False, "reason": "In one text."}
UNLIKE = reason_of_ssim(0.25, 0.6)
NOTHING: dict[str, Any] = {"findings": [], "gate": None, "correction": None, "badge": None, "marks": []} | {
    "strongest": None,
    "seen": None,
    "force": None,
    "pictures": None,
    "times": None,
}
PICTURES = {
    "plain": "The image scan.png",
    "errors": "The image scan.png, with the places that its reconstruction misses in red",
    "reconstruction": "The reconstruction of scan.png",
    "unmapped": "The image scan.png, without a map yet",
}
ABOVE = {"label": "Effusion", "logit": 0.0, "probability": 0.5, "operating_point": 0.25} | {
    "calibrated": 0.6667,
    "calibration": "piecewise-linear",
    "calibrated_operating_point": 0.5,
}
BELOW = {"label": "Mass", "logit": -2.0, "probability": 0.1192, "operating_point": 0.5} | {
    "calibrated": None,
    "calibration": None,
    "calibrated_operating_point": None,
}


def document(gate: dict[str, Any] | None = None, *findings: dict[str, Any], **others: Any) -> Any:
    common = {"image": {"name": "scan.png"}, "timings": {}, "notes": []}
    return {"gate": gate, "findings": list(findings), **common, **others}


def test_findings() -> None:
    words = describe(document(ACCEPTED, ABOVE, BELOW, notes=["Only the first frame was analysed."]))
    assert words == NOTHING | {
        "verdict": "Effusion: above the threshold",
        "strongest": "Effusion",
        "row": "Effusion, above",
        "pictures": PICTURES,
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
                "value": 67,
                "percent": "67 %",
                "verdict": "at or above the operating point",
                "text": "67 %, at or above the operating point",
                "spoken": "67 %, at or above the operating point",
                "above": True,
                "meaning": percent_means("piecewise-linear"),
                "weak": None,
                "known": ["Nobody has measured this here."],
                "predictive": [],
                "rank": 0,
                "absence": False,
            },
            {
                "label": "Mass",
                "share": 0.1192,
                "mark": 0.5,
                "value": 12,
                "percent": "12 %",
                "verdict": "below the operating point",
                "text": "12 %, below the operating point",
                "spoken": "12 %, below the operating point",
                "above": False,
                "meaning": percent_means(None),
                "weak": None,
                "known": ["Nobody has measured this here."],
                "predictive": [],
                "rank": 1,
                "absence": False,
            },
        ],
    }


def test_without_calibration_the_mark_is_the_operating_point() -> None:
    entry = describe(document(ACCEPTED, BELOW | {"operating_point": 0.05}))["findings"][0]
    assert (entry["share"], entry["mark"], entry["above"]) == (0.1192, 0.05, True)


def test_the_mark_lies_where_the_calibration_takes_the_operating_point() -> None:
    fitted = ABOVE | {"calibration": "platt", "calibrated": 0.125, "calibrated_operating_point": 0.0625}
    entry = describe(document(ACCEPTED, fitted))["findings"][0]
    assert (entry["share"], entry["mark"], entry["percent"], entry["above"]) == (0.125, 0.0625, "12 %", True)


FITTED = {
    "temperature": "temperature scaling",
    "platt": "Platt scaling",
    "beta": "beta calibration",
    "isotonic": "isotonic regression",
}


def test_every_fitted_calibration_is_here() -> None:
    assert ["piecewise-linear", *FITTED] == list(CALIBRATIONS)


@pytest.mark.parametrize(("method", "name"), FITTED.items())
def test_a_fitted_calibration_is_named_and_its_50_percent_explained(method: str, name: str) -> None:
    meaning = percent_means(method)
    assert f"calibrated on validation images ({name})" in meaning
    assert "of those shown at 50 %, about half had the finding" in meaning
    untold = describe(document(ACCEPTED, ABOVE | {"calibration": method}))["findings"][0]["meaning"]
    assert untold.startswith(f"a probability that was calibrated ({name}), on which images is not told")


def test_a_stretched_probability_is_not_called_a_frequency() -> None:
    assert "operating point lies at 50 %" in percent_means("piecewise-linear")
    assert "50 % does not mean that every second image has the finding" in percent_means("piecewise-linear")
    assert percent_means(None) == "the model's probability; the mark is its operating point."


def test_a_probability_at_the_operating_point_is_above() -> None:
    finding = ABOVE | {"probability": 0.25, "calibrated": 0.5}
    assert describe(document(ACCEPTED, finding))["findings"][0]["above"] is True


def test_refused() -> None:
    assert describe(document(REFUSED, notes=["A note."])) == NOTHING | {
        "outcome": "refused",
        "verdict": "Not analysed: this image is unlike those that the gate knows",
        "row": "refused",
        "headline": "Not analysed: this image is unlike those that the gate knows",
        "details": [UNLIKE, "A note."],
        "pictures": PICTURES,
        "force": {
            "button": "Analyse anyway…",
            "question": "The gate knows no images like this; the model's answer means nothing. Really?",
            "confirm": "Yes, and mark it as forced",
        },
    }


def test_forced() -> None:
    words = describe(document(REFUSED, ABOVE, forced=True))
    assert words["outcome"] == "findings"
    assert words["headline"] == "Analysed although the gate refused it: do not rely on this"
    assert words["details"] == [UNLIKE]
    assert [entry["label"] for entry in words["findings"]] == ["Effusion"]
    assert words["badge"] == {"short": "Forced", "long": "Forced: the gate refused this image"}
    assert words["marks"] == ["forced"]
    assert words["force"] is None
    assert words["findings"][0]["spoken"].endswith("operating point. Forced: the gate refused this image")
    assert words["pictures"] == {
        "plain": "The image scan.png. Forced: the gate refused this image",
        "errors": PICTURES["errors"] + ". Forced: the gate refused this image",
        "reconstruction": "The reconstruction of scan.png. Forced: the gate refused this image",
        "unmapped": PICTURES["unmapped"],
    }


@pytest.mark.parametrize(
    ("correction", "done"),
    [
        ("turn-90", "turned by 90° clockwise"),
        ("turn-180", "turned by 180°"),
        ("turn-270", "turned by 90° anticlockwise"),
        ("invert", "inverted"),
    ],
)
def test_a_correction_is_said_and_can_be_undone(correction: str, done: str) -> None:
    words = describe(document(ACCEPTED, ABOVE, correction=correction))
    assert words["headline"] == f"Analysed ({done})"
    assert words["correction"] == {"done": done, "undo": "Analyse it as it is in the file"}
    assert (words["marks"], words["badge"]) == ([correction], None)


def test_a_corrected_image_that_is_forced_carries_both_marks() -> None:
    words = describe(document(REFUSED, ABOVE, correction="invert", forced=True))
    assert words["headline"] == "Analysed although the gate refused it: do not rely on this (inverted)"
    assert words["marks"] == ["invert", "forced"]


def test_a_model_without_gate_says_so() -> None:
    words = describe(document(None, ABOVE))
    assert words["outcome"] == "findings"
    assert words["details"] == ["This model has no gate: nothing checked whether the image is of the right kind."]


@pytest.mark.parametrize(
    ("code", "headline", "row"),
    [
        ("unsupported-type", "This kind of file cannot be read", "failed: no kind of file that can be read"),
        ("damaged-image", "This file is damaged", "failed: damaged"),
        ("too-large", "This image is too large", "failed: too large"),
        ("too-small", "This image is too small", "failed: too small"),
        ("unreadable-file", "This image could not be analysed", "failed: cannot be read"),
        ("cancelled", "Cancelled", "cancelled"),
        ("engine-failed", "This image could not be analysed", "failed"),
        ("a-code-of-the-future", "This image could not be analysed", "failed"),
    ],
)
def test_failures(code: str, headline: str, row: str) -> None:
    error = {"code": code, "message": "What happened."}
    failed: Any = {"error": error, "timings": {}, "notes": ["A note."]}
    assert describe(failed) == NOTHING | {
        "outcome": "failed",
        "verdict": headline,
        "row": row,
        "headline": headline,
        "details": ["What happened.", "A note."],
    }


def test_times_are_rounded_to_milliseconds() -> None:
    expected = {"name": "Time for each stage", "rows": [{"stage": "check", "text": "12 ms"}]}
    assert describe(document(ACCEPTED, ABOVE, timings={"check": 12.4}))["times"] == expected
    failed: Any = {"error": {"code": "cancelled", "message": "Stopped."}, "timings": {"check": 12.4}, "notes": []}
    assert describe(failed)["times"] == expected


def test_a_weak_finding_says_so_wherever_it_is_shown() -> None:
    labels = (Label("Effusion", 0.25, None, "AUC 0.660 on images from elsewhere"), Label("Mass", 0.5, None))
    weak, other = describe(document(ACCEPTED, ABOVE, BELOW), replace(model(gate=False), labels=labels))["findings"]
    assert weak["weak"] == "Weak: AUC 0.660 on images from elsewhere"
    assert weak["spoken"] == "67 %, at or above the operating point. Weak: AUC 0.660 on images from elsewhere"
    assert other["weak"] is None
    assert other["spoken"] == other["text"]


def test_the_absence_of_findings_is_told_from_a_finding() -> None:
    said = describe(document(ACCEPTED, ABOVE | {"label": "No finding"}, ABOVE))["findings"]
    assert [finding["absence"] for finding in said] == [True, False]
