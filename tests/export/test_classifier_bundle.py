"""A trained classifier's files: what the graphs give, what the final weights are for, and what proves them."""

import shutil
from array import array
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from sitegen.bundle import FeatureMap
from sitegen.errors import ExportError
from sitegen.export.agreement import TOLERANCE, samples
from sitegen.export.classifier_bundle import classifier_input, write_classifier
from sitegen.export.proof import prove
from sitegen.networks.registry import make_network, network_document, read_network
from sitegen.networks.trained import TrainedClassifier
from sitegen_runtime.bundle.model import NetworkInput
from tests.helpers.trained import lived_in

DENSENET = {"name": "densenet", "growth": 4, "blocks": (1, 1), "stem": 8}
NETWORKS = {
    "densenet": DENSENET,
    "resnet": {"name": "resnet", "stem": 8, "stages": (1, 1)},
    "vit": {"name": "vit", "width": 24, "depth": 1, "side": 32},
}
LABELS = ("Mass", "Nodule", "Effusion")


def trained(document: dict[str, Any] = DENSENET, **changes: Any) -> TrainedClassifier:
    settings = read_network({**document, "labels": len(LABELS), **changes})
    torch.manual_seed(2)
    image = NetworkInput("picture", (1, 1, 32, 32), "grey", 1.0, (-1.0, 1.0), (0.0,), (1.0,))
    return TrainedClassifier(lived_in(make_network(settings)), network_document(settings), LABELS, image)


def images(count: int = 3) -> np.ndarray[Any, np.dtype[np.float32]]:
    return np.random.default_rng(1).uniform(-1, 1, (count, 1, 32, 32)).astype(np.float32)


def run(path: Path, outputs: list[str], image: Any, **others: Any) -> list[Any]:
    session = onnxruntime.InferenceSession(str(path))
    return list(session.run(outputs, {"image": image[np.newaxis], **others}))


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, TrainedClassifier, FeatureMap]:
    folder, made = tmp_path_factory.mktemp("written"), trained()
    feature_map = write_classifier(made, folder)
    assert feature_map is not None
    return folder, made, feature_map


def test_the_classifier_gives_logits_alone_and_the_gradient_graph_the_feature_map(written: Any) -> None:
    folder, made, feature_map = written
    assert sorted(path.name for path in folder.iterdir()) == [
        "cam.onnx",
        "classifier.onnx",
        "classifier.weights",
        "final.weights",
        "gradient.onnx",
        "guided.onnx",
    ]
    assert [output.name for output in onnx.load(str(folder / "classifier.onnx")).graph.output] == ["logits"]
    maps, logits = run(
        folder / "gradient.onnx", [feature_map.output, "logits"], images()[0], seed=np.zeros((1, 3), np.float32)
    )
    with torch.inference_mode():
        expected = made.network.feature_maps(torch.from_numpy(images()[:1])).numpy()
    assert maps == pytest.approx(expected, abs=1e-5)
    assert logits == pytest.approx(run(folder / "classifier.onnx", ["logits"], images()[0])[0], abs=1e-6)


@pytest.mark.parametrize("name", NETWORKS)
def test_class_activation_maps_are_made_with_the_standard_library(name: str, tmp_path: Path) -> None:
    """Read as a page would: rows of weights with the bias last; the map's mean and the bias are the logit."""
    made = trained(NETWORKS[name])
    feature_map = write_classifier(made, tmp_path)
    assert feature_map is not None
    labels, columns = feature_map.shape
    numbers = array("f")
    numbers.frombytes((tmp_path / feature_map.weights).read_bytes())
    assert (labels, len(numbers)) == (3, labels * columns)
    (maps,) = run(tmp_path / "gradient.onnx", [feature_map.output], images()[1], seed=np.zeros((1, 3), np.float32))
    with torch.inference_mode():
        logits = made.network(torch.from_numpy(images()[1:2]))[0].tolist()
    for label, logit in enumerate(logits):
        *weights, bias = numbers[label * columns : (label + 1) * columns]
        activation = sum(weight * channel for weight, channel in zip(weights, maps[0], strict=True))
        assert activation.mean() + bias == pytest.approx(logit, abs=1e-5)


def test_a_pooled_head_has_a_feature_map_but_no_final_weights(tmp_path: Path) -> None:
    made = trained(head={"kind": "pooled", "hidden": 8})
    (tmp_path / "final.weights").write_bytes(b"of an older export")
    assert write_classifier(made, tmp_path) is None
    assert not (tmp_path / "final.weights").exists()
    outputs = [output.name for output in onnx.load(str(tmp_path / "gradient.onnx")).graph.output]
    assert len(outputs) == 4
    proof = prove(tmp_path, made.network, images(), None)
    assert proof.feature_map is None
    assert 0 < proof.largest <= TOLERANCE


def test_the_proof_says_how_far_graphs_and_network_are_apart(written: Any) -> None:
    folder, made, feature_map = written
    proof = prove(folder, made.network, images(), feature_map)
    with torch.inference_mode():
        expected = made.network(torch.from_numpy(images())).numpy()
    seen = np.concatenate([run(folder / "classifier.onnx", ["logits"], image)[0] for image in images()])
    apart = np.abs(seen.astype(float) - expected) / np.maximum(1, np.abs(expected))
    assert proof.images == 3
    assert proof.classifier == pytest.approx(apart.max(), abs=1e-6)
    assert max(proof.classifier, proof.gradient, proof.feature_map or 1) == proof.largest <= TOLERANCE


def test_another_network_is_told_by_the_first_graph_that_differs(written: Any) -> None:
    folder, _, feature_map = written
    with pytest.raises(ExportError, match=r"classifier\.onnx gives logits that differ by .* from those of PyTorch"):
        prove(folder, trained(growth=5).network, images(), feature_map)
    assert ExportError.exit_code == 1


def test_a_difference_just_beyond_the_tolerance_is_told(written: Any) -> None:
    folder, made, feature_map = written
    near, far = (trained() for _ in range(2))
    near.network.head.final.bias.data += 5e-6
    with torch.inference_mode():
        largest = float(made.network(torch.from_numpy(images())).abs().max())
    far.network.head.final.bias.data += 2e-5 * max(1, largest)
    assert prove(folder, near.network, images(), feature_map).largest > 2e-6
    with pytest.raises(ExportError):
        prove(folder, far.network, images(), feature_map)


@pytest.mark.parametrize("wrong", [1.0, float("nan")])
def test_final_weights_that_make_other_logits_are_told(written: Any, tmp_path: Path, wrong: float) -> None:
    folder, made, feature_map = written
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    numbers = np.fromfile(folder / "final.weights", "<f4")
    numbers[0] += wrong
    numbers.tofile(tmp_path / "final.weights")
    with pytest.raises(ExportError, match=r"final\.weights gives logits that differ by"):
        prove(tmp_path, made.network, images(), feature_map)


def test_samples_are_spread_over_all_images() -> None:
    assert samples(3) == [0, 1, 2]
    assert samples(1) == [0]
    chosen = samples(311)
    assert (len(chosen), chosen[0], chosen[-1]) == (32, 0, 310)
    assert set(np.diff(chosen)) == {10}


def test_graphs_call_the_input_as_they_always_do() -> None:
    made = trained()
    assert classifier_input(made) == replace(made.image, name="image")
