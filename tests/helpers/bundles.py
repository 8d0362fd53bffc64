"""Small bundles that tests make: real ONNX graphs with random weights, several labels, a gate that blurs."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from sitegen.bundle import Bundle, Description, Graph, describe_files, load_bundle, write_description
from sitegen.export.gradient_graph import export_cam, export_gradient, export_guided
from sitegen.export.write_bundle import gradient_graphs

LABELS = ("Atelectasis", "Pneumonia", "Effusion")
FLOAT = TensorProto.FLOAT
Side = int | tuple[int, int]  # of a square, or rows and columns
WHOLE = {"mode": "centre-square", "fraction": 1.0}


def _grid(side: Side) -> list[int]:
    return list(side) if isinstance(side, tuple) else [side, side]


def classifier(
    side: Side = 32, channels: int = 1, labels: int = len(LABELS), seed: int = 7, activation: str = "Relu"
) -> onnx.ModelProto:
    """Convolution, ReLU or another activation, average over the image, one linear layer."""
    random = np.random.default_rng(seed)
    weights = {
        "kernel": random.normal(0, 0.5, (8, channels, 5, 5)),
        "linear": random.normal(0, 4, (8, labels)),
        "bias": random.normal(0, 1, labels),
    }
    nodes = [
        helper.make_node("Conv", ["image", "kernel"], ["convolved"], strides=[2, 2]),
        helper.make_node(activation, ["convolved"], ["active"]),
        helper.make_node("GlobalAveragePool", ["active"], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["flat"]),
        helper.make_node("Gemm", ["flat", "linear", "bias"], ["logits"]),
    ]
    return _model(nodes, weights, ("image", [1, channels, *_grid(side)]), ("logits", [1, labels]))


def blurring_gate(side: int = 16, kernel: int = 3) -> onnx.ModelProto:
    """A "reconstruction" that is the image, blurred: smooth images pass, noise does not."""
    weights = {"blur": np.full((1, 1, kernel, kernel), 1 / kernel**2)}
    pads = [kernel // 2] * 4
    nodes = [helper.make_node("Conv", ["image", "blur"], ["reconstruction"], pads=pads)]
    return _model(nodes, weights, ("image", [1, 1, side, side]), ("reconstruction", [1, 1, side, side]))


def _model(
    nodes: list[onnx.NodeProto],
    weights: dict[str, np.ndarray],
    image: tuple[str, list[int]],
    output: tuple[str, list[int]],
) -> onnx.ModelProto:
    tensors = [numpy_helper.from_array(value.astype(np.float32), name) for name, value in weights.items()]
    graph = helper.make_graph(
        nodes,
        "test",
        [helper.make_tensor_value_info(image[0], FLOAT, image[1])],
        [helper.make_tensor_value_info(output[0], FLOAT, output[1])],
        tensors,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    return model


def image_input(side: Side, channels: int = 1, crop: Mapping[str, Any] = WHOLE) -> dict[str, Any]:
    return {
        "name": "image",
        "shape": [1, channels, *_grid(side)],
        "colour": "grey" if channels == 1 else "rgb",
        "crop": dict(crop),
        "range": [0.0, 1.0],
        "mean": [0.5] * channels if channels == 3 else [0.0],
        "std": [0.25] * channels if channels == 3 else [1.0],
    }


def gradient_fields(side: Side, channels: int, labels: int, crop: Mapping[str, Any] = WHOLE) -> dict[str, Any]:
    """What `bundle.json` says of the gradient graph."""
    cells = [(length - 5) // 2 + 1 for length in _grid(side)]
    shapes = {
        "logits": ("logits", [1, labels]),
        "grad_image": ("gradient", [1, channels, *_grid(side)]),
        "active": ("features", [1, 8, *cells]),
        "grad_active": ("features-gradient", [1, 8, *cells]),
    }
    return {
        "file": "gradient.onnx",
        "inputs": [image_input(side, channels, crop), {"name": "seed", "shape": [1, labels], "colour": None}],
        "outputs": [{"name": name, "role": role, "shape": shape} for name, (role, shape) in shapes.items()],
    }


def make_bundle(
    folder: Path,
    *,
    side: Side = 32,
    channels: int = 1,
    labels: tuple[str, ...] = LABELS,
    gate: bool = True,
    threshold: float = 0.5,
    calibrated: bool = True,
    gradient: bool = False,
    activation: str = "Relu",
    explained: bool = False,
    expects: dict[str, Any] | None = None,
    crop: Mapping[str, Any] = WHOLE,
    name: str = "test-model",
) -> Bundle:
    """Write a bundle and load it; `crop` is of the classifier's images.

    With `gradient` it has that graph, and gives its feature map. With `explained` it has the three gradient graphs (the
    guided one for Relu alone) and the final weights.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _save(classifier(side, channels, len(labels), activation=activation), folder, "classifier")
    graphs: dict[str, Any] = {
        "classifier": {
            "file": "classifier.onnx",
            "inputs": [image_input(side, channels, crop)],
            "outputs": [{"name": "logits", "role": "logits"}],
        }
    }
    if gate:
        _save(blurring_gate(), folder, "gate")
        graphs["gate"] = {
            "file": "gate.onnx",
            "inputs": [image_input(16)],
            "outputs": [{"name": "reconstruction", "role": "reconstruction"}],
        }
    if gradient:
        export_gradient(folder, features="active")
        graphs["gradient"] = gradient_fields(side, channels, len(labels), crop)
    if explained:
        graphs |= _explaining(folder, Graph.model_validate(graphs["classifier"]))
        random_model = classifier(side, channels, len(labels), activation=activation)
        feature_map = _final_weights(folder, random_model)
    (folder / "card.md").write_text("# A test model\n\nNot for diagnostic use.\n", encoding="utf-8")
    names = [path.name for path in sorted(folder.iterdir()) if path.name != "bundle.json"]
    calibration = {"method": "piecewise-linear"} if calibrated else None
    description = Description.model_validate(
        {
            "schema": "sitegen.bundle/1",
            "name": name,
            "version": "1.0",
            "title": "Test model",
            "licence": {"weights": "Apache-2.0", "data": "none"},
            "graphs": graphs,
            "labels": [
                {"name": name, "operating_point": min(0.25 + 0.2 * index, 0.9), "calibration": calibration}
                for index, name in enumerate(labels)
            ],
            "gate": {"metric": "ssim", "threshold": threshold} if gate else None,
            "feature_map": feature_map if explained else None,
            "files": describe_files(folder, names),
            "expects": expects,
        }
    )
    write_description(folder, description)
    return load_bundle(folder)


def _explaining(folder: Path, described: Graph) -> dict[str, Any]:
    """Write the gradient graphs, and describe them."""
    export_gradient(folder, features="active")
    export_cam(folder, "active")
    export_guided(folder)
    return {role: graph.model_dump() for role, graph in gradient_graphs(folder, described).items()}


def _final_weights(folder: Path, model: onnx.ModelProto) -> dict[str, Any]:
    """Write the last layer of `classifier` as a file of its own, and describe it."""
    tensors = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    rows = np.concatenate([tensors["linear"].T, tensors["bias"][:, np.newaxis]], axis=1).astype("<f4")
    (folder / "final.weights").write_bytes(rows.tobytes())
    return {"output": "active", "weights": "final.weights", "shape": rows.shape}


def _save(model: onnx.ModelProto, folder: Path, name: str) -> None:
    onnx.save_model(
        model, str(folder / f"{name}.onnx"), save_as_external_data=True, location=f"{name}.weights", size_threshold=0
    )
