from pathlib import Path

import numpy as np
import pytest

from sitegen.data.manifest import Record
from sitegen.evaluation.figures import Observations, accepts, figures, observe, refused_by_category


class Scripted:
    """Predicts what the names of the files say: probability, and "refused" or "damaged"."""

    def predict(self, path: Path, *, force: bool) -> dict:
        assert force  # findings of refused images are wanted too
        probability, *fate = path.stem.split("-")
        if "damaged" in fate:
            return {"error": {"code": "damaged-image", "message": "…"}}
        return {"gate": {"accepted": "refused" not in fate}, "findings": [{"probability": float(probability)}]}


def record(name: str, label: str, patient: str) -> Record:
    return Record(Path(name), patient, {label: 1.0}, "valid", "nih")


def test_observations_keep_the_findings_of_refused_images():
    seen = observe(Scripted(), [record("0.75.png", "SICK", "a"), record("0.25-refused.png", "WELL", "b")], "SICK")
    assert seen.probabilities.tolist() == [0.75, 0.25]
    assert seen.targets.tolist() == [True, False]
    assert seen.accepted.tolist() == [True, False]
    assert seen.patients == ["a", "b"]


def test_an_image_that_cannot_be_analysed_is_named():
    with pytest.raises(ValueError, match=r"1 image.*0-damaged\.png"):
        observe(Scripted(), [record("0-damaged.png", "WELL", "a"), record("1.png", "SICK", "b")], "SICK")


def test_figures_of_a_worked_example():
    seen = Observations(
        np.array([0.9, 0.6, 0.3, 0.7, 0.2, 0.1, 0.1, 0.1]),
        np.array([True, True, True, False, False, False, False, False]),
        np.array([True] * 6 + [False] * 2),
        [f"p{index}" for index in range(8)],
    )
    measured = figures(seen, operating_point=0.5)
    assert measured["images"] == 8
    # Of 15 pairs, 0.7 beats 0.6 and 0.3.
    assert measured["auc"]["value"] == pytest.approx(13 / 15, abs=1e-4)
    assert measured["sensitivity"]["value"] == pytest.approx(2 / 3, abs=1e-4)
    assert measured["specificity"]["value"] == 0.8
    assert measured["accepted"]["value"] == 0.75
    for name in ("auc", "sensitivity", "specificity", "accepted"):
        assert measured[name]["low"] <= measured[name]["value"] <= measured[name]["high"]


def test_a_model_without_a_gate_accepts_everything():
    assert accepts({"gate": None, "findings": []})


def test_images_in_error_count_as_refused():
    files = [("hand", Path("0-refused.png")), ("page", Path("0.5.png")), ("hand", Path("0-damaged.png"))]
    assert refused_by_category(Scripted(), files) == {
        "hand": {"images": 2, "refused": 2},
        "page": {"images": 1, "refused": 0},
    }
