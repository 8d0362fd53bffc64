"""Documents of imports, written by hand."""

from typing import Any

EDGES = [round(-2 + 4 * at / 21, 6) for at in range(22)]


def document(**changes: Any) -> dict[str, Any]:
    """A whole document, with a text in it that must be escaped."""
    finding = {
        "label": "<b>Mass</b>",
        "operating_point": 0.25,
        "mean": 0.51,
        "p95": 1.23,
        "largest": 1.87,
        "changed": 3,
        "histogram": {"edges": EDGES, "counts": [0] * 10 + [4, 0, 3, 1] + [0] * 7},
    }
    return {
        "schema": "sitegen.import/1",
        "sitegen": "0.1.0",
        "onnxruntime": "1.31.1",
        "model": {"name": "demo", "version": "0.1.0", "title": "A demo & more"},
        "import": {"source": "onnx", "file": {"name": "demo.onnx", "sha256": "ab12"}},
        "input": {
            "side": 224, "colour": "rgb", "fit": "crop", "fill": [], "seen": "the centred square",
            "fraction": 1.0, "range": [0.0, 1.0],
            "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225],
        },
        "labels": [{"label": "<b>Mass</b>", "operating_point": 0.25, "calibration": "piecewise-linear"}],
        "graphs": ["classifier", "gradient", "cam"],
        "feature_map": True,
        "gate": None,
        "bytes": 28_400_000,
        "images": {"used": 8, "synthetic": True, "problems": [{"file": "a<i>.png", "problem": "is cut short"}]},
        "proof": {
            "images": 9, "library": "PyTorch 9.9", "logits": {"classifier.onnx": 3.4e-7, "gradient.onnx": 5.6e-7},
            "probability": 1.1e-8, "gradients": {"images": 8, "median": 2.2e-6, "largest": 3.3e-3}, "tolerance": 1e-5,
            "float32": None,
        },
        "weights": {
            "form": "half",
            "numbers": 6966034,
            "images": 9,
            "logits": {"classifier.onnx": 4.4e-7},
            "mean": 0.00011,
            "largest": 0.0042,
        },
        "preprocessing": {
            "described": "shorter side to 256", "images": 8,
            "problems": [{"file": "b.png", "problem": "is no image"}],
            "tensor": {"mean": 0.031, "p95": 0.12, "largest": 0.66},
            "findings": [finding],
            "fractions": [
                {"fraction": 0.85, "tensor": 0.02, "probability": 0.4},
                {"fraction": 0.875, "tensor": 0.004, "probability": 0.1},
                {"fraction": 1.0, "tensor": 0.031, "probability": 0.51},
            ],
            "suggested": 0.875,
        },
        "remarks": ["The last layer was cut."],
    } | changes  # fmt: skip
