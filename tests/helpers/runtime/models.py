"""Models for tests of the runtime, which reads `bundle.json` alone: no file of a bundle is needed."""

import json
from typing import Any

from sitegen_runtime.bundle.model import Model, NetworkInput, read_model
from sitegen_runtime.pixels.geometry import Place
from sitegen_runtime.pixels.views import view

LABELS = ("Atelectasis", "Pneumonia", "Effusion")
_MAPS = {"features": [1, 2, 2, 2], "features-gradient": [1, 2, 2, 2]}


def network_input(
    cells: int = 4,
    colour: str = "grey",
    *,
    columns: int | None = None,
    fraction: float = 1.0,
    low: float = 0.0,
    high: float = 1.0,
    mean: tuple[float, ...] = (0.0,),
    std: tuple[float, ...] = (1.0,),
) -> NetworkInput:
    channels = 3 if colour == "rgb" else 1
    mean, std = (values * channels if len(values) < channels else values for values in (mean, std))
    return NetworkInput("image", (1, channels, cells, columns or cells), colour, fraction, (low, high), mean, std)


def centred_square(width: int, height: int, fraction: float = 1.0) -> Place:
    """What a network with a square input sees of an upright image."""
    return view(width, height, network_input(fraction=fraction)).seen


def input_fields(cells: int) -> dict[str, Any]:
    return {
        "name": "image",
        "shape": [1, 1, cells, cells],
        "colour": "grey",
        "crop": {"mode": "centre-square", "fraction": 1.0},
        "range": [0.0, 1.0],
        "mean": [0.0],
        "std": [1.0],
    }


def description(
    *,
    gate: bool = True,
    calibrated: bool = True,
    threshold: float = 0.5,
    cells: int = 16,
    gradient: bool = False,
    features: bool = False,
    gate_cells: int = 8,
    more_outputs: bool = False,
    cam: bool = False,
    guided: bool = False,
    final: bool = False,
    **of_gate: Any,
) -> bytes:
    """The bytes of a `bundle.json` with a classifier of `cells`, a gate of `gate_cells` a side, and a gradient graph.

    With `cam`, `guided` and `final` it has graphs of these roles, and final weights of a feature map of two channels.

    With `more_outputs` the gate gives a latent, the classifier pooled features, and a graph of the role "features"
    what scores make of those. `of_gate` are more keys of the gate.
    """
    graphs = {"classifier": _graph("classifier", "logits", cells)}
    if gate:
        graphs["gate"] = _graph("gate", "reconstruction", gate_cells)
    if more_outputs:
        graphs["gate"]["outputs"].append({"name": "latent_out", "role": "latent", "shape": [1, 2]})
        graphs["classifier"]["outputs"].append({"name": "features_out", "role": "features", "shape": [1, 2]})
        graphs["features"] = {
            "file": "features.onnx",
            "inputs": [{"name": "features", "shape": [1, 2], "colour": None}],
            "outputs": [{"name": f"{role}_out", "role": role, "shape": [1, 2]} for role in ("whitened", "residual")],
        }
    if gradient:
        graphs["gradient"] = _gradient_graph(cells, features)
    if cam:
        graphs["cam"] = _seeded("cam", cells, {"logits": [1, len(LABELS)]} | _MAPS)
    if guided:
        graphs["guided"] = _seeded("guided", cells, {"logits": [1, len(LABELS)], "gradient": [1, 1, cells, cells]})
    calibration = {"method": "piecewise-linear"} if calibrated else None
    fields = {
        "schema": "sitegen.bundle/1",
        "name": "literal",
        "version": "2.1",
        "graphs": graphs,
        "labels": [
            {"name": name, "operating_point": point, "calibration": calibration}
            for name, point in zip(LABELS, (0.25, 0.5, 0.75), strict=True)
        ],
        "gate": {"metric": "ssim", "threshold": threshold, **of_gate} if gate else None,
        "feature_map": {"weights": "final.weights", "shape": [len(LABELS), 3]} if final else None,
    }
    return json.dumps(fields).encode()


def model(**options: Any) -> Model:
    return read_model(description(**options))


def _graph(role: str, output: str, cells: int) -> dict[str, Any]:
    return {
        "file": f"{role}.onnx",
        "inputs": [input_fields(cells)],
        "outputs": [{"name": f"{output}_out", "role": output}],
    }


def _gradient_graph(cells: int, features: bool) -> dict[str, Any]:
    shapes = {"logits": [1, len(LABELS)], "gradient": [1, 1, cells, cells]}
    if features:
        shapes |= {"features": [1, 2, 1, 1], "features-gradient": [1, 2, 1, 1]}
    return _seeded("gradient", cells, shapes)


def _seeded(role: str, cells: int, shapes: dict[str, list[int]]) -> dict[str, Any]:
    return {
        "file": f"{role}.onnx",
        "inputs": [input_fields(cells), {"name": "seed", "shape": [1, len(LABELS)], "colour": None}],
        "outputs": [{"name": f"{role}_out", "role": role, "shape": shape} for role, shape in shapes.items()],
    }
