"""A bundle whose gate measures everything, with networks so simple that both engines compute the same.

The gate knows one image and rebuilds it from anything; so whatever is turned, inverted or no chest at all differs from
its reconstruction. The classifier's two features are the mean of the image and the mean of its upper half.
"""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from sitegen.bundle import Bundle, Description, describe_files, load_bundle, write_description
from sitegen.phantom import phantom
from tests.helpers.bundles import image_input

SIDE = 32
THRESHOLD = 0.8
LABELS = ("Atelectasis", "Pneumonia")
CHEST = phantom(seed=0, size=256)  # which the gate knows
# Rebuilt well, but its features lie far from those of known images: only the second stage refuses it.
DARK_TOP = (CHEST * np.linspace(0.5, 1.1, 256)[:, None]).clip(0, 255).astype(np.uint8)
Shapes = dict[str, list[int]]


def known_image() -> np.ndarray:
    """The one image that the gate knows, as shares of white: SIDE x SIDE, float32."""
    cells = CHEST.reshape(SIDE, 256 // SIDE, SIDE, 256 // SIDE)
    return (cells.mean((1, 3)) / 255).astype(np.float32)


def make_gate_bundle(folder: Path) -> Bundle:
    """Write the bundle and load it."""
    folder.mkdir(parents=True)
    _save_gate(folder)
    _save_classifier(folder)
    _save_features(folder)
    (folder / "card.md").write_text("# A test model\n\nNot for diagnostic use.\n", encoding="utf-8")
    names = [path.name for path in sorted(folder.iterdir())]
    description = Description.model_validate(
        {
            "schema": "sitegen.bundle/1",
            "name": "gate-model",
            "version": "1.0",
            "title": "Test model with a full gate",
            "licence": {"weights": "Apache-2.0", "data": "none"},
            "graphs": _graphs(),
            "labels": [{"name": name, "operating_point": 0.5, "calibration": None} for name in LABELS],
            "gate": _gate(),
            "files": describe_files(folder, names),
        }
    )
    write_description(folder, description)
    return load_bundle(folder)


def _gate() -> dict[str, Any]:
    return {
        "metric": "ssim",
        "threshold": THRESHOLD,
        "share": 0.95,
        "scores": [
            {"metric": "turned", "threshold": 0.05, "higher": "unlike"},
            {"metric": "l1", "threshold": 0.3, "higher": "unlike"},
            {"metric": "ssim-gaussian", "threshold": -0.9, "higher": "alike"},
            {"metric": "latent", "threshold": 10.0, "higher": "unlike"},
            {"metric": "mahalanobis", "threshold": 3.0, "higher": "unlike"},
            {"metric": "energy", "threshold": 5.0, "higher": "unlike"},
        ],
        "quantiles": {
            "levels": [0.0, 0.05, 0.5, 1.0],
            "of": "validation",
            "values": {"ssim": [0.7, 0.8, 0.9, 1.0], "mahalanobis": [0.0, 0.5, 1.0, 4.0]},
        },
    }


def _graphs() -> dict[str, Any]:
    def outputs(**shapes: list[int]) -> list[dict[str, Any]]:
        return [{"name": role, "role": role, "shape": shape} for role, shape in shapes.items()]

    image = image_input(SIDE)
    return {
        "gate": {
            "file": "gate.onnx",
            "inputs": [image],
            "outputs": outputs(reconstruction=[1, 1, SIDE, SIDE], latent=[1, (SIDE // 8) ** 2]),
        },
        "classifier": {
            "file": "classifier.onnx",
            "inputs": [image],
            "outputs": outputs(logits=[1, len(LABELS)], features=[1, 2]),
        },
        "features": {
            "file": "features.onnx",
            "inputs": [{"name": "features", "shape": [1, 2], "colour": None}],
            "outputs": outputs(whitened=[1, 2]),
        },
    }


def _save_gate(folder: Path) -> None:
    nodes = [
        helper.make_node("Mul", ["image", "nothing"], ["black"]),
        helper.make_node("Add", ["black", "known"], ["reconstruction"]),
        helper.make_node("Sub", ["image", "known"], ["difference"]),
        helper.make_node("AveragePool", ["difference"], ["coarse"], kernel_shape=[8, 8], strides=[8, 8]),
        helper.make_node("Flatten", ["coarse"], ["latent"]),
    ]
    weights = {"nothing": np.zeros(1), "known": known_image()[None, None]}
    shape = [1, 1, SIDE, SIDE]
    outputs = {"reconstruction": shape, "latent": [1, (SIDE // 8) ** 2]}
    _save(folder / "gate.onnx", nodes, weights, {"image": shape}, outputs)


def _save_classifier(folder: Path) -> None:
    halves: dict[str, Any] = {"kernel_shape": [SIDE // 2, SIDE], "strides": [SIDE // 2, SIDE]}
    nodes = [
        helper.make_node("AveragePool", ["image"], ["halves"], **halves),
        helper.make_node("Flatten", ["halves"], ["flat"]),
        helper.make_node("MatMul", ["flat", "mix"], ["features"]),
        helper.make_node("Gemm", ["features", "linear", "bias"], ["logits"]),
    ]
    weights = {
        "mix": np.array([[0.5, 1.0], [0.5, 0.0]]),
        "linear": np.array([[4.0, -2.0], [1.0, 3.0]]),
        "bias": np.array([-2.0, 0.5]),
    }
    outputs = {"logits": [1, len(LABELS)], "features": [1, 2]}
    _save(folder / "classifier.onnx", nodes, weights, {"image": [1, 1, SIDE, SIDE]}, outputs)


def _save_features(folder: Path) -> None:
    nodes = [
        helper.make_node("Sub", ["features", "centre"], ["moved"]),
        helper.make_node("MatMul", ["moved", "whitening"], ["whitened"]),
    ]
    known = known_image().astype(np.float64)
    weights = {
        "centre": np.array([[known.mean(), known[: SIDE // 2].mean()]]),
        "whitening": np.diag([20.0, 20.0]),
    }
    _save(folder / "features.onnx", nodes, weights, {"features": [1, 2]}, {"whitened": [1, 2]})


def _save(
    path: Path, nodes: list[onnx.NodeProto], weights: dict[str, np.ndarray], inputs: Shapes, outputs: Shapes
) -> None:
    def values(shapes: Shapes) -> list[onnx.ValueInfoProto]:
        return [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in shapes.items()]

    tensors = [numpy_helper.from_array(value.astype(np.float32), name) for name, value in weights.items()]
    graph = helper.make_graph(nodes, "test", values(inputs), values(outputs), tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    onnx.save_model(model, str(path))
