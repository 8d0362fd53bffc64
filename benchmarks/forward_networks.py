"""The networks whose forward runs are compared, as each engine takes them, random weights and the bundle that ships."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from densenet_files import FloatArray, Tree, WeightFile, settle
from tensorflow_steps import tensorflow_steps

from sitegen import gradient
from sitegen.export.onnx_export import exported
from sitegen.gradient.files import save
from sitegen.graphs.files import save_with_weights
from sitegen.graphs.names import CLASSIFIER
from sitegen.graphs.passes.table import BUNDLE, apply, for_page
from sitegen.networks.registry import make_network, read_network
from sitegen.resources import default_bundle

NETWORKS = {
    "DenseNet-121": "densenet121",
    "ResNet-50": "resnet50",
    "EfficientNet-Lite0": "efficientnet-lite0",
    "MobileNetV2": "mobilenet-v2",
    "ViT-Tiny": "vit-tiny",
}
SHIPPED = "shipped bundle"
SIDE, LABELS = 224, 18
BEFORE, BUNDLED, PAGE, GRADIENT = "before", "bundle", "page", "gradient"
"""Folders of a network: as exported, as a bundle has it, and as a page gets it, the last also with its gradient."""
LAYERS = "layers.weights"


@dataclass(frozen=True)
class Prepared:
    """A network in a folder of its own, its inputs, and its steps for TensorFlow.js."""

    name: str
    folder: Path
    feeds: dict[str, FloatArray]
    steps: Tree

    def graph(self, form: str) -> Path:
        """Return the ONNX file of one form."""
        return self.folder / form / CLASSIFIER

    @property
    def forms(self) -> list[str]:
        """All that are here; forms that no pass tells apart have the same bytes."""
        return [form for form in (BEFORE, BUNDLED, PAGE, GRADIENT) if self.graph(form).is_file()]


def prepare(name: str, folder: Path) -> Prepared:
    """Write a network in all forms."""
    folder.mkdir()
    model = _shipped() if name == SHIPPED else _random(NETWORKS[name])
    shape = tuple(size.dim_value for size in model.graph.input[0].type.tensor_type.shape.dim)
    labels = model.graph.output[0].type.tensor_type.shape.dim[1].dim_value
    write(model, folder / BEFORE)
    apply(BUNDLE, model)
    bundled = write(model, folder / BUNDLED)
    compiled = folder / GRADIENT / CLASSIFIER
    save(gradient.compile(bundled, wrt="image"), compiled, bundled)
    compiled.write_bytes(for_page(compiled.read_bytes()))
    shutil.copytree(folder / BUNDLED, folder / PAGE)
    (folder / PAGE / CLASSIFIER).write_bytes(for_page(bundled.read_bytes()))
    file = WeightFile()
    steps = tensorflow_steps(folder / BEFORE / CLASSIFIER, file)
    (folder / LAYERS).write_bytes(b"".join(file.parts))
    random = np.random.default_rng(0)
    feeds = {key: random.standard_normal(size).astype(np.float32) for key, size in
             (("image", shape), ("seed", (1, labels)))}  # fmt: skip
    return Prepared(name, folder, feeds, json.loads(json.dumps(steps)))


def write(model: onnx.ModelProto, folder: Path) -> Path:
    """Write a model with its weights beside it; return the path of the graph."""
    folder.mkdir()
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    save_with_weights(copy, folder / CLASSIFIER)
    return folder / CLASSIFIER


def _random(name: str) -> onnx.ModelProto:
    changes: dict[str, Any] = {"channels": 1, "labels": LABELS}
    torch.manual_seed(0)
    network = make_network(read_network({"name": name, **changes}))
    settle(network, 1, SIDE)
    return exported(network.eval(), (torch.zeros(1, 1, SIDE, SIDE),), ["image"], ["logits"])


def _shipped() -> onnx.ModelProto:
    model = onnx.load(str(default_bundle() / CLASSIFIER))
    del model.graph.output[1:]
    return model
