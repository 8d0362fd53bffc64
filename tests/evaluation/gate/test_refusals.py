from pathlib import Path

from sitegen.evaluation.refusals import accepts, refused_by_category


class Scripted:
    """Predicts what the names of the files say: probability, and "refused" or "damaged"."""

    def predict(self, path: Path, *, force: bool) -> dict:
        assert force  # findings of refused images are wanted too
        probability, *fate = path.stem.split("-")
        if "damaged" in fate:
            return {"error": {"code": "damaged-image", "message": "…"}}
        return {"gate": {"accepted": "refused" not in fate}, "findings": [{"probability": float(probability)}]}


def test_a_model_without_a_gate_accepts_everything() -> None:
    assert accepts({"gate": None, "findings": []})


def test_images_in_error_count_as_refused() -> None:
    files = [("hand", Path("0-refused.png")), ("page", Path("0.5.png")), ("hand", Path("0-damaged.png"))]
    assert refused_by_category(Scripted(), files) == {
        "hand": {"images": 2, "refused": 2},
        "page": {"images": 1, "refused": 0},
    }
