"""`Predictor.gradient` against the same network written in torch."""

import hashlib
from functools import partial
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import numpy_helper
from PIL import Image

from sitegen.bundle import Bundle
from sitegen.prediction import Predictor
from tests.helpers.prediction_reference import SMOOTH, luma, square_grid
from tests.helpers.rounding import allowed, assert_close
from tests.helpers.runtime.images import saved


def gradient_by_torch(bundle: Bundle, image: np.ndarray, seed: list[float]) -> dict[str, np.ndarray]:
    """The test model of `gradient_bundle`, written in torch, in float64."""
    weights = {
        tensor.name: torch.from_numpy(numpy_helper.to_array(tensor).astype(np.float64))
        for tensor in onnx.load(str(bundle.folder / "classifier.onnx")).graph.initializer
    }
    leaf = torch.from_numpy(image.astype(np.float64)).requires_grad_()
    active = torch.nn.functional.conv2d(leaf, weights["kernel"], stride=2).tanh()
    logits = active.mean(dim=(2, 3)) @ weights["linear"] + weights["bias"]
    pulled = torch.autograd.grad(logits, [leaf, active], torch.tensor([seed], dtype=torch.float64))
    tensors = {"gradient": pulled[0], "features": active, "features-gradient": pulled[1], "logits": logits}
    return {role: tensor.detach().numpy() for role, tensor in tensors.items()}


def test_gradients_are_those_of_torch(gradient_bundle: Bundle, tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(saved(SMOOTH, "PNG"))
    gradient = Predictor(gradient_bundle).gradient(path, {"Effusion": 2.0, "Atelectasis": -0.5}, force=True)
    document = gradient.document
    tensor = square_grid(luma(SMOOTH), 32).astype(np.float32)[None, None]
    reference = partial(gradient_by_torch, gradient_bundle, tensor, [-0.5, 0.0, 2.0])
    expected = reference()
    bounds = dict(zip(expected, allowed(lambda: list(reference().values()), list(expected.values())), strict=True))
    assert [entry["role"] for entry in document["gradients"]] == ["gradient", "features", "features-gradient"]
    for entry in document["gradients"]:
        ours = np.array(gradient.values[entry["role"]], np.float32).reshape(entry["shape"])
        assert_close(ours, expected[entry["role"]], bounds[entry["role"]], entry["role"])
        assert (entry["min"], entry["max"]) == (ours.min(), ours.max())
        assert entry["sha256"] == hashlib.sha256(ours.astype("<f4").tobytes()).hexdigest()
    logits = np.array([list(document["logits"].values())], np.float32)
    assert_close(logits, expected["logits"], bounds["logits"], "logits")
    assert document["image"]["name"] == str(path)
    assert document["engine"] == {"runtime": "cpython", "provider": "cpu", "threads": 1}


def test_logits_and_decision_are_those_of_the_analysis(gradient_bundle: Bundle) -> None:
    predictor = Predictor(gradient_bundle)
    data = saved(SMOOTH, "PNG")
    analysis = predictor.analyse(data, "image").document
    document = predictor.gradient(data, {"Effusion": 1}).document
    assert document["image"] == analysis["image"]
    assert document["gate"] == analysis["gate"]
    assert document["tensors"]["gradient"] == analysis["tensors"]["classifier"]
    logits = {finding["label"]: finding["logit"] for finding in analysis["findings"]}
    assert document["logits"] == pytest.approx(logits, abs=1e-5)


def test_gradients_of_files_that_cannot_be_read(gradient_bundle: Bundle, bundle: Bundle, tmp_path: Path) -> None:
    gradient = Predictor(gradient_bundle).gradient(tmp_path / "missing.png", {"Effusion": 1})
    assert gradient.document["error"]["code"] == "unreadable-file"
    assert gradient.document["schema"] == "sitegen.gradient/1"
    assert gradient.values == {}
    without = Predictor(bundle).gradient(saved(SMOOTH, "PNG"), {"Effusion": 1}, name="a.png")
    assert without.document["error"]["code"] == "missing-network"
    assert without.document["image"]["name"] == "a.png"


def test_an_image_that_the_gate_refuses_has_no_gradient(gradient_bundle: Bundle) -> None:
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (50, 50), dtype=np.uint8))
    predictor = Predictor(gradient_bundle)
    refused = predictor.gradient(saved(noise, "PNG"), {"Effusion": 1})
    assert refused.document["gate"]["accepted"] is False
    assert (refused.document["gradients"], refused.values) == ([], {})
    forced = predictor.gradient(saved(noise, "PNG"), {"Effusion": 1}, force=True)
    assert forced.document["forced"] is True
    assert len(forced.values["gradient"]) == 32 * 32


def test_gradients_are_corrected_too(gradient_bundle: Bundle) -> None:
    document = (
        Predictor(gradient_bundle)
        .gradient(saved(SMOOTH, "PNG"), {"Effusion": 1}, force=True, correction="turn-180")
        .document
    )
    analysis = Predictor(gradient_bundle).analyse(saved(SMOOTH, "PNG"), "image", force=True, correction="turn-180")
    assert document["correction"] == "turn-180"
    assert document["tensors"]["gradient"] == analysis.document["tensors"]["classifier"]
