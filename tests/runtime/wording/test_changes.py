"""What-if answers in words: shares as findings are shown, changes in points, who crosses, what the gate says."""

from dataclasses import replace
from typing import Any

import pytest

from sitegen.bundle import Bundle
from sitegen_runtime.wording.changes import describe_choices, describe_what_if
from sitegen_runtime.wording.what_if import NOISE, REGION, WHAT_IF

LABELS = ("Atelectasis", "Pneumonia", "Effusion")
ACCEPTED = {"accepted": True, "score": 0.9126, "threshold": 0.85, "scores": [], "checks": []}
REFUSED = ACCEPTED | {"accepted": False, "score": 0.5, "reason": "…"}


def finding(label: str, probability: float, operating_point: float = 0.5, **calibrated: Any) -> dict[str, Any]:
    nothing = {"calibrated": None, "calibrated_operating_point": None}
    return {"label": label, "probability": probability, "operating_point": operating_point} | nothing | calibrated


def effect(label: str, before: float, after: float, *calibrated: float) -> dict[str, Any]:
    shown = calibrated or (None, None)
    names = ("calibrated_before", "calibrated_after")
    numbers = {"before": before, "after": after, "effect": after - before, "logit_effect": 0.0}
    return {"label": label} | numbers | dict(zip(names, shown, strict=True))


def described(bundle: Bundle, findings: list[Any], effects: list[Any], **more: Any) -> dict[str, Any]:
    entry = {"regions": [[0, 0, 8, 8]], "filling": "black", "cells": 46, "findings": effects, "gate": ACCEPTED} | more
    document: Any = {"findings": findings, "gate": ACCEPTED, "what_if": [entry]}
    (said,) = describe_what_if(document, bundle.model)
    return said


def test_changes_are_told_in_percent_and_points(bundle: Bundle) -> None:
    findings = [finding("Atelectasis", 0.2), finding("Pneumonia", 0.62), finding("Effusion", 0.1)]
    effects = [effect("Atelectasis", 0.2, 0.2004), effect("Pneumonia", 0.62, 0.48), effect("Effusion", 0.1, 0.133)]
    said = described(bundle, findings, effects)
    shown = [(each["label"], each["before"], each["after"], each["change"]) for each in said["findings"]]
    assert shown == [  # in the order in which findings are shown
        ("Pneumonia", "62 %", "48 %", "−14"),
        ("Atelectasis", "20 %", "20 %", "±0"),
        ("Effusion", "10 %", "13 %", "+3.3"),
    ]
    assert [each["moved"] for each in said["findings"]] == [True, False, True]
    first = said["findings"][0]
    assert (first["start"], first["end"], first["mark"], first["above"]) == (0.62, 0.48, 0.5, False)
    assert first["crossed"] == "now below the operating point"
    assert first["spoken"] == "Pneumonia: 62 % before, 48 % after, −14 points, now below the operating point."
    assert said["summary"] == (
        "Most changed: Pneumonia, 62 % before, 48 % after. Pneumonia is now below the operating point."
    )
    assert said["title"] == "Black, over 4.5 % of what the model sees"  # 46 of 32 x 32
    assert said["brief"] == "Black, 4.5 %"
    assert said["problem"] is None


def test_shares_are_those_that_findings_are_shown_with(bundle: Bundle) -> None:
    calibrated = {"calibrated": 0.8, "calibrated_operating_point": 0.6}
    said = described(bundle, [finding("Pneumonia", 0.7, 0.5, **calibrated)], [effect("Pneumonia", 0.7, 0.5, 0.8, 0.6)])
    (change,) = said["findings"]
    assert (change["start"], change["end"], change["mark"]) == (0.8, 0.6, 0.6)
    assert change["above"]  # the operating point itself is above
    assert change["crossed"] is None


def test_who_crosses_is_named(bundle: Bundle) -> None:
    findings = [finding("No finding", 0.6), finding("Pneumonia", 0.3), finding("Effusion", 0.4)]
    effects = [effect("No finding", 0.6, 0.2), effect("Pneumonia", 0.3, 0.55), effect("Effusion", 0.4, 0.5)]
    assert described(bundle, findings, effects)["summary"] == (
        "Most changed: “No finding”, 60 % before, 20 % after. Effusion and Pneumonia are now at or above the operating "
        "point. “No finding” is now below the operating point."
    )
    still = [effect(each["label"], each["probability"], each["probability"] + 0.009) for each in findings]
    assert described(bundle, findings, still)["summary"] == "Nothing changes by a percentage point or more."


@pytest.mark.parametrize(
    ("judged", "accepted", "said"),
    [
        (ACCEPTED, True, "The gate accepts the changed image: similarity 0.913, at least 0.850 is needed."),
        (None, None, "This model has no gate: nothing checks whether the changed image is of the right kind."),
    ],
)
def test_what_the_gate_says(bundle: Bundle, judged: Any, accepted: bool | None, said: str) -> None:
    words = described(bundle, [finding("Mass", 0.2)], [effect("Mass", 0.2, 0.3)], gate=judged)
    assert words["gate"] == {"accepted": accepted, "text": said}


def test_a_refusal_says_why_and_what_the_answer_is_worth(bundle: Bundle) -> None:
    words = described(bundle, [finding("Mass", 0.2)], [effect("Mass", 0.2, 0.3)], gate=REFUSED)["gate"]
    assert words["accepted"] is False
    assert words["text"].startswith("The gate refuses the changed image.")
    assert "0.500" in words["text"]
    assert words["text"].endswith("The model's answer for it means little.")


def test_what_cannot_be_tried_is_told_by_its_error(bundle: Bundle) -> None:
    error = {"code": "bad-intervention", "message": "That is nowhere."}
    document: Any = {"what_if": [{"regions": [[0, 0, 1, 1]], "filling": "white", "error": error}], "findings": []}
    (said,) = describe_what_if(document, bundle.model)
    assert (said["problem"], said["summary"], said["findings"], said["gate"]) == (error["message"],) * 2 + ([], None)


def test_small_parts_and_large_ones(bundle: Bundle) -> None:
    def brief(cells: int) -> str:
        said: str = described(bundle, [finding("Mass", 0.2)], [effect("Mass", 0.2, 0.3)], cells=cells)["brief"]
        return said

    assert [brief(1), brief(512)] == ["Black, less than 0.1 %", "Black, 50 %"]


def test_a_filling_that_needs_a_gate_is_offered_with_one_alone(bundle: Bundle) -> None:
    with_gate = describe_choices(bundle.model)
    assert with_gate["filling"] == "reconstruction"
    assert [each["reason"] for each in with_gate["fillings"]] == [None] * 4
    choices = describe_choices(replace(bundle.model, gate=None))
    assert choices["filling"] == "blur"
    assert [each["value"] for each in choices["fillings"] if each["reason"]] == ["reconstruction"]
    assert 16 in [each["cells"] for each in choices["grids"]]


def test_every_hole_in_the_words_is_one_that_the_page_fills() -> None:
    holes = {hole for words in (WHAT_IF, REGION, NOISE) for text in words.values() for hole in text.split("{")[1:]}
    assert {hole.split("}")[0] for hole in holes} == {"row", "column", "cells", "state", "number", "places"}


def test_noise_is_told_and_offered(bundle: Bundle, gradient_bundle: Bundle) -> None:
    attack = {"method": "pgd", "strength": 2 / 255, "steps": 1, "finding": "Effusion", "seed": 0}
    entry = {"attack": attack, "loss": {"before": 0.1, "after": 0.9}, "findings": [effect("Effusion", 0.2, 0.7)]}
    document: Any = {"findings": [finding("Effusion", 0.2)], "gate": None, "what_if": [entry]}
    (said,) = describe_what_if(document, gradient_bundle.model)
    assert said["title"] == "Adversarial noise by PGD against Effusion, up to 0.784 % of the range, 1 step"
    assert said["brief"] == "PGD, 0.784 %, 1 step"
    assert said["name"] == "Noise {number}"
    assert said["findings"][0]["crossed"] == "now at or above the operating point"
    document["what_if"] = [{"attack": attack | {"method": "fgsm", "finding": None}, "error": {"message": "No."}}]
    (failed,) = describe_what_if(document, gradient_bundle.model)
    assert failed["title"] == "Adversarial noise by FGSM against all findings, up to 0.784 % of the range"
    assert (failed["problem"], failed["findings"]) == ("No.", [])
    offered = describe_choices(gradient_bundle.model)["noise"]
    assert offered["reason"] is None
    assert [(kind["value"], kind["several"]) for kind in offered["kinds"]] == [
        ("fgsm", False),
        ("bim", True),
        ("pgd", True),
    ]
    assert [size["value"] for size in offered["sizes"]] == [0.3, 2 / 255]
    assert offered["findings"][0] == {"value": None, "name": "All findings"}
    without = describe_choices(bundle.model)["noise"]["reason"]
    assert without == "This model has no network of its gradient, along which such noise is made."
