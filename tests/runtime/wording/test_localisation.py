"""What maps are worth, in words: from what the bundle knows, and nothing where it knows nothing."""

import json
from typing import Any

from sitegen_runtime.bundle.model import Model, read_model
from sitegen_runtime.wording.explanations import describe_map
from sitegen_runtime.wording.localisation import worth_of_map, worth_of_maps
from tests.helpers.runtime.models import description, model


def pointing(verdict: str, value: float, usual: float | None, cases: int = 30, patients: int = 25) -> dict[str, Any]:
    interval = {"low": 0.0, "high": 1.0}
    return {
        "cases": cases,
        "patients": patients,
        "pointing": {"value": value, **interval},
        "usual": None if usual is None else {"value": usual, **interval},
        "difference": None,
        "verdict": verdict,
    }


def knowing(split: str | None = "test", patients: int = 34) -> Model:
    """A model that knows of saliency for two of its three findings."""
    findings = [
        {"finding": "Pneumonia", **pointing("worse", 0.405, 0.51)},
        {"finding": "Effusion", **pointing("too-few", 0.9, 0.1, cases=9, patients=9)},
    ]
    whole = pointing("no-better", 0.444, 0.445, cases=39, patients=patients)
    fields = json.loads(description(gradient=True))
    methods = [{"method": "saliency", "findings": findings, **whole}]
    return read_model(json.dumps(fields | {"localisation": {"split": split, "methods": methods}}).encode())


def test_figures_of_the_finding_itself() -> None:
    assert worth_of_map(knowing(), "Pneumonia", "saliency") == (
        "On test images with boxes drawn by radiologists (30 cases), the strongest place of such maps lay in the box "
        "in 41 of 100; the place where such boxes usually lie did so in 51 of 100: such a map does not show where the "
        "finding is."
    )


def test_of_few_patients_all_findings_together_are_told() -> None:
    assert worth_of_map(knowing(None), "Effusion", "saliency") == (
        "On images with boxes drawn by radiologists (of all its findings, 39 cases), the strongest place of such maps "
        "lay in the box in 44 of 100; the place where such boxes usually lie did so in 45 of 100: such a map is not "
        "shown to tell where the finding is."
    )


def test_of_few_patients_in_all_nothing_is_told() -> None:
    assert worth_of_map(knowing(patients=19), "Effusion", "saliency") is None
    assert worth_of_map(knowing(patients=19), "Pneumonia", "saliency") is not None


def test_nothing_is_said_of_what_is_not_known() -> None:
    assert worth_of_map(knowing(), "Atelectasis", "saliency") is None  # no boxes
    assert worth_of_map(knowing(), "Pneumonia", "grad-cam") is None
    assert worth_of_map(knowing(), "all", "saliency") is None
    assert worth_of_map(model(gradient=True), "Pneumonia", "saliency") is None  # of before


def test_of_all_findings_together_every_method_is_told() -> None:
    assert worth_of_maps(knowing()) == [
        (
            "saliency",
            "On test images with boxes drawn by radiologists (of all findings, 39 cases), the strongest place of such "
            "maps lay in the box in 44 of 100; the place where such boxes usually lie did so in 45 of 100: such a map "
            "is not shown to tell where the finding is.",
        )
    ]
    assert worth_of_maps(model(gradient=True)) == []


def test_a_map_carries_its_worth_wherever_it_is_shown() -> None:
    document: Any = {"image": {"name": "chest.png"}, "bundle": {"name": "literal", "version": "2.1"}}
    words = describe_map(document, "Effusion", "saliency", [1.0, 0.0], (1, 2), worth="It is worth something.")
    assert words["worth"] == "It is worth something."
    assert words["alternative"].endswith("It is worth something.")
    assert "It is worth something." in words["saved"]["lines"]
    assert describe_map(document, "Effusion", "saliency", [1.0, 0.0], (1, 2))["worth"] is None
