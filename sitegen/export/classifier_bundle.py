"""A trained classifier as the files of a bundle: graphs, final weights, golden image, and another bundle's gate."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

import onnx

from sitegen.bundle import Bundle, FeatureMap, GateSettings, Graph
from sitegen.data.cache import image_tensors
from sitegen.errors import BundleError
from sitegen.export.final_weights import write_final_weights
from sitegen.export.gradient_graph import CLASSIFIER, export_gradient, last_feature_map
from sitegen.export.onnx_export import INPUT, export_onnx, save_with_weights
from sitegen.export.proof import Images
from sitegen.export.write_bundle import GOLDEN
from sitegen.networks.trained import TrainedClassifier
from sitegen.phantom import write_phantom
from sitegen_runtime.model import NetworkInput

GOLDEN_SEED, GOLDEN_SIDE = 1, 768
GATE = "gate.onnx"


@dataclass(frozen=True)
class TakenGate:
    """A gate that was copied from another bundle: its description, its settings, and where it is from.

    `origin` has the name and version of that bundle, and the SHA-256 of the gate's graph and weights.
    """

    graph: Graph
    settings: GateSettings
    origin: Mapping[str, str]


def write_classifier(trained: TrainedClassifier, folder: Path) -> FeatureMap | None:
    """Write `classifier.onnx` with its weights, `gradient.onnx`, and `final.weights` where the head has them.

    The feature map is an output of the gradient graph alone: in the classifier it would cost every page time and memory
    on every image. Raises GradientError where an operator has no gradient.
    """
    export_onnx(trained.network, classifier_input(trained).shape, "logits", folder / CLASSIFIER)
    features = last_feature_map(folder / CLASSIFIER)
    export_gradient(folder, features)
    return write_final_weights(folder, trained.network, features)


def classifier_input(trained: TrainedClassifier) -> NetworkInput:
    """Return the classifier's input under the name that exported graphs give it."""
    return replace(trained.image, name=INPUT)


def write_golden(folder: Path, image: NetworkInput) -> Images:
    """Write `golden.png`, always the same phantom, and return what the network sees of it: [1, C, side, side]."""
    write_phantom(folder / GOLDEN, GOLDEN_SEED, GOLDEN_SIDE)
    return image_tensors((folder / GOLDEN).read_bytes(), {"golden": image})["golden"]


def take_gate(source: Bundle, folder: Path) -> TakenGate:
    """Copy the gate of a bundle into `folder`, as `gate.onnx` and `gate.weights`, whatever they are called there.

    A gate that the bundle took over itself keeps its first origin, so that a bundle may be made anew with its own gate.
    Raises BundleError where the bundle has no gate.
    """
    description = source.description
    if description.gate is None:
        raise BundleError(f"The bundle {source.folder} has no gate. Name one that has, or leave out --gate.")
    save_with_weights(onnx.load(str(source.graph_path("gate"))), folder / GATE)
    gate_files = [folder / GATE, (folder / GATE).with_suffix(".weights")]
    content = sha256(b"".join(path.read_bytes() for path in gate_files if path.exists())).hexdigest()
    origin = description.provenance.get("gate")
    if not isinstance(origin, Mapping) or origin.get("sha256") != content:
        origin = {"name": description.name, "version": description.version, "sha256": content}
    return TakenGate(description.graphs["gate"].model_copy(update={"file": GATE}), description.gate, origin)
