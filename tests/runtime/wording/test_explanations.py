"""Maps in words: where they are strongest, what each method is called, what a saved picture carries."""

from typing import Any

import pytest

from sitegen_runtime.maps.heat_map import Look
from sitegen_runtime.maps.methods import METHODS
from sitegen_runtime.page_maps import read_look
from sitegen_runtime.wording.explanations import (
    SQUARE,
    describe_failure,
    describe_map,
    describe_methods,
    strongest_places,
)
from tests.helpers.runtime.models import LABELS, model

GRID = (6, 9)


def grid(**strengths: float) -> list[float]:
    """A map with strengths at cells that are called r<row>c<column>."""
    values = [0.0] * (GRID[0] * GRID[1])
    for place, strength in strengths.items():
        row, column = map(int, place[1:].split("c"))
        values[row * GRID[1] + column] = strength
    return values


@pytest.mark.parametrize(
    ("strengths", "sentence"),
    [
        ({"r0c0": 1.0}, "Strongest in the upper left of the picture."),
        ({"r1c4": 1.0}, "Strongest at the top of the picture."),
        ({"r0c8": 1.0}, "Strongest in the upper right of the picture."),
        ({"r2c2": 1.0}, "Strongest on the left of the picture."),
        ({"r3c3": 1.0}, "Strongest in the middle of the picture."),
        ({"r3c6": 1.0}, "Strongest on the right of the picture."),
        ({"r4c0": 1.0}, "Strongest in the lower left of the picture."),
        ({"r5c5": 1.0}, "Strongest at the bottom of the picture."),
        ({"r5c8": 0.001}, "Strongest in the lower right of the picture."),
        ({"r0c0": 0.79, "r5c8": 1.0}, "Strongest in the lower right of the picture."),
        (
            {"r0c0": 0.8, "r5c8": 1.0},
            "Strongest in the lower right of the picture, and almost as strong in the upper left.",
        ),
        (
            {"r0c0": 0.9, "r5c8": 1.0, "r3c4": 0.95},
            "Strongest in the lower right of the picture, and almost as strong in the middle and in the upper left.",
        ),
        (
            {"r0c0": 1.0, "r0c4": 1.0, "r0c8": 1.0, "r5c0": 1.0},
            "Strongest in the upper left of the picture, and almost as strong in 3 other parts of it.",
        ),
        ({"r0c0": -3.0}, "Nothing in this image raises the finding: the map is empty."),
        ({"r0c0": -3.0, "r5c0": 0.1}, "Strongest in the lower left of the picture."),
    ],
)
def test_where_a_map_is_strongest(strengths: dict[str, float], sentence: str) -> None:
    assert strongest_places(grid(**strengths), GRID) == sentence


def document(**more: Any) -> Any:
    bundle = {"name": "literal", "version": "2.1"}
    return {"image": {"name": "chest.png"}, "bundle": bundle} | more


def test_a_map_in_words() -> None:
    words = describe_map(document(), "Effusion", "saliency", grid(r0c0=1.0), GRID)
    assert words["title"] == "Saliency for Effusion"
    assert words["alternative"] == (
        "Saliency for Effusion, over the image chest.png. Strongest in the upper left of the picture."
    )
    assert (words["badge"], words["marks"]) == (None, [])
    assert words["file"] == "chest.png.saliency.Effusion.png"
    assert words["saved"]["lines"] == [
        "Saliency for Effusion",
        "chest.png",
        "Strongest in the upper left of the picture.",
        "Not for diagnostic use. literal 2.1",
    ]
    assert words["saved"]["legend"] == {"least": "little influence", "most": "strongest"}


def test_a_map_of_the_middle_alone() -> None:
    words = describe_map(document(), "Effusion", "saliency", grid(r0c0=1.0), GRID, covered=SQUARE)
    assert words["place"] == "Strongest in the upper left of the square in the picture's middle."


def test_what_was_forced_and_corrected_is_marked() -> None:
    forced = document(forced=True, correction="turn-90")
    words = describe_map(forced, "Mass/Nodule", "guided-grad-cam", grid(r0c0=1.0), GRID)
    assert words["file"] == "chest.png.guided-grad-cam.Mass-Nodule.turn-90.forced.png"
    assert words["alternative"].endswith("Forced: the gate refused this image.")
    lines = words["saved"]["lines"]
    assert "Forced: the gate refused this image." in lines
    assert "The image was turned by 90° clockwise before it was analysed." in lines
    assert any("Adebayo et al. 2018" in line for line in lines)


def test_methods_of_a_model_with_a_gradient_graph_alone() -> None:
    offered = describe_methods(model(gradient=True))
    methods = {entry["method"]: entry for entry in offered["methods"]}
    assert list(methods) == list(METHODS)
    assert [method for method, entry in methods.items() if entry["reason"] is None] == [
        "saliency",
        "smoothgrad",
        "integrated-gradients",
        "cem",
        "cem-paper",
    ]
    assert offered["method"] == "saliency"
    assert methods["cam"]["choice"] == "CAM (not for this model)"
    assert methods["guided-grad-cam"]["choice"] == "Guided Grad-CAM (fails sanity checks, not for this model)"
    assert [method for method, entry in methods.items() if entry["warning"]] == ["guided-grad-cam"]
    assert [entry["finding"] for entry in offered["findings"]] == [*LABELS, "all"]
    assert [entry["isAll"] for entry in offered["findings"]] == [False, False, False, True]


def test_a_feature_map_makes_grad_cam_the_first_choice() -> None:
    offered = describe_methods(model(gradient=True, features=True))
    assert offered["method"] == "grad-cam"


def test_a_model_without_gradients_offers_what_needs_none() -> None:
    offered = describe_methods(model())
    assert offered["method"] == "cem"
    assert [entry["method"] for entry in offered["methods"] if entry["reason"] is None] == ["cem", "cem-paper"]


def test_the_controls_begin_with_the_usual_look() -> None:
    offered = describe_methods(model(gradient=True))
    controls = offered["look"]["controls"]
    assert read_look({control["key"]: control["value"] for control in controls}) == Look()
    for control in controls:
        for end in ("least", "most"):
            if end in control:
                read_look({control["key"]: control[end]})
        for choice in control.get("choices", ()):
            read_look({control["key"]: choice["value"]})


def test_progress_never_goes_back() -> None:
    offered = describe_methods(model(gradient=True))
    stages = offered["stages"]
    assert [entry["stage"] for entry in stages][-3:] == ["session", "explanation", "done"]
    assert [entry["begins"] for entry in stages[1:]] == [entry["ends"] for entry in stages[:-1]]
    assert all(entry["begins"] <= entry["ends"] for entry in stages)
    assert (stages[0]["begins"], stages[-1]["ends"]) == (0, 1)


def test_why_there_is_no_map() -> None:
    refused = document(explanations=[])
    assert describe_failure(refused, None) == {"headline": "No map: the gate refused this image", "details": []}
    error = {"code": "undefined-method", "message": "Not defined here."}
    entry: Any = {"finding": "Effusion", "method": "cam", "error": error}
    assert describe_failure(document(explanations=[entry]), entry) == {
        "headline": "This map could not be made",
        "details": ["Not defined here."],
    }
    stopped = document(error={"code": "cancelled", "message": "Stopped."})
    assert describe_failure(stopped, None) == {"headline": "Cancelled", "details": ["Stopped."]}
